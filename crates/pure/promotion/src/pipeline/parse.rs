//! Reads `.purlin/promotion.yaml`, and says everything that is wrong with it.

use std::collections::BTreeMap;

use purlin_diag::{Diagnostic, Diagnostics, nearest};
use serde_json::{Map, Value};

use super::{Environment, Mode, Pipeline, is_subject_name};
use crate::gate::{self, Gate};

const WRONG: &str = "promotion/pipeline";

impl Pipeline {
    /// Reads a pipeline's description. Findings carry the field path, so that who has the file can add the place.
    pub fn parse(description: &Value) -> (Option<Self>, Diagnostics) {
        let mut found = Diagnostics::new();
        let Some(top) = description.as_object() else {
            found.push(Diagnostic::error(WRONG, "the pipeline is not a mapping"));
            return (None, found);
        };
        check_keys(
            top,
            "",
            &["version", "layout", "envs", "windows", "policy"],
            &mut found,
        );
        if top.get("version").and_then(Value::as_u64) != Some(1) {
            let problem = Diagnostic::error(WRONG, "the format's version must be 1");
            found.push(problem.path("version").help("write `version: 1`"));
        }
        if top
            .get("policy")
            .is_some_and(|policy| policy.as_array().is_none_or(|list| !list.is_empty()))
        {
            found.push(
                Diagnostic::warning(
                    "promotion/not-evaluated",
                    "policies are not evaluated by this version",
                )
                .path("policy"),
            );
        }
        let root = parse_layout(top.get("layout"), &mut found);
        let environments = parse_environments(top.get("envs"), &mut found);
        check_edges(&environments, &mut found);
        if found.has_errors() {
            return (None, found);
        }
        match Self::ordered(root, environments) {
            Ok(pipeline) => (Some(pipeline), found),
            Err(stuck) => {
                let message = format!(
                    "these environments feed each other in a circle: {}",
                    stuck.join(", ")
                );
                found.push(Diagnostic::error(WRONG, message).path("envs"));
                (None, found)
            }
        }
    }
}

fn parse_layout(layout: Option<&Value>, found: &mut Diagnostics) -> String {
    let usual = "environments".to_owned();
    let Some(layout) = layout else { return usual };
    let Some(layout) = layout.as_object() else {
        found.push(Diagnostic::error(WRONG, "the layout is not a mapping").path("layout"));
        return usual;
    };
    check_keys(layout, "layout.", &["root", "unitDepth", "local"], found);
    if layout
        .get("unitDepth")
        .is_some_and(|depth| depth.as_u64() != Some(1))
    {
        found.push(
            Diagnostic::error(
                "promotion/unsupported",
                "units deeper than one folder are not supported by this version",
            )
            .path("layout.unitDepth"),
        );
    }
    if layout
        .get("local")
        .is_some_and(|local| local.as_array().is_none_or(|list| !list.is_empty()))
    {
        found.push(
            Diagnostic::error("promotion/unsupported", "files local to an environment inside a unit are not supported by this version")
                .path("layout.local")
                .help("a unit's folder moves whole; keep what belongs to an environment in `_claims` beside it"),
        );
    }
    match layout.get("root") {
        None => usual,
        Some(Value::String(root)) if root.split('/').all(is_folder) => root.clone(),
        Some(_) => {
            found.push(
                Diagnostic::error(WRONG, "the root is not a path inside the repository")
                    .path("layout.root"),
            );
            usual
        }
    }
}

fn is_folder(name: &str) -> bool {
    !matches!(name, "" | "." | ".." | ".git") && !name.contains(['\0', '\n'])
}

fn parse_environments(
    envs: Option<&Value>,
    found: &mut Diagnostics,
) -> BTreeMap<String, Environment> {
    let Some(envs) = envs
        .and_then(Value::as_object)
        .filter(|envs| !envs.is_empty())
    else {
        let problem = Diagnostic::error(WRONG, "no environments are listed").path("envs");
        found.push(problem.help("for example `envs: {dev: {}, staging: {from: [dev]}}`"));
        return BTreeMap::new();
    };
    envs.iter()
        .map(|(name, body)| {
            let path = format!("envs.{name}");
            if !is_subject_name(name) {
                found.push(
                    Diagnostic::error(WRONG, format!("`{name}` cannot be an environment"))
                        .path(&path),
                );
            }
            (name.clone(), parse_environment(body, &path, found))
        })
        .collect()
}

