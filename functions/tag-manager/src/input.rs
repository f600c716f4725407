//! What may the input say, and what does it lack?

use std::collections::BTreeMap;

use purlin_function::{Diagnostic, Diagnostics};
use purlin_object::Object;
use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[expect(clippy::struct_field_names, reason = "the names of the input")]
pub(crate) struct Input {
    pub(crate) add_tags: Vec<AddTag>,
    pub(crate) ignore_tags: Vec<IgnoreTag>,
    pub(crate) remove_tags: Vec<RemoveTag>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct AddTag {
    pub(crate) r#type: String,
    pub(crate) from_field_path: Option<String>,
    pub(crate) tags: Option<BTreeMap<String, String>>,
    pub(crate) policy: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct IgnoreTag {
    pub(crate) r#type: String,
    pub(crate) from_field_path: Option<String>,
    pub(crate) keys: Vec<String>,
    pub(crate) policy: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct RemoveTag {
    pub(crate) r#type: String,
    pub(crate) from_field_path: Option<String>,
    pub(crate) keys: Vec<String>,
}

/// Where an entry has its tags or keys from.
pub(crate) enum Source<'i> {
    Value,
    Composite(&'i str),
    Environment(&'i str),
    /// An unknown word: the entry gives nothing.
    Nowhere,
}

pub(crate) fn source<'i>(kind: &str, path: Option<&'i str>) -> Source<'i> {
    match (kind, path) {
        ("" | "FromValue", _) => Source::Value,
        ("FromCompositeFieldPath", Some(path)) => Source::Composite(path),
        ("FromEnvironmentFieldPath", Some(path)) => Source::Environment(path),
        _ => Source::Nowhere,
    }
}

/// Whether what is there is kept. Without a type no policy is looked at: that is how inputs are read today.
pub(crate) fn retains(kind: &str, policy: &str) -> bool {
    !kind.is_empty() && policy == "Retain"
}

/// Decodes an input; nothing is the same as an empty one.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn decode(input: &Object) -> Result<Input, Diagnostics> {
    let input: Input = purlin_function::input::decode(input)?;
    let entries = [
        (
            "addTags",
            collect(&input.add_tags, |tag| (&tag.r#type, &tag.from_field_path)),
        ),
        (
            "ignoreTags",
            collect(&input.ignore_tags, |tag| {
                (&tag.r#type, &tag.from_field_path)
            }),
        ),
        (
            "removeTags",
            collect(&input.remove_tags, |tag| {
                (&tag.r#type, &tag.from_field_path)
            }),
        ),
    ];
    let mut mistakes = Diagnostics::new();
    for (list, entries) in entries {
        for (index, (kind, path)) in entries.into_iter().enumerate() {
            if kind.ends_with("FieldPath") && kind.starts_with("From") && path.is_none() {
                mistakes.push(
                    Diagnostic::error(
                        "function/missing",
                        format!("type {kind} needs fromFieldPath"),
                    )
                    .path(format!("{list}[{index}]"))
                    .help("say which field, or say type: FromValue"),
                );
            }
        }
    }
    if mistakes.is_empty() {
        Ok(input)
    } else {
        Err(mistakes)
    }
}

type Reading<'i> = (&'i String, &'i Option<String>);

fn collect<T>(entries: &[T], read: fn(&T) -> Reading<'_>) -> Vec<Reading<'_>> {
    entries.iter().map(read).collect()
}
