//! What fails when one talks to a registry.

use std::io;
use std::path::PathBuf;

use purlin_package::Digest;

/// The world failed, or the registry says no.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody answers, or not in time.
    #[error("cannot reach {host}")]
    Connect {
        /// Where.
        host: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The registry took too long.
    #[error("{host} did not answer within {seconds} s")]
    Slow {
        /// Where.
        host: String,
        /// How long was waited.
        seconds: u64,
    },
    /// The registry wants to know who asks, or knows and does not allow it.
    #[error("{host} does not allow it ({status}); {hint}")]
    Denied {
        /// Where.
        host: String,
        /// Its answer.
        status: http::StatusCode,
        /// What to do.
        hint: String,
    },
    /// It is not there.
    #[error("{0} is not in the registry")]
    NotFound(String),
    /// Any other answer than the wanted one.
    #[error("{host} answers {status} to {action}{words}")]
    Answer {
        /// Where.
        host: String,
        /// Its answer.
        status: http::StatusCode,
        /// To what.
        action: &'static str,
        /// What it says, when it says something.
        words: String,
    },
    /// The answer breaks the protocol.
    #[error("{host} answers wrongly: {what}")]
    Protocol {
        /// Where.
        host: String,
        /// In what way.
        what: String,
    },
    /// An answer is larger than it may be.
    #[error("{what} is larger than {limit} bytes")]
    TooLarge {
        /// Of what.
        what: String,
        /// How large it may be.
        limit: u64,
    },
    /// What came is not what was asked for.
    #[error(
        "the registry gave {actual} for {wanted}: what it holds is damaged or was tampered with"
    )]
    Digest {
        /// What was asked for.
        wanted: Digest,
        /// What came.
        actual: Digest,
    },
    /// Docker's configuration cannot be read.
    #[error("cannot read {path}")]
    Config {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The program that keeps passwords fails.
    #[error("the credential helper {program} fails: {why}")]
    Helper {
        /// Which program.
        program: String,
        /// Why.
        why: String,
    },
    /// The certificates of this machine cannot be read.
    #[error("cannot read the certificates of this machine")]
    Certificates(#[source] io::Error),
    /// What was pulled is no package.
    #[error(transparent)]
    Package(#[from] purlin_package::Error),
    /// What is asked for cannot be done.
    #[error("{0}")]
    Refused(String),
    /// No signature, or none that counts.
    #[error("{reference}: {why}")]
    Signature {
        /// Of what.
        reference: String,
        /// Why not.
        why: String,
    },
    /// A key cannot be used.
    #[error(transparent)]
    Key(#[from] purlin_package::KeyError),
}
