//! How long until many claims are ready? `purlin-bench claims`
//!
//! Starts `purlin up` with the simulated provider, creates all claims with one `kubectl create`, and waits until `kubectl`
//! says that they are ready: what a user would see.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// The XRD, the Composition of ten managed resources, and the managed resources' CRD.
const PLATFORM: &str = include_str!("claims.yaml");

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many claims.
    #[arg(long, default_value_t = 100)]
    count: usize,
    /// The `purlin` to measure.
    #[arg(long, default_value = "target/release/purlin")]
    purlin: PathBuf,
    /// Give up after this many seconds.
    #[arg(long, default_value_t = 300)]
    timeout: u64,
}

impl Default for Args {
    fn default() -> Self {
        Self {
            count: 100,
            purlin: PathBuf::from("target/release/purlin"),
            timeout: 300,
        }
    }
}

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let up = Up::start(args, folder.path())?;
    let claims = folder.path().join("claims.yaml");
    fs::write(&claims, manifests(args.count))?;
    let started = Instant::now();
    up.kubectl(&["create", "-f", &claims.to_string_lossy()])?;
    let created = started.elapsed();
    // Not `kubectl wait --all`, which asks for one object after the other, a tenth of a second each.
    while up.ready()? < args.count {
        if started.elapsed() > Duration::from_secs(args.timeout) {
            bail!(
                "{} of {} claims are ready after {} s",
                up.ready()?,
                args.count,
                args.timeout
            );
        }
    }
    let ready = started.elapsed();
    let composed = up.kubectl(&["get", "parts", "-o", "name"])?.lines().count();
    let cpu = up.cpu()?;
    print(&format!(
        "claims to Ready: {} claims, {composed} composed resources\n  \
         created after {:.2} s, all Ready after {:.2} s ({:.0} composed resources a second), {:.2} s of CPU in purlin, {} MiB at most",
        args.count,
        created.as_secs_f64(),
        ready.as_secs_f64(),
        count(composed) / ready.as_secs_f64(),
        cpu.as_secs_f64(),
        up.peak_memory()?,
    ));
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]
fn print(text: &str) {
    println!("{text}");
}

fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::MAX, f64::from)
}

fn manifests(count: usize) -> String {
    let mut all = String::new();
    for number in 0..count {
        write!(
            all,
            "---\napiVersion: bench.example.org/v1\nkind: Stack\nmetadata: {{name: stack-{number}, namespace: default}}\nspec: {{size: {number}}}\n"
        )
        .expect("a String takes all that is written to it");
    }
    all
}

/// A running `purlin up`, ended when it is dropped.
struct Up {
    child: Child,
    kubeconfig: PathBuf,
}

impl Up {
    fn start(args: &Args, folder: &Path) -> anyhow::Result<Self> {
        let (kubeconfig, platform) = (folder.join("kubeconfig"), folder.join("platform.yaml"));
        fs::write(&platform, PLATFORM)?;
        let child = Command::new(&args.purlin)
            .args(["up", "--listen", "127.0.0.1:0", "--kubeconfig"])
            .arg(&kubeconfig)
            .arg("--apply")
            .arg(&platform)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}; build it first", args.purlin.display()))?;
        let up = Self { child, kubeconfig };
        for _ in 0..120 {
            let offered = [
                "wait",
                "--for=condition=Offered",
                "xrd/xstacks.bench.example.org",
                "--timeout=1s",
            ];
            if up.kubeconfig.exists()
                && up.kubectl(&offered).is_ok()
                && up.kubectl(&["get", "stacks"]).is_ok()
            {
                return Ok(up);
            }
            std::thread::sleep(Duration::from_millis(250));
        }
        bail!("purlin up did not offer the claim within 30 s")
    }

    fn kubectl(&self, words: &[&str]) -> anyhow::Result<String> {
        let output = Command::new("kubectl")
            .env("KUBECONFIG", &self.kubeconfig)
            .args(words)
            .output()?;
        if !output.status.success() {
            bail!(
                "kubectl {}: {}",
                words.join(" "),
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// How many claims are ready, as kubectl says.
    fn ready(&self) -> anyhow::Result<usize> {
        const READY: &str = r#"jsonpath={range .items[*]}{.status.conditions[?(@.type=="Ready")].status}{"\n"}{end}"#;
        let statuses = self.kubectl(&["get", "stacks", "-o", READY])?;
        Ok(statuses.lines().filter(|status| *status == "True").count())
    }

    fn cpu(&self) -> anyhow::Result<Duration> {
        crate::process::cpu_of(self.child.id())
    }

    fn peak_memory(&self) -> anyhow::Result<u64> {
        crate::process::peak_memory_of(self.child.id())
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
