//! Do the manifests and expressions of a Blueprint fit the kinds they are about?

use std::collections::BTreeMap;

use purlin_diag::Diagnostic;
use purlin_expr::{Embedded, Program, Read};
use purlin_schema::{Reason, Schema, WHOLE};
use serde_json::{Value, json};

use crate::compose::{Context, Typed};
use crate::flow;
use crate::reach::{self, Reach, Step, follow};
use crate::{Report, below, fit};

/// A variable of expressions.
#[derive(Debug, Clone)]
struct Variable {
    typed: Typed,
    /// Whether it is a map of such objects by element.
    each: bool,
}

type Variables = BTreeMap<String, Variable>;

/// Checks an input, which stands at `at`.
pub(crate) fn check(context: &mut Context<'_>, input: &Value, at: &str, report: &mut Report<'_>) {
    let mut variables = Variables::new();
    let composite = Variable {
        typed: context.composite.clone(),
        each: false,
    };
    variables.insert("xr".to_owned(), composite);
    let resources: Vec<&Value> = input["resources"]
        .as_array()
        .into_iter()
        .flatten()
        .collect();
    let kinds: Vec<Option<Typed>> = resources
        .iter()
        .map(|resource| context.typed(&resource["manifest"]))
        .collect();
    for (index, resource) in resources.iter().enumerate() {
        let Some(name) = resource["name"].as_str() else {
            continue;
        };
        let typed = kinds[index].clone().unwrap_or(Typed {
            kind: String::new(),
            schema: None,
        });
        if resource["external"] != true {
            let at = format!("{at}.resources[{index}].name");
            context.compose(name, typed.clone(), &at, report);
        }
        let each = !resource["forEach"].is_null();
        variables.insert(name.replace(['-', '.'], "_"), Variable { typed, each });
    }
    for (name, require) in input["requires"].as_object().into_iter().flatten() {
        if let Some(typed) = context
            .typed(require)
            .filter(|_| !require["name"].is_null())
        {
            variables.insert(name.clone(), Variable { typed, each: false });
        }
    }
    for field in ["let", "requires", "status", "connection", "asserts"] {
        holes(&input[field], &below(at, field), None, &variables, report);
    }
    for (index, resource) in resources.iter().enumerate() {
        let at = format!("{at}.resources[{index}]");
        let own = kinds[index].as_ref();
        resource_holes(resource, own, &at, &variables, report);
        let name = resource["name"].as_str().unwrap_or_default();
        if let Some(typed) = own
            && let Some(schema) = typed.schema.as_deref()
            && resource["external"] != true
        {
            let filled = context.filled_elsewhere(name);
            manifest(&resource["manifest"], schema, typed, (&at, filled), report);
        }
    }
    if let Some(schema) = context.composite.schema.as_deref()
        && input["status"].is_object()
    {
        let whole = json!({"status": input["status"]});
        fit::unknown(&whole, schema, &context.composite.kind, at, report);
    }
}

fn resource_holes(
    resource: &Value,
    own: Option<&Typed>,
    at: &str,
    variables: &Variables,
    report: &mut Report<'_>,
) {
    let mut inside = variables.clone();
    // The variable of `forEach` may have any name, and hides others.
    for name in resource["forEach"].as_object().into_iter().flatten() {
        inside.remove(name.0);
    }
    let target = own.map(|typed| (typed, ""));
    holes(
        &resource["manifest"],
        &below(at, "manifest"),
        target,
        &inside,
        report,
    );
    holes(&resource["when"], &below(at, "when"), None, &inside, report);
    holes(
        &resource["forEach"],
        &below(at, "forEach"),
        None,
        variables,
        report,
    );
    if let Some(typed) = own {
        let typed = typed.clone();
        inside.insert("self".to_owned(), Variable { typed, each: false });
    }
    holes(
        &resource["ready"],
        &below(at, "ready"),
        None,
        &inside,
        report,
    );
}

/// Checks every expression in `value`. `target` is the kind the value is a part of, and the path there.
fn holes(
    value: &Value,
    at: &str,
    target: Option<(&Typed, &str)>,
    variables: &Variables,
    report: &mut Report<'_>,
) {
    match value {
        Value::String(text) if text.contains("${") => {
            let Ok(embedded) = Embedded::parse(text) else {
                return;
            };
            let only = embedded.only_hole();
            for hole in embedded.holes() {
                let Ok(program) = Program::parse(hole.source) else {
                    continue;
                };
                for read in program.reads() {
                    let found = reads(read, variables, at, hole.start, report);
                    let alone =
                        only.is_some() && hole.source.trim().len() == read.span.1 - read.span.0;
                    if let (true, Some(from), Some(target)) =
                        (alone && !read.optional, found, target)
                    {
                        fills(read, from, target, at, report);
                    }
                }
            }
            if let (None, Some(target)) = (only, target) {
                text_fills(target, at, report);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let inside = target.map(|(typed, path)| (typed, format!("{path}[{index}]")));
                let target = inside.as_ref().map(|(typed, path)| (*typed, path.as_str()));
                holes(item, &format!("{at}[{index}]"), target, variables, report);
            }
        }
        Value::Object(map) => {
            for (name, item) in map {
                let inside = target.map(|(typed, path)| (typed, below(path, name)));
                let target = inside.as_ref().map(|(typed, path)| (*typed, path.as_str()));
                holes(item, &below(at, name), target, variables, report);
            }
        }
        _ => {}
    }
}

