//! Do the manifests and expressions of a Blueprint fit the kinds they are about?

use std::collections::BTreeMap;

use purlin_diag::{Diagnostic, Severity};
use purlin_expr::{Bindings, Embedded, Env, Outcome, Program, Ty, Val, Wanted, check_text};
use purlin_schema::{Reason, Schema, WHOLE};
use serde_json::{Value, json};

use crate::compose::{Context, Typed};
use crate::modules::{self, Declared};
use crate::reach::{self, Reach, Step, follow};
use crate::{Report, below, fit};

/// Fields of an input whose expressions are checked for what they are for, and modules, which have variables of their own.
const SPECIAL: [&str; 5] = ["resources", "status", "let", "modules", "use"];

/// Checks an input, which stands at `at`.
pub(crate) fn check(context: &mut Context<'_>, input: &Value, at: &str, report: &mut Report<'_>) {
    let composite = context.composite.clone();
    let resources = resources(context, input, at, true, report);
    let requires = requires(context, input);
    let environment = modules::declared(&input["environment"]);
    let mut env = variables(&composite, &resources, &requires, &environment);
    let used = input["use"].as_array();
    for one in used.into_iter().flatten() {
        env.set(one["name"].as_str().unwrap_or_default(), Ty::Dyn);
    }
    lets(input, &mut env);
    modules::uses(input, at, input, &env, report);
    let walk = Walk { env: &env };
    walk.value(&input["let"], &below(at, "let"), Target::Anywhere, report);
    for (name, value) in input.as_object().into_iter().flatten() {
        if !SPECIAL.contains(&name.as_str()) {
            let target = if name == "asserts" {
                Target::Asserts
            } else {
                Target::Anywhere
            };
            walk.value(value, &below(at, name), target, report);
        }
    }
    let status = composite.schema.as_deref().map(|schema| {
        match follow(schema, &[Step::Field("status".to_owned())]) {
            Reach::Field(status) => Target::Field(status),
            Reach::Unknown | Reach::Nowhere { .. } => Target::Anywhere,
        }
    });
    walk.value(
        &input["status"],
        &below(at, "status"),
        status.unwrap_or(Target::Anywhere),
        report,
    );
    for resource in &resources {
        resource_expressions(resource, &env, report);
        if let Some(schema) = resource.typed.schema.as_deref()
            && resource.value["external"] != true
        {
            let filled = context.filled_elsewhere(resource.name);
            let manifest = &resource.value["manifest"];
            check_manifest(
                manifest,
                schema,
                &resource.typed,
                (&resource.at, filled),
                report,
            );
        }
    }
    if let Some(schema) = composite.schema.as_deref()
        && input["status"].is_object()
    {
        let whole = json!({"status": input["status"]});
        fit::unknown(&whole, schema, &composite.kind, at, report);
    }
    trails(context, input, at);
    modules::check(context, input, at, report);
}

/// The objects that a Blueprint or module asks for: their kinds, and whether each is one object.
pub(crate) fn requires(context: &Context<'_>, input: &Value) -> BTreeMap<String, (Typed, bool)> {
    let requires = input["requires"].as_object().into_iter().flatten();
    requires
        .filter_map(|(name, require)| {
            let one = !require["name"].is_null();
            Some((name.clone(), (context.typed(require)?, one)))
        })
        .collect()
}

/// A resource of the input.
pub(crate) struct Resource<'v> {
    name: &'v str,
    pub(crate) value: &'v Value,
    pub(crate) at: String,
    pub(crate) typed: Typed,
}

