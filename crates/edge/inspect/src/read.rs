//! What is in this file?

use std::borrow::Cow;
use std::fs;
use std::path::Path;

use purlin_check::manifest::{self, Text};
use purlin_check::{Kept, check_crd, defines, is_crd, kept};
use purlin_diag::{Diagnostic, Diagnostics, Place};
use purlin_yaml::Document;
use sha2::{Digest as _, Sha256};

use crate::files::unreadable;
use crate::sources;

/// Bytes of one file: as much as is read of YAML anywhere.
const LARGEST: u64 = 32 << 20;

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Role {
    /// It has no manifests.
    Nothing,
    /// Another program makes manifests of it.
    Template,
    /// It defines kinds, and does nothing else.
    Kinds,
    /// It has manifests to check.
    Manifests,
}

/// A file that was read.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) role: Role,
    /// Tells its bytes from any others.
    pub(crate) hash: String,
    /// Whether what is found in other files may depend on it.
    pub(crate) defines: bool,
    /// The kinds, when it defines nothing else.
    pub(crate) kinds: Vec<Kept>,
    /// The documents, when they are to be checked.
    pub(crate) documents: Vec<Document>,
    /// What is wrong with it, whatever the others say.
    pub(crate) found: Diagnostics,
}

impl Content {
    fn new(role: Role, hash: String) -> Self {
        Self {
            role,
            hash,
            defines: false,
            kinds: Vec::new(),
            documents: Vec::new(),
            found: Diagnostics::new(),
        }
    }

    fn broken(finding: Diagnostic) -> Self {
        let mut content = Self::new(Role::Nothing, String::new());
        content.found.push(finding);
        content
    }
}

/// Reads a file.
pub(crate) fn read(path: &Path) -> Content {
    let name = path.display().to_string();
    let is_package = path.extension().is_some_and(|ending| ending == "xpkg");
    let bytes = match bytes(path, is_package) {
        Ok(bytes) => bytes,
        Err(finding) => return Content::broken(*finding),
    };
    let hash = hex(&Sha256::digest(&bytes));
    if is_package {
        return package(&name, bytes, hash);
    }
    let text = String::from_utf8_lossy(&bytes);
    let binary = bytes.contains(&0);
    if binary || !manifest::may_hold_manifests(&text) {
        return Content::new(Role::Nothing, hash);
    }
    if matches!(text, Cow::Owned(_)) {
        let message = format!("{name} is not UTF-8, and is not checked");
        let finding = Diagnostic::note("check/unreadable", message);
        return Content::broken(finding.at(Place::new(name, 1, 1)).help("save it as UTF-8"));
    }
    if manifest::is_ytt(&text) {
        return Content::new(Role::Template, hash);
    }
    let (documents, problems) = purlin_yaml::load(&name, &text);
    let (what, mut found) = manifest::of_manifests(&text, problems);
    let role = match what {
        Text::Manifests => Role::Manifests,
        Text::Template => Role::Template,
        Text::Other => Role::Nothing,
    };
    let mut content = Content::new(role, hash);
    if role == Role::Manifests && !documents.is_empty() && documents.iter().all(is_crd) {
        for crd in &documents {
            found.extend(check_crd(crd));
            content.kinds.extend(kept(&crd.value));
        }
        content.role = Role::Kinds;
        content.defines = true;
    } else if role == Role::Manifests || !documents.is_empty() {
        content.defines = documents.iter().any(defines);
        content.documents = documents;
        content.role = Role::Manifests;
    }
    content.found = found;
    content
}

fn bytes(path: &Path, is_package: bool) -> Result<Vec<u8>, Box<Diagnostic>> {
    let size = fs::metadata(path)
        .map_err(|error| Box::new(unreadable(path, &error)))?
        .len();
    if size > LARGEST && !is_package || size > sources::LARGEST_PACKAGE {
        let shown = path.display().to_string();
        let message = format!(
            "{shown} is larger than {} MiB, and is not checked",
            LARGEST >> 20
        );
        let finding = Diagnostic::note("check/unreadable", message);
        let finding = finding.at(Place::new(shown, 1, 1));
        return Err(Box::new(finding.help("split it into several files")));
    }
    fs::read(path).map_err(|error| Box::new(unreadable(path, &error)))
}

/// A package is not checked; it brings kinds.
fn package(name: &str, bytes: Vec<u8>, hash: String) -> Content {
    match sources::from_archive(bytes) {
        Ok(kinds) => {
            let mut content = Content::new(Role::Kinds, hash);
            content.defines = true;
            content.kinds = kinds;
            content
        }
        Err(error) => {
            let message = format!("{name} is no package that can be read: {error}");
            let finding = Diagnostic::error("check/package", message);
            Content::broken(finding.at(Place::new(name, 1, 1)).help(
                "give an .xpkg as `crossplane xpkg build` or `purlin package build` makes it",
            ))
        }
    }
}

/// Bytes in hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digits = |byte: &u8| [byte >> 4, byte & 15];
    bytes
        .iter()
        .flat_map(digits)
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}
