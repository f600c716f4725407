//! What can go wrong at the API, and what does it mean for whoever asked?

use purlin_api::meta::Gvk;

/// A request failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API server refused.
    #[error("cannot {verb} {subject}: {message}")]
    Api {
        /// What was asked.
        verb: &'static str,
        /// About which object.
        subject: String,
        /// The HTTP status.
        code: u16,
        /// The machine-readable reason.
        reason: String,
        /// What the server says.
        message: String,
        /// The fields it complains about, each with what is wrong with it.
        causes: Vec<(String, String)>,
    },
    /// The API server could not be asked.
    #[error("cannot {verb} {subject}: {source}")]
    Transport {
        /// What was asked.
        verb: &'static str,
        /// About which object.
        subject: String,
        /// Why.
        source: Box<kube::Error>,
    },
    /// The API server did not answer in time.
    #[error("cannot {verb} {subject}: no answer in {seconds} s")]
    Timeout {
        /// What was asked.
        verb: &'static str,
        /// About which object.
        subject: String,
        /// How long it was waited for.
        seconds: u64,
    },
    /// The API server does not know the kind.
    #[error("{0} is not served by the API server; install its CustomResourceDefinition")]
    NotServed(Gvk),
    /// An object lacks what a request about it needs.
    #[error("cannot {verb} {subject}: {what}")]
    Malformed {
        /// What was asked.
        verb: &'static str,
        /// About which object.
        subject: String,
        /// What is missing.
        what: &'static str,
    },
    /// The configuration cannot be used.
    #[error("cannot use the kubeconfig {path}: {reason}")]
    Config {
        /// The file.
        path: String,
        /// Why, in the words of the innermost cause.
        reason: String,
    },
}

/// What an error means for the next try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Somebody else wrote first; read again and retry at once.
    Conflict,
    /// The object, or its kind, is not there.
    Gone,
    /// The object is wrong; trying the same again does not help.
    Invalid,
    /// Not allowed; trying the same again does not help until somebody grants it.
    Denied,
    /// The world is in trouble; retry later.
    Later,
}

impl Error {
    /// What the error means for the next try.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Api { code, reason, .. } => match (code, reason.as_str()) {
                (404 | 410, _) => Retry::Gone,
                (409, _) => Retry::Conflict,
                (400 | 422, _) => Retry::Invalid,
                (401 | 403, _) => Retry::Denied,
                _ => Retry::Later,
            },
            Self::NotServed(_) => Retry::Gone,
            Self::Malformed { .. } => Retry::Invalid,
            Self::Transport { .. } | Self::Timeout { .. } | Self::Config { .. } => Retry::Later,
        }
    }

    /// Whether the API server found the object itself invalid.
    pub fn is_invalid(&self) -> bool {
        matches!(self, Self::Api { code: 422, .. })
    }

    pub(crate) fn from_kube(verb: &'static str, subject: String, error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Self::Api {
                verb,
                subject,
                code: status.code,
                reason: status.reason.clone(),
                message: status.message.clone(),
                causes: status
                    .details
                    .iter()
                    .flat_map(|details| &details.causes)
                    .map(|cause| (cause.field.clone(), cause.message.clone()))
                    .collect(),
            },
            other => Self::Transport {
                verb,
                subject,
                source: Box::new(other),
            },
        }
    }
}
