//! A manifest to a typed Composition, with every mistake in it (spec/engine.md 2.1).

use std::collections::BTreeMap;

use purlin_api::composition::{
    API_VERSION, Composition, Credential, KIND, MAX_STEPS, MODE, Matching, REVISION_KIND,
    RequiredResource, RequiredSchema, Selector, Step,
};
use purlin_api::meta::Gvk;
use purlin_diag::{Diagnostic, Diagnostics};
use purlin_object::Object;
use purlin_yaml::{Fields, PlaceMap, Section};
use serde_json::Value;

/// Reads a Composition or a CompositionRevision. There is none when anything found is an error.
pub fn read(object: &Value, places: Option<&PlaceMap>) -> (Option<Composition>, Diagnostics) {
    let mut fields = Fields::new("composition/shape", places);
    let composition = fields
        .root(object)
        .and_then(|root| manifest(&mut fields, &root));
    let found = fields.into_found();
    (composition.filter(|_| !found.has_errors()), found)
}

fn manifest(fields: &mut Fields<'_>, root: &Section<'_>) -> Option<Composition> {
    let api_version = fields.text(root, "apiVersion");
    let kind = fields.text(root, "kind");
    if let (Some(api_version), Some(kind)) = (api_version, kind)
        && (api_version != API_VERSION || (kind != KIND && kind != REVISION_KIND))
    {
        let message = format!("this is a {api_version} {kind}, not a Composition");
        let help =
            format!("a Composition starts with `apiVersion: {API_VERSION}` and `kind: {KIND}`");
        let wrong = if kind == KIND || kind == REVISION_KIND {
            "apiVersion"
        } else {
            "kind"
        };
        fields.push(
            wrong,
            Diagnostic::error("composition/kind", message).help(help),
        );
        return None;
    }
    let metadata = fields.section(root, "metadata");
    let name = metadata
        .as_ref()
        .and_then(|metadata| fields.text(metadata, "name"));
    let labels = metadata
        .as_ref()
        .map(|metadata| fields.texts(metadata, "labels"))
        .unwrap_or_default();
    let spec = fields.section(root, "spec")?;
    check_spec(fields, &spec);
    let composite = fields
        .section(&spec, "compositeTypeRef")
        .and_then(|section| kind_of(fields, &section));
    let pipeline = pipeline(fields, &spec);
    let write_connection_secrets_to = fields
        .optional_text(&spec, "writeConnectionSecretsToNamespace")
        .map(str::to_owned);
    Some(Composition {
        name: name?.to_owned(),
        labels,
        composite: composite?,
        pipeline,
        write_connection_secrets_to,
    })
}

fn check_spec(fields: &mut Fields<'_>, spec: &Section<'_>) {
    fields.only(
        spec,
        &[
            "compositeTypeRef",
            "mode",
            "pipeline",
            "writeConnectionSecretsToNamespace",
            // A revision's own, and fields that older versions of the API had.
            "revision",
            "resources",
            "patchSets",
            "environment",
            "publishConnectionDetailsWithStoreConfigRef",
        ],
    );
    let mode = fields.optional_text(spec, "mode");
    let native = ["resources", "patchSets"]
        .into_iter()
        .find(|field| spec.map.contains_key(*field));
    if let Some(mode) = mode.filter(|mode| *mode != MODE) {
        let help = format!(
            "write `mode: {MODE}`; put `resources` and `patchSets` into the input of a step that calls function-patch-and-transform"
        );
        let message = format!("there is no mode {mode:?}");
        fields.push(
            "spec.mode",
            Diagnostic::error("composition/mode", message).help(help),
        );
    } else if let Some(field) = native {
        let message = format!("`spec.{field}` belongs to mode Resources, which no longer exists");
        let help = "move it into the input of a step that calls function-patch-and-transform";
        fields.push_key(
            &spec.path_of(field),
            Diagnostic::error("composition/mode", message).help(help),
        );
    }
    if spec.map.contains_key("environment") {
        let message = "`spec.environment` no longer exists and is ignored";
        let help = "call function-environment-configs in the first step instead";
        fields.push_key(
            "spec.environment",
            Diagnostic::warning("composition/environment", message).help(help),
        );
    }
}

