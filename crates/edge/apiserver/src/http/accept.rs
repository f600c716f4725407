//! Which form of an answer the client wants.

use crate::failure::{Failure, Outcome};

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// The object itself.
    Object,
    /// A table for people.
    Table,
    /// The metadata alone.
    Metadata,
}

/// A negotiated answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Accepted {
    pub form: Form,
    pub yaml: bool,
}

const PLAIN: Accepted = Accepted {
    form: Form::Object,
    yaml: false,
};

/// Splits a media range into its type and its parameters.
pub(crate) fn split(range: &str) -> (&str, Vec<(&str, &str)>) {
    let mut parts = range.split(';').map(str::trim);
    let media = parts.next().unwrap_or_default();
    let parameters = parts
        .filter_map(|p| p.split_once('='))
        .map(|(k, v)| (k.trim(), v.trim()));
    (media, parameters.collect())
}

/// Takes the first range of an `Accept` header that can be served.
pub(crate) fn negotiate(header: Option<&str>, watch: bool) -> Outcome<Accepted> {
    let Some(header) = header.filter(|h| !h.trim().is_empty()) else {
        return Ok(PLAIN);
    };
    for range in header.split(',') {
        let (media, parameters) = split(range);
        let yaml = match media {
            "*/*" | "application/*" | "application/json" => false,
            "application/yaml" if !watch => true,
            _ => continue,
        };
        let get = |name: &str| parameters.iter().find(|(k, _)| *k == name).map(|(_, v)| *v);
        let group = get("g").is_none_or(|g| g == "meta.k8s.io");
        let version = get("v").is_none_or(|v| matches!(v, "v1" | "v1beta1"));
        let form = match get("as") {
            None => Form::Object,
            Some("Table") if group && version => Form::Table,
            Some("PartialObjectMetadata" | "PartialObjectMetadataList") if group && version => {
                Form::Metadata
            }
            Some(_) => continue,
        };
        return Ok(Accepted { form, yaml });
    }
    let only_protobuf = header
        .split(',')
        .all(|r| split(r).0 == "application/vnd.kubernetes.protobuf");
    let failure = Failure::new(
        406,
        "NotAcceptable",
        "only the following media types are accepted: application/json, application/yaml",
    );
    Err(Failure {
        plain: only_protobuf,
        ..failure
    })
}
