//! What does one patch read, make and write?

use purlin_object::merge::merge;
use purlin_object::path::{ReadError, WriteError};
use purlin_object::{Object, ObjectRef, Path, Value, ValueRef};

use crate::fault::{Fault, found_at, is_secret};
use crate::plan::{Field, Patch, Source};
use crate::transform::{self, Data};
use purlin_template::gofmt::sprintf;

/// Why a patch was not applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PatchError {
    /// What it reads is not there; the policy says what that means.
    NotFound(ReadError),
    /// It cannot be applied.
    Failed(String),
}

fn failed(error: impl Into<String>) -> PatchError {
    PatchError::Failed(error.into())
}

/// What is said of a field of `object` that could not be read.
#[cold]
fn unreadable(object: ObjectRef<'_>, error: ReadError) -> PatchError {
    if error.is_not_found() {
        return PatchError::NotFound(error);
    }
    let fault = Fault {
        message: format!("{error}; the path does not fit what is there, correct the path"),
        found: found_at(object, error.path()),
    };
    failed(fault.sentence(is_secret(object, error.path())))
}

/// What is said of a field of `object` that could not be written.
#[cold]
fn unwritable(object: ObjectRef<'_>, error: &WriteError) -> PatchError {
    let help = match error {
        WriteError::TooLarge { .. } => "use a smaller index",
        WriteError::NotObject { .. } | WriteError::NotList { .. } => {
            "nothing of another kind can be written there"
        }
    };
    let fault = Fault {
        message: format!("{error}; {help}"),
        found: found_at(object, error.path()),
    };
    failed(fault.sentence(is_secret(object, error.path())))
}

/// Applies a patch.
pub(crate) fn apply(patch: &Patch, from: ObjectRef<'_>, to: &mut Object) -> Result<(), PatchError> {
    apply_with(patch, from, to, |value| value)
}

/// Applies a patch that writes into the environment. Later patches read it, so all numbers in it are as Kubernetes JSON
/// has them: whole ones are integers, and `%d` prints them.
pub(crate) fn apply_to_environment(
    patch: &Patch,
    from: ObjectRef<'_>,
    to: &mut Object,
) -> Result<(), PatchError> {
    apply_with(patch, from, to, |value| normal_deep(value.as_ref()))
}

/// What a patch writes.
pub(crate) fn value(patch: &Patch, from: ObjectRef<'_>) -> Result<Value, PatchError> {
    let data = match &patch.source {
        Source::Field(field) => {
            let path = field.path().map_err(PatchError::Failed)?;
            Data::Borrowed(path.get(from).map_err(|error| unreadable(from, error))?)
        }
        Source::Combined { paths, format } => {
            let values: Vec<ValueRef<'_>> = paths
                .iter()
                .map(|field| {
                    let path = field.path().map_err(PatchError::Failed)?;
                    path.get(from).map_err(|error| unreadable(from, error))
                })
                .collect::<Result<_, _>>()?;
            let args: Vec<_> = values.into_iter().map(Into::into).collect();
            let text = sprintf(format, &args).map_err(|error| failed(error.to_string()))?;
            Data::of_text(text)
        }
    };
    let data = transform::apply(&patch.ops, data)
        .map_err(|fault| failed(fault.sentence(patch.source.is_secret(from))))?;
    normal(data.into_value()).map_err(PatchError::Failed)
}

fn apply_with(
    patch: &Patch,
    from: ObjectRef<'_>,
    to: &mut Object,
    finish: impl Fn(Value) -> Value,
) -> Result<(), PatchError> {
    let value = finish(value(patch, from)?);
    // Only a patch of one field expands wildcards; a combining one takes them as the name of a field. Upstream's rule.
    let to_path = patch.to.path().map_err(PatchError::Failed)?;
    if to_path.has_wildcards() && matches!(patch.source, Source::Field(_)) {
        let paths = to_path
            .expand(to.as_ref())
            .map_err(|error| unreadable(to.as_ref(), error))?;
        if paths.is_empty() {
            return Err(PatchError::Failed(format!(
                "{}: the wildcards find nothing to write to; they only find fields that are there",
                patch.to
            )));
        }
        for path in paths {
            // Upstream takes each of them as a text, which says something else when a key is empty or ends in a quote.
            let path = Field::parse(&path.to_string());
            write(
                patch,
                path.path().map_err(PatchError::Failed)?,
                to,
                value.clone(),
            )?;
        }
        return Ok(());
    }
    write(patch, to_path, to, value)
}

fn write(patch: &Patch, path: &Path, to: &mut Object, value: Value) -> Result<(), PatchError> {
    let merging = patch.merge.clone().map_err(PatchError::Failed)?;
    let old = merging.and_then(|options| Some((options, path.get(to.as_ref()).ok()?)));
    let value = match old {
        Some((options, old)) if !old.is_null() && !value.is_null() => {
            merge(old.to_owned(), value, options)
                .map_err(|error| failed(format!("{path}: {error}")))?
        }
        _ => value,
    };
    path.set(to, value)
        .map_err(|error| unwritable(to.as_ref(), &error))
}

/// A value as Kubernetes JSON holds it: a whole double is an integer.
fn normal(value: Value) -> Result<Value, String> {
    match value {
        Value::Double(number) if !number.is_finite() => {
            Err(format!("{number} cannot be written into an object"))
        }
        Value::Double(number) => Ok(value.as_i64().map_or(Value::Double(number), Value::Int)),
        other => Ok(other),
    }
}

/// The same with everything inside.
fn normal_deep(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::List(list) => Value::List(list.iter().map(normal_deep).collect()),
        ValueRef::Object(object) => Value::Object(
            object
                .iter()
                .map(|(key, value)| (key, normal_deep(value)))
                .collect(),
        ),
        scalar => match scalar.as_i64() {
            Some(number) => Value::Int(number),
            None => scalar.to_owned(),
        },
    }
}