/// The resources of a Blueprint, or of a module, whose names are not yet whole.
pub(crate) fn resources<'v>(
    context: &mut Context<'_>,
    input: &'v Value,
    at: &str,
    whole_names: bool,
    report: &mut Report<'_>,
) -> Vec<Resource<'v>> {
    let mut resources = Vec::new();
    let listed = input["resources"].as_array();
    for (index, value) in listed.into_iter().flatten().enumerate() {
        let Some(name) = value["name"].as_str() else {
            continue;
        };
        let at = format!("{at}.resources[{index}]");
        let typed = context.typed(&value["manifest"]).unwrap_or_default();
        let manifest_at = format!("{at}.manifest");
        fit::identity(&value["manifest"], &manifest_at, true, report);
        if value["external"] == true {
            let file = context.file;
            crate::kinds::check(context.set, file, &value["manifest"], &manifest_at, report);
        } else {
            if whole_names {
                context.compose(name, typed.clone(), &format!("{at}.name"), report);
            }
            context.check_kind(&value["manifest"], &typed, &manifest_at, report);
        }
        // Elements of a list have names of their own.
        context.composes_others |= !value["forEach"].is_null();
        resources.push(Resource {
            name,
            value,
            at,
            typed,
        });
    }
    context.composes_others |= !input["use"].is_null() || !input["usages"].is_null();
    resources
}

/// The variables of expressions.
pub(crate) fn variables<'s>(
    composite: &'s Typed,
    resources: &'s [Resource<'_>],
    requires: &'s BTreeMap<String, (Typed, bool)>,
    environment: &'s Declared,
) -> Env<'s> {
    let object = |typed: &'s Typed| typed.schema.as_deref().map_or(Ty::Dyn, Ty::whole);
    let mut env = Env::new();
    let fields = environment.iter();
    let fields = fields.map(|(name, one)| (name.as_str(), modules::ty(one)));
    env.set("environment", Ty::beside(fields, Ty::Dyn));
    env.set("context", Ty::Dyn);
    for (name, (typed, one)) in requires {
        let object = object(typed);
        env.set(name.as_str(), if *one { object } else { Ty::list(object) });
    }
    for resource in resources {
        let observed = match object(&resource.typed) {
            Ty::Dyn => Ty::Dyn,
            object => Ty::beside([("connection", Ty::Dyn)], object),
        };
        let each = !resource.value["forEach"].is_null();
        let ty = if each { Ty::map(observed) } else { observed };
        env.set(resource.name.replace(['-', '.'], "_"), ty);
    }
    env.set("xr", object(composite));
    env
}

/// Named values: their types come from what they are made of, in whatever order they are written.
pub(crate) fn lets(input: &Value, env: &mut Env<'_>) {
    const ROUNDS: usize = 3;
    let Some(lets) = input["let"].as_object() else {
        return;
    };
    for name in lets.keys() {
        env.set(name.clone(), Ty::Dyn);
    }
    for _ in 0..ROUNDS {
        for (name, value) in lets {
            let ty = match value {
                Value::String(text) => check_text(text, env, &Wanted::Anything).ty,
                Value::Bool(_) => Ty::Bool,
                _ => Ty::Dyn,
            };
            let ty = if matches!(ty, Ty::Err) { Ty::Dyn } else { ty };
            env.set(name.clone(), ty);
        }
    }
}

/// What a value is for.
#[derive(Clone, Copy)]
pub(crate) enum Target<'s> {
    Anywhere,
    /// A field of this schema.
    Field(&'s Schema),
    /// A whole object of this schema.
    Object(&'s Schema),
    /// Something that holds or not.
    Condition,
    Asserts,
}

impl<'s> Target<'s> {
    fn wanted(self) -> Wanted<'s> {
        match self {
            Self::Anywhere | Self::Asserts => Wanted::Anything,
            Self::Field(schema) => Wanted::Field(schema),
            Self::Object(schema) => Wanted::Object(schema),
            Self::Condition => Wanted::Value(Ty::Bool),
        }
    }

    fn below(self, step: Step) -> Self {
        let (schema, whole) = match self {
            Self::Field(schema) => (schema, false),
            Self::Object(schema) => (schema, true),
            Self::Asserts => {
                return match step {
                    Step::Field(name) if name == "that" => Self::Condition,
                    Step::Index(_) => Self::Asserts,
                    Step::Field(_) | Step::Any => Self::Anywhere,
                };
            }
            Self::Anywhere | Self::Condition => return Self::Anywhere,
        };
        let steps = [step];
        let reach = if whole {
            follow(schema, &steps)
        } else {
            reach::one(schema, &steps[0])
        };
        match reach {
            Reach::Field(field) if field.embedded => Self::Object(field),
            Reach::Field(field) => Self::Field(field),
            Reach::Unknown | Reach::Nowhere { .. } => Self::Anywhere,
        }
    }
}

