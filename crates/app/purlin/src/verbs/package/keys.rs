//! `purlin package keygen`, and where keys and their passwords come from.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use purlin_package::{PrivateKey, Seal};

use crate::exit::Exit;
use crate::ui::Ui;

/// The variable that cosign takes the password from.
const PASSWORD: &str = "COSIGN_PASSWORD";
/// Bytes of a key.
const LARGEST: u64 = 64 << 10;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where the keys go: PREFIX.key and PREFIX.pub. The private one is sealed with the password in COSIGN_PASSWORD, which may be
    /// empty.
    #[arg(long, value_name = "PREFIX", default_value = "cosign")]
    output_key_prefix: PathBuf,
}

pub(super) fn run(args: &Args, ui: &Ui) -> anyhow::Result<Exit> {
    let Ok(password) = std::env::var(PASSWORD) else {
        ui.say(format_args!(
            "error: {PASSWORD} is not set: set it to the password of the new key, or to nothing for a key without one"
        ));
        return Ok(Exit::Misuse);
    };
    let ending = |ending: &str| {
        let mut path = args.output_key_prefix.as_os_str().to_owned();
        path.push(ending);
        PathBuf::from(path)
    };
    let (private, public) = (ending(".key"), ending(".pub"));
    for path in [&private, &public] {
        if path.exists() {
            ui.say(format_args!(
                "error: {} is there already, and is not replaced",
                path.display()
            ));
            return Ok(Exit::Misuse);
        }
    }
    let key = loop {
        if let Some(key) = PrivateKey::from_random(&chance()?) {
            break key;
        }
    };
    let seal = Seal {
        salt: chance()?,
        nonce: chance()?,
    };
    write_secret(&private, &key.seal(&password, &seal))?;
    super::write(&public, key.public().to_pem().as_bytes())?;
    ui.say(format_args!(
        "keep {} secret; give {} to whoever verifies",
        private.display(),
        public.display()
    ));
    ui.data(format_args!(
        "{}\n{}\n",
        private.display(),
        public.display()
    ))?;
    Ok(Exit::Done)
}

fn chance<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| anyhow!("the system gives no random bytes: {error}"))?;
    Ok(bytes)
}

/// A file that only its owner reads.
fn write_secret(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let cannot = || format!("cannot write {}", path.display());
    let mut file = options.open(path).with_context(cannot)?;
    file.write_all(text.as_bytes()).with_context(cannot)
}

/// The text of a key's file.
pub(super) fn read_pem(path: &Path) -> anyhow::Result<String> {
    let bytes = super::read(path, LARGEST)?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(_) => bail!("{} is no key: a PEM is expected", path.display()),
    }
}

/// The password that a key is sealed with.
pub(super) fn password(path: &Path) -> anyhow::Result<String> {
    std::env::var(PASSWORD).map_err(|_| {
        anyhow!(
            "{} is sealed: set {PASSWORD} to its password, which may be empty",
            path.display()
        )
    })
}