fn kind_of(fields: &mut Fields<'_>, section: &Section<'_>) -> Option<Gvk> {
    let api_version = fields.text(section, "apiVersion");
    let kind = fields.text(section, "kind");
    Some(Gvk::new(api_version?, kind?))
}

fn pipeline(fields: &mut Fields<'_>, spec: &Section<'_>) -> Vec<Step> {
    let sections = fields.sections(spec, "pipeline");
    let written = spec.map.get("pipeline").and_then(Value::as_array);
    let complaint = match written.map(Vec::len) {
        None if spec
            .map
            .get("pipeline")
            .is_some_and(|value| !value.is_null()) =>
        {
            None
        }
        None | Some(0) => Some("`spec.pipeline` has no steps".to_owned()),
        Some(steps) if steps > MAX_STEPS => Some(format!(
            "`spec.pipeline` has {steps} steps; at most {MAX_STEPS} are possible"
        )),
        Some(_) => None,
    };
    if let Some(message) = complaint {
        let error =
            Diagnostic::error("composition/steps", message).help("a pipeline has 1 to 99 steps");
        fields.push("spec.pipeline", error);
    }
    let mut seen = BTreeMap::new();
    let mut steps = Vec::new();
    for section in sections {
        let name = unique(fields, &section, "step", &mut seen);
        steps.extend(step(fields, &section, name));
    }
    steps
}

/// A required name that no other element of the list has.
fn unique(
    fields: &mut Fields<'_>,
    section: &Section<'_>,
    field: &str,
    seen: &mut BTreeMap<String, String>,
) -> Option<String> {
    let name = fields.text(section, field)?.to_owned();
    if let Some(first) = seen.get(&name) {
        let message = format!("{field} {name:?} is already the name of `{first}`");
        let error = Diagnostic::error("composition/duplicate-name", message)
            .help("give every one its own name");
        fields.push(&section.path_of(field), error);
    } else {
        seen.insert(name.clone(), section.path.clone());
    }
    Some(name)
}

fn step(fields: &mut Fields<'_>, section: &Section<'_>, name: Option<String>) -> Option<Step> {
    fields.only(
        section,
        &[
            "step",
            "functionRef",
            "input",
            "credentials",
            "requirements",
        ],
    );
    let function = fields
        .section(section, "functionRef")
        .and_then(|reference| fields.text(&reference, "name"));
    let input = fields
        .optional_section(section, "input")
        .map(|input| embedded(fields, section, &input));
    let credentials = credentials(fields, section);
    let requirements = fields.optional_section(section, "requirements");
    let mut step = Step {
        name: name?,
        function: function?.to_owned(),
        input: input.flatten(),
        credentials,
        ..Step::default()
    };
    if let Some(requirements) = requirements {
        fields.only(&requirements, &["requiredResources", "requiredSchemas"]);
        step.required_resources = required_resources(fields, &requirements);
        step.required_schemas = required_schemas(fields, &requirements);
    }
    Some(step)
}

/// A function's input: an object with apiVersion and kind, whatever else is in it.
fn embedded(fields: &mut Fields<'_>, step: &Section<'_>, input: &Section<'_>) -> Option<Object> {
    fields.text(input, "apiVersion");
    fields.text(input, "kind");
    match Object::from_json(Value::Object(input.map.clone())) {
        Ok(object) => Some(object),
        Err(error) => {
            let path = step.path_of("input");
            let message = format!("`{path}` cannot be sent to a function: {error}");
            fields.push(&path, Diagnostic::error("composition/input", message));
            None
        }
    }
}

fn credentials(fields: &mut Fields<'_>, step: &Section<'_>) -> Vec<Credential> {
    let mut seen = BTreeMap::new();
    let mut credentials = Vec::new();
    for section in fields.sections(step, "credentials") {
        fields.only(&section, &["name", "source", "secretRef"]);
        let name = unique(fields, &section, "name", &mut seen);
        match fields.text(&section, "source") {
            Some("Secret") | None => {}
            Some(other) => {
                let message = format!("credentials cannot come from {other:?}");
                let error = Diagnostic::error("composition/credentials", message)
                    .help("write `source: Secret` and a `secretRef`, or take the entry away");
                fields.push(&section.path_of("source"), error);
                continue;
            }
        }
        let Some(reference) = fields.section(&section, "secretRef") else {
            continue;
        };
        let namespace = fields.text(&reference, "namespace");
        let secret = fields.text(&reference, "name");
        if let (Some(name), Some(namespace), Some(secret)) = (name, namespace, secret) {
            credentials.push(Credential {
                name,
                namespace: namespace.to_owned(),
                secret: secret.to_owned(),
            });
        }
    }
    credentials
}

