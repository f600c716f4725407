//! What is and what is not a package.

use crate::{Constraint, Contents, PackageKind};

const META: &str = "apiVersion: meta.pkg.crossplane.io/v1
kind: Configuration
metadata:
  name: network
  annotations:
    meta.crossplane.io/maintainer: Platform
spec:
  crossplane:
    version: \">=v1.14.0-0\"
  dependsOn:
  - provider: registry.example.org/acme/provider-net
    version: \">=v1.0.0\"
  - apiVersion: pkg.crossplane.io/v1
    kind: Function
    package: registry.example.org/acme/function-purlin
    version: ^1.2
";
const XRD: &str = "apiVersion: apiextensions.crossplane.io/v2
kind: CompositeResourceDefinition
metadata:
  name: xnetworks.acme.example # not parsed further here
";

/// Findings as `file:line:col code message`, one a line.
fn found(files: &[(&str, &str)]) -> Vec<String> {
    let (_, found) = Contents::read(files.iter().copied());
    found
        .iter()
        .map(|one| {
            let place = one
                .place
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default();
            format!(
                "{place} {} {} {}",
                one.severity.as_str(),
                one.code,
                one.message
            )
        })
        .collect()
}

fn check(files: &[(&str, &str)], wanted: &[&str]) {
    assert_eq!(found(files), wanted);
}

#[test]
fn a_package_is_its_documents_as_written() {
    let xrds = format!(
        "# two of them\n---\n\n{XRD}---\n{}...\n",
        XRD.replace("xnet", "xsub")
    );
    let (contents, found) =
        Contents::read([("xrds.yaml", xrds.as_str()), ("crossplane.yaml", META)]);
    assert!(found.is_empty(), "{found:?}");
    let meta = contents.meta.as_ref().unwrap();
    assert_eq!(
        (meta.kind, meta.name.as_str()),
        (PackageKind::Configuration, "network")
    );
    assert_eq!(meta.crossplane, ">=v1.14.0-0");
    assert_eq!(
        meta.annotations["meta.crossplane.io/maintainer"],
        "Platform"
    );
    let needed: Vec<_> = meta
        .dependencies
        .iter()
        .map(|one| (one.kind, one.version.as_str()))
        .collect();
    assert_eq!(
        needed,
        [
            (PackageKind::Provider, ">=v1.0.0"),
            (PackageKind::Function, "^1.2")
        ]
    );
    assert_eq!(
        contents.stream(),
        format!(
            "---\n{META}---\n{XRD}---\n{}---\n",
            XRD.replace("xnet", "xsub")
        )
    );
    let stream = contents.stream();
    let (again, found) = Contents::read([("package.yaml", stream.as_str())]);
    assert!(found.is_empty());
    assert_eq!(again.stream(), stream);
    assert_eq!(again.meta, contents.meta);
}

#[test]
fn a_package_has_one_meta_object() {
    check(
        &[("a.yaml", XRD)],
        &[
            "a.yaml:1:1 error package/no-meta no file says what the package is: a Configuration, Provider or Function of meta.pkg.crossplane.io",
        ],
    );
    check(
        &[("a.yaml", META), ("b.yaml", META)],
        &[
            "b.yaml:1:1 error package/two-metas a package has one meta object, and the first one is at a.yaml:1:1",
        ],
    );
}

#[test]
fn each_kind_of_package_brings_its_own_kinds() {
    let function =
        "apiVersion: meta.pkg.crossplane.io/v1beta1\nkind: Function\nmetadata: {name: f}\n";
    check(
        &[("c.yaml", function), ("x.yaml", XRD)],
        &[
            "x.yaml:2:7 error package/kind-not-allowed a Function package cannot bring a CompositeResourceDefinition",
        ],
    );
    check(
        &[
            ("c.yaml", META),
            (
                "x.yaml",
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\napiVersion: apiextensions.crossplane.io/v3\nkind: Composition\n",
            ),
        ],
        &[
            "x.yaml:2:7 error package/unknown-kind `v1`, kind `ConfigMap` cannot be in a package",
            "x.yaml:6:7 error package/unknown-kind `apiextensions.crossplane.io/v3`, kind `Composition` cannot be in a package",
        ],
    );
    check(
        &[("c.yaml", &function.replace("v1beta1", "v1alpha1"))],
        &[
            "c.yaml:1:13 error package/unknown-kind there is no Function of meta.pkg.crossplane.io in version `v1alpha1`",
        ],
    );
    check(
        &[("c.yaml", &function.replace("Function", "Functoin"))],
        &[
            "c.yaml:1:1 error package/no-meta no file says what the package is: a Configuration, Provider or Function of meta.pkg.crossplane.io",
            "c.yaml:2:7 error package/unknown-kind `Functoin` is not a kind of package",
        ],
    );
}

