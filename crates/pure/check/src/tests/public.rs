//! What people keep in repositories and servers take: nothing is said about it, or no more than it is worth.

use purlin_diag::Severity;

use super::{CLAIM, CRD, XRD, functions, told};

fn files() -> Vec<(&'static str, String)> {
    vec![
        ("apis/xrd.yaml", XRD.to_owned()),
        ("crds/box.yaml", CRD.to_owned()),
        ("apis/claim.yaml", CLAIM.to_owned()),
    ]
}

/// What is told of these files beside those of the platform.
fn beside(more: &[(&'static str, &str)]) -> Vec<String> {
    let mut files = files();
    files.extend(more.iter().map(|(name, text)| (*name, (*text).to_owned())));
    told(&files)
}

/// The severities of what is told of a Composition of the platform.
fn severities(composition: &str) -> Vec<Severity> {
    let mut files = files();
    files.push(("apis/composition.yaml", composition.to_owned()));
    let files = files.iter().map(|(name, text)| (*name, text.as_str()));
    let found = crate::check(files, &functions()).found;
    found.iter().map(|finding| finding.severity).collect()
}

const CLEAN: &[String] = &[];

#[test]
fn templates_of_ytt_are_not_what_is_meant() {
    let text = CLAIM.replace(
        "region: north",
        "#@ if region:\n  region: #@ region\n  regoin: 1",
    );
    assert_eq!(beside(&[("apis/ytt.yaml", &text)]), CLEAN);
}

#[test]
fn what_is_merged_into_other_objects_misses_nothing() {
    let part = CLAIM.replace("  region: north\n", "");
    let test = "apiVersion: chainsaw.kyverno.io/v1alpha1\nkind: Test\nmetadata: {name: t}\n";
    assert_eq!(
        beside(&[
            ("tests/one/chainsaw-test.yaml", test),
            ("tests/one/scaled.yaml", &part),
            ("tests/two/01-patch.yaml", &part),
        ]),
        CLEAN
    );
    let found = beside(&[("tests/three/scaled.yaml", &part)]);
    assert!(found[0].contains("check/missing-field"), "{found:#?}");
}

#[test]
fn expressions_of_tests_are_no_fields() {
    let text = CLAIM.replace(
        "region: north",
        "(names[?@ == 'a']): [a]\n  (length(names)): 1",
    );
    assert_eq!(beside(&[("tests/assert-names.yaml", &text)]), CLEAN);
}

#[test]
fn an_assertion_about_a_definition_defines_nothing() {
    let asserted = XRD.replace("[region]", "[region, count]");
    assert_eq!(beside(&[("apis/assert.yaml", &asserted)]), CLEAN);
}

#[test]
fn a_patch_of_a_definition_is_no_definition() {
    let kustomization = "patches:\n- path: webhooks/boxes.yaml\n";
    let patch = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: boxes.cloud.example}\nspec: {conversion: {strategy: None}}\n";
    let composition = "apiVersion: apiextensions.crossplane.io/v1\nkind: Composition\nmetadata: {name: a}\nspec: {writeConnectionSecretsToNamespace: x}\n";
    assert_eq!(
        beside(&[
            ("crds/kustomization.yaml", kustomization),
            ("crds/webhooks/boxes.yaml", patch),
            ("crds/more.yaml", patch),
            ("apis/composition-patch.yaml", composition),
        ]),
        CLEAN
    );
}

#[test]
fn a_whole_composition_is_checked_whatever_its_file_is_called() {
    let composition = "apiVersion: apiextensions.crossplane.io/v1\nkind: Composition\nmetadata: {name: a}\nspec:\n  compositeTypeRef: {apiVersion: acme.example/v1, kind: XShop}\n  mode: Pipeline\n  pipeline: []\n";
    for name in ["apis/patch-and-transform.yaml", "apis/patch.yaml"] {
        let found = beside(&[(name, composition)]);
        assert!(found[0].contains("composition/steps"), "{name}: {found:#?}");
    }
}

#[test]
fn who_installs_a_package_says_where_its_webhooks_are() {
    let crd = CRD.replace(
        "  scope: Cluster\n",
        "  scope: Cluster\n  conversion:\n    strategy: Webhook\n    webhook:\n      conversionReviewVersions: [v1]\n      clientConfig: {service: {path: /convert}}\n",
    );
    assert_ne!(crd, CRD);
    let mut files = files();
    files[1].1 = crd;
    assert_eq!(told(&files), CLEAN);
}

fn legacy(patch: &str) -> String {
    format!(
        "apiVersion: apiextensions.crossplane.io/v1\nkind: Composition\nmetadata: {{name: a}}\nspec:\n  compositeTypeRef: {{apiVersion: acme.example/v1, kind: XShop}}\n  resources:\n  - name: box\n    base: {{apiVersion: cloud.example/v1, kind: Box, spec: {{forProvider: {{region: a}}}}}}\n    patches:\n    - {patch}\n"
    )
}

fn pipeline(patch: &str) -> String {
    format!(
        "apiVersion: apiextensions.crossplane.io/v1\nkind: Composition\nmetadata: {{name: a}}\nspec:\n  compositeTypeRef: {{apiVersion: acme.example/v1, kind: XShop}}\n  mode: Pipeline\n  pipeline:\n  - step: a\n    functionRef: {{name: function-patch-and-transform}}\n    input:\n      apiVersion: pt.fn.crossplane.io/v1beta1\n      kind: Resources\n      resources:\n      - name: box\n        base: {{apiVersion: cloud.example/v1, kind: Box, spec: {{forProvider: {{region: a}}}}}}\n        patches:\n        - {patch}\n"
    )
}

#[test]
fn a_source_that_is_not_there_is_an_error_when_a_slip_or_required() {
    use Severity::{Error, Note, Warning};
    let patch = "{fromFieldPath: spec.wholly.other, toFieldPath: spec.forProvider.region}";
    assert_eq!(severities(&pipeline(patch)), [Warning]);
    let required = patch.replace("region}", "region, policy: {fromFieldPath: Required}}");
    assert_eq!(severities(&pipeline(&required)), [Error]);
    let slip = patch.replace("spec.wholly.other", "spec.regoin");
    assert_eq!(severities(&pipeline(&slip)), [Error]);
    assert_eq!(severities(&legacy(patch)), [Note, Warning]);
    assert_eq!(severities(&legacy(&slip)), [Note, Error]);
}

#[test]
fn a_target_that_is_not_there_stops_a_pipeline_and_not_crossplane_1() {
    use Severity::{Error, Note, Warning};
    let patch = "{fromFieldPath: spec.region, toFieldPath: spec.wholly.other}";
    assert_eq!(severities(&pipeline(patch)), [Error]);
    assert_eq!(severities(&legacy(patch)), [Note, Warning]);
}

#[test]
fn empty_lists_of_the_mode_resources_say_nothing() {
    let patch = "{fromFieldPath: spec.region, toFieldPath: spec.forProvider.region}";
    let composition =
        pipeline(patch).replace("  mode: Pipeline\n", "  mode: Pipeline\n  resources: []\n");
    assert_eq!(severities(&composition), [Severity::Note]);
    let full = composition.replace("resources: []\n", "resources: [{name: a}]\n");
    assert_eq!(severities(&full), [Severity::Error]);
}
