//! How is a package named in a registry?

use std::fmt;

use crate::digest::Digest;

/// `registry/repository:tag` or `registry/repository@digest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Host, and port when it is not the usual one.
    pub registry: String,
    /// The path on that host.
    pub repository: String,
    /// Which of the repository's packages.
    pub version: RefVersion,
    /// The tag as well, when both were written; the digest is what counts.
    pub tag: Option<String>,
}

/// Which of a repository's packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefVersion {
    /// A name that may move.
    Tag(String),
    /// Exactly this one.
    Digest(Digest),
}

/// Why a text is no reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a reference: {why}")]
pub struct BadReference {
    text: String,
    why: &'static str,
}

impl Reference {
    /// Reads a reference. Nothing is guessed: the registry must be there, and a tag or digest.
    pub fn parse(text: &str) -> Result<Self, BadReference> {
        let wrong = |why| BadReference {
            text: text.to_owned(),
            why,
        };
        let (registry, path) = text.split_once('/').ok_or_else(|| {
            wrong("write registry/repository:tag, such as registry.example.org/acme/network:v1.0.0")
        })?;
        let is_host = registry == "localhost" || registry.contains('.') || registry.contains(':');
        if !is_host || registry.bytes().any(|byte| !is_host_byte(byte)) {
            return Err(wrong(
                "the registry's host must come first, such as registry.example.org/acme/network:v1.0.0",
            ));
        }
        let (path, digest) = match path.split_once('@') {
            Some((path, digest)) => {
                let digest = Digest::parse(digest)
                    .ok_or_else(|| wrong("a digest is `sha256:` and 64 hexadecimal digits"))?;
                (path, Some(digest))
            }
            None => (path, None),
        };
        let (repository, tag) = match path.split_once(':') {
            Some((repository, tag)) => (repository, Some(tag.to_owned())),
            None => (path, None),
        };
        if !is_repository(repository) {
            return Err(wrong(
                "a repository is lower-case letters, digits, `.`, `_` and `-`, in parts between `/`",
            ));
        }
        if tag.as_ref().is_some_and(|tag| !is_tag(tag)) {
            return Err(wrong(
                "a tag is up to 128 letters, digits, `.`, `_` and `-`, and begins with a letter, digit or `_`",
            ));
        }
        let version = match (digest, &tag) {
            (Some(digest), _) => RefVersion::Digest(digest),
            (None, Some(tag)) => RefVersion::Tag(tag.clone()),
            (None, None) => {
                return Err(wrong(
                    "a tag or a digest is missing at the end, such as :v1.0.0",
                ));
            }
        };
        Ok(Self {
            registry: registry.to_owned(),
            repository: repository.to_owned(),
            version,
            tag,
        })
    }

    /// The same repository, another version.
    #[must_use]
    pub fn with(&self, version: RefVersion) -> Self {
        Self {
            registry: self.registry.clone(),
            repository: self.repository.clone(),
            version,
            tag: None,
        }
    }

    /// Registry and repository.
    pub fn name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }
}

impl RefVersion {
    /// As it stands in the registry's paths.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Tag(tag) => tag,
            Self::Digest(digest) => digest.as_str(),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.version {
            RefVersion::Tag(tag) => write!(f, "{}/{}:{tag}", self.registry, self.repository),
            RefVersion::Digest(digest) => {
                write!(f, "{}/{}@{digest}", self.registry, self.repository)
            }
        }
    }
}

fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'[' | b']')
}

fn is_repository(text: &str) -> bool {
    text.len() <= 255
        && text.split('/').all(|part| {
            let edge = |byte: Option<u8>| {
                byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            };
            edge(part.bytes().next())
                && edge(part.bytes().last())
                && part.bytes().all(|byte| {
                    byte.is_ascii_lowercase()
                        || byte.is_ascii_digit()
                        || matches!(byte, b'.' | b'_' | b'-')
                })
        })
}

fn is_tag(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    (1..=128).contains(&text.len()) && text.bytes().all(allowed) && !text.starts_with(['.', '-'])
}

#[cfg(test)]
mod tests {
    use super::{RefVersion, Reference};

    #[test]
    fn references_are_taken_apart_and_put_together() {
        let digest = format!("sha256:{}", "0".repeat(64));
        for text in [
            "registry.example.org/acme/network:v1.0.0",
            "localhost:5000/a:b",
            "[::1]:5000/a:b",
            &format!("registry.example.org/acme/network@{digest}"),
        ] {
            assert_eq!(Reference::parse(text).unwrap().to_string(), text);
        }
        let both = Reference::parse(&format!("registry.example.org/a/b:v1@{digest}")).unwrap();
        assert_eq!(both.tag.as_deref(), Some("v1"));
        assert!(matches!(both.version, RefVersion::Digest(_)));
        assert_eq!(both.name(), "registry.example.org/a/b");
    }

    #[test]
    fn what_is_no_reference_says_why() {
        for (text, why) in [
            ("network:v1", "registry/repository:tag"),
            ("acme/network:v1", "host must come first"),
            (
                "registry.example.org/acme/network",
                "tag or a digest is missing",
            ),
            ("registry.example.org/Acme:v1", "lower-case"),
            ("registry.example.org/acme:", "a tag is"),
            ("registry.example.org/acme@sha256:00", "64 hexadecimal"),
            ("registry.example.org/a//b:v1", "lower-case"),
            ("regi stry.example.org/a:v1", "host must come first"),
        ] {
            let error = Reference::parse(text).unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
