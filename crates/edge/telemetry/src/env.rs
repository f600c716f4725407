//! Every environment variable that is read, and what it means.

/// A variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it sets.
    pub meaning: &'static str,
}

/// The folder with a function server's certificates; Crossplane sets it in a function's pod.
pub const TLS_SERVER_CERTS_DIR: Variable = Variable {
    name: "TLS_SERVER_CERTS_DIR",
    meaning: "folder with tls.crt, tls.key and ca.crt for `purlin serve`, as --tls-certs-dir",
};

/// What is logged.
pub const PURLIN_LOG: Variable = Variable {
    name: "PURLIN_LOG",
    meaning: "what is logged, as a tracing filter such as `info,purlin_serve=debug`",
};

/// All of them.
pub const ALL: &[Variable] = &[TLS_SERVER_CERTS_DIR, PURLIN_LOG];
