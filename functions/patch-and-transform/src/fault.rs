//! What is said of a value that does not fit, and of which values is nothing said?

use purlin_object::{ObjectRef, Path, ValueRef};
use purlin_template::gofmt::Arg;

/// What is wrong and what to do, and the value that was found. They are apart because not every value may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) message: String,
    /// The value in words; none where there is nothing to show.
    pub(crate) found: Option<String>,
}

impl Fault {
    /// A fault in this value.
    pub(crate) fn of(found: Arg<'_>, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            found: Some(shown(found)),
        }
    }

    /// The sentence, with the value unless it is to be kept secret.
    pub(crate) fn sentence(&self, secret: bool) -> String {
        match &self.found {
            None => self.message.clone(),
            Some(_) if secret => format!("{} (found a value that is not shown here)", self.message),
            Some(found) => format!("{} (found {found})", self.message),
        }
    }
}

impl From<String> for Fault {
    fn from(message: String) -> Self {
        Self {
            message,
            found: None,
        }
    }
}

/// The longest text that is shown, in characters.
const SHOWN: usize = 40;
/// How many fields of an object are named.
const NAMED: usize = 5;

/// A value in a few words.
pub(crate) fn shown(value: Arg<'_>) -> String {
    match value {
        Arg::Nil => "null".to_owned(),
        Arg::Bool(value) => format!("the boolean {value}"),
        Arg::Int(number) => format!("the number {number}"),
        Arg::Float(number) => format!("the number {number}"),
        Arg::Text(text) => {
            let text = String::from_utf8_lossy(text);
            let short: String = text.chars().take(SHOWN).collect();
            let rest = if short.len() < text.len() { "…" } else { "" };
            format!("the string {short:?}{rest}")
        }
        Arg::List(list) => match list.len() {
            1 => "a list of 1 element".to_owned(),
            length => format!("a list of {length} elements"),
        },
        Arg::Map(object) => {
            let names: Vec<&str> = object
                .iter()
                .map(|(name, _)| name)
                .take(NAMED + 1)
                .collect();
            match names.get(..NAMED) {
                _ if names.is_empty() => "an object without fields".to_owned(),
                Some(first) if names.len() > NAMED => {
                    format!("an object with {} and more", first.join(", "))
                }
                _ => format!("an object with {}", names.join(", ")),
            }
        }
        other => format!("a value of the Go type {}", other.go_type()),
    }
}

/// What stands at the path of an error, if that can be told.
pub(crate) fn found_at(object: ObjectRef<'_>, path: &str) -> Option<String> {
    let value = Path::parse(path).ok()?.get(object).ok()?;
    Some(shown(value.into()))
}

/// Whether a value of this object is not to be shown: what is in a Secret, and what is called like one.
pub(crate) fn is_secret(object: ObjectRef<'_>, path: &str) -> bool {
    const WORDS: &[&str] = &[
        "password",
        "passwd",
        "passphrase",
        "secret",
        "token",
        "credential",
        "privatekey",
        "apikey",
        "accesskey",
        "connectionstring",
        "kubeconfig",
    ];
    if object.get("kind").and_then(ValueRef::as_str) == Some("Secret") {
        return true;
    }
    let letters = path.chars().filter(|c| c.is_alphanumeric());
    let name: String = letters.flat_map(char::to_lowercase).collect();
    WORDS.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use purlin_object::{Object, Value};
    use serde_json::json;

    use super::{is_secret, shown};

    #[test]
    fn values_are_shown_short() {
        for (value, words) in [
            (json!(null), "null"),
            (json!(true), "the boolean true"),
            (json!(8), "the number 8"),
            (json!(2.5), "the number 2.5"),
            (json!("a\"b"), r#"the string "a\"b""#),
            (
                json!("ü".repeat(41)),
                &format!("the string \"{}\"…", "ü".repeat(40)),
            ),
            (json!([1]), "a list of 1 element"),
            (json!([]), "a list of 0 elements"),
            (json!({}), "an object without fields"),
            (json!({"a": 1, "b": 2}), "an object with a, b"),
            (
                json!({"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6}),
                "an object with a, b, c, d, e and more",
            ),
        ] {
            assert_eq!(shown(Value::from_json(value).as_ref().into()), words);
        }
    }

    #[test]
    fn secrets_are_known_by_kind_and_by_name() {
        let object = |kind| Object::from_json(json!({"kind": kind})).expect("an object");
        assert!(is_secret(object("Secret").as_ref(), "data.host"));
        for path in [
            "spec.masterPassword",
            "spec.api-key",
            "status.authTokens[0]",
        ] {
            assert!(is_secret(object("XR").as_ref(), path), "{path}");
        }
        assert!(!is_secret(object("XR").as_ref(), "spec.region"));
    }
}
