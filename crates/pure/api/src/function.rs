//! What does a Function package say about how to reach it? (`pkg.crossplane.io`; spec/devex.md 1.3)

use std::collections::BTreeMap;

/// The API group of packages.
pub const GROUP: &str = "pkg.crossplane.io";
/// The kind of Functions.
pub const KIND: &str = "Function";
/// How `render` runs the function.
pub const ANNOTATION_RUNTIME: &str = "render.crossplane.io/runtime";
/// Where a function of runtime `Development` listens.
pub const ANNOTATION_TARGET: &str = "render.crossplane.io/runtime-development-target";
/// Where one listens when nothing is said.
pub const DEFAULT_TARGET: &str = "localhost:9443";

/// A Function as a pipeline refers to it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The package it is installed from.
    pub package: String,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
}

/// How `render` runs a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Runtime<'a> {
    /// Nothing is said, or `Docker`: in a container.
    Container,
    /// It listens at an address already, without TLS.
    Development(&'a str),
    /// Something nobody knows.
    Unknown(&'a str),
}

impl Function {
    /// What the annotations say about how to run it.
    pub fn runtime(&self) -> Runtime<'_> {
        match self.annotations.get(ANNOTATION_RUNTIME).map(String::as_str) {
            None | Some("" | "Docker") => Runtime::Container,
            Some("Development") => Runtime::Development(
                self.annotations
                    .get(ANNOTATION_TARGET)
                    .map_or(DEFAULT_TARGET, String::as_str),
            ),
            Some(other) => Runtime::Unknown(other),
        }
    }
}