fn required_resources(
    fields: &mut Fields<'_>,
    requirements: &Section<'_>,
) -> Vec<RequiredResource> {
    let mut seen = BTreeMap::new();
    let mut required = Vec::new();
    for section in fields.sections(requirements, "requiredResources") {
        fields.only(
            &section,
            &[
                "requirementName",
                "apiVersion",
                "kind",
                "namespace",
                "name",
                "matchLabels",
            ],
        );
        let name = unique(fields, &section, "requirementName", &mut seen);
        let kind = kind_of(fields, &section);
        let namespace = fields.optional_text(&section, "namespace");
        let object = fields.optional_text(&section, "name");
        let labels = fields.texts(&section, "matchLabels");
        let has_labels = section.map.contains_key("matchLabels");
        if object.is_some() && has_labels {
            let message = format!("`{}` has both `name` and `matchLabels`", section.path);
            let error =
                Diagnostic::error("composition/requirement", message).help("keep one of the two");
            fields.push_key(&section.path_of("matchLabels"), error);
        }
        if let (Some(name), Some(kind)) = (name, kind) {
            required.push(RequiredResource {
                name,
                selector: Selector {
                    api_version: kind.api_version(),
                    kind: kind.kind,
                    namespace: namespace.map(str::to_owned),
                    matching: match object {
                        Some(object) => Matching::Name(object.to_owned()),
                        None if has_labels => Matching::Labels(labels),
                        None => Matching::All,
                    },
                },
            });
        }
    }
    required
}

