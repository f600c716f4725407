//! What do messages show of themselves in logs and panics? Never what is secret: connection details, credentials, and what
//! is in a Secret.

use std::collections::BTreeMap;
use std::fmt;

use prost::bytes::Bytes;
use purlin_object::{Object, ValueRef};

use crate::v1::{CredentialData, Resource};

impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resource")
            .field("resource", &self.resource.as_ref().map(Shown))
            .field("connection_details", &Keys(&self.connection_details))
            .field("ready", &self.ready())
            .finish()
    }
}

impl fmt::Debug for CredentialData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = Keys(&self.data);
        f.debug_struct("CredentialData")
            .field("data", &keys)
            .finish()
    }
}

/// An object, unless it is a Secret: of that, only its name.
struct Shown<'a>(&'a Object);

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |path: &[&str]| self.0.as_ref().get_path(path).and_then(ValueRef::as_str);
        if text(&["kind"]) != Some("Secret") {
            return self.0.fmt(f);
        }
        let name = text(&["metadata", "name"]).unwrap_or_default();
        let namespace = text(&["metadata", "namespace"]).unwrap_or_default();
        write!(f, "Secret {namespace}/{name} (not shown)")
    }
}

/// The keys of what is secret.
struct Keys<'a>(&'a BTreeMap<String, Bytes>);

impl fmt::Debug for Keys<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.keys().map(|key| (key, "(not shown)"));
        f.debug_map().entries(shown).finish()
    }
}

#[cfg(test)]
mod tests {
    use prost::bytes::Bytes;
    use purlin_object::Object;

    use crate::v1::{CredentialData, Credentials, Resource, RunFunctionRequest, credentials};

    #[test]
    fn a_request_shows_nothing_secret() {
        let secret: Object = [("kind", "Secret"), ("data", "canary-1")]
            .into_iter()
            .collect();
        let plain: Object = [("kind", "Bucket"), ("spec", "seen")].into_iter().collect();
        let data = || {
            [("key".to_owned(), Bytes::from_static(b"canary-2"))]
                .into_iter()
                .collect()
        };
        let mut request = RunFunctionRequest::default();
        let observed = request.observed.get_or_insert_default();
        for (name, object) in [("a", secret), ("b", plain)] {
            let resource = Resource {
                resource: Some(object),
                connection_details: data(),
                ..Resource::default()
            };
            observed.resources.insert(name.to_owned(), resource);
        }
        let source = credentials::Source::CredentialData(CredentialData { data: data() });
        let credentials = Credentials {
            source: Some(source),
        };
        request.credentials.insert("c".to_owned(), credentials);
        let text = format!("{request:?} {request:#?}");
        assert!(!text.contains("canary"), "{text}");
        assert!(text.contains("seen") && text.contains("key"), "{text}");
    }
}
