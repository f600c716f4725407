//! Do the inputs of the smaller functions make sense: their words, the fields they read, the resources they name?

use purlin_diag::{Diagnostic, nearest};
use purlin_expr::{Env, Program, Ty, Wanted};
use purlin_schema::Kind;
use serde_json::Value;

use crate::compose::Context;
use crate::reach::{self, Reach, Step, steps};
use crate::resources::follow_path;
use crate::{Report, blueprint, fit, flow, hooks, kinds, templates};

/// Checks the input of a function, which stands at `at`, and notes what the step reads and writes.
pub(crate) fn check(
    context: &mut Context<'_>,
    function: &str,
    input: &Value,
    at: &str,
    report: &mut Report<'_>,
) {
    match function {
        "function-environment-configs" => environment_configs(context, input, at, report),
        "function-extra-resources" => extra_resources(context, input, at, report),
        "function-sequencer" => sequencer(context, input, at, report),
        "function-cel-filter" => cel_filter(context, input, at, report),
        "function-tag-manager" => tag_manager(context, input, at, report),
        "function-go-templating" => templates::check(context, input, at, report),
        "function-auto-ready" => {
            if !input["celHealthCheckCustomizationFrom"].is_null() {
                context.environment.reads_anything(context.index);
            }
        }
        "function-status-transformer" => hooks::check(context, input, at, report),
        _ => context.anything(),
    }
}

pub(crate) fn list(value: &Value) -> impl Iterator<Item = (usize, &Value)> {
    value.as_array().into_iter().flatten().enumerate()
}

