//! Do the bases, patches and checks of patch-and-transform fit the kinds they are about?

use std::collections::BTreeMap;

use purlin_diag::{Diagnostic, nearest};
use purlin_schema::{Kind, Reason, Schema, WHOLE};
use serde_json::Value;

use crate::compose::{Context, Typed};
use crate::flow::{self, Type};
use crate::reach::{self, Reach, Step, follow, steps};
use crate::{Report, fit};

/// Checks an input, which stands at `at`.
pub(crate) fn check(context: &mut Context<'_>, input: &Value, at: &str, report: &mut Report<'_>) {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, template) in list(&input["resources"]).enumerate() {
        let at_template = format!("{at}.resources[{index}]");
        let name = template["name"].as_str().unwrap_or_default();
        if name.is_empty() {
            continue;
        }
        if let Some(first) = seen.insert(name, index) {
            let message = format!("resources[{first}] has the name {name} already");
            let finding = Diagnostic::error("check/duplicate-resource", message);
            report.at(
                &format!("{at_template}.name"),
                finding.help("give every resource its own name"),
            );
            continue;
        }
        let base = &template["base"];
        let typed = if base.is_object() {
            let typed = context.typed(base).unwrap_or_else(unknown);
            context.compose(name, typed.clone(), &format!("{at_template}.name"), report);
            typed
        } else {
            context
                .composed
                .get(name)
                .map_or_else(unknown, |(typed, _)| typed.clone())
        };
        let patches = expand(input, template, at, &at_template);
        if let (true, Some(schema)) = (base.is_object(), typed.schema.as_deref()) {
            let filled = context.filled_elsewhere(name);
            let base_at = format!("{at_template}.base");
            check_base(
                base,
                schema,
                &typed.kind,
                &base_at,
                &patches,
                filled,
                report,
            );
        }
        for (patch, at) in &patches {
            check_patch(&context.composite, &typed, patch, at, report);
        }
        check_readiness(template, &typed, &at_template, report);
    }
    for (index, patch) in list(&input["environment"]["patches"]).enumerate() {
        let at = format!("{at}.environment.patches[{index}]");
        check_patch(&context.composite, &unknown(), patch, &at, report);
    }
}

fn unknown() -> Typed {
    Typed {
        kind: String::new(),
        schema: None,
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// The patches of a template with those of its patch sets, and where each stands.
fn expand<'v>(
    input: &'v Value,
    template: &'v Value,
    at: &str,
    at_template: &str,
) -> Vec<(&'v Value, String)> {
    let mut patches = Vec::new();
    for (index, patch) in list(&template["patches"]).enumerate() {
        if patch["type"] != "PatchSet" {
            patches.push((patch, format!("{at_template}.patches[{index}]")));
            continue;
        }
        let named = |(_, set): &(usize, &Value)| {
            set["name"].is_string() && set["name"] == patch["patchSetName"]
        };
        if let Some((set_index, set)) = list(&input["patchSets"]).enumerate().find(named) {
            for (index, patch) in list(&set["patches"]).enumerate() {
                let path = format!("{at}.patchSets[{set_index}].patches[{index}]");
                patches.push((patch, path));
            }
        }
    }
    patches
}

#[expect(
    clippy::too_many_arguments,
    reason = "a base, its kind and what fills it, each from another place"
)]
fn check_base(
    base: &Value,
    schema: &Schema,
    kind: &str,
    at: &str,
    patches: &[(&Value, String)],
    filled: bool,
    report: &mut Report<'_>,
) {
    fit::unknown(base, schema, kind, at, report);
    let mut whole = base.clone();
    purlin_schema::apply_defaults(&mut whole, schema);
    let errors = purlin_schema::validate(&whole, schema);
    let combined = errors.iter().any(|error| error.path == WHOLE);
    let targets: Vec<Vec<Step>> = patches
        .iter()
        .filter_map(|(patch, _)| steps(target(patch).filter(|_| writes_composed(patch))?))
        .collect();
    for error in errors.iter().filter(|error| error.path != WHOLE) {
        let path = reach::found_steps(&error.path);
        let patched = targets.iter().any(|target| overlaps(target, &path));
        let missing = error.reason == Reason::Required;
        if patched || missing && (filled || combined) {
            continue;
        }
        let (path, finding) = fit::words(error, schema, at);
        report.at(&path, finding);
    }
}

