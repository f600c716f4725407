//! The Swagger 2.0 document: valid and without definitions, because everything is described in version 3.
//!
//! kubectl reads it when it finds no version 3 document for a kind, and Argo CD always. Both take a kind it does not
//! describe for one that the server checks.

use serde_json::{Value, json};

use crate::http::accept;

/// The media type of the protobuf form, as answers name it.
pub(crate) const PROTOBUF: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
/// The same as older clients ask for it; `@` has no place in a media type.
const PROTOBUF_OLD: &str = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
const TITLE: &str = "Kubernetes";

/// A form of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    Protobuf,
}

/// Takes the first range of an `Accept` header that can be served.
pub(crate) fn negotiate(header: Option<&str>) -> Option<Form> {
    let Some(header) = header.filter(|h| !h.trim().is_empty()) else {
        return Some(Form::Json);
    };
    header
        .split(',')
        .find_map(|range| match accept::split(range).0 {
            PROTOBUF | PROTOBUF_OLD => Some(Form::Protobuf),
            "application/json" | "application/*" | "*/*" => Some(Form::Json),
            _ => None,
        })
}

/// The document as JSON.
pub(crate) fn document() -> Value {
    json!({
        "swagger": "2.0",
        "info": {"title": TITLE, "version": crate::VERSION},
        "paths": {},
        "definitions": {},
    })
}

/// The document as the message `openapi.v2.Document` of gnostic (`openapiv2/OpenAPIv2.proto`).
pub(crate) fn message() -> Vec<u8> {
    let mut info = Vec::new();
    put(&mut info, 1, TITLE.as_bytes());
    put(&mut info, 2, crate::VERSION.as_bytes());
    let mut document = Vec::new();
    put(&mut document, 1, b"2.0");
    put(&mut document, 2, &info);
    // No paths, and no definitions.
    put(&mut document, 8, &[]);
    put(&mut document, 9, &[]);
    document
}

/// Writes a field with a length: a string or a message.
fn put(to: &mut Vec<u8>, field: u8, bytes: &[u8]) {
    to.push(field << 3 | 2);
    let mut length = bytes.len();
    while length > 0x7f {
        to.push(u8::try_from(length & 0x7f).unwrap_or_default() | 0x80);
        length >>= 7;
    }
    to.push(u8::try_from(length).unwrap_or_default());
    to.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_known_form_is_taken() {
        assert_eq!(negotiate(None), Some(Form::Json));
        assert_eq!(negotiate(Some("*/*")), Some(Form::Json));
        assert_eq!(negotiate(Some(PROTOBUF_OLD)), Some(Form::Protobuf));
        let both = format!("text/html, {PROTOBUF};q=0.9, application/json");
        assert_eq!(negotiate(Some(&both)), Some(Form::Protobuf));
        assert_eq!(negotiate(Some("text/html")), None);
    }

    #[test]
    fn the_message_says_what_the_document_says() {
        let message = message();
        assert!(message.starts_with(b"\x0a\x032.0\x12"));
        assert!(message.ends_with(&[0x42, 0, 0x4a, 0]));
        let mut long = Vec::new();
        put(&mut long, 1, &[7; 300]);
        assert_eq!(long[..4], [0x0a, 0xac, 0x02, 7]);
    }
}