/// A word that is none of those a field can be.
pub(crate) fn word(value: &Value, known: &[&str], at: &str, report: &mut Report<'_>) {
    let Some(written) = value.as_str() else {
        return;
    };
    if written.is_empty() || known.contains(&written) {
        return;
    }
    let finding = Diagnostic::error("check/unknown-word", format!("`{written}` is unknown here"));
    let all = known.join(", ");
    let help = match nearest(written, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`? It is one of {all}"),
        None => format!("it is one of {all}"),
    };
    report.at(at, finding.help(help));
}

/// A field of the composite that a function reads.
fn composite_field(
    context: &mut Context<'_>,
    value: &Value,
    at: &str,
    optional: bool,
    report: &mut Report<'_>,
) {
    let Some(path) = value.as_str() else { return };
    let Some(field) = steps(path) else {
        let finding = Diagnostic::error("check/field-path", format!("`{path}` is no field path"));
        report.at(at, finding.help("write it like spec.list[0].name"));
        return;
    };
    let composite = context.composite.clone();
    let mut inside = Report::new(report.places);
    follow_path(&composite, path, at, &mut inside);
    report.extend(inside, |finding| {
        if optional {
            fit::softer(finding)
        } else {
            finding
        }
    });
    if field.first() == Some(&Step::Field("status".to_owned())) {
        context.status.read(context.index, field, at);
    }
}

const RESOLUTIONS: &[&str] = &["Required", "Optional"];

fn environment_configs(
    context: &mut Context<'_>,
    input: &Value,
    at: &str,
    report: &mut Report<'_>,
) {
    let at = format!("{at}.spec");
    let spec = &input["spec"];
    word(
        &spec["policy"]["resolution"],
        RESOLUTIONS,
        &format!("{at}.policy.resolution"),
        report,
    );
    for (index, entry) in list(&spec["environmentConfigs"]) {
        let at = format!("{at}.environmentConfigs[{index}]");
        asked(context, entry, &at, report);
    }
    context.environment.writes_anything(context.index);
}

fn extra_resources(context: &mut Context<'_>, input: &Value, at: &str, report: &mut Report<'_>) {
    let at = format!("{at}.spec");
    let spec = &input["spec"];
    word(
        &spec["policy"]["resolution"],
        RESOLUTIONS,
        &format!("{at}.policy.resolution"),
        report,
    );
    let mut seen: Vec<&str> = Vec::new();
    for (index, entry) in list(&spec["extraResources"]) {
        let at = format!("{at}.extraResources[{index}]");
        asked(context, entry, &at, report);
        kinds::check(context.set, context.file, entry, &at, report);
        for field in ["apiVersion", "kind"] {
            if entry[field].as_str().is_none_or(str::is_empty) {
                let message = format!("`{field}` is missing, so nothing is found");
                let finding = Diagnostic::error("check/missing-field", message);
                report.at(&at, finding.help("say which objects to look for"));
            }
        }
        let Some(into) = entry["into"].as_str() else {
            continue;
        };
        if seen.contains(&into) {
            let message = format!("an earlier entry goes into {into} already");
            let finding = Diagnostic::error("check/duplicate", message);
            report.at(
                &format!("{at}.into"),
                finding.help("give every entry its own key"),
            );
        }
        seen.push(into);
    }
    if spec["context"]["key"] == crate::trail::ENVIRONMENT {
        context.environment.writes_anything(context.index);
    }
}

/// An entry that asks for objects, by name or by labels.
fn asked(context: &mut Context<'_>, entry: &Value, at: &str, report: &mut Report<'_>) {
    let kind_at = format!("{at}.type");
    word(&entry["type"], &["Reference", "Selector"], &kind_at, report);
    let selects = entry["type"] == "Selector";
    if !selects && matches!(entry["type"].as_str(), None | Some("" | "Reference")) {
        if entry["ref"]["name"].as_str().is_none_or(str::is_empty) {
            let finding = Diagnostic::error("check/missing-field", "a reference needs `ref.name`");
            let help = "name the object, or say `type: Selector`";
            report.at(&format!("{at}.ref.name"), finding.help(help));
        }
        return;
    }
    if !selects {
        return;
    }
    let selector = &entry["selector"];
    let at = format!("{at}.selector");
    if !selector.is_object() {
        let finding = Diagnostic::error("check/missing-field", "a selector needs `selector`");
        report.at(&at, finding.help("say which labels the objects have"));
        return;
    }
    word(
        &selector["mode"],
        &["Single", "Multiple"],
        &format!("{at}.mode"),
        report,
    );
    if let (Some(least), Some(most)) =
        (selector["minMatch"].as_u64(), selector["maxMatch"].as_u64())
        && least > most
    {
        let message = format!("at least {least} are wanted, and at most {most}");
        let finding = Diagnostic::error("check/bounds", message);
        report.at(
            &format!("{at}.minMatch"),
            finding.help("make it no more than maxMatch"),
        );
    }
    if let Some(path) = selector["sortByFieldPath"]
        .as_str()
        .filter(|path| !path.is_empty())
        && steps(path).is_none()
    {
        let finding = Diagnostic::error("check/field-path", format!("`{path}` is no field path"));
        report.at(&format!("{at}.sortByFieldPath"), finding);
    }
    for (index, label) in list(&selector["matchLabels"]) {
        wanted_label(
            context,
            label,
            &format!("{at}.matchLabels[{index}]"),
            report,
        );
    }
}

/// A label that objects are to have.
fn wanted_label(context: &mut Context<'_>, label: &Value, at: &str, report: &mut Report<'_>) {
    let kinds = &["FromCompositeFieldPath", "Value"];
    word(&label["type"], kinds, &format!("{at}.type"), report);
    word(
        &label["fromFieldPathPolicy"],
        &["Optional", "Required"],
        &format!("{at}.fromFieldPathPolicy"),
        report,
    );
    let field = if label["type"] == "Value" {
        "value"
    } else {
        "valueFromFieldPath"
    };
    let field_at = format!("{at}.{field}");
    if label[field].is_null() {
        let message = format!("`{field}` is missing");
        let finding = Diagnostic::error("check/missing-field", message);
        report.at(&field_at, finding.help("say what the label is"));
    } else if field == "valueFromFieldPath" {
        let optional = label["fromFieldPathPolicy"] == "Optional";
        composite_field(context, &label[field], &field_at, optional, report);
    }
}

/// Rules name resources by patterns for whole names.
fn sequencer(context: &mut Context<'_>, input: &Value, at: &str, report: &mut Report<'_>) {
    for (rule_index, rule) in list(&input["rules"]) {
        let at = format!("{at}.rules[{rule_index}]");
        if rule["createOnly"] == true && rule["deleteOnly"] == true {
            let message = "createOnly and deleteOnly exclude each other";
            let finding = Diagnostic::error("check/unreachable", message);
            report.at(
                &format!("{at}.deleteOnly"),
                finding.help("keep one of the two"),
            );
        }
        condition(
            context,
            &rule["condition"],
            &format!("{at}.condition"),
            report,
        );
        let mut seen: Vec<&str> = Vec::new();
        for (index, entry) in list(&rule["sequence"]) {
            let at = format!("{at}.sequence[{index}]");
            let Some(entry) = entry.as_str() else {
                continue;
            };
            if seen.contains(&entry) {
                let message = format!("{entry} waits for itself");
                let finding = Diagnostic::error("check/cycle", message);
                report.at(&at, finding.help("name it once in a sequence"));
            }
            seen.push(entry);
            named(context, entry, &at, report);
        }
    }
    order(input, at, report);
}

/// Rules that together make resources wait for each other.
fn order(input: &Value, at: &str, report: &mut Report<'_>) {
    let pairs: Vec<(&str, &str, String)> = list(&input["rules"])
        .flat_map(|(rule_index, rule)| {
            let names: Vec<&str> = list(&rule["sequence"])
                .filter_map(|(_, entry)| entry.as_str())
                .collect();
            let at = format!("{at}.rules[{rule_index}].sequence");
            let pairs: Vec<_> = names
                .windows(2)
                .enumerate()
                .filter(|(_, pair)| pair[0] != pair[1])
                .map(|(index, pair)| (pair[0], pair[1], format!("{at}[{}]", index + 1)))
                .collect();
            pairs
        })
        .collect();
    for (index, (first, then, at)) in pairs.iter().enumerate() {
        // Whether `first` already waits, by the rules before, for `then`.
        let mut reached = vec![*then];
        let mut next = 0;
        while let Some(name) = reached.get(next).copied() {
            next += 1;
            for (before, after, _) in &pairs[..index] {
                if *before == name && !reached.contains(after) {
                    reached.push(after);
                }
            }
        }
        if reached.contains(first) {
            let message =
                format!("{then} waits for {first} here, and {first} for {then} by other rules");
            let finding = Diagnostic::error("check/cycle", message);
            report.at(at, finding.help("remove one of the rules"));
        }
    }
}

/// A pattern for names of resources: it must be one, and name some.
fn named(context: &Context<'_>, pattern: &str, at: &str, report: &mut Report<'_>) {
    // What has an anchor of its own is not anchored.
    let anchored = pattern.starts_with('^') || pattern.ends_with('$');
    let whole = if anchored {
        pattern.to_owned()
    } else {
        format!("^(?:{pattern})$")
    };
    names_some(context, pattern, &whole, at, report);
}

/// Whether a pattern, as it is matched, is one and names resources.
pub(crate) fn names_some(
    context: &Context<'_>,
    pattern: &str,
    whole: &str,
    at: &str,
    report: &mut Report<'_>,
) {
    let whole = match purlin_schema::Pattern::new(whole) {
        Ok(whole) => whole,
        Err(error) => {
            let message = format!("`{pattern}` is no regular expression: {error}");
            let finding = Diagnostic::error("check/regexp", message);
            report.at(at, finding.help("the syntax is RE2"));
            return;
        }
    };
    let names = || context.composed.keys().map(String::as_str);
    if context.composes_others || names().any(|name| name == pattern || whole.is_match(name)) {
        return;
    }
    let message = format!("no step before this one composes a resource {pattern}");
    let finding = Diagnostic::warning("check/no-resource", message);
    let help = match nearest(pattern, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "names are those of the resources in the steps".to_owned(),
    };
    report.at(at, finding.help(help));
}

/// A condition in CEL over the request: that it can be read, that it is not always the same, and that the fields of the
/// composite are there.
fn condition(context: &Context<'_>, value: &Value, at: &str, report: &mut Report<'_>) {
    let Some(source) = value.as_str().filter(|source| !source.is_empty()) else {
        return;
    };
    match Program::parse(source) {
        Ok(program) => {
            if let Some(finding) = blueprint::always(source) {
                report.at(at, finding);
            }
            let composite = context.composite.schema.as_deref();
            let object = composite.map_or(Ty::Dyn, Ty::whole);
            let mut env = Env::new();
            for state in ["observed", "desired"] {
                let composite = Ty::beside([("resource", object.clone())], Ty::Dyn);
                env.set(state, Ty::beside([("composite", composite)], Ty::Dyn));
            }
            env.set("context", Ty::Dyn);
            for problem in program.check(&env, &Wanted::Anything).problems {
                // Of the rest, the function tells.
                if matches!(problem.code, "expr/no-such-field" | "expr/always") {
                    let span = (problem.start, problem.end);
                    report.part(at, span, problem.diagnostic());
                }
            }
        }
        Err(problems) => {
            for problem in problems {
                report.part(at, (problem.start, problem.end), problem.diagnostic());
            }
        }
    }
}

fn cel_filter(context: &mut Context<'_>, input: &Value, at: &str, report: &mut Report<'_>) {
    context.environment.reads_anything(context.index);
    for (index, filter) in list(&input["filters"]) {
        let at = format!("{at}.filters[{index}]");
        if let Some(name) = filter["name"].as_str() {
            named(context, name, &format!("{at}.name"), report);
        }
        condition(
            context,
            &filter["expression"],
            &format!("{at}.expression"),
            report,
        );
    }
}

/// Tags come from an object, and keys of tags from a list.
fn source_type(
    context: &Context<'_>,
    path: &Value,
    wanted: Kind,
    at: &str,
    report: &mut Report<'_>,
) {
    let Some(path) = path.as_str() else { return };
    let (Some(schema), Some(steps)) = (context.composite.schema.as_deref(), steps(path)) else {
        return;
    };
    let Reach::Field(field) = reach::follow(schema, &steps) else {
        return;
    };
    let Some(found) = flow::of(field).filter(|found| *found != wanted) else {
        return;
    };
    let message = format!(
        "`{path}` of {} is {}, and this takes {}",
        context.composite.kind,
        flow::word(found),
        flow::word(wanted)
    );
    report.at(at, Diagnostic::error("check/wrong-type", message));
}

fn tag_manager(context: &mut Context<'_>, input: &Value, at: &str, report: &mut Report<'_>) {
    const KINDS: &[&str] = &[
        "FromValue",
        "FromCompositeFieldPath",
        "FromEnvironmentFieldPath",
    ];
    for field in ["addTags", "ignoreTags", "removeTags"] {
        for (index, entry) in list(&input[field]) {
            let at = format!("{at}.{field}[{index}]");
            word(&entry["type"], KINDS, &format!("{at}.type"), report);
            word(
                &entry["policy"],
                &["Replace", "Retain"],
                &format!("{at}.policy"),
                report,
            );
            let path_at = format!("{at}.fromFieldPath");
            match entry["type"].as_str() {
                Some("FromCompositeFieldPath") => {
                    composite_field(context, &entry["fromFieldPath"], &path_at, true, report);
                    let wanted = if field == "addTags" {
                        Kind::Object
                    } else {
                        Kind::Array
                    };
                    source_type(context, &entry["fromFieldPath"], wanted, &path_at, report);
                }
                Some("FromEnvironmentFieldPath") => {
                    if let Some(field) = entry["fromFieldPath"].as_str().and_then(steps) {
                        context.environment.read(context.index, field, &path_at);
                    }
                }
                _ => {}
            }
        }
    }
}
