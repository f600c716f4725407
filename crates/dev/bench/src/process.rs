//! A server in a child process, and the CPU time it used.

use std::fs;
use std::future::Future;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use purlin_function::Functions;
use purlin_serve::{Options, Server};

/// A child that serves until it is dropped.
pub(crate) struct Served {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Served {
    /// Starts this program again, as a server.
    pub(crate) fn start(words: &[&str]) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(words);
        Self::spawn(command)
    }

    /// Starts this program again, as a server inside another program, which has the words before `--`.
    pub(crate) fn start_in(program: &[String], words: &[&str]) -> anyhow::Result<Self> {
        let (name, rest) = program.split_first().context("no program")?;
        let mut command = Command::new(name);
        command.args(rest).arg(std::env::current_exe()?).args(words);
        Self::spawn(command)
    }

    fn spawn(mut command: Command) -> anyhow::Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().context("the child has a stdout")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line.trim().parse().context("the child did not start")?;
        Ok(Self { child, address })
    }

    /// Ends the child and waits for it.
    pub(crate) fn end(self) {
        drop(self);
    }

    /// The CPU time of all threads of the child, in user and system mode.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        cpu_of(self.child.id())
    }

    /// The most memory the child had at once, in MiB.
    pub(crate) fn peak_memory(&self) -> anyhow::Result<u64> {
        peak_memory_of(self.child.id())
    }
}

/// The CPU time of all threads of a process, in user and system mode.
pub(crate) fn cpu_of(process: u32) -> anyhow::Result<Duration> {
    // Clock ticks of 10 ms: the unit of /proc on Linux, whatever the kernel's own.
    const TICK: Duration = Duration::from_millis(10);
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The second field is a name in parentheses, which may contain anything.
    let (_, fields) = stat.rsplit_once(") ").context("no name in stat")?;
    let ticks: u32 = fields
        .split(' ')
        .skip(11)
        .take(2)
        .map(|ticks| ticks.parse::<u32>().unwrap_or_default())
        .sum();
    Ok(TICK * ticks)
}

/// The most memory a process had at once, in MiB.
pub(crate) fn peak_memory_of(process: u32) -> anyhow::Result<u64> {
    Ok(memory_of(process, "VmHWM:")? / 1024)
}

/// A figure of `/proc/<pid>/status`, in KiB.
pub(crate) fn memory_of(process: u32, name: &str) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kib.and_then(|kib| kib.parse().ok())
        .with_context(|| format!("no {name} in the status of process {process}"))
}

impl Drop for Served {
    fn drop(&mut self) {
        // Closing its stdin tells it to stop.
        drop(self.child.stdin.take());
        drop(self.child.wait());
    }
}

/// Serves our functions on a free port and prints where.
pub(crate) fn serve_functions() -> anyhow::Result<()> {
    let mut all = vec![
        function_patch_and_transform::hosted(),
        function_auto_ready::hosted(),
        function_blueprint::hosted(),
        function_go_templating::hosted(),
    ];
    all.push(function_pipeline::hosted(all.clone()));
    let functions = Functions::new(all);
    let runtime = runtime()?;
    runtime.block_on(async {
        let options = Options {
            max_request_size: 64 << 20,
            ..Options::default()
        };
        let server = Server::bind(options, Arc::new(functions)).await?;
        announce(server.address())?;
        server.run(closed_stdin()).await?;
        Ok(())
    })
}

pub(crate) fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
}

pub(crate) fn announce(address: SocketAddr) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{address}")?;
    stdout.flush()
}

/// Ready when the parent is gone or closes our stdin.
pub(crate) fn closed_stdin() -> impl Future<Output = ()> + Send {
    let (closed, wait) = tokio::sync::oneshot::channel::<()>();
    std::thread::spawn(move || {
        drop(io::stdin().lock().read(&mut [0]));
        drop(closed);
    });
    async move { drop(wait.await) }
}
