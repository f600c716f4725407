//! Why could a function not be called?

use std::time::Duration;

/// Why a function could not be called. The cause is in `source` where there is one.
#[derive(Debug, thiserror::Error)]
pub enum RunnerError {
    /// Nobody knows the function.
    #[error("cannot call function {function}: {help}")]
    Unknown {
        /// Its name.
        function: String,
        /// What is known instead.
        help: String,
    },
    /// The endpoint is no endpoint, or its TLS files cannot be used.
    #[error("cannot call function {function} at {endpoint}: {reason}")]
    Endpoint {
        /// Its name.
        function: String,
        /// The endpoint as it was given.
        endpoint: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Nothing answers at the endpoint.
    #[error("cannot connect to function {function} at {endpoint}")]
    Connect {
        /// Its name.
        function: String,
        /// The endpoint.
        endpoint: String,
        /// Why not.
        #[source]
        source: tonic::transport::Error,
    },
    /// The function and we do not trust each other.
    #[error("cannot make a TLS connection to function {function} at {endpoint}: {reason}")]
    Tls {
        /// Its name.
        function: String,
        /// The endpoint.
        endpoint: String,
        /// Whose certificate is wrong, and how.
        reason: String,
    },
    /// It did not answer in time.
    #[error("function {function} did not answer within {} s", after.as_secs_f64())]
    Timeout {
        /// Its name.
        function: String,
        /// How long it was waited for.
        after: Duration,
    },
    /// The request or the response is larger than allowed.
    #[error("a message to or from function {function} is too large: {reason}")]
    TooLarge {
        /// Its name.
        function: String,
        /// Which limit was passed.
        reason: String,
    },
    /// The call failed in another way.
    #[error("function {function} failed: {}: {}", status.code(), status.message())]
    Call {
        /// Its name.
        function: String,
        /// What gRPC said.
        #[source]
        status: Box<tonic::Status>,
    },
}

/// Whether the same call may succeed later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Yes, on its own.
    Later,
    /// Only when somebody changes something.
    AfterChange,
}

impl RunnerError {
    /// Whether the same call may succeed later.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Unknown { .. } | Self::Endpoint { .. } | Self::TooLarge { .. } => {
                Retry::AfterChange
            }
            // Certificates are changed from outside, and nobody tells when.
            Self::Connect { .. } | Self::Tls { .. } | Self::Timeout { .. } | Self::Call { .. } => {
                Retry::Later
            }
        }
    }
}
