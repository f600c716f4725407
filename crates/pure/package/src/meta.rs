//! What does the meta object say? Every field, with its types and what is wrong with them.

use std::collections::BTreeMap;

use purlin_diag::{Diagnostic, nearest};
use purlin_yaml::{Fields, Section};
use serde_json::Value;

use crate::constraint::{BadConstraint, Constraint};
use crate::kinds::PackageKind;
use crate::name::dns_label;

/// The meta object of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// What the package brings.
    pub kind: PackageKind,
    /// In which version the object is written.
    pub api_version: String,
    /// Its name.
    pub name: String,
    /// Among others, what registries show.
    pub annotations: BTreeMap<String, String>,
    /// Which versions of Crossplane it needs; empty for any.
    pub crossplane: String,
    /// What it needs besides.
    pub dependencies: Vec<Dependency>,
    /// What it is able to do.
    pub capabilities: Vec<String>,
}

/// Another package that is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// What it brings.
    pub kind: PackageKind,
    /// Registry and repository.
    pub package: String,
    /// Which versions will do, as it is written.
    pub version: String,
    /// The same, read.
    pub constraint: Constraint,
}

/// The known capabilities, and whose they are.
const CAPABILITIES: &[(&str, PackageKind)] = &[
    ("composition", PackageKind::Function),
    ("operation", PackageKind::Function),
    ("safe-start", PackageKind::Provider),
];

pub(crate) const SHAPE: &str = "package/shape";

/// Reads a meta object; what is wrong goes to `fields`.
pub(crate) fn read(
    fields: &mut Fields<'_>,
    root: &Section<'_>,
    kind: PackageKind,
    api_version: &str,
) -> Option<Meta> {
    fields.only(root, &["apiVersion", "kind", "metadata", "spec", "status"]);
    let metadata = fields.section(root, "metadata");
    let name = metadata
        .as_ref()
        .and_then(|metadata| read_name(fields, metadata));
    let annotations = metadata
        .as_ref()
        .map(|metadata| {
            fields.texts(metadata, "labels");
            fields.texts(metadata, "annotations")
        })
        .unwrap_or_default();
    let mut meta = Meta {
        kind,
        api_version: api_version.to_owned(),
        name: name.unwrap_or_default(),
        annotations,
        crossplane: String::new(),
        dependencies: Vec::new(),
        capabilities: Vec::new(),
    };
    if let Some(spec) = fields.optional_section(root, "spec") {
        read_spec(fields, &spec, &mut meta);
    }
    (!meta.name.is_empty()).then_some(meta)
}

fn read_name(fields: &mut Fields<'_>, metadata: &Section<'_>) -> Option<String> {
    let name = fields.text(metadata, "name")?;
    let label = dns_label(name);
    if label != name {
        let message = format!("the name `{name}` is not a DNS label");
        let mut error = Diagnostic::error("package/name", message);
        let near = dns_label(&dashed(name));
        error = if near.is_empty() {
            error.help("use lower-case letters, digits and `-`")
        } else {
            error.help(format!("such as `{near}`"))
        };
        fields.push("metadata.name", error);
        return None;
    }
    Some(name.to_owned())
}

/// A name in lower case, with a dash where a word begins.
fn dashed(name: &str) -> String {
    let mut out = String::new();
    let mut lower = false;
    for letter in name.chars() {
        if lower && letter.is_uppercase() {
            out.push('-');
        }
        lower = letter.is_lowercase() || letter.is_ascii_digit();
        out.extend(letter.to_lowercase());
    }
    out.replace(['_', ' ', '.'], "-")
}

fn read_spec(fields: &mut Fields<'_>, spec: &Section<'_>, meta: &mut Meta) {
    report_removed(fields, spec);
    fields.only(
        spec,
        &[
            "crossplane",
            "dependsOn",
            "capabilities",
            "controller",
            "image",
        ],
    );
    if let Some(crossplane) = fields.optional_section(spec, "crossplane") {
        fields.only(&crossplane, &["version"]);
        if let Some(version) = fields.text(&crossplane, "version") {
            version.clone_into(&mut meta.crossplane);
            if let Err(bad) = Constraint::parse(version) {
                report_constraint(fields, &crossplane.path_of("version"), version, &bad);
            }
        }
    }
    for entry in fields.sections(spec, "dependsOn") {
        meta.dependencies.extend(read_dependency(fields, &entry));
    }
    report_repeats(fields, &meta.dependencies);
    read_capabilities(fields, spec, meta);
}

