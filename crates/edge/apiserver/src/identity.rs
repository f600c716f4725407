//! The server's certificate and token: made once, kept in the data directory.

use std::io::Write as _;
use std::net::IpAddr;
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::Error;

const FILES: [&str; 4] = ["ca.crt", "tls.crt", "tls.key", "token"];

/// What the server shows and asks for.
#[derive(Clone)]
pub(crate) struct Identity {
    pub ca: String,
    pub certificate: String,
    pub key: String,
    pub token: String,
}

impl Identity {
    /// Takes the identity kept in a directory, or makes one and keeps it there.
    pub(crate) fn open(directory: Option<&Path>, address: IpAddr) -> Result<Self, Error> {
        let Some(directory) = directory else {
            return Self::make(address);
        };
        let read = |name: &str| std::fs::read_to_string(directory.join(name)).ok();
        let [ca, certificate, key, token] = FILES.map(read);
        if let (Some(ca), Some(certificate), Some(key), Some(token)) = (ca, certificate, key, token)
            && !token.trim().is_empty()
        {
            let token = token.trim().to_owned();
            return Ok(Self {
                ca,
                certificate,
                key,
                token,
            });
        }
        let made = Self::make(address)?;
        for (name, text) in
            FILES
                .into_iter()
                .zip([&made.ca, &made.certificate, &made.key, &made.token])
        {
            write_private(&directory.join(name), text).map_err(|source| Error::Keep {
                path: directory.join(name).display().to_string(),
                source,
            })?;
        }
        Ok(made)
    }

    fn make(address: IpAddr) -> Result<Self, Error> {
        let wrong = |source| Error::Certificate { source };
        let now = jiff::Timestamp::now();
        let day = |days: i64| {
            let date = (now + jiff::SignedDuration::from_hours(days * 24))
                .to_zoned(jiff::tz::TimeZone::UTC)
                .date();
            let month = u8::try_from(date.month()).unwrap_or(1);
            let day = u8::try_from(date.day()).unwrap_or(1);
            rcgen::date_time_ymd(i32::from(date.year()), month, day)
        };
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        authority
            .distinguished_name
            .push(DnType::CommonName, "purlin-ca");
        (authority.not_before, authority.not_after) = (day(-1), day(800));
        let authority_key = KeyPair::generate().map_err(wrong)?;
        let ca = authority.self_signed(&authority_key).map_err(wrong)?;
        let names = [
            "localhost",
            "kubernetes",
            "kubernetes.default",
            "kubernetes.default.svc",
        ];
        let mut leaf = CertificateParams::new(names.map(str::to_owned).to_vec()).map_err(wrong)?;
        let loopback: [IpAddr; 2] = [[127, 0, 0, 1].into(), std::net::Ipv6Addr::LOCALHOST.into()];
        for ip in loopback
            .into_iter()
            .chain(Some(address).filter(|a| !a.is_unspecified()))
        {
            let name = SanType::IpAddress(ip);
            if !leaf.subject_alt_names.contains(&name) {
                leaf.subject_alt_names.push(name);
            }
        }
        leaf.distinguished_name
            .push(DnType::CommonName, "purlin-apiserver");
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        (leaf.not_before, leaf.not_after) = (day(-1), day(800));
        let key = KeyPair::generate().map_err(wrong)?;
        let issuer = Issuer::from_params(&authority, &authority_key);
        let certificate = leaf.signed_by(&key, &issuer).map_err(wrong)?;
        let random = || uuid::Uuid::new_v4().simple().to_string();
        Ok(Self {
            ca: ca.pem(),
            certificate: certificate.pem(),
            key: key.serialize_pem(),
            token: random() + &random(),
        })
    }

    /// The TLS configuration of the listener.
    pub(crate) fn tls(&self) -> Result<rustls::ServerConfig, Error> {
        let wrong = |reason: String| Error::Tls { reason };
        let chain: Result<Vec<CertificateDer<'static>>, _> =
            CertificateDer::pem_slice_iter(self.certificate.as_bytes()).collect();
        let chain = chain.map_err(|e| wrong(e.to_string()))?;
        let key =
            PrivateKeyDer::from_pem_slice(self.key.as_bytes()).map_err(|e| wrong(e.to_string()))?;
        let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| wrong(e.to_string()))?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(|e| wrong(e.to_string()))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}

/// Writes a file only its owner can read.
pub(crate) fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)?.write_all(text.as_bytes())
}
