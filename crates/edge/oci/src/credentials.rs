//! Who are we, for this registry? From Docker's configuration and the programs it names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde::Deserialize;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::error::Error;

/// How long a credential helper may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes of a configuration file.
const LARGEST: u64 = 1 << 20;

/// Who asks.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Identity {
    /// Nobody in particular.
    Anonymous,
    /// A name and a password.
    Password(String, String),
    /// A token that is exchanged for others.
    Token(String),
}

/// Knows who we are, for each registry.
#[derive(Clone, Default)]
pub struct Credentials {
    config: Config,
    folder: Option<PathBuf>,
    /// Where helpers are looked for before they are looked for where all programs are.
    helpers: Option<PathBuf>,
}

// Passwords are in here.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("registries", &self.config.auths.len())
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Config {
    auths: BTreeMap<String, Entry>,
    creds_store: String,
    cred_helpers: BTreeMap<String, String>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct Entry {
    auth: String,
    username: String,
    password: String,
    identitytoken: String,
}

/// What a credential helper prints.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: String,
}

impl Credentials {
    /// Nobody in particular, everywhere.
    pub fn anonymous() -> Self {
        Self::default()
    }

    /// Reads `config.json` of this folder; without that file we are nobody.
    pub fn from_folder(folder: &Path) -> Result<Self, Error> {
        let path = folder.join("config.json");
        Self::from_file(&path)
    }

    /// Reads a configuration file; without it we are nobody.
    pub fn from_file(path: &Path) -> Result<Self, Error> {
        let cannot = |source| Error::Config {
            path: path.to_owned(),
            source,
        };
        match std::fs::metadata(path) {
            Ok(facts) if facts.len() > LARGEST => {
                return Err(Error::TooLarge {
                    what: path.display().to_string(),
                    limit: LARGEST,
                });
            }
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => return Err(cannot(error)),
        }
        let text = std::fs::read(path).map_err(cannot)?;
        let config = serde_json::from_slice(&text)
            .map_err(|error| cannot(std::io::Error::new(std::io::ErrorKind::InvalidData, error)))?;
        Ok(Self {
            config,
            folder: path.parent().map(Path::to_owned),
            helpers: None,
        })
    }

    /// Looks for credential helpers in this folder first.
    #[must_use]
    pub fn with_helpers_in(mut self, folder: &Path) -> Self {
        self.helpers = Some(folder.to_owned());
        self
    }

    /// Who we are for this registry.
    pub(crate) async fn identity(&self, registry: &str) -> Result<Identity, Error> {
        if let Some(helper) = named(&self.config.cred_helpers, registry) {
            return self.ask(helper, registry).await;
        }
        if let Some(auth) = named(&self.config.auths, registry) {
            let identity = auth.identity();
            if identity != Identity::Anonymous {
                return Ok(identity);
            }
        }
        if !self.config.creds_store.is_empty() {
            return self.ask(&self.config.creds_store, registry).await;
        }
        Ok(Identity::Anonymous)
    }

    async fn ask(&self, helper: &str, registry: &str) -> Result<Identity, Error> {
        let program = format!("docker-credential-{helper}");
        let fails = |why: String| Error::Helper {
            program: program.clone(),
            why,
        };
        if helper.contains(['/', '\\']) {
            return Err(fails("its name has a slash".to_owned()));
        }
        let server = match registry {
            "docker.io" | "index.docker.io" | "registry-1.docker.io" => {
                "https://index.docker.io/v1/"
            }
            other => other,
        };
        let beside = self.helpers.as_ref().map(|folder| folder.join(&program));
        let found = beside
            .filter(|path| path.is_file())
            .unwrap_or_else(|| PathBuf::from(&program));
        let mut child = Command::new(&found)
            .arg("get")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| fails(error.to_string()))?;
        let output = tokio::time::timeout(PATIENCE, async {
            if let Some(mut stdin) = child.stdin.take() {
                stdin.write_all(server.as_bytes()).await?;
            }
            child.wait_with_output().await
        });
        let output = match output.await {
            Ok(output) => output.map_err(|error| fails(error.to_string()))?,
            Err(_) => return Err(fails(format!("no answer within {} s", PATIENCE.as_secs()))),
        };
        if !output.status.success() {
            // It knows nothing of this registry: there is no other way for it to say so.
            return Ok(Identity::Anonymous);
        }
        let answer: Answer = serde_json::from_slice(&output.stdout)
            .map_err(|_| fails("its answer is not what is agreed".to_owned()))?;
        Ok(match answer.username.as_str() {
            "<token>" => Identity::Token(answer.secret),
            _ => Identity::Password(answer.username, answer.secret),
        })
    }

    /// Where passwords come from, for messages.
    pub(crate) fn source(&self) -> String {
        match &self.folder {
            Some(folder) => folder.join("config.json").display().to_string(),
            None => "~/.docker/config.json".to_owned(),
        }
    }
}

