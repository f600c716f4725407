//! Which schema does a path lead to?

use std::sync::LazyLock;

use purlin_diag::{Diagnostic, nearest};
use purlin_object::Path;
use purlin_object::path::Segment;
use purlin_schema::{Additional, Kind, Schema};
use serde_json::json;

/// What every object has, whatever its schema says.
static OBJECT: LazyLock<Schema> = LazyLock::new(|| {
    let text = json!({"type": "string"});
    let texts = json!({"type": "object", "additionalProperties": text});
    let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let metadata = json!({"type": "object", "properties": {
        "name": text, "namespace": text, "generateName": text, "uid": text, "resourceVersion": text, "selfLink": text,
        "creationTimestamp": text, "deletionTimestamp": text, "deletionGracePeriodSeconds": {"type": "integer"},
        "generation": {"type": "integer"}, "labels": texts, "annotations": texts,
        "finalizers": {"type": "array", "items": text}, "ownerReferences": {"type": "array", "items": open},
        "managedFields": {"type": "array", "items": open}, "clusterName": text,
    }});
    let whole = json!({"type": "object", "properties": {"apiVersion": text, "kind": text, "metadata": metadata}});
    Schema::parse(&whole).unwrap_or_default()
});

/// The schema of an object of which nothing else is known.
pub(crate) fn any_object() -> &'static Schema {
    &OBJECT
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Field(String),
    Index(usize),
    /// Every element, or one that is only known when it runs.
    Any,
}

/// The steps of a field path as patches have them; `None` when it is none.
pub(crate) fn steps(path: &str) -> Option<Vec<Step>> {
    let path = Path::parse(path).ok()?;
    let step = |segment: &Segment| match segment {
        Segment::Index(at) => Step::Index(*at as usize),
        wild if wild.is_wildcard() => Step::Any,
        Segment::Field(name) => Step::Field(name.to_string()),
    };
    Some(path.segments().iter().map(step).collect())
}

/// The steps of a path as findings have them.
pub(crate) fn found_steps(path: &str) -> Vec<Step> {
    let segments = purlin_yaml::parse_path(path);
    let step = |segment: &purlin_yaml::Segment<'_>| match segment {
        purlin_yaml::Segment::Field(name) => Step::Field((*name).to_owned()),
        purlin_yaml::Segment::Index(at, _) => Step::Index(*at),
    };
    segments.iter().map(step).collect()
}

/// Where a path ends.
#[derive(Debug)]
pub(crate) enum Reach<'s> {
    /// At a field of this schema.
    Field(&'s Schema),
    /// Somewhere that anything may be.
    Unknown,
    /// The step at this index leads nowhere.
    Nowhere { step: usize, parent: &'s Schema },
}

/// Follows a path from the schema of a whole object.
pub(crate) fn follow<'s>(schema: &'s Schema, steps: &[Step]) -> Reach<'s> {
    let mut at = schema;
    for (index, step) in steps.iter().enumerate() {
        if index == 0
            && let Step::Field(name) = step
            && let Some(own) = OBJECT.properties.get(name)
        {
            at = own;
            continue;
        }
        at = match one(at, step) {
            Reach::Field(next) => next,
            Reach::Unknown => return Reach::Unknown,
            Reach::Nowhere { parent, .. } => {
                return Reach::Nowhere {
                    step: index,
                    parent,
                };
            }
        };
    }
    Reach::Field(at)
}

/// Where one step leads.
pub(crate) fn one<'s>(at: &'s Schema, step: &Step) -> Reach<'s> {
    let open = at.preserve_unknown
        || at.embedded
        || at.int_or_string
        || matches!(at.additional, Some(Additional::Flag(true)));
    let list = at.kind == Some(Kind::Array) || (at.kind.is_none() && at.items.is_some());
    let next = match step {
        Step::Field(name) => at.field(name),
        Step::Index(_) | Step::Any if list => at.items.as_deref(),
        Step::Any => at.additional.as_ref().and_then(Additional::schema),
        // A name of digits.
        Step::Index(number) => at.field(&number.to_string()),
    };
    if let Some(next) = next {
        return Reach::Field(next);
    }
    let leads = match (step, at.kind) {
        (_, None) => true,
        (Step::Field(_), Some(_)) => false,
        (Step::Index(_) | Step::Any, Some(kind)) => matches!(kind, Kind::Object | Kind::Array),
    };
    if open || leads {
        Reach::Unknown
    } else {
        Reach::Nowhere {
            step: 0,
            parent: at,
        }
    }
}

/// What is wrong with a path that leads nowhere; `None` when nothing is.
pub(crate) fn complain(schema: &Schema, steps: &[Step], kind: &str) -> Option<Diagnostic> {
    let Reach::Nowhere { step, parent } = follow(schema, steps) else {
        return None;
    };
    let shown = show(&steps[..=step]);
    let before = show(&steps[..step]);
    let before = if before.is_empty() {
        format!("a {kind}")
    } else {
        format!("`{before}` of {kind}")
    };
    Some(match (parent.kind, &steps[step]) {
        (Some(Kind::Object) | None, Step::Field(name)) => {
            let message = format!("`{shown}` is not a field of {kind}");
            let finding = Diagnostic::error("check/unknown-field", message);
            let known: Vec<&str> = parent.properties.keys().map(String::as_str).collect();
            help(finding, name, &known, &before)
        }
        (Some(other), _) => {
            let message = format!(
                "{before} is {}, so it has no `{}`",
                article(other),
                show(&steps[step..=step])
            );
            Diagnostic::error("check/unknown-field", message).help("look at the schema of the kind")
        }
        (None, _) => Diagnostic::error(
            "check/unknown-field",
            format!("`{shown}` is not a field of {kind}"),
        ),
    })
}

/// Says which field was probably meant, or which ones there are.
pub(crate) fn help(finding: Diagnostic, name: &str, known: &[&str], before: &str) -> Diagnostic {
    const FEW: usize = 8;
    match nearest(name, known.iter().copied()) {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None if known.is_empty() => finding.help(format!("{before} has no fields")),
        None if known.len() <= FEW => {
            finding.help(format!("{before} has the fields {}", known.join(", ")))
        }
        None => finding,
    }
}

/// A path in words.
pub(crate) fn show(steps: &[Step]) -> String {
    let mut out = String::new();
    for step in steps {
        match step {
            Step::Field(name) => out = crate::below(&out, name),
            Step::Index(at) => out = format!("{out}[{at}]"),
            Step::Any => out.push_str("[*]"),
        }
    }
    out
}

/// A type in words.
pub(crate) fn article(kind: Kind) -> &'static str {
    match kind {
        Kind::Object => "an object",
        Kind::Array => "a list",
        Kind::String => "a string",
        Kind::Integer => "an integer",
        Kind::Number => "a number",
        Kind::Boolean => "a boolean",
    }
}
