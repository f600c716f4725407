//! What does the step's input say, as the function's own type, and what is wrong with it?
//!
//! The type says what is allowed, by `serde::Deserialize`. Decoding does not stop at the first mistake: what is wrong is
//! noted, replaced by whatever lets decoding go on, and decoded again, so that all mistakes are reported at once. Members
//! that the type does not have are mistakes. A member that is null is absent, as in Kubernetes.

mod de;
mod fault;
mod meta;
mod schema;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use purlin_diag::{Diagnostic, Diagnostics, nearest};
use purlin_object::{Object, ValueRef};
use serde::de::DeserializeOwned;

use de::{Decoder, Notes, Repair};
use fault::{Fault, Kind};
pub use meta::ObjectMeta;
pub use schema::{Schema, schema_of};

/// How many mistakes are reported at most.
const MANY: usize = 50;

/// Decodes an input. `apiVersion`, `kind` and `metadata` are allowed also when `T` does not have them.
pub fn decode<T: DeserializeOwned>(input: &Object) -> Result<T, Diagnostics> {
    decode_value(ValueRef::Object(input.as_ref()))
}

/// Decodes any value in the same way.
pub fn decode_value<T: DeserializeOwned>(value: ValueRef<'_>) -> Result<T, Diagnostics> {
    match decode_all(value) {
        (Some(decoded), found) if found.is_empty() => Ok(decoded),
        (_, found) => Err(found),
    }
}

/// Decodes as far as possible: next to the mistakes gives what is left when they are ignored, so that the function's own
/// checks can go on. What is left may have holes, with default values, where the mistakes are.
pub fn decode_all<T: DeserializeOwned>(value: ValueRef<'_>) -> (Option<T>, Diagnostics) {
    let mut found = Vec::new();
    let mut repairs = BTreeMap::new();
    loop {
        let notes = Notes::new(&repairs);
        let decoded = T::deserialize(Decoder::new(value, &notes));
        let fault = match decoded {
            Ok(decoded) => {
                found.extend(notes.take());
                return (Some(decoded), report(found));
            }
            Err(fault) => fault,
        };
        let noted = notes.take();
        let at = fault.place();
        let repair = match repairs.get(&at) {
            None => Repair::Fill,
            Some(Repair::Fill) => Repair::Skip,
            Some(Repair::Skip) => {
                found.extend(noted);
                return (None, report(found));
            }
        };
        if !fault.quiet {
            found.push(fault);
        }
        if found.len() >= MANY || repairs.len() >= 4 * MANY {
            return (None, report(found));
        }
        repairs.insert(at, repair);
    }
}

/// In the order of their places, each once.
fn report(mut found: Vec<Fault>) -> Diagnostics {
    found.sort_by_cached_key(|fault| (fault.place(), fault.kind.code()));
    found.dedup_by_key(|fault| (fault.place(), fault.kind.code()));
    found.into_iter().take(MANY).map(diagnostic).collect()
}

fn diagnostic(fault: Fault) -> Diagnostic {
    let place = fault.place();
    let code = fault.kind.code();
    let (message, help) = match fault.kind {
        Kind::UnknownField(field, known) => (
            format!("there is no field {field}"),
            Some(did_you_mean(&field, known)),
        ),
        Kind::MissingField(field) => (format!("{field} is missing"), None),
        Kind::UnknownVariant(word, known) => (
            format!("{word} is none of the words that are allowed here"),
            Some(did_you_mean(&word, known)),
        ),
        Kind::WrongType(got, expected) => (format!("expected {expected}, got {got}"), None),
        Kind::Other(message) => (message, None),
    };
    let mut diagnostic = Diagnostic::error(code, message);
    if !place.is_empty() {
        diagnostic = diagnostic.path(place);
    }
    match help {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}

fn did_you_mean(word: &str, known: &'static [&'static str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(near) => format!("did you mean {near}?"),
        None if known.is_empty() => "nothing is allowed here".to_owned(),
        None => format!("allowed: {}", known.join(", ")),
    }
}
