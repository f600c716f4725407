//! What is an endpoint, and how is it reached: with mutual TLS, or in plain text where that was allowed?

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};

/// Where plain text is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Plaintext {
    /// Nowhere.
    #[default]
    Never,
    /// Only on this machine.
    Loopback,
    /// Everywhere: the person at the keyboard said so.
    Everywhere,
}

/// The folder with `tls.crt`, `tls.key` and `ca.crt`, as Crossplane mounts them for its functions' clients.
#[derive(Debug, Clone)]
pub struct Tls {
    /// The folder.
    pub folder: PathBuf,
}

/// The files of the folder. All are there, or it is of no use.
const FILES: [&str; 3] = ["tls.crt", "tls.key", "ca.crt"];

/// What the files of a folder are: as long as it is the same, so are they.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stamp([Option<(SystemTime, u64, u64)>; 3]);

impl Tls {
    /// Whether the files are there and fit together; otherwise what is wrong with them, all of it.
    pub fn check(&self) -> Result<(), String> {
        let missing: Vec<String> = FILES
            .iter()
            .filter_map(|file| read(&self.folder, file).err())
            .collect();
        if !missing.is_empty() {
            return Err(missing.join("; "));
        }
        let config = self.read("localhost")?;
        let endpoint = Endpoint::from_static("https://localhost:1").tls_config(config);
        endpoint.map(drop).map_err(|error| {
            let folder = self.folder.display();
            format!("the files in {folder} cannot be used: {}", reasons(&error))
        })
    }

    /// Changes when the files do, however they are replaced.
    pub(crate) fn stamp(&self) -> Stamp {
        Stamp(FILES.map(|file| {
            let found = std::fs::metadata(self.folder.join(file)).ok()?;
            Some((found.modified().ok()?, found.len(), found.ino()))
        }))
    }

    fn read(&self, host: &str) -> Result<ClientTlsConfig, String> {
        let certificate = read(&self.folder, "tls.crt")?;
        let key = read(&self.folder, "tls.key")?;
        let authority = read(&self.folder, "ca.crt")?;
        Ok(ClientTlsConfig::new()
            .domain_name(host)
            .identity(Identity::from_pem(certificate, key))
            .ca_certificate(Certificate::from_pem(authority)))
    }
}

fn read(folder: &Path, file: &str) -> Result<Vec<u8>, String> {
    let path = folder.join(file);
    std::fs::read(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

/// Turns `dns:///host:port`, `host:port` or a URL into something to connect to.
pub(crate) fn endpoint(
    target: &str,
    tls: Option<&Tls>,
    plaintext: Plaintext,
) -> Result<Endpoint, String> {
    let host_and_port = ["dns:///", "passthrough:///", "https://", "http://"]
        .iter()
        .find_map(|scheme| target.strip_prefix(scheme))
        .unwrap_or(target)
        .trim_end_matches('/');
    let authority: http::uri::Authority = host_and_port
        .parse()
        .map_err(|_| "expected host:port".to_owned())?;
    if authority.port().is_none() {
        return Err("the port is missing: expected host:port".to_owned());
    }
    let host = authority.host();
    let allowed = match plaintext {
        Plaintext::Never => false,
        Plaintext::Loopback => is_loopback(host),
        Plaintext::Everywhere => true,
    };
    let (scheme, tls) = match (tls, allowed) {
        (_, true) => ("http", None),
        (Some(tls), false) => ("https", Some(tls.read(host.trim_matches(['[', ']']))?)),
        (None, false) => {
            return Err("there is no TLS folder, and plain text is not allowed there".to_owned());
        }
    };
    let endpoint = Endpoint::from_shared(format!("{scheme}://{authority}"))
        .map_err(|error| error.to_string())?;
    match tls {
        Some(tls) => endpoint.tls_config(tls).map_err(|error| reasons(&error)),
        None => Ok(endpoint),
    }
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// An error and its causes in one line.
pub(crate) fn reasons(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Plaintext, endpoint};

    #[test]
    fn targets_are_read_as_the_engine_writes_them() {
        let check = |target, plaintext, expected: Result<&str, &str>| {
            let got = endpoint(target, None, plaintext).map(|endpoint| endpoint.uri().to_string());
            assert_eq!(got.as_deref().map_err(String::as_str), expected, "{target}");
        };
        let all = Plaintext::Everywhere;
        check("dns:///fn.ns:9443", all, Ok("http://fn.ns:9443/"));
        check(
            "localhost:9443",
            Plaintext::Loopback,
            Ok("http://localhost:9443/"),
        );
        check(
            "http://[::1]:9443/",
            Plaintext::Loopback,
            Ok("http://[::1]:9443/"),
        );
        check("fn.ns", all, Err("the port is missing: expected host:port"));
        check("a b:1", all, Err("expected host:port"));
        check(
            "fn.ns:9443",
            Plaintext::Loopback,
            Err("there is no TLS folder, and plain text is not allowed there"),
        );
    }
}