#[test]
fn every_mistake_in_the_meta_object_has_its_place() {
    let text = "apiVersion: meta.pkg.crossplane.io/v1
kind: Provider
metadata:
  name: My_Provider
spec:
  controller: {image: acme/controller}
  crossplane:
    version: \">=1.x.y\"
  capabilities: [SafeStart, safestrat, 3]
  dependsOn:
  - provider: registry.example.org/acme/a:v1
    version: v1
  - provider: registry.example.org/acme/b
    function: registry.example.org/acme/c
    version: v1
  - version: v1
  - apiVersion: pkg.crossplane.io/v2
    kind: Functions
    package: registry.example.org/acme/d@sha256:00
    version: sha256:00
  - configuration: registry.example.org/acme/e
    verson: v1
";
    check(
        &[("crossplane.yaml", text)],
        &[
            "crossplane.yaml:4:9 error package/name the name `My_Provider` is not a DNS label",
            "crossplane.yaml:6:3 warning package/shape `spec.controller` is ignored since Crossplane 1.11",
            "crossplane.yaml:8:17 error package/constraint `>=1.x.y` is not a constraint on versions: `1.x.y` is not a version",
            "crossplane.yaml:9:29 warning package/capability `safestrat` is not a known capability of a Provider",
            "crossplane.yaml:9:40 error package/shape `spec.capabilities[2]` must be text, not a number",
            "crossplane.yaml:11:15 error package/dependency `registry.example.org/acme/a:v1` has a tag",
            "crossplane.yaml:13:5 error package/dependency `spec.dependsOn[1]` names more than one package",
            "crossplane.yaml:16:5 error package/dependency `spec.dependsOn[2]` does not say which package is needed",
            "crossplane.yaml:17:17 error package/dependency `pkg.crossplane.io/v2` has no packages",
            "crossplane.yaml:18:11 error package/dependency `Functions` is not a kind of package",
            "crossplane.yaml:19:14 error package/dependency `registry.example.org/acme/d@sha256:00` has a digest",
            "crossplane.yaml:22:5 error package/shape `spec.dependsOn[4].version` is missing",
            "crossplane.yaml:22:5 warning package/shape `spec.dependsOn[4].verson` is not a known field and is ignored",
        ],
    );
}

#[test]
fn a_registry_with_a_port_is_no_tag() {
    let meta = META.replace(
        "registry.example.org/acme/provider-net",
        "registry.example.org:5000/acme/provider-net",
    );
    check(&[("c.yaml", &meta)], &[]);
}

#[test]
fn a_digest_is_a_constraint_of_a_dependency() {
    let digest = format!("sha256:{}", "1".repeat(64));
    let meta = META.replace("^1.2", &digest);
    let (contents, found) = Contents::read([("c.yaml", meta.as_str())]);
    assert!(found.is_empty());
    let dependency = &contents.meta.unwrap().dependencies[1];
    assert!(matches!(dependency.constraint, Constraint::Digest(_)));
}

#[test]
fn repeats_and_unseparated_documents_are_told() {
    check(
        &[
            ("c.yaml", META),
            ("x.yaml", &format!("{XRD}---\n{XRD}...\n{XRD}")),
        ],
        &[
            "x.yaml:7:7 warning package/duplicate CompositeResourceDefinition xnetworks.acme.example is here twice; the first one is at x.yaml:2:7",
            "x.yaml:11:1 error package/separator this document is not separated by `---`",
        ],
    );
}

#[test]
fn mistakes_of_yaml_are_told_and_the_rest_is_read() {
    let found = found(&[("c.yaml", &format!("{META}---\na: b: c\n"))]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("c.yaml:18:"), "{found:?}");
}
