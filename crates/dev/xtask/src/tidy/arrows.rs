//! Which crate may need which: a DAG, written down once, checked against every manifest.

use super::workspace::{Package, Workspace};

/// Each crate and what it may need. `functions/*` may need [`FUNCTION`]; crates of the `dev` and `app` layers may need anything.
const ARROWS: &[(&str, &[&str])] = &[
    ("diag", &[]),
    ("object", &["diag"]),
    ("yaml", &["object", "diag"]),
    ("template", &["object"]),
    ("schema", &["api", "object", "diag"]),
    ("expr", &["schema", "object", "diag"]),
    ("proto", &["object"]),
    // `expr` only behind the feature `cel`, for functions that evaluate CEL over requests.
    ("function", &["proto", "expr", "object", "diag"]),
    ("api", &["object", "diag"]),
    (
        "composition",
        &["yaml", "schema", "expr", "api", "object", "diag"],
    ),
    (
        "check",
        &[
            "yaml",
            "composition",
            "function",
            "package",
            "schema",
            "expr",
            "api",
            "object",
            "diag",
        ],
    ),
    (
        "pipeline",
        &["composition", "function", "proto", "api", "object", "diag"],
    ),
    (
        "lifecycle",
        &["composition", "schema", "api", "object", "diag"],
    ),
    ("diff", &["object", "diag"]),
    (
        "promotion",
        &["diff", "yaml", "schema", "api", "object", "diag"],
    ),
    ("package", &["yaml", "diag"]),
    ("telemetry", &[]),
    (
        "serve",
        &["function", "proto", "object", "telemetry", "diag"],
    ),
    ("runner", &["function", "proto", "object", "telemetry"]),
    ("kube", &["api", "object", "telemetry", "diag"]),
    (
        "engine",
        &[
            "yaml",
            "pipeline",
            "lifecycle",
            "composition",
            "schema",
            "function",
            "proto",
            "runner",
            "kube",
            "api",
            "object",
            "telemetry",
            "diag",
        ],
    ),
    (
        "inspect",
        &[
            "check", "kube", "package", "yaml", "function", "schema", "api", "diag",
        ],
    ),
    ("simulator", &["kube", "schema", "api", "telemetry"]),
    (
        "apiserver",
        &[
            "yaml",
            "object",
            "schema",
            "expr",
            "api",
            "telemetry",
            "diag",
        ],
    ),
    (
        "render",
        &[
            "yaml",
            "composition",
            "pipeline",
            "lifecycle",
            "schema",
            "function",
            "proto",
            "runner",
            "diff",
            "api",
            "object",
            "diag",
        ],
    ),
    ("git", &["telemetry"]),
    ("oci", &["package"]),
    (
        "promoter",
        &[
            "promotion",
            "diff",
            "git",
            "kube",
            "render",
            "yaml",
            "composition",
            "lifecycle",
            "function",
            "schema",
            "telemetry",
            "api",
            "object",
            "diag",
        ],
    ),
];

/// What a composition function may need: the SDK and the pure crates a function's language is made of.
const FUNCTION: &[&str] = &[
    "function",
    "composition",
    "expr",
    "schema",
    "template",
    "yaml",
    "object",
    "diag",
];

/// Adds a line for every arrow that is not allowed, every crate that is not listed, and every misnamed or unlinted package.
pub(super) fn check(workspace: &Workspace, wrong: &mut Vec<String>) {
    for package in &workspace.packages {
        check_manifest(package, wrong);
        let Some(allowed) = allowed(package, wrong) else {
            continue;
        };
        for need in &package.needs {
            let short = need.strip_prefix("purlin-").unwrap_or(need);
            if !allowed.contains(&short) {
                wrong.push(format!(
                    "{} needs {need}: that arrow is not in xtask's tidy/arrows.rs",
                    package.name
                ));
            }
        }
    }
    for (name, _) in ARROWS {
        if !workspace
            .packages
            .iter()
            .any(|p| p.name == format!("purlin-{name}"))
        {
            wrong.push(format!("tidy/arrows.rs lists `{name}`, which is no crate"));
        }
    }
    check_layers(workspace, wrong);
}

fn check_manifest(package: &Package, wrong: &mut Vec<String>) {
    let folder = package.folder();
    let expected = match package.layer.as_str() {
        "function" => format!("function-{folder}"),
        "app" => folder.to_owned(),
        _ => format!("purlin-{folder}"),
    };
    if package.name != expected {
        wrong.push(format!(
            "{}: the package in this folder should be named {expected}",
            package.dir.display()
        ));
    }
    let parent = package
        .dir
        .parent()
        .and_then(|p| p.file_name()?.to_str())
        .unwrap_or_default();
    let layer = if parent == "functions" {
        "function"
    } else {
        parent
    };
    if package.layer != layer {
        wrong.push(format!(
            "{}: [package.metadata.purlin] layer should be \"{layer}\"",
            package.name
        ));
    }
    if !package.linted {
        wrong.push(format!(
            "{}: `lints.workspace = true` is missing",
            package.name
        ));
    }
}

fn allowed(package: &Package, wrong: &mut Vec<String>) -> Option<&'static [&'static str]> {
    match package.layer.as_str() {
        "app" | "dev" => None,
        "function" => Some(FUNCTION),
        _ => {
            let short = package.name.strip_prefix("purlin-")?;
            let found = ARROWS
                .iter()
                .find(|(name, _)| *name == short)
                .map(|(_, needs)| *needs);
            if found.is_none() {
                wrong.push(format!(
                    "{}: add its line to xtask's tidy/arrows.rs",
                    package.name
                ));
            }
            found
        }
    }
}

/// Nothing pure may need an edge, and nothing shipped may need what is only for developers.
fn check_layers(workspace: &Workspace, wrong: &mut Vec<String>) {
    let layer_of = |name: &str| {
        workspace
            .packages
            .iter()
            .find(|p| p.name == name)
            .map_or("", |p| p.layer.as_str())
    };
    for package in &workspace.packages {
        for need in &package.needs {
            let (from, to) = (package.layer.as_str(), layer_of(need));
            if matches!(
                (from, to),
                ("pure" | "function", "edge" | "app")
                    | ("pure" | "function" | "edge" | "app", "dev")
            ) {
                wrong.push(format!(
                    "{} ({from}) needs {need} ({to}): layers point the other way",
                    package.name
                ));
            }
        }
        for need in &package.tests_need {
            if package.layer == "pure" && matches!(layer_of(need), "edge" | "app") {
                wrong.push(format!(
                    "the tests of {} (pure) need {need} ({})",
                    package.name,
                    layer_of(need)
                ));
            }
        }
    }
}
