//! Certificates for both sides of a connection, as a kubelet writes them, and ones with a flaw.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use tempfile::TempDir;

/// A certificate authority.
#[derive(Debug)]
pub struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// What is wrong with a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// Nothing.
    None,
    /// It was valid once.
    Expired,
    /// It is for another machine.
    OtherName,
}

impl Default for Authority {
    fn default() -> Self {
        Self::new("an authority")
    }
}

impl Authority {
    /// A new one of this name.
    pub fn new(name: &str) -> Self {
        let key = KeyPair::generate().expect("a key can be made");
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).expect("it signs itself");
        Self {
            pem: certificate.pem(),
            issuer: Issuer::new(params, key),
        }
    }

    /// Its certificate.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A folder with `tls.crt`, `tls.key` and `ca.crt`, all new.
    pub fn issue(&self, flaw: Flaw) -> TempDir {
        let folder = tempfile::tempdir().expect("a folder can be made");
        self.issue_into(folder.path(), flaw);
        folder
    }

    /// Puts new files into a folder. No half-written one is ever seen.
    pub fn issue_into(&self, folder: &Path, flaw: Flaw) {
        let key = KeyPair::generate().expect("a key can be made");
        let name = match flaw {
            Flaw::OtherName => "elsewhere.example.org",
            Flaw::None | Flaw::Expired => "127.0.0.1",
        };
        let mut params = CertificateParams::new([name.to_owned()]).expect("it is a name");
        if flaw == Flaw::Expired {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2021, 1, 1);
        }
        let certificate = params.signed_by(&key, &self.issuer).expect("it signs");
        put(folder, "tls.crt", &certificate.pem());
        put(folder, "tls.key", &key.serialize_pem());
        put(folder, "ca.crt", &self.pem);
    }
}

/// Writes a file of a folder, at once.
pub fn put(folder: &Path, name: &str, text: &str) {
    let new = folder.join(format!("{name}.new"));
    std::fs::write(&new, text).expect("the folder can be written to");
    std::fs::rename(new, folder.join(name)).expect("the file can be replaced");
}
