//! Which XRDs are accepted, and which CRDs they give, as recorded from Crossplane's core.

use std::collections::BTreeMap;

use purlin_schema::{CheckRules, FieldError, RulePlace, Schema};
use purlin_testkit::{Outcome, cases, check_known};
use serde_json::{Value, json};

/// The syntax of CEL, by the parser the project uses; types are the business of the crate that evaluates.
struct Syntax;

impl CheckRules for Syntax {
    fn check(&self, schema: &Schema, path: &str, _: RulePlace) -> Vec<FieldError> {
        let bad = |rule: &&purlin_schema::Rule| cel::Program::compile(&rule.rule).is_err();
        let broken = schema.rules.iter().filter(bad);
        broken
            .map(|rule| {
                FieldError::invalid(path, &Value::from(rule.rule.as_str()), "is no expression")
            })
            .collect()
    }

    fn check_default(&self, _: &Schema, _: &Value, _: &str) -> Vec<FieldError> {
        Vec::new()
    }
}

/// What a server with this engine holds after an XRD was created or changed.
#[derive(Default, Clone)]
struct World {
    xrd: Option<Value>,
    crds: BTreeMap<String, Value>,
}

impl World {
    /// Applies an XRD; `Some` says why it was refused.
    fn apply(&mut self, xrd: &Value) -> Option<Vec<FieldError>> {
        let mut xrd = xrd.clone();
        xrd["metadata"]["uid"] = json!("UID-XRD");
        let wrong = match &self.xrd {
            Some(old) => purlin_schema::check_xrd_update(&xrd, old),
            None => purlin_schema::check_xrd(&xrd),
        };
        if !wrong.is_empty() {
            return Some(wrong);
        }
        let composite = purlin_schema::composite_crd(&xrd).ok();
        let claim = purlin_schema::claim_crd(&xrd).ok().flatten();
        for mut crd in composite.into_iter().chain(claim) {
            let readable = purlin_schema::complete_crd(&mut crd).is_ok();
            if readable && purlin_schema::check_crd(&crd, &Syntax).is_empty() {
                let name = crd["metadata"]["name"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned();
                self.crds.insert(name, crd);
            }
        }
        self.xrd = Some(xrd);
        None
    }
}

/// Texts that are ours become the recording's placeholder; what servers add is left out.
fn normal(crd: &Value, authored: &[String]) -> Value {
    fn walk(value: &mut Value, authored: &[String]) {
        match value {
            Value::Object(map) => {
                for (name, member) in map.iter_mut() {
                    match member {
                        Value::String(text)
                            if name == "description" && !authored.contains(text) =>
                        {
                            "<text>".clone_into(text);
                        }
                        other => walk(other, authored),
                    }
                }
            }
            Value::Array(list) => list.iter_mut().for_each(|member| walk(member, authored)),
            _ => {}
        }
    }
    let mut crd = crd.clone();
    walk(&mut crd, authored);
    if let Some(metadata) = crd["metadata"].as_object_mut() {
        metadata.remove("managedFields");
    }
    crd
}

fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.values().for_each(|member| texts(member, found)),
        Value::Array(list) => list.iter().for_each(|member| texts(member, found)),
        Value::String(text) => found.push(text.clone()),
        _ => {}
    }
}

fn compare(
    world: &World,
    wrong: Option<&[FieldError]>,
    expect: &Value,
    xrd: &Value,
) -> Result<(), String> {
    let accepted = wrong.is_none();
    if accepted != expect["accepted"].as_bool().unwrap_or(false) {
        return Err(format!("accepted: {accepted}, because {wrong:?}"));
    }
    if let Some(wrong) = wrong {
        let mut causes: Vec<(String, String)> = wrong
            .iter()
            .map(|error| (error.path.clone(), error.reason.as_str().to_owned()))
            .collect();
        let listed = expect["reason"]["causes"].as_array().into_iter().flatten();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut recorded: Vec<(String, String)> = listed
            .map(|cause| (text(&cause["field"]), text(&cause["reason"])))
            .collect();
        causes.sort();
        recorded.sort();
        if causes != recorded {
            return Err(format!("causes: {causes:?}, recorded {recorded:?}"));
        }
    }
    let mut authored = Vec::new();
    texts(xrd, &mut authored);
    let ours: BTreeMap<String, Value> = world
        .crds
        .iter()
        .map(|(name, crd)| (name.clone(), normal(crd, &authored)))
        .collect();
    let recorded = expect["crds"].as_array().into_iter().flatten();
    let theirs: BTreeMap<String, Value> = recorded
        .map(|crd| {
            (
                crd["metadata"]["name"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned(),
                normal(crd, &authored),
            )
        })
        .collect();
    if ours == theirs {
        return Ok(());
    }
    Err(format!(
        "ours:   {}\ntheirs: {}",
        json!(ours),
        json!(theirs)
    ))
}

#[test]
fn xrds_give_the_recorded_crds() {
    let outcomes: Vec<Outcome> = cases("engine/xrd-crds.jsonl")
        .iter()
        .map(|case| {
            let mut world = World::default();
            let wrong = world.apply(&case["xrd"]);
            let mut result = compare(&world, wrong.as_deref(), case, &case["xrd"]);
            let update = &case["update"];
            if result.is_ok() && update.is_object() {
                let wrong = world.apply(&update["xrd"]);
                result = compare(&world, wrong.as_deref(), update, &update["xrd"])
                    .map_err(|why| format!("update: {why}"));
            }
            Outcome {
                name: case["name"].as_str().unwrap_or_default().to_owned(),
                failure: result.err(),
            }
        })
        .collect();
    check_known("engine/xrd-crds", "engine/xrd-crds.known.txt", &outcomes);
}
