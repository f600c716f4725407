//! What a real API server answered about CRDs and their objects, given by the functions here without any server.
//!
//! Cases about CEL are left to the crates that know it; the HTTP server runs all of them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use purlin_schema::{
    FieldError, Schema, apply_defaults, check_crd, check_crd_update, coerce_metadata, complete_crd,
    drop_nulls, prune, unknown_formats, validate, validate_update,
};
use purlin_testkit::{Outcome, cases, check_known};
use serde_json::{Map, Value, json};

/// Cases whose answers are the server's own, not the schema's.
const SERVERS_OWN: [&str; 2] = [
    "crd-schema/a/prune-strict-modes",
    "crd-schema/a/crd-stored-versions",
];

#[derive(Default)]
struct World {
    crds: BTreeMap<String, Value>,
    objects: BTreeMap<String, Value>,
}

/// An answer: the status, the causes, what is stored, and how many warnings there are.
struct Answer {
    status: u64,
    causes: Vec<(String, String)>,
    object: Option<Value>,
    warnings: usize,
}

impl Answer {
    fn refused(status: u64, errors: &[FieldError]) -> Self {
        let mut causes: Vec<_> = errors
            .iter()
            .map(|error| (error.path.clone(), error.reason.as_str().to_owned()))
            .collect();
        causes.sort();
        Self {
            status,
            causes,
            object: None,
            warnings: 0,
        }
    }

    fn done(status: u64, object: Value, warnings: usize) -> Self {
        Self {
            status,
            causes: Vec::new(),
            object: Some(object),
            warnings,
        }
    }
}

impl World {
    fn answer(&mut self, request: &Value) -> Option<Answer> {
        let path = request["path"].as_str().unwrap();
        let method = request["method"].as_str().unwrap();
        let crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        let body = &request["body"];
        let dry = request["query"]["dryRun"] == "All";
        match (method, path.strip_prefix(crds)) {
            ("POST", Some("")) => Some(self.crd(body.clone(), None, dry)),
            ("PATCH", Some(name)) => {
                let old = self.crds.get(name.trim_start_matches('/'))?.clone();
                let mut new = old.clone();
                merge(&mut new, body);
                Some(self.crd(new, Some(&old), dry))
            }
            ("POST", None) if body["kind"] == "Namespace" => {
                Some(Answer::done(201, Value::Null, 0))
            }
            ("POST", None) => {
                let strict = request["query"]["fieldValidation"] == "Strict";
                Some(self.create(path, body, strict))
            }
            ("PATCH", None) => self.patch(path, body),
            ("GET", None) => Some(Answer::done(200, self.objects.get(path)?.clone(), 0)),
            _ => None,
        }
    }

    fn crd(&mut self, mut crd: Value, old: Option<&Value>, dry: bool) -> Answer {
        if let Err(errors) = complete_crd(&mut crd) {
            return Answer::refused(400, &errors);
        }
        let errors = match old {
            None => check_crd(&crd, &()),
            Some(old) => check_crd_update(&crd, old, &()),
        };
        if !errors.is_empty() {
            return Answer::refused(422, &errors);
        }
        let name = crd["metadata"]["name"].as_str().unwrap().to_owned();
        let warnings = unknown_formats(&crd).len();
        if !dry {
            self.crds.insert(name, crd.clone());
        }
        Answer::done(if old.is_none() { 201 } else { 200 }, crd, warnings)
    }

    /// The schema of the collection in a path, and whether status is written apart.
    fn schema(&self, path: &str) -> Option<(Schema, bool)> {
        let parts: Vec<&str> = path.split('/').collect();
        let (group, version) = (parts.get(2)?, parts.get(3)?);
        let plural = if parts.get(4) == Some(&"namespaces") {
            parts.get(6)?
        } else {
            parts.get(4)?
        };
        let crd = self.crds.get(&format!("{plural}.{group}"))?;
        let versions = crd["spec"]["versions"].as_array()?;
        let found = versions.iter().find(|one| one["name"] == *version)?;
        let schema = Schema::parse(&found["schema"]["openAPIV3Schema"]).unwrap();
        Some((schema, found["subresources"]["status"].is_object()))
    }

    fn create(&mut self, path: &str, body: &Value, strict: bool) -> Answer {
        let (schema, status) = self.schema(path).unwrap();
        let mut object = body.clone();
        let warnings = match read(&mut object, &schema) {
            Ok(unknown) if strict && !unknown.is_empty() => return Answer::refused(400, &[]),
            Ok(unknown) => unknown.len(),
            Err(_) => return Answer::refused(400, &[]),
        };
        if status {
            object.as_object_mut().unwrap().remove("status");
        }
        let errors = validate(&object, &schema);
        if !errors.is_empty() {
            return Answer::refused(422, &errors);
        }
        let name = object["metadata"]["name"].as_str().unwrap();
        self.objects
            .insert(format!("{path}/{name}"), object.clone());
        Answer::done(201, object, warnings)
    }