/// Checks one path that an expression reads; gives the schema it leads to.
fn reads<'v>(
    read: &Read,
    variables: &'v Variables,
    at: &str,
    start: usize,
    report: &mut Report<'_>,
) -> Option<&'v Schema> {
    let variable = variables.get(&read.root)?;
    let schema = variable.typed.schema.as_deref()?;
    let mut steps: Vec<Step> = read
        .path
        .iter()
        .map(|step| match step {
            purlin_expr::Step::Field(name) => Step::Field(name.clone()),
            purlin_expr::Step::Index(at) => usize::try_from(*at).map_or(Step::Any, Step::Index),
            purlin_expr::Step::Any => Step::Any,
        })
        .collect();
    if variable.each {
        if steps.is_empty() {
            return None;
        }
        steps.remove(0);
    }
    // Connection details are there beside the fields.
    if read.root != "xr" && steps.first() == Some(&Step::Field("connection".to_owned())) {
        return None;
    }
    if let Some(finding) = reach::complain(schema, &steps, &variable.typed.kind) {
        let part = (start + read.span.0, start + read.span.1);
        report.part(at, part, finding);
        return None;
    }
    match follow(schema, &steps) {
        Reach::Field(found) if !steps.is_empty() => Some(found),
        Reach::Field(_) | Reach::Unknown | Reach::Nowhere { .. } => None,
    }
}

/// An expression that is nothing but a path: its type is that of the field it reads.
fn fills(
    read: &Read,
    from: &Schema,
    (typed, path): (&Typed, &str),
    at: &str,
    report: &mut Report<'_>,
) {
    let Some(schema) = typed.schema.as_deref() else {
        return;
    };
    let Reach::Field(to) = follow(schema, &reach::found_steps(path)) else {
        return;
    };
    let (from, to) = (flow::of(from), flow::of(to));
    if !flow::fits(from, to)
        && let (Some(from), Some(to)) = (from, to)
    {
        let message = format!(
            "`{path}` of {} is {}, and `{read}` is {}",
            typed.kind,
            flow::word(to),
            flow::word(from)
        );
        let finding = Diagnostic::error("check/expression-type", message);
        report.at(
            at,
            finding.help("convert it, for example with string(…) or int(…)"),
        );
    }
}

/// A text with holes in it is a text.
fn text_fills((typed, path): (&Typed, &str), at: &str, report: &mut Report<'_>) {
    let Some(schema) = typed.schema.as_deref() else {
        return;
    };
    let Reach::Field(to) = follow(schema, &reach::found_steps(path)) else {
        return;
    };
    let text = Some(purlin_schema::Kind::String);
    if let (false, Some(to)) = (flow::fits(text, flow::of(to)), flow::of(to)) {
        let message = format!(
            "`{path}` of {} is {}, and text with expressions in it is a string",
            typed.kind,
            flow::word(to)
        );
        let finding = Diagnostic::error("check/expression-type", message);
        report.at(
            at,
            finding.help("write one expression and nothing around it"),
        );
    }
}

/// Checks what is written out in a manifest. `at` is where its resource stands, and whether other steps fill fields.
fn manifest(
    value: &Value,
    schema: &Schema,
    typed: &Typed,
    (at, filled): (&str, bool),
    report: &mut Report<'_>,
) {
    let at = format!("{at}.manifest");
    fit::unknown(value, schema, &typed.kind, &at, report);
    let mut whole = value.clone();
    purlin_schema::apply_defaults(&mut whole, schema);
    let errors = purlin_schema::validate(&whole, schema);
    let combined = errors.iter().any(|error| error.path == WHOLE);
    for error in errors.iter().filter(|error| error.path != WHOLE) {
        let missing = error.reason == Reason::Required;
        if missing && (filled || combined) || computed(value, &error.path) {
            continue;
        }
        let (path, finding) = fit::words(error, schema, &at);
        report.at(&path, finding);
    }
}

/// Whether the value at `path`, or one it is a part of, comes from an expression.
fn computed(value: &Value, path: &str) -> bool {
    let mut at = value;
    for step in reach::found_steps(path) {
        let next = match &step {
            Step::Field(name) => at.get(name),
            Step::Index(index) => at.get(index).or_else(|| at.get(index.to_string())),
            Step::Any => None,
        };
        let Some(next) = next else {
            return has_hole(at, false);
        };
        at = next;
    }
    has_hole(at, true)
}

fn has_hole(value: &Value, deep: bool) -> bool {
    match value {
        Value::String(text) => text.contains("${"),
        Value::Array(items) => deep && items.iter().any(|item| has_hole(item, deep)),
        Value::Object(map) => deep && map.values().any(|item| has_hole(item, deep)),
        _ => false,
    }
}