impl Entry {
    fn identity(&self) -> Identity {
        if !self.identitytoken.is_empty() {
            return Identity::Token(self.identitytoken.clone());
        }
        if !self.username.is_empty() {
            return Identity::Password(self.username.clone(), self.password.clone());
        }
        let text = self.auth.trim_end_matches('=');
        let decoded = STANDARD_NO_PAD.decode(text).unwrap_or_default();
        match String::from_utf8(decoded)
            .ok()
            .as_deref()
            .and_then(|pair| pair.split_once(':'))
        {
            Some((name, password)) => {
                Identity::Password(name.to_owned(), password.trim_end_matches('\0').to_owned())
            }
            None => Identity::Anonymous,
        }
    }
}

/// Configurations name a registry by its host, or by an address that was once its API.
fn named<'m, T>(map: &'m BTreeMap<String, T>, registry: &str) -> Option<&'m T> {
    if let Some(found) = map.get(registry) {
        return Some(found);
    }
    let hub = matches!(
        registry,
        "docker.io" | "index.docker.io" | "registry-1.docker.io"
    );
    map.iter()
        .find(|(key, _)| {
            let host = key
                .trim_start_matches("https://")
                .trim_start_matches("http://");
            let host = host.split('/').next().unwrap_or(host);
            host == registry || hub && matches!(host, "docker.io" | "index.docker.io")
        })
        .map(|(_, value)| value)
}

/// The header for a name and a password.
pub(crate) fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}

#[cfg(test)]
mod tests {
    use super::{Credentials, Identity};

    async fn identity(config: &str, registry: &str) -> Identity {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.json"), config).unwrap();
        let credentials = Credentials::from_folder(folder.path()).unwrap();
        credentials.identity(registry).await.unwrap()
    }

    #[tokio::test]
    async fn names_and_passwords_are_read_in_every_form() {
        let wanted = Identity::Password("ann".to_owned(), "se:cret".to_owned());
        for config in [
            r#"{"auths": {"registry.example.org": {"auth": "YW5uOnNlOmNyZXQ="}}}"#,
            r#"{"auths": {"https://registry.example.org/v1/": {"auth": "YW5uOnNlOmNyZXQ"}}}"#,
            r#"{"auths": {"registry.example.org": {"username": "ann", "password": "se:cret"}}}"#,
        ] {
            assert!(
                identity(config, "registry.example.org").await == wanted,
                "{config}"
            );
            assert!(identity(config, "other.example.org").await == Identity::Anonymous);
        }
        let hub = r#"{"auths": {"https://index.docker.io/v1/": {"identitytoken": "t"}}}"#;
        assert!(identity(hub, "docker.io").await == Identity::Token("t".to_owned()));
    }

    #[tokio::test]
    async fn a_missing_helper_is_told_and_a_missing_file_is_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let nobody = Credentials::from_folder(folder.path()).unwrap();
        assert!(nobody.identity("a.example.org").await.unwrap() == Identity::Anonymous);
        let config = r#"{"credHelpers": {"a.example.org": "purlin-no-such"}}"#;
        std::fs::write(folder.path().join("config.json"), config).unwrap();
        let credentials = Credentials::from_folder(folder.path()).unwrap();
        let Err(error) = credentials.identity("a.example.org").await else {
            panic!("no error")
        };
        assert!(
            error
                .to_string()
                .contains("docker-credential-purlin-no-such"),
            "{error}"
        );
    }
}