fn parse_environment(body: &Value, path: &str, found: &mut Diagnostics) -> Environment {
    let empty = Map::new();
    let body = match body {
        Value::Null => &empty,
        Value::Object(body) => body,
        _ => {
            found.push(Diagnostic::error(WRONG, "an environment is a mapping").path(path));
            &empty
        }
    };
    let known = [
        "from",
        "mode",
        "gates",
        "upstream",
        "approvals",
        "argocd",
        "rollout",
    ];
    check_keys(body, &format!("{path}."), &known, found);
    let from = strings(body.get("from"), &format!("{path}.from"), found);
    let mode = match body.get("mode").map(Value::as_str) {
        None | Some(Some("direct")) => Mode::Direct,
        Some(Some("pr")) => Mode::Proposal,
        Some(_) => {
            let problem = Diagnostic::error(WRONG, "the mode is `direct` or `pr`");
            found.push(problem.path(format!("{path}.mode")));
            Mode::Direct
        }
    };
    let mut gates = parse_gates(body.get("gates"), &format!("{path}.gates"), found);
    if body.contains_key("approvals") {
        gates.push(Gate::Unknown("approval".to_owned()));
    }
    Environment { from, mode, gates }
}

fn parse_gates(gates: Option<&Value>, path: &str, found: &mut Diagnostics) -> Vec<Gate> {
    let Some(gates) = gates else {
        return Vec::new();
    };
    let Some(gates) = gates.as_array() else {
        found.push(Diagnostic::error(WRONG, "the gates are a list").path(path));
        return Vec::new();
    };
    gates
        .iter()
        .enumerate()
        .filter_map(|(at, gate)| match gate::parse(gate) {
            Ok(gate) => Some(gate),
            Err(message) => {
                found.push(Diagnostic::error(WRONG, message).path(format!("{path}[{at}]")));
                None
            }
        })
        .collect()
}

fn strings(value: Option<&Value>, path: &str, found: &mut Diagnostics) -> Vec<String> {
    let Some(value) = value else {
        return Vec::new();
    };
    let list: Option<Vec<String>> = value.as_array().and_then(|list| {
        list.iter()
            .map(|item| item.as_str().map(str::to_owned))
            .collect()
    });
    list.unwrap_or_else(|| {
        found.push(Diagnostic::error(WRONG, "this is a list of names").path(path));
        Vec::new()
    })
}

fn check_edges(environments: &BTreeMap<String, Environment>, found: &mut Diagnostics) {
    for (name, environment) in environments {
        for (at, from) in environment.from.iter().enumerate() {
            if environments.contains_key(from) {
                continue;
            }
            let problem = Diagnostic::error(WRONG, format!("`{from}` is not an environment"))
                .path(format!("envs.{name}.from[{at}]"));
            found.push(
                match nearest(from, environments.keys().map(String::as_str)) {
                    Some(near) => problem.help(format!("did you mean `{near}`?")),
                    None => problem,
                },
            );
        }
    }
}

fn check_keys(map: &Map<String, Value>, path: &str, known: &[&str], found: &mut Diagnostics) {
    for key in map.keys().filter(|key| !known.contains(&key.as_str())) {
        let problem = Diagnostic::error(WRONG, format!("`{key}` is not known here"))
            .path(format!("{path}{key}"));
        found.push(match nearest(key, known.iter().copied()) {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem,
        });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_described_pipeline_is_ordered_by_what_feeds_what() {
        let (pipeline, found) = Pipeline::parse(&json!({
            "version": 1,
            "layout": {"root": "clusters/envs", "unitDepth": 1},
            "envs": {
                "prod-eu": {"from": ["staging"], "mode": "pr", "gates": ["schema", {"blast": {"delete": 0}}, {"soak": "24h"}]},
                "staging": {"from": ["dev"]},
                "dev": null,
            },
        }));
        assert!(found.is_empty(), "{found:?}");
        let pipeline = pipeline.unwrap();
        assert_eq!(pipeline.order(), ["dev", "staging", "prod-eu"]);
        assert_eq!(pipeline.unit_folder("dev", "net"), "clusters/envs/dev/net");
        let prod = pipeline.get("prod-eu").unwrap();
        assert_eq!(prod.mode, Mode::Proposal);
        assert_eq!(prod.gates.len(), 3);
    }

    #[test]
    fn everything_wrong_is_said_at_once() {
        let (pipeline, found) = Pipeline::parse(&json!({
            "version": 2,
            "layout": {"root": "../up", "local": ["*.x"]},
            "envs": {"a": {"from": ["bb"], "mode": "push", "gats": []}, "b": {"gates": [7]}},
            "enviroments": {},
        }));
        assert!(pipeline.is_none());
        let paths: Vec<_> = found.iter().filter_map(|d| d.path.as_deref()).collect();
        for path in [
            "version",
            "layout.root",
            "layout.local",
            "envs.a.from[0]",
            "envs.a.mode",
            "envs.a.gats",
            "envs.b.gates[0]",
            "enviroments",
        ] {
            assert!(paths.contains(&path), "{path} not in {paths:?}");
        }
        let (none, found) = Pipeline::parse(
            &json!({"version": 1, "envs": {"a": {"from": ["b"]}, "b": {"from": ["a"]}}}),
        );
        assert!(none.is_none() && found.iter().any(|d| d.message.contains("circle")));
        assert!(Pipeline::parse(&json!([])).0.is_none());
    }
}