/// Checks expressions with these variables.
pub(crate) struct Walk<'e, 's> {
    pub(crate) env: &'e Env<'s>,
}

impl<'s> Walk<'_, 's> {
    pub(crate) fn value(
        &self,
        value: &Value,
        at: &str,
        target: Target<'s>,
        report: &mut Report<'_>,
    ) {
        match value {
            Value::String(text) if text.contains("${") => {
                // What a text that cannot be read is told by the function itself.
                if Embedded::parse(text).is_err() {
                    return;
                }
                if matches!(target, Target::Condition) {
                    constant(text, at, report);
                }
                for problem in check_text(text, self.env, &target.wanted()).problems {
                    // So is what does not parse, and what nobody declares.
                    if matches!(problem.code, "expr/no-such-variable" | "expr/syntax") {
                        continue;
                    }
                    report.part(at, (problem.start, problem.end), problem.diagnostic());
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    let target = target.below(Step::Index(index));
                    self.value(item, &format!("{at}[{index}]"), target, report);
                }
            }
            Value::Object(map) => {
                for (name, item) in map {
                    let target = target.below(Step::Field(name.clone()));
                    self.value(item, &below(at, name), target, report);
                }
            }
            _ => {}
        }
    }
}

/// A condition that reads nothing is always the same.
fn constant(text: &str, at: &str, report: &mut Report<'_>) {
    let Ok(embedded) = Embedded::parse(text) else {
        return;
    };
    let Some(hole) = embedded.only_hole() else {
        return;
    };
    if let Some(finding) = always(hole.source) {
        let part = (hole.start, hole.start + hole.source.len());
        report.part(at, part, finding);
    }
}

/// What is wrong with a condition that reads nothing.
pub(crate) fn always(source: &str) -> Option<Diagnostic> {
    let program = Program::parse(source).ok()?;
    if !program.reads().is_empty() {
        return None;
    }
    let Outcome::Ok(Val::Bool(value)) = program.eval(&Bindings::new()) else {
        return None;
    };
    let message = format!("this condition is always {value}");
    let mut finding = Diagnostic::warning("check/unreachable", message);
    finding.severity = Severity::Warning;
    Some(finding.help("remove it, or let it read something"))
}

/// The type of an element of what `forEach` goes over.
pub(crate) fn element<'s>(list: &Value, env: &Env<'s>) -> Ty<'s> {
    let ty = match list {
        Value::String(text) => check_text(text, env, &Wanted::Anything).ty.entry(),
        _ => None,
    };
    ty.unwrap_or(Ty::Dyn)
}

pub(crate) fn resource_expressions(
    resource: &Resource<'_>,
    env: &Env<'_>,
    report: &mut Report<'_>,
) {
    let (value, at) = (resource.value, resource.at.as_str());
    let schema = resource.typed.schema.as_deref();
    let mut inside = Env::inside(env);
    let outside = Walk { env };
    outside.value(
        &value["forEach"],
        &below(at, "forEach"),
        Target::Anywhere,
        report,
    );
    for (name, list) in value["forEach"].as_object().into_iter().flatten() {
        let whole = match list {
            Value::String(text) => check_text(text, env, &Wanted::Anything).ty,
            _ => Ty::Dyn,
        };
        let given = match &whole {
            Ty::Optional(inner) => inner.as_ref(),
            given => given,
        };
        if given.is_known() && given.element().is_none() {
            let message = format!("`forEach` takes a list or a map, and this is {given}");
            let finding = Diagnostic::error("check/wrong-type", message);
            report.at(&below(&below(at, "forEach"), name), finding);
        }
        inside.set(name.clone(), whole.entry().unwrap_or(Ty::Dyn));
    }
    let manifest = schema.map_or(Target::Anywhere, Target::Object);
    let walk = Walk { env: &inside };
    walk.value(&value["manifest"], &below(at, "manifest"), manifest, report);
    walk.value(
        &value["when"],
        &below(at, "when"),
        Target::Condition,
        report,
    );
    for (name, other) in value.as_object().into_iter().flatten() {
        if !matches!(name.as_str(), "manifest" | "when" | "forEach" | "ready") {
            walk.value(other, &below(at, name), Target::Anywhere, report);
        }
    }
    let own = match schema {
        Some(schema) => Ty::beside([("connection", Ty::Dyn)], Ty::whole(schema)),
        None => Ty::Dyn,
    };
    let mut ready = Env::inside(&inside);
    ready.set("self", own);
    let walk = Walk { env: &ready };
    walk.value(
        &value["ready"],
        &below(at, "ready"),
        Target::Condition,
        report,
    );
}