/// Older versions named the image of a controller apart from the package.
fn report_removed(fields: &mut Fields<'_>, spec: &Section<'_>) {
    for field in ["controller", "image"] {
        if spec.map.get(field).is_some_and(|value| !value.is_null()) {
            let path = spec.path_of(field);
            let warning =
                Diagnostic::warning(SHAPE, format!("`{path}` is ignored since Crossplane 1.11"))
                    .help("take it away: the package itself is the image that runs");
            fields.push_key(&path, warning);
        }
    }
}

fn read_dependency(fields: &mut Fields<'_>, entry: &Section<'_>) -> Option<Dependency> {
    fields.only(
        entry,
        &[
            "apiVersion",
            "kind",
            "package",
            "version",
            "provider",
            "configuration",
            "function",
        ],
    );
    let named = read_package(fields, entry);
    let version = fields.text(entry, "version");
    let (kind, package) = named?;
    let version = version?;
    let constraint = match Constraint::parse_dependency(version) {
        Ok(constraint) => constraint,
        Err(bad) => {
            report_constraint(fields, &entry.path_of("version"), version, &bad);
            return None;
        }
    };
    Some(Dependency {
        kind,
        package,
        version: version.to_owned(),
        constraint,
    })
}

/// The kind and the package, in whichever of the two forms they are written.
fn read_package(fields: &mut Fields<'_>, entry: &Section<'_>) -> Option<(PackageKind, String)> {
    let older: Vec<(PackageKind, &str)> = [
        (PackageKind::Provider, "provider"),
        (PackageKind::Configuration, "configuration"),
        (PackageKind::Function, "function"),
    ]
    .into_iter()
    .filter(|(_, field)| entry.map.get(*field).is_some_and(|value| !value.is_null()))
    .collect();
    let newer = ["apiVersion", "kind", "package"]
        .iter()
        .any(|field| entry.map.contains_key(*field));
    match (older.as_slice(), newer) {
        ([(kind, field)], false) => {
            let package = fields.text(entry, field)?;
            check_package(fields, &entry.path_of(field), package)?;
            Some((*kind, package.to_owned()))
        }
        ([], true) => read_newer(fields, entry),
        ([], false) => {
            let error = Diagnostic::error(
                "package/dependency",
                format!("`{}` does not say which package is needed", entry.path),
            )
            .help("add `apiVersion: pkg.crossplane.io/v1`, `kind` (Provider, Configuration or Function) and `package`");
            fields.push(&entry.path, error);
            None
        }
        _ => {
            let error = Diagnostic::error(
                "package/dependency",
                format!("`{}` names more than one package", entry.path),
            )
            .help("make one entry of each, with `apiVersion`, `kind` and `package`");
            fields.push(&entry.path, error);
            None
        }
    }
}

fn read_newer(fields: &mut Fields<'_>, entry: &Section<'_>) -> Option<(PackageKind, String)> {
    const VERSIONS: [&str; 2] = ["pkg.crossplane.io/v1", "pkg.crossplane.io/v1beta1"];
    let api_version = fields.text(entry, "apiVersion");
    if let Some(given) = api_version.filter(|given| !VERSIONS.contains(given)) {
        let error = Diagnostic::error("package/dependency", format!("`{given}` has no packages"));
        fields.push(
            &entry.path_of("apiVersion"),
            error.help(format!("write `{}`", VERSIONS[0])),
        );
    }
    let path = entry.path_of("kind");
    let given = fields.text(entry, "kind");
    let kind = given.and_then(|given| package_kind(fields, "package/dependency", &path, given));
    let package = fields.text(entry, "package")?;
    check_package(fields, &entry.path_of("package"), package)?;
    Some((kind?, package.to_owned()))
}

