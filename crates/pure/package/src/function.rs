//! What a Function package is made of: the program on an empty base, and the CRD of its input.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::build::{NewLayer, image};
use crate::image::Image;
use crate::manifest::{Platform, Run};

/// User and group: the ones Crossplane runs functions as.
const USER: &str = "2000:2000";
const PASSWD: &str = "function:x:2000:2000::/:/nonexistent\n";
const GROUP: &str = "function:x:2000:\n";
/// Where the function listens, and where it shows its metrics.
const PORTS: [&str; 2] = ["9443/tcp", "8080/tcp"];

/// The program of a function.
#[derive(Debug, Clone, Copy)]
pub struct Runtime<'a> {
    /// The program.
    pub binary: &'a [u8],
    /// Its name in `/usr/bin`.
    pub name: &'a str,
    /// What always follows the name. It is part of the entrypoint: arguments that a DeploymentRuntimeConfig sets come after.
    pub arguments: &'a [String],
}

/// The image of a function: the program and nothing else, then the package.
pub fn function_image(
    platform: &Platform,
    runtime: &Runtime<'_>,
    package: &str,
    examples: Option<&str>,
) -> Image {
    let path = format!("usr/bin/{}", runtime.name);
    let mut layers = vec![
        NewLayer::of_files(&[
            ("etc/group", 0o644, GROUP.as_bytes()),
            ("etc/passwd", 0o644, PASSWD.as_bytes()),
            (&path, 0o755, runtime.binary),
        ]),
        NewLayer::of_package(package),
    ];
    layers.extend(examples.map(NewLayer::of_examples));
    let mut entrypoint = vec![format!("/{path}")];
    entrypoint.extend_from_slice(runtime.arguments);
    let run = Run {
        user: USER.to_owned(),
        exposed_ports: PORTS
            .iter()
            .map(|port| ((*port).to_owned(), json!({})))
            .collect(),
        entrypoint,
        working_dir: "/".to_owned(),
        ..Run::default()
    };
    image(platform, run, layers)
}

/// The image of a package that runs nothing. It is for amd64, since that is the one that is looked for; any cluster can use it.
pub fn plain_image(package: &str, examples: Option<&str>) -> Image {
    let mut layers = vec![NewLayer::of_package(package)];
    layers.extend(examples.map(NewLayer::of_examples));
    let run = Run {
        labels: BTreeMap::new(),
        ..Run::default()
    };
    image(&Platform::linux("amd64"), run, layers)
}

/// The CRD of a function's input. No cluster ever serves it: it is there for whoever checks Compositions.
pub fn input_crd(api_version: &str, kind: &str, schema: &Value) -> Value {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let singular = kind.to_ascii_lowercase();
    let plural = if singular.ends_with('s') {
        singular.clone()
    } else {
        format!("{singular}s")
    };
    let mut schema = schema.clone();
    if let Some(properties) = schema["properties"].as_object_mut() {
        for (field, says) in [
            ("apiVersion", json!({"type": "string"})),
            ("kind", json!({"type": "string"})),
            ("metadata", json!({"type": "object"})),
        ] {
            properties.insert(field.to_owned(), says);
        }
    }
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{group}")},
        "spec": {
            "group": group,
            "names": {
                "categories": ["crossplane"],
                "kind": kind,
                "listKind": format!("{kind}List"),
                "plural": plural,
                "singular": singular,
            },
            "scope": "Namespaced",
            "versions": [{
                "name": version,
                "served": true,
                "storage": true,
                "schema": {"openAPIV3Schema": schema},
            }],
        },
    })
}