/// Whether writing one path may change what the other leads to.
fn overlaps(a: &[Step], b: &[Step]) -> bool {
    a.iter()
        .zip(b)
        .all(|(a, b)| a == b || *a == Step::Any || *b == Step::Any)
}

fn kind_of(patch: &Value) -> &str {
    patch["type"].as_str().unwrap_or("FromCompositeFieldPath")
}

fn target(patch: &Value) -> Option<&str> {
    let written = patch["toFieldPath"]
        .as_str()
        .filter(|path| !path.is_empty());
    written.or_else(|| patch["fromFieldPath"].as_str())
}

fn writes_composed(patch: &Value) -> bool {
    matches!(
        kind_of(patch),
        "FromCompositeFieldPath"
            | "CombineFromComposite"
            | "FromEnvironmentFieldPath"
            | "CombineFromEnvironment"
    )
}

fn check_patch(
    composite: &Typed,
    composed: &Typed,
    patch: &Value,
    at: &str,
    report: &mut Report<'_>,
) {
    let nowhere = &unknown();
    let (from, to) = match kind_of(patch) {
        "FromCompositeFieldPath" | "CombineFromComposite" => (composite, composed),
        "ToCompositeFieldPath" | "CombineToComposite" => (composed, composite),
        "FromEnvironmentFieldPath" | "CombineFromEnvironment" => (nowhere, composed),
        "ToEnvironmentFieldPath" | "CombineToEnvironment" => (composed, nowhere),
        _ => return,
    };
    let (source, kind) = source(patch, from, at, report);
    let transforms = &patch["transforms"];
    let kind = flow::through(
        transforms,
        kind,
        source,
        &format!("{at}.transforms"),
        report,
    );
    let Some(path) = target(patch) else {
        return;
    };
    let written = patch["toFieldPath"]
        .as_str()
        .is_some_and(|path| !path.is_empty());
    let field = if written {
        "toFieldPath"
    } else {
        "fromFieldPath"
    };
    let to_at = format!("{at}.{field}");
    let Some(schema) = follow_path(to, path, &to_at, report) else {
        return;
    };
    let policy = patch["policy"]["toFieldPath"].as_str().unwrap_or("Replace");
    let target = flow::of(schema);
    if policy == "Replace"
        && !flow::fits(kind, target)
        && let (Some(kind), Some(target)) = (kind, target)
    {
        let message = format!(
            "`{path}` of {} is {}, and this patch writes {}",
            to.kind,
            flow::word(target),
            flow::word(kind)
        );
        let finding = Diagnostic::error("check/patch-type", message);
        report.at(&to_at, finding.help(convert_help(kind, target)));
        return;
    }
    enumerated(transforms, schema, to, &format!("{at}.transforms"), report);
}

/// What a patch reads: the schema of the field, when it is one, and the type of the value.
fn source<'t>(
    patch: &Value,
    from: &'t Typed,
    at: &str,
    report: &mut Report<'_>,
) -> (Option<&'t Schema>, Type) {
    if kind_of(patch).starts_with("Combine") {
        for (index, variable) in list(&patch["combine"]["variables"]).enumerate() {
            let at = format!("{at}.combine.variables[{index}].fromFieldPath");
            if let Some(path) = variable["fromFieldPath"].as_str() {
                follow_path(from, path, &at, report);
            }
        }
        return (None, Some(Kind::String));
    }
    let Some(path) = patch["fromFieldPath"].as_str() else {
        return (None, None);
    };
    let found = follow_path(from, path, &format!("{at}.fromFieldPath"), report);
    // A path with wildcards may give something else than one value of this type.
    let found = found.filter(|_| !path.contains("[*]"));
    (found, found.and_then(flow::of))
}