fn required_schemas(fields: &mut Fields<'_>, requirements: &Section<'_>) -> Vec<RequiredSchema> {
    let mut seen = BTreeMap::new();
    let mut required = Vec::new();
    for section in fields.sections(requirements, "requiredSchemas") {
        fields.only(&section, &["requirementName", "apiVersion", "kind"]);
        let name = unique(fields, &section, "requirementName", &mut seen);
        let kind = kind_of(fields, &section);
        if let (Some(name), Some(kind)) = (name, kind) {
            required.push(RequiredSchema {
                name,
                api_version: kind.api_version(),
                kind: kind.kind,
            });
        }
    }
    required
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(text: &str, expect: &[&str]) {
        let (documents, found) = purlin_yaml::load("c.yaml", text);
        assert!(found.is_empty(), "{found:?}");
        let document = &documents[0];
        let (composition, found) = read(&document.value, Some(&document.places));
        let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(lines, expect);
        assert_eq!(composition.is_some(), !found.has_errors());
    }

    #[test]
    fn a_whole_composition_is_read() {
        let (composition, found) = read(
            &json!({
                "apiVersion": "apiextensions.crossplane.io/v1", "kind": "Composition",
                "metadata": {"name": "net", "labels": {"tier": "gold"}},
                "spec": {
                    "compositeTypeRef": {"apiVersion": "example.org/v1", "kind": "XNet"},
                    "pipeline": [{
                        "step": "a", "functionRef": {"name": "f"},
                        "input": {"apiVersion": "i/v1", "kind": "In", "n": 1},
                        "credentials": [{"name": "c", "source": "Secret", "secretRef": {"namespace": "ns", "name": "s"}}],
                        "requirements": {
                            "requiredResources": [
                                {"requirementName": "one", "apiVersion": "v1", "kind": "ConfigMap", "namespace": "d", "name": "x"},
                                {"requirementName": "some", "apiVersion": "v1", "kind": "Node", "matchLabels": {"a": "b"}},
                                {"requirementName": "all", "apiVersion": "v1", "kind": "Node"},
                            ],
                            "requiredSchemas": [{"requirementName": "s", "apiVersion": "v1", "kind": "Pod"}],
                        },
                    }],
                },
            }),
            None,
        );
        assert!(found.is_empty(), "{found:?}");
        let composition = composition.expect("it has no mistake");
        assert_eq!(composition.composite.api_version(), "example.org/v1");
        let step = &composition.pipeline[0];
        assert_eq!(step.credentials[0].secret, "s");
        assert_eq!(
            step.required_resources[0].selector.matching,
            Matching::Name("x".into())
        );
        assert_eq!(step.required_resources[2].selector.matching, Matching::All);
        assert_eq!(step.required_schemas[0].kind, "Pod");
        assert!(step.input.is_some());
    }

    #[test]
    fn every_mistake_is_found_at_once() {
        check(
            "apiVersion: apiextensions.crossplane.io/v1\nkind: Composition\nmetadata: {}\nspec:\n  compositeTypeRef:\n    \
             apiVersion: 5\n    kind: X\n  mod: Pipeline\n  pipeline:\n  - step: a\n    functionref: {name: f}\n  - step: a\n    \
             functionRef: {name: f}\n    input: {kind: K}\n    credentials:\n    - {name: c, source: None}\n    requirements:\n      \
             requiredResources:\n      - {requirementName: r, apiVersion: v1, kind: P, name: x, matchLabels: {a: 1}}\n",
            &[
                "c.yaml:3:1: error[composition/shape]: `metadata.name` is missing; add it",
                "c.yaml:6:17: error[composition/shape]: `spec.compositeTypeRef.apiVersion` must be text, not a number; quote it",
                "c.yaml:8:3: warning[composition/shape]: `spec.mod` is not a known field and is ignored; did you mean `mode`?",
                "c.yaml:11:5: error[composition/shape]: `spec.pipeline[0].functionRef` is missing; did you mean it by `functionref`?",
                "c.yaml:11:5: warning[composition/shape]: `spec.pipeline[0].functionref` is not a known field and is ignored; did you mean `functionRef`?",
                "c.yaml:12:11: error[composition/duplicate-name]: step \"a\" is already the name of `spec.pipeline[0]`; give every one its own name",
                "c.yaml:14:5: error[composition/shape]: `spec.pipeline[1].input.apiVersion` is missing; add it",
                "c.yaml:16:25: error[composition/credentials]: credentials cannot come from \"None\"; write `source: Secret` and a `secretRef`, or take the entry away",
                "c.yaml:19:64: error[composition/requirement]: `spec.pipeline[1].requirements.requiredResources[0]` has both `name` and `matchLabels`; keep one of the two",
                "c.yaml:19:81: error[composition/shape]: `spec.pipeline[1].requirements.requiredResources[0].matchLabels.a` must be text, not a number; quote it",
            ],
        );
    }

    #[test]
    fn what_is_no_pipeline_is_refused() {
        let head =
            "apiVersion: apiextensions.crossplane.io/v1\nkind: Composition\nmetadata: {name: a}\n";
        let kind = "spec:\n  compositeTypeRef: {apiVersion: a/v1, kind: X}\n";
        check(
            &format!("{head}{kind}"),
            &[
                "c.yaml:4:1: error[composition/steps]: `spec.pipeline` has no steps; a pipeline has 1 to 99 steps",
            ],
        );
        check(
            &format!("{head}{kind}  mode: Resources\n  resources: []\n  pipeline: 3\n"),
            &[
                "c.yaml:6:9: error[composition/mode]: there is no mode \"Resources\"; write `mode: Pipeline`; put `resources` and `patchSets` into the input of a step that calls function-patch-and-transform",
                "c.yaml:8:13: error[composition/shape]: `spec.pipeline` must be a list, not a number",
            ],
        );
        check(
            "apiVersion: v1\nkind: Pod\n",
            &[
                "c.yaml:2:7: error[composition/kind]: this is a v1 Pod, not a Composition; a Composition starts with `apiVersion: apiextensions.crossplane.io/v1` and `kind: Composition`",
            ],
        );
        check(
            "- a\n",
            &["c.yaml:1:1: error[composition/shape]: the manifest must be a map, not a list"],
        );
    }
}
