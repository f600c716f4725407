//! Which type of value comes out of transforms, and does it fit where it goes?

use purlin_diag::Diagnostic;
use purlin_schema::{Kind, Schema};
use serde_json::Value;

use crate::{Report, below};

/// The type of a value; `None` when it is not known.
pub(crate) type Type = Option<Kind>;

/// The type a schema asks for.
pub(crate) fn of(schema: &Schema) -> Type {
    if schema.int_or_string {
        return None;
    }
    schema.kind
}

/// Whether a value of one type may stand where the other is asked for.
pub(crate) fn fits(from: Type, to: Type) -> bool {
    match (from, to) {
        (Some(from), Some(to)) => {
            // Whole doubles are written as integers.
            let number = |kind| matches!(kind, Kind::Integer | Kind::Number);
            from == to || number(from) && number(to)
        }
        _ => true,
    }
}

/// A type in words.
pub(crate) fn word(kind: Kind) -> &'static str {
    crate::reach::article(kind)
}

/// The type after `transforms`, which stand at `at`; what cannot work is told. `source` is the schema of the value.
pub(crate) fn through(
    transforms: &Value,
    mut kind: Type,
    source: Option<&Schema>,
    at: &str,
    report: &mut Report<'_>,
) -> Type {
    for (index, transform) in transforms.as_array().into_iter().flatten().enumerate() {
        let at = format!("{at}[{index}]");
        let name = transform["type"].as_str()?;
        let config = &transform[name];
        kind = match name {
            "math" => {
                takes(kind, &[Kind::Integer, Kind::Number], name, &at, report);
                kind
            }
            "map" => {
                takes(kind, &[Kind::String], name, &at, report);
                if index == 0 {
                    missing_keys(config, source, &below(&at, name), report);
                }
                common(config.as_object().into_iter().flatten().map(|(_, one)| one))
            }
            "string" => {
                if config["type"] == "Join" {
                    takes(kind, &[Kind::Array], "Join", &at, report);
                }
                Some(Kind::String)
            }
            "convert" => match config["toType"].as_str() {
                Some("string") => Some(Kind::String),
                Some("bool") => Some(Kind::Boolean),
                Some("int" | "int64") => Some(Kind::Integer),
                Some("float64") => Some(Kind::Number),
                Some("object") => Some(Kind::Object),
                Some("array") => Some(Kind::Array),
                _ => None,
            },
            _ => None,
        };
    }
    kind
}

fn takes(kind: Type, allowed: &[Kind], name: &str, at: &str, report: &mut Report<'_>) {
    let Some(kind) = kind.filter(|kind| !allowed.contains(kind)) else {
        return;
    };
    let takes: Vec<&str> = allowed.iter().map(|kind| word(*kind)).collect();
    let message = format!(
        "the transform {name} takes {}, and gets {}",
        takes.join(" or "),
        word(kind)
    );
    let finding = Diagnostic::error("check/transform-type", message);
    report.at(
        &format!("{at}.type"),
        finding.help("put a `convert` transform before it"),
    );
}

/// Values of the source's enum that a map has no entry for.
fn missing_keys(map: &Value, source: Option<&Schema>, at: &str, report: &mut Report<'_>) {
    let (Some(map), Some(allowed)) = (
        map.as_object(),
        source.and_then(|schema| schema.allowed.as_ref()),
    ) else {
        return;
    };
    let allowed: Vec<&str> = allowed.iter().filter_map(Value::as_str).collect();
    let missing: Vec<&str> = allowed
        .iter()
        .copied()
        .filter(|one| !map.contains_key(*one))
        .collect();
    if !missing.is_empty() {
        let message = format!(
            "the map has no entry for {}, which the field may be",
            missing.join(", ")
        );
        let finding = Diagnostic::warning("check/map-misses-value", message);
        report.key(
            at,
            finding.help("a value without an entry stops the pipeline"),
        );
    }
    for key in map.keys().filter(|key| !allowed.contains(&key.as_str())) {
        let message = format!("the field is never {key:?}");
        let near = purlin_diag::nearest(key, missing.iter().copied());
        let code = "check/map-dead-entry";
        // An entry too many does no harm, unless it was to be another.
        let (finding, help) = match near {
            Some(near) => (
                Diagnostic::warning(code, message),
                format!("did you mean `{near}`?"),
            ),
            None => (
                Diagnostic::note(code, message),
                format!("it is one of {}", allowed.join(", ")),
            ),
        };
        report.key(&below(at, key), finding.help(help));
    }
}

fn common<'v>(values: impl Iterator<Item = &'v Value>) -> Type {
    let mut kinds = values.map(|value| match value {
        Value::String(_) => Some(Kind::String),
        Value::Bool(_) => Some(Kind::Boolean),
        Value::Number(number) if number.is_f64() => Some(Kind::Number),
        Value::Number(_) => Some(Kind::Integer),
        Value::Array(_) => Some(Kind::Array),
        Value::Object(_) => Some(Kind::Object),
        Value::Null => None,
    });
    let first = kinds.next()??;
    kinds.all(|kind| kind == Some(first)).then_some(first)
}
