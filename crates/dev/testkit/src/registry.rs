//! A real registry on this machine, for one test.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The names under which the registry's program is installed.
const PROGRAMS: [&str; 2] = ["docker-registry", "registry"];

/// A registry that is stopped when this is dropped. What it holds is below `Registry::storage`.
#[derive(Debug)]
pub struct Registry {
    child: Child,
    address: String,
    storage: PathBuf,
}

impl Registry {
    /// Starts a registry in this folder that anybody may use.
    pub fn start(folder: &Path) -> Self {
        Self::start_with(folder, "")
    }

    /// Starts a registry in this folder that wants to know who asks: the user `ann`, whose password is `secret`.
    pub fn start_guarded(folder: &Path) -> Self {
        const ANN: &str = "ann:$2b$04$Bo3zj13n.HzFFfyqtL00A.fTPeFP99bH6Tr1VyV1NLGIPeWQ/afeC\n";
        let passwords = folder.join("htpasswd");
        std::fs::write(&passwords, ANN)
            .unwrap_or_else(|error| panic!("{}: {error}", passwords.display()));
        Self::start_with(
            folder,
            &format!(
                "auth: {{htpasswd: {{realm: test, path: '{}'}}}}\n",
                passwords.display()
            ),
        )
    }

    fn start_with(folder: &Path, more: &str) -> Self {
        let storage = folder.join("registry");
        let config = format!(
            "version: 0.1\nstorage: {{filesystem: {{rootdirectory: '{}'}}}}\nhttp: {{addr: '127.0.0.1:0'}}\n{more}",
            storage.display()
        );
        let file = folder.join("registry.yml");
        std::fs::write(&file, config).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let mut child = PROGRAMS
            .iter()
            .find_map(|program| {
                let mut command = Command::new(program);
                command
                    .arg("serve")
                    .arg(&file)
                    .stdout(Stdio::null())
                    .stderr(Stdio::piped());
                command.spawn().ok()
            })
            .unwrap_or_else(|| {
                panic!("there is no docker-registry: install it with scripts/need-registry.sh")
            });
        let log = child.stderr.take().map(BufReader::new);
        let mut lines = log
            .into_iter()
            .flat_map(BufReader::lines)
            .map_while(Result::ok);
        let address = lines
            .by_ref()
            .find_map(|line| {
                let (_, after) = line.split_once("listening on ")?;
                let (address, _) = after.split_once('"')?;
                Some(address.to_owned())
            })
            .unwrap_or_else(|| panic!("the registry does not say where it listens"));
        // It must not wait for somebody to read its log.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            child,
            address,
            storage,
        }
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Where the blob with this digest (in hexadecimal) lies.
    pub fn blob(&self, hex: &str) -> PathBuf {
        let start = hex.get(..2).unwrap_or_default();
        let below = format!("docker/registry/v2/blobs/sha256/{start}/{hex}/data");
        self.storage.join(below)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