    fn patch(&mut self, path: &str, body: &Value) -> Option<Answer> {
        let (schema, _) = self.schema(path)?;
        let mut old = self.objects.get(path)?.clone();
        read(&mut old, &schema).unwrap();
        let mut object = old.clone();
        merge(&mut object, body);
        let warnings = read(&mut object, &schema).unwrap().len();
        let errors = validate_update(&object, &old, &schema);
        if !errors.is_empty() {
            return Some(Answer::refused(422, &errors));
        }
        self.objects.insert(path.to_owned(), object.clone());
        Some(Answer::done(200, object, warnings))
    }
}

/// The way of every object: metadata, unknown fields, nulls, defaults.
fn read(object: &mut Value, schema: &Schema) -> Result<Vec<String>, Vec<FieldError>> {
    let mut unknown = coerce_metadata(object, schema)?;
    unknown.extend(prune(object, schema));
    drop_nulls(object, schema);
    apply_defaults(object, schema);
    Ok(unknown)
}

fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(fields) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let map = target.as_object_mut().unwrap();
    for (name, value) in fields {
        if value.is_null() {
            map.remove(name);
        } else {
            merge(map.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

/// What the schema decides about: everything but metadata.
fn content(object: &Value) -> Map<String, Value> {
    let own = ["apiVersion", "kind", "metadata", "status"];
    let fields = object.as_object().cloned().unwrap_or_default().into_iter();
    fields
        .filter(|(name, _)| !own.contains(&name.as_str()))
        .map(|(name, value)| (name, plain(value)))
        .collect()
}

/// `1.0` as `1`: the recordings do not tell them apart.
fn plain(value: Value) -> Value {
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 1e15 => {
                json!(format!("{float}").parse::<i64>().unwrap())
            }
            _ => Value::Number(number),
        },
        Value::Array(list) => list.into_iter().map(plain).collect(),
        Value::Object(map) => Value::Object(
            map.into_iter()
                .map(|(name, value)| (name, plain(value)))
                .collect(),
        ),
        other => other,
    }
}

fn compare(answer: &Answer, expect: &Value) -> Result<(), String> {
    let body = &expect["body"];
    if json!(answer.status) != expect["status"] {
        return Err(format!(
            "{} instead of {}: {:?}, recorded {}",
            answer.status, expect["status"], answer.causes, body["details"]["causes"]
        ));
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let recorded = body["details"]["causes"].as_array().into_iter().flatten();
    let mut recorded: Vec<_> = recorded
        .map(|cause| (text(&cause["field"]), text(&cause["reason"])))
        .collect();
    recorded.sort();
    if answer.causes != recorded {
        return Err(format!("causes {:?}, recorded {recorded:?}", answer.causes));
    }
    let Some(object) = answer.object.as_ref().filter(|_| {
        !body
            .as_object()
            .is_none_or(|map| map.keys().any(|key| key.starts_with('/')))
    }) else {
        return Ok(());
    };
    let warnings = expect["warnings"].as_u64().unwrap_or(0);
    if answer.warnings as u64 != warnings {
        return Err(format!("{} warnings, recorded {warnings}", answer.warnings));
    }
    let (ours, theirs) = (content(object), content(body));
    if ours == theirs {
        Ok(())
    } else {
        Err(format!("{}, recorded {}", json!(ours), json!(theirs)))
    }
}

fn run(case: &Value) -> Result<(), String> {
    let mut world = World::default();
    for request in case["setup"].as_array().into_iter().flatten() {
        if let Some(Answer { status, causes, .. }) = world.answer(request)
            && status >= 300
        {
            return Err(format!("setup: {status} {causes:?}"));
        }
    }
    let steps = case["steps"].as_array().unwrap().iter();
    for (index, (step, expect)) in steps.zip(case["expect"].as_array().unwrap()).enumerate() {
        let Some(answer) = world.answer(step) else {
            return Err(format!("step {index}: nobody answers"));
        };
        if step["query"]["fieldValidation"] == "Ignore" {
            continue;
        }
        compare(&answer, expect).map_err(|why| format!("step {index}: {why}"))?;
    }
    Ok(())
}

#[test]
fn answers_are_those_of_a_real_server() {
    let outcomes: Vec<Outcome> = cases("api/crd-schema.jsonl")
        .iter()
        .filter(|case| {
            let name = case["name"].as_str().unwrap();
            !name.contains("cel") && !SERVERS_OWN.contains(&name)
        })
        .map(|case| Outcome {
            name: case["name"].as_str().unwrap().to_owned(),
            failure: run(case).err(),
        })
        .collect();
    check_known(
        "api/crd-schema without CEL",
        "api/crd-schema-pure.known.txt",
        &outcomes,
    );
}