/// The kind of package that a word at this path means.
pub(crate) fn package_kind(
    fields: &mut Fields<'_>,
    code: &'static str,
    path: &str,
    word: &str,
) -> Option<PackageKind> {
    let kind = PackageKind::parse(word);
    if kind.is_none() {
        let near = nearest(word, PackageKind::ALL.map(PackageKind::as_str));
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "write Provider, Configuration or Function".to_owned(),
        };
        let error = Diagnostic::error(code, format!("`{word}` is not a kind of package"));
        fields.push(path, error.help(help));
    }
    kind
}

/// A package is named without its version, which stands in a field of its own.
fn check_package(fields: &mut Fields<'_>, path: &str, package: &str) -> Option<()> {
    let last = package.rsplit_once('/').map_or(package, |(_, last)| last);
    let (cut, what) = match (package.split_once('@'), last.split_once(':')) {
        (Some((name, _)), _) => (name.to_owned(), "a digest"),
        (None, Some((_, tag))) => {
            let end = package.len().saturating_sub(tag.len() + 1);
            (package.get(..end).unwrap_or_default().to_owned(), "a tag")
        }
        (None, None) => {
            if package.contains(char::is_whitespace) || !package.contains('/') {
                let error = Diagnostic::error(
                    "package/dependency",
                    format!("`{package}` is not the name of a package"),
                );
                fields.push(
                    path,
                    error.help("write the registry and the repository, such as registry.example.org/acme/network"),
                );
                return None;
            }
            return Some(());
        }
    };
    let error = Diagnostic::error("package/dependency", format!("`{package}` has {what}"));
    fields.push(
        path,
        error.help(format!(
            "write `{cut}` here, and the version as a constraint in `version`"
        )),
    );
    None
}

fn report_repeats(fields: &mut Fields<'_>, dependencies: &[Dependency]) {
    for (index, dependency) in dependencies.iter().enumerate() {
        let before = dependencies.iter().take(index);
        if before
            .clone()
            .any(|other| other.package == dependency.package)
        {
            let warning = Diagnostic::warning(
                "package/dependency",
                format!("`{}` is needed twice", dependency.package),
            );
            fields.push(
                "spec.dependsOn",
                warning.help("join the constraints in one entry"),
            );
        }
    }
}

fn report_constraint(fields: &mut Fields<'_>, path: &str, text: &str, bad: &BadConstraint) {
    let error = Diagnostic::error(
        "package/constraint",
        format!("`{text}` is not a constraint on versions: {}", bad.message),
    )
    .within(bad.span.0, bad.span.1)
    .help("write something like `>=v1.2.0`, `^1.2`, `1.2.x` or `>=1.0.0, <2.0.0`");
    fields.push(path, error);
}

fn read_capabilities(fields: &mut Fields<'_>, spec: &Section<'_>, meta: &mut Meta) {
    let path = spec.path_of("capabilities");
    let list = match spec.map.get("capabilities") {
        None | Some(Value::Null) => return,
        Some(Value::Array(list)) => list,
        Some(other) => {
            let message = format!("`{path}` must be a list, not {}", purlin_yaml::kind(other));
            fields.push(&path, Diagnostic::error(SHAPE, message));
            return;
        }
    };
    for (index, value) in list.iter().enumerate() {
        let path = format!("{path}[{index}]");
        let Some(text) = value.as_str() else {
            let message = format!("`{path}` must be text, not {}", purlin_yaml::kind(value));
            fields.push(&path, Diagnostic::error(SHAPE, message).help("quote it"));
            continue;
        };
        report_capability(fields, &path, text, meta.kind);
        meta.capabilities.push(text.to_owned());
    }
}

/// Any word is allowed; one that looks like a known one but is not is probably a slip.
fn report_capability(fields: &mut Fields<'_>, path: &str, text: &str, kind: PackageKind) {
    let plain = |word: &str| -> String {
        let kept = word.chars().filter(char::is_ascii_alphanumeric);
        kept.map(|c| c.to_ascii_lowercase()).collect()
    };
    let known = CAPABILITIES
        .iter()
        .filter(|(_, of)| *of == kind)
        .map(|(word, _)| *word);
    if known.clone().any(|word| plain(word) == plain(text)) {
        return;
    }
    if let Some(near) = nearest(text, known) {
        let warning = Diagnostic::warning(
            "package/capability",
            format!("`{text}` is not a known capability of a {kind}"),
        );
        fields.push(path, warning.help(format!("did you mean `{near}`?")));
    }
}