fn convert_help(from: Kind, to: Kind) -> String {
    let word = match to {
        Kind::String => "string",
        Kind::Integer => "int",
        Kind::Number => "float64",
        Kind::Boolean => "bool",
        Kind::Object => "object",
        Kind::Array => "array",
    };
    let scalar = |kind| !matches!(kind, Kind::Object | Kind::Array);
    if scalar(from) && scalar(to) || from == Kind::String {
        format!("add the transform {{type: convert, convert: {{toType: {word}}}}}")
    } else {
        "patch a field inside it instead".to_owned()
    }
}

/// The schema a path leads to; one that leads nowhere is told.
fn follow_path<'t>(
    typed: &'t Typed,
    path: &str,
    at: &str,
    report: &mut Report<'_>,
) -> Option<&'t Schema> {
    let schema = typed.schema.as_deref()?;
    let steps = steps(path)?;
    if let Some(finding) = reach::complain(schema, &steps, &typed.kind) {
        report.at(at, finding);
        return None;
    }
    match follow(schema, &steps) {
        Reach::Field(found) => Some(found),
        Reach::Unknown | Reach::Nowhere { .. } => None,
    }
}

/// Values that a last `map` gives and that the target does not allow.
fn enumerated(transforms: &Value, schema: &Schema, to: &Typed, at: &str, report: &mut Report<'_>) {
    let Some(allowed) = &schema.allowed else {
        return;
    };
    let Some((index, last)) = list(transforms).enumerate().last() else {
        return;
    };
    if last["type"] != "map" {
        return;
    }
    for (key, value) in last["map"].as_object().into_iter().flatten() {
        if allowed.contains(value) {
            continue;
        }
        let words: Vec<&str> = allowed.iter().filter_map(Value::as_str).collect();
        let message = format!("{value} is none of the values {} takes here", to.kind);
        let mut finding = Diagnostic::error("check/unknown-value", message);
        let near = value.as_str();
        let near = near.and_then(|value| nearest(value, words.iter().copied()));
        finding = match near {
            Some(near) => finding.help(format!("did you mean `{near}`?")),
            None => finding.help(format!("it takes {}", words.join(", "))),
        };
        let map = format!("{at}[{index}].map");
        report.at(&crate::below(&map, key), finding);
    }
}

fn check_readiness(template: &Value, typed: &Typed, at: &str, report: &mut Report<'_>) {
    for (index, check) in list(&template["readinessChecks"]).enumerate() {
        let path_at = format!("{at}.readinessChecks[{index}].fieldPath");
        let asks: Type = match check["type"].as_str() {
            Some("MatchString") => Some(Kind::String),
            Some("MatchInteger") => Some(Kind::Integer),
            Some("MatchTrue" | "MatchFalse") => Some(Kind::Boolean),
            Some("NonEmpty") => None,
            _ => continue,
        };
        let Some(path) = check["fieldPath"].as_str() else {
            continue;
        };
        let found = follow_path(typed, path, &path_at, report).and_then(flow::of);
        if !flow::fits(found, asks)
            && let (Some(found), Some(asks)) = (found, asks)
        {
            let message = format!(
                "`{path}` of {} is {}, and the check looks for {}",
                typed.kind,
                flow::word(found),
                flow::word(asks)
            );
            report.at(&path_at, Diagnostic::error("check/readiness-type", message));
        }
    }
    for (index, detail) in list(&template["connectionDetails"]).enumerate() {
        if detail["type"] == "FromFieldPath"
            && let Some(path) = detail["fromFieldPath"].as_str()
        {
            let at = format!("{at}.connectionDetails[{index}].fromFieldPath");
            follow_path(typed, path, &at, report);
        }
    }
}