/// Notes what the step reads of the environment, and reads and writes of the status.
fn trails(context: &mut Context<'_>, input: &Value, at: &str) {
    let index = context.index;
    let mut reads = Vec::new();
    expressions(input, at, &mut |program, at| {
        for read in program.reads() {
            let steps: Vec<Step> = read
                .path
                .iter()
                .map(|step| match step {
                    purlin_expr::Step::Field(name) => Step::Field(name.clone()),
                    purlin_expr::Step::Index(at) => {
                        usize::try_from(*at).map_or(Step::Any, Step::Index)
                    }
                    purlin_expr::Step::Any => Step::Any,
                })
                .collect();
            reads.push((read.root.clone(), steps, read.optional, at.to_owned()));
        }
    });
    for (root, steps, optional, at) in reads {
        match root.as_str() {
            "context" => context.environment.reads_anything(index),
            "environment" if optional || steps.is_empty() => {
                context.environment.reads_anything(index);
            }
            // What has a default need not be written.
            "environment" if defaulted(&input["environment"], &steps) => {
                context.environment.reads_anything(index);
            }
            "environment" => context.environment.read(index, steps, &at),
            "xr" if !optional
                && steps.len() > 1
                && steps[0] == Step::Field("status".to_owned()) =>
            {
                context.status.read(index, steps, &at);
            }
            _ => {}
        }
    }
    let mut path = vec![Step::Field("status".to_owned())];
    written(&input["status"], &mut path, &mut |path| {
        context.status.write(index, path.to_vec(), at);
    });
    if !input["conditions"].is_null() {
        context.status.write(
            index,
            vec![
                Step::Field("status".to_owned()),
                Step::Field("conditions".to_owned()),
            ],
            at,
        );
    }
    if !input["use"].is_null() {
        context.status.writes_anything(index);
        context.environment.reads_anything(index);
    }
}

/// Whether a field of the environment is declared with a default, or as one that may be missing.
fn defaulted(declared: &Value, steps: &[Step]) -> bool {
    let Some(Step::Field(name)) = steps.first() else {
        return false;
    };
    let one = &declared[name.as_str()];
    one.is_object() && (!one["default"].is_null() || one["required"] == false)
}

fn expressions(value: &Value, at: &str, each: &mut impl FnMut(&Program, &str)) {
    match value {
        Value::String(text) if text.contains("${") => {
            let Ok(embedded) = Embedded::parse(text) else {
                return;
            };
            for hole in embedded.holes() {
                if let Ok(program) = Program::parse(hole.source) {
                    each(&program, at);
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                expressions(item, &format!("{at}[{index}]"), each);
            }
        }
        Value::Object(map) => {
            for (name, item) in map {
                expressions(item, &below(at, name), each);
            }
        }
        _ => {}
    }
}

/// The fields a value has, as deep as it is written out.
fn written(value: &Value, path: &mut Vec<Step>, each: &mut impl FnMut(&[Step])) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (name, item) in map {
                path.push(Step::Field(name.clone()));
                written(item, path, each);
                path.pop();
            }
        }
        Value::Null => {}
        _ => each(path),
    }
}

/// Checks what is written out in a manifest. `at` is where its resource stands, and whether other steps fill fields.
pub(crate) fn check_manifest(
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
