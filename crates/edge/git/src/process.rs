//! Runs the `git` program, within bounds of time and output.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::{Error, Repo, Result};

/// How long a push or fetch may take.
const TIME: Duration = Duration::from_mins(2);
/// How much of an answer is kept.
const OUTPUT: u64 = 1 << 20;

impl Repo {
    /// Runs `git` in this repository and returns what it printed to stdout.
    pub(crate) fn git<S: AsRef<str>>(&self, purpose: &'static str, args: &[S]) -> Result<String> {
        let mut command = Command::new("git");
        match self.work_dir() {
            Some(dir) => command.arg("-C").arg(dir),
            None => command.arg("--git-dir").arg(self.git_dir()),
        };
        command
            .args(args.iter().map(AsRef::as_ref))
            // A hook sets these for its own repository; ours is the one that was opened.
            .env_remove("GIT_DIR")
            .env_remove("GIT_WORK_TREE")
            .env_remove("GIT_INDEX_FILE")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = command
            .spawn()
            .map_err(|source| Error::NoGit { purpose, source })?;
        finish(child, purpose)
    }
}

fn finish(mut child: Child, purpose: &'static str) -> Result<String> {
    let out = child.stdout.take().map(read_in_background);
    let err = child.stderr.take().map(read_in_background);
    let until = Instant::now() + TIME;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if Instant::now() < until => std::thread::sleep(Duration::from_millis(5)),
            Ok(None) => {
                drop(child.kill());
                drop(child.wait());
                let said = format!("no answer within {} s", TIME.as_secs());
                return Err(Error::Git { purpose, said });
            }
            Err(source) => return Err(Error::NoGit { purpose, source }),
        }
    };
    let text = |reader: Option<std::thread::JoinHandle<String>>| {
        reader
            .and_then(|reader| reader.join().ok())
            .unwrap_or_default()
    };
    let (out, err) = (text(out), text(err));
    if status.success() {
        return Ok(out);
    }
    let said = if err.trim().is_empty() { out } else { err };
    Err(Error::Git {
        purpose,
        said: said.trim().to_owned(),
    })
}

fn read_in_background(from: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let mut from = from;
        drop(from.by_ref().take(OUTPUT).read_to_end(&mut bytes));
        // The rest is read too, or the child would wait for room in the pipe.
        drop(std::io::copy(&mut from, &mut std::io::sink()));
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
