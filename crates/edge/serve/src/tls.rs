//! Who is let in? Clients with a certificate of the authority in `ca.crt`, with the files as they are now.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use purlin_telemetry::{FileLabels, Metrics};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, crypto};
use tokio::sync::watch;

use crate::ServeError;
use crate::expiry::not_after;

/// The server's TLS configuration, replaced when the files change.
#[derive(Debug)]
pub(crate) struct Tls {
    folder: PathBuf,
    /// What was loaded at first: whatever differs from it is a change, also when it came before anybody watched.
    first: Files,
    current: ArcSwap<ServerConfig>,
}

/// The three files, as they were read.
#[derive(Clone, PartialEq, Eq)]
struct Files {
    certificate: Vec<u8>,
    key: Vec<u8>,
    authority: Vec<u8>,
}

/// Keys are not for logs.
impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Files").finish_non_exhaustive()
    }
}

impl Tls {
    /// Loads the files; the caller starts [`Tls::watch`].
    pub(crate) fn load(folder: &Path, metrics: &Metrics) -> Result<Arc<Self>, ServeError> {
        let loaded = Files::read(folder).and_then(|files| {
            files.show_expiry(metrics);
            Ok((files.config()?, files))
        });
        let (config, first) = loaded.map_err(|reason| ServeError::Tls {
            folder: folder.to_owned(),
            reason,
        })?;
        Ok(Arc::new(Self {
            folder: folder.to_owned(),
            first,
            current: ArcSwap::from_pointee(config),
        }))
    }

    /// The configuration for a connection that is made now.
    pub(crate) fn current(&self) -> Arc<ServerConfig> {
        self.current.load_full()
    }

    /// Replaces the configuration whenever the files changed and can be used. Runs until it is dropped.
    ///
    /// The files are read and compared, not watched: a mounted Secret is swapped by renaming a folder above them, which
    /// file watchers see on some systems only.
    ///
    /// `authority` counts how often the authority changed: who was let in under another one has to come again.
    pub(crate) async fn watch(
        self: Arc<Self>,
        period: Duration,
        metrics: Arc<Metrics>,
        authority: watch::Sender<u64>,
    ) {
        let mut seen = Some(self.first.clone());
        let mut trusted = seen.as_ref().map(|files| files.authority.clone());
        let mut ticks = tokio::time::interval(period);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let files = Files::read(&self.folder);
            if files.as_ref().ok() == seen.as_ref() {
                continue;
            }
            let config = files.as_ref().map_err(Clone::clone).and_then(Files::config);
            let now = files.ok();
            match config {
                Ok(config) => {
                    self.current.store(Arc::new(config));
                    metrics.tls_reloads.inc();
                    if let Some(files) = &now {
                        files.show_expiry(&metrics);
                        if trusted.as_deref() != Some(&files.authority) {
                            trusted = Some(files.authority.clone());
                            authority.send_modify(|count| *count += 1);
                        }
                    }
                    tracing::info!(folder = %self.folder.display(), "reloaded the TLS files");
                }
                Err(reason) => {
                    metrics.tls_reload_failures.inc();
                    tracing::warn!(
                        folder = %self.folder.display(), reason,
                        "the TLS files changed and cannot be used; going on with the old ones"
                    );
                }
            }
            seen = now;
        }
    }
}

impl Files {
    fn read(folder: &Path) -> Result<Self, String> {
        let read = |name: &str| {
            std::fs::read(folder.join(name)).map_err(|error| format!("cannot read {name}: {error}"))
        };
        Ok(Self {
            certificate: read("tls.crt")?,
            key: read("tls.key")?,
            authority: read("ca.crt")?,
        })
    }

    /// Says in the metrics until when each certificate is valid, so that somebody can be told in time.
    fn show_expiry(&self, metrics: &Metrics) {
        for (file, pem) in [("tls.crt", &self.certificate), ("ca.crt", &self.authority)] {
            let ends = CertificateDer::pem_slice_iter(pem).flatten();
            if let Some(first) = ends.filter_map(|der| not_after(&der)).min() {
                let labels = FileLabels { file };
                metrics.certificate_expiry.get_or_create(&labels).set(first);
            }
        }
    }

    fn config(&self) -> Result<ServerConfig, String> {
        let provider = Arc::new(crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        for authority in certificates("ca.crt", &self.authority)? {
            let added = roots.add(authority);
            added.map_err(|error| format!("ca.crt: {error}"))?;
        }
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                .build()
                .map_err(|error| format!("ca.crt: {error}"))?;
        let key = PrivateKeyDer::from_pem_slice(&self.key)
            .map_err(|error| format!("tls.key is no PEM-encoded key: {error}"))?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_client_cert_verifier(verifier)
            .with_single_cert(certificates("tls.crt", &self.certificate)?, key)
            .map_err(|error| format!("tls.crt and tls.key: {error}"))?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(config)
    }
}

fn certificates(file: &str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(found) if found.is_empty() => Err(format!("{file} holds no PEM-encoded certificate")),
        Ok(found) => Ok(found),
        Err(error) => Err(format!("{file}: {error}")),
    }
}
