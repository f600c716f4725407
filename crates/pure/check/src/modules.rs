//! Do the modules of a Blueprint fit the kinds they make, and do their users give them what they take?

use std::collections::BTreeMap;

use purlin_expr::{Env, Ty};
use purlin_schema::Schema;
use serde_json::{Value, json};

use crate::blueprint::{
    Resource, Target, Walk, check_manifest, lets, requires, resource_expressions, resources,
    variables,
};
use crate::compose::Context;
use crate::{Report, below};

/// The types of values that are declared: of parameters, or of the environment.
pub(crate) type Declared = BTreeMap<String, (Schema, bool)>;

/// Reads declarations: the schema of each value, and whether it may be missing.
pub(crate) fn declared(declarations: &Value) -> Declared {
    let all = declarations.as_object().into_iter().flatten();
    all.map(|(name, one)| {
        let mut schema = json!({});
        if let Some(form) = one["type"].as_str().filter(|form| *form != "any") {
            schema["type"] = form.into();
        }
        if matches!(one["type"].as_str(), Some("array" | "object") | None) {
            schema["x-kubernetes-preserve-unknown-fields"] = true.into();
        }
        if one["enum"].is_array() {
            schema["enum"] = one["enum"].clone();
        }
        let optional = one["required"] == false && one["default"].is_null();
        let schema = Schema::parse(&schema).unwrap_or_default();
        (name.clone(), (schema, optional))
    })
    .collect()
}

/// The type of a declared value.
pub(crate) fn ty((schema, optional): &(Schema, bool)) -> Ty<'_> {
    let ty = if schema.kind.is_some() {
        Ty::of(schema)
    } else {
        Ty::Dyn
    };
    if *optional { Ty::optional(ty) } else { ty }
}

/// Checks the modules of an input, which stands at `at`.
pub(crate) fn check(context: &mut Context<'_>, input: &Value, at: &str, report: &mut Report<'_>) {
    let environment = declared(&input["environment"]);
    for (name, module) in input["modules"].as_object().into_iter().flatten() {
        let at = below(&below(at, "modules"), name);
        one(context, module, &at, (input, &environment), report);
    }
}

fn one(
    context: &mut Context<'_>,
    module: &Value,
    at: &str,
    (input, environment): (&Value, &Declared),
    report: &mut Report<'_>,
) {
    let composite = context.composite.clone();
    let resources: Vec<Resource<'_>> = resources(context, module, at, false, report);
    let requires = requires(context, module);
    let parameters = declared(&module["parameters"]);
    let mut env = variables(&composite, &resources, &requires, environment);
    for (name, parameter) in &parameters {
        env.set(name.as_str(), ty(parameter));
    }
    for (_, one) in used(module) {
        env.set(one["name"].as_str().unwrap_or_default(), Ty::Dyn);
    }
    lets(module, &mut env);
    let walk = Walk { env: &env };
    for field in ["let", "outputs", "requires"] {
        walk.value(&module[field], &below(at, field), Target::Anywhere, report);
    }
    walk.value(
        &module["asserts"],
        &below(at, "asserts"),
        Target::Asserts,
        report,
    );
    uses(module, at, input, &env, report);
    let others = context
        .filled
        .as_ref()
        .is_none_or(|names| !names.is_empty());
    for resource in &resources {
        resource_expressions(resource, &env, report);
        if let Some(schema) = resource.typed.schema.as_deref()
            && resource.value["external"] != true
        {
            let manifest = &resource.value["manifest"];
            check_manifest(
                manifest,
                schema,
                &resource.typed,
                (&resource.at, others),
                report,
            );
        }
    }
}

/// The uses of modules in a Blueprint or module, and where each stands.
fn used(value: &Value) -> impl Iterator<Item = (usize, &Value)> {
    value["use"].as_array().into_iter().flatten().enumerate()
}

/// Checks what uses give to the modules of `input`. `value` is what has the uses, and stands at `at`.
pub(crate) fn uses(value: &Value, at: &str, input: &Value, env: &Env<'_>, report: &mut Report<'_>) {
    for (index, one) in used(value) {
        let at = format!("{at}.use[{index}]");
        let module = one["module"].as_str().or(one["name"].as_str());
        let parameters = declared(&input["modules"][module.unwrap_or_default()]["parameters"]);
        let mut inside = Env::inside(env);
        let outside = Walk { env };
        let for_each = below(&at, "forEach");
        outside.value(&one["forEach"], &for_each, Target::Anywhere, report);
        for (name, list) in one["forEach"].as_object().into_iter().flatten() {
            inside.set(name.clone(), crate::blueprint::element(list, env));
        }
        for (name, given) in one["with"].as_object().into_iter().flatten() {
            // Values that are written out are the function's to tell.
            let walk = Walk { env: &inside };
            let target = match parameters.get(name) {
                Some((schema, _)) if schema.kind.is_some() => Target::Field(schema),
                _ => Target::Anywhere,
            };
            walk.value(given, &below(&below(&at, "with"), name), target, report);
        }
        let walk = Walk { env: &inside };
        walk.value(&one["when"], &below(&at, "when"), Target::Condition, report);
        walk.value(&one["key"], &below(&at, "key"), Target::Anywhere, report);
    }
}
