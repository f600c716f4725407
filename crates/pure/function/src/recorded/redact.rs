//! What is secret in a call, and where else does it appear?

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::REDACTED;

/// Secrets shorter than this hide only themselves: ports and user names are connection details too, and are everywhere.
const SHORTEST: usize = 8;
/// Where `kubectl apply` keeps a copy of the whole Secret.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Hides in all messages of a call what is secret in any of them.
pub(super) fn redact(messages: &mut [&mut Value]) {
    let mut secrets = Secrets::default();
    for message in messages.iter_mut() {
        secrets.hide_places(message);
    }
    // A longer one first: a shorter one may be a part of it.
    let mut words: Vec<String> = secrets.words.into_iter().collect();
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    if words.is_empty() {
        return;
    }
    for message in messages.iter_mut() {
        hide_words(message, &words);
    }
}

/// The secret texts that were seen.
#[derive(Default)]
struct Secrets {
    words: BTreeSet<String>,
}

impl Secrets {
    /// Hides what is secret by its place in a request or a response.
    fn hide_places(&mut self, message: &mut Value) {
        let Value::Object(message) = message else {
            return;
        };
        for (name, member) in message {
            match name.as_str() {
                "observed" | "desired" => {
                    self.hide_details(member.get_mut("composite"));
                    for resource in members(member.get_mut("resources")) {
                        self.hide_details(Some(resource));
                    }
                }
                "requiredResources" | "extraResources" => {
                    for found in members(Some(&mut *member)) {
                        for item in items(found.get_mut("items")) {
                            self.hide_details(Some(item));
                        }
                    }
                }
                "credentials" => {
                    for credentials in members(Some(&mut *member)) {
                        let data = credentials.pointer_mut("/credentialData/data");
                        self.hide_encoded(data);
                    }
                }
                _ => {}
            }
            if name == "input" {
                // Words of an input are expressions and templates as often as they are secrets; they are no secret elsewhere.
                Self::default().hide_kind(member);
            } else {
                self.hide_kind(member);
            }
        }
    }

    fn hide_details(&mut self, resource: Option<&mut Value>) {
        self.hide_encoded(resource.and_then(|it| it.get_mut("connectionDetails")));
    }

    /// Hides the data of every Secret, at any depth: other objects carry Secrets too.
    fn hide_kind(&mut self, value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.hide_kind(item)),
            Value::Object(object) => {
                if is_secret(object) {
                    self.hide_encoded(object.get_mut("data"));
                    for text in members(object.get_mut("stringData")) {
                        if let Value::String(text) = &*text {
                            self.remember(text);
                        }
                        *text = REDACTED.into();
                    }
                    let annotations = object.get_mut("metadata");
                    let annotations = annotations.and_then(|it| it.get_mut("annotations"));
                    if let Some(Value::Object(annotations)) = annotations {
                        annotations.remove(LAST_APPLIED);
                    }
                }
                object
                    .values_mut()
                    .for_each(|member| self.hide_kind(member));
            }
            _ => {}
        }
    }

    /// Hides base64 texts by name.
    fn hide_encoded(&mut self, texts: Option<&mut Value>) {
        for encoded in members(texts) {
            if let Value::String(text) = &*encoded {
                self.remember(text);
                let plain = STANDARD.decode(text).ok();
                if let Some(plain) = plain.and_then(|bytes| String::from_utf8(bytes).ok()) {
                    self.remember(&plain);
                }
            }
            *encoded = STANDARD.encode(REDACTED).into();
        }
    }

    fn remember(&mut self, text: &str) {
        // A record that is recorded again stays as it is.
        let hidden = text == REDACTED || text == STANDARD.encode(REDACTED);
        if text.len() >= SHORTEST && !hidden {
            self.words.insert(text.to_owned());
        }
    }
}

fn is_secret(object: &Map<String, Value>) -> bool {
    let is = |member: &str, word: &str| object.get(member).is_some_and(|value| value == word);
    is("kind", "Secret") && is("apiVersion", "v1")
}

/// The members of an object, if it is one.
fn members(value: Option<&mut Value>) -> impl Iterator<Item = &mut Value> {
    let object = value.and_then(Value::as_object_mut);
    object.into_iter().flat_map(Map::values_mut)
}

/// The items of a list, if it is one.
fn items(value: Option<&mut Value>) -> impl Iterator<Item = &mut Value> {
    value.and_then(Value::as_array_mut).into_iter().flatten()
}

/// Hides secret words in every text.
fn hide_words(value: &mut Value, words: &[String]) {
    match value {
        Value::String(text) => {
            for word in words {
                if text.contains(word) {
                    *text = text.replace(word, REDACTED);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| hide_words(item, words)),
        Value::Object(object) => object
            .values_mut()
            .for_each(|member| hide_words(member, words)),
        _ => {}
    }
}
