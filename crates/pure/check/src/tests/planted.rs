//! One mistake at a time, in a Composition that calls every function: each is named on its line.

#![expect(clippy::too_many_lines, reason = "tables")]

use super::{CRD, XRD, told};

const STEPS: &str = r#"apiVersion: apiextensions.crossplane.io/v1
kind: Composition
metadata: {name: shop}
spec:
  compositeTypeRef: {apiVersion: acme.example/v1, kind: XShop}
  mode: Pipeline
  pipeline:
  - step: extra
    functionRef: {name: function-extra-resources}
    input:
      apiVersion: extra-resources.fn.crossplane.io/v1beta1
      kind: Input
      spec:
        extraResources:
        - apiVersion: apiextensions.crossplane.io/v1beta1
          kind: EnvironmentConfig
          into: configs
          type: Reference
          ref: {name: defaults}
  - step: boxes
    functionRef: {name: function-patch-and-transform}
    input:
      apiVersion: pt.fn.crossplane.io/v1beta1
      kind: Resources
      resources:
      - name: box
        base:
          apiVersion: cloud.example/v1
          kind: Box
          spec:
            forProvider:
              region: north
              tier: Basic
              capacity: 1
              open: false
        patches:
        - fromFieldPath: spec.region
          toFieldPath: spec.forProvider.region
        - fromFieldPath: spec.count
          toFieldPath: spec.forProvider.capacity
        - fromFieldPath: spec.size
          toFieldPath: spec.forProvider.tier
          transforms:
          - type: match
            match:
              patterns:
              - {type: literal, literal: small, result: Basic}
              fallbackTo: Value
              fallbackValue: Premium
        - fromFieldPath: spec.count
          toFieldPath: spec.forProvider.tags.count
          transforms:
          - type: math
            math: {type: Multiply, multiply: 2}
          - type: convert
            convert:
              toType: string
  - step: filter
    functionRef: {name: function-cel-filter}
    input:
      apiVersion: cel.fn.crossplane.io/v1beta1
      kind: Filters
      filters:
      - name: box
        expression: observed.composite.resource.spec.size == "small"
  - step: tags
    functionRef: {name: function-tag-manager}
    input:
      apiVersion: tag-manager.fn.crossplane.io/v1beta1
      kind: ManagedTags
      addTags:
      - type: FromCompositeFieldPath
        fromFieldPath: spec.free
      removeTags:
      - type: FromCompositeFieldPath
        fromFieldPath: spec.names
  - step: status
    functionRef: {name: function-status-transformer}
    input:
      apiVersion: function-status-transformer.fn.crossplane.io/v1beta1
      kind: StatusTransformation
      statusConditionHooks:
      - matchers:
        - name: failed
          type: AnyResourceMatchesAnyCondition
          resources:
          - name: box
          conditions:
          - type: Synced
            status: "False"
            message: "cannot (?P<What>.+)"
        setConditions:
        - target: CompositeAndClaim
          condition:
            type: BoxReady
            status: "False"
            reason: Failed
            message: "{{ .What }}"
        createEvents:
        - target: Composite
          event:
            type: Warning
            message: "{{ .What }}"
"#;

fn files(xrd: &str, composition: &str) -> Vec<(&'static str, String)> {
    vec![
        ("xrd.yaml", xrd.to_owned()),
        ("box.yaml", CRD.to_owned()),
        ("shop.yaml", composition.to_owned()),
    ]
}

/// What is replaced, by what, how many lines further down it is told, the code, and a word of the message or help.
type Case = (
    &'static str,
    &'static str,
    usize,
    &'static str,
    &'static str,
);

fn check(file: &str, text: &str, cases: &[Case], found: impl Fn(&str) -> Vec<String>) {
    let mut wrong = Vec::new();
    for (old, new, further, code, word) in cases {
        let Some(at) = text.find(old) else {
            wrong.push(format!("nothing to replace: {old}"));
            continue;
        };
        let line = text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1 + further;
        let found = found(&text.replacen(old, new, 1));
        let place = format!("{file}:{line} {code} ");
        let right = |told: &String| told.starts_with(&place) && told.contains(word);
        if !found.iter().any(right) {
            wrong.push(format!("{new:?}: expected {place}{word}, found {found:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_right_is_left_alone() {
    assert_eq!(told(&files(XRD, STEPS)), Vec::<String>::new());
}

#[test]
fn mistakes_of_steps_are_found() {
    let cases: &[Case] = &[
        (
            "kind: EnvironmentConfig",
            "kind: EnvironmentConfg",
            0,
            "check/unknown-kind",
            "`EnvironmentConfig`",
        ),
        (
            "open: false",
            "open: \"false\"",
            0,
            "check/wrong-type",
            "boolean",
        ),
        (
            "capacity: 1",
            "capacity: \"1\"",
            0,
            "check/wrong-type",
            "integer",
        ),
        (
            "tier: Basic",
            "tier: Basik",
            0,
            "check/unknown-value",
            "`Basic`",
        ),
        (
            "fallbackTo: Value",
            "fallbackTo: value",
            0,
            "check/unknown-word",
            "Value",
        ),
        (
            "toType: string",
            "toType: int",
            0,
            "check/patch-type",
            "a string",
        ),
        (
            "spec.size ==",
            "spec.sice ==",
            0,
            "expr/no-such-field",
            "`size`",
        ),
        ("== \"small\"", "== \"smal\"", 0, "expr/always", "small"),
        (
            "- name: box\n        expression",
            "- name: bax\n        expression",
            0,
            "check/no-resource",
            "`box`",
        ),
        (
            "fromFieldPath: spec.free",
            "fromFieldPath: spec.region",
            0,
            "check/wrong-type",
            "object",
        ),
        (
            "fromFieldPath: spec.names",
            "fromFieldPath: spec.free",
            0,
            "check/wrong-type",
            "list",
        ),
        (
            "AnyResourceMatchesAny",
            "AnyResourceMatchAny",
            0,
            "check/unknown-word",
            "AnyResourceMatchesAny",
        ),
        (
            "          - name: box\n          cond",
            "          - name: bax\n          cond",
            0,
            "check/no-resource",
            "`box`",
        ),
        (
            "status: \"False\"\n            message",
            "status: \"Fals\"\n            message",
            0,
            "check/unknown-word",
            "`False`",
        ),
        ("(?P<What>.+)", "(?P<What>.+", 0, "check/regexp", "RE2"),
        (
            "target: CompositeAndClaim",
            "target: CompositeAndClaims",
            0,
            "check/unknown-word",
            "`CompositeAndClaim`",
        ),
        ("{{ .What }}", "{{ .Wat }}", 0, "check/no-group", "`What`"),
        ("{{ .What }}", "{{ .What }", 0, "check/format", "closed"),
        (
            "apiextensions.crossplane.io/v1\n",
            "apiextensions.crossplane.io/v1beta9\n",
            0,
            "composition/kind",
            "v1beta9",
        ),
    ];
    check("shop.yaml", STEPS, cases, |text| told(&files(XRD, text)));
}

#[test]
fn a_value_that_is_written_over_may_stand_in() {
    for (old, new) in [
        ("tier: Basic", "tier: to-be-patched"),
        ("capacity: 1", "capacity: to-be-patched"),
        ("region: north", "region: ''"),
    ] {
        let found = told(&files(XRD, &STEPS.replacen(old, new, 1)));
        assert_eq!(found, Vec::<String>::new(), "{new}");
    }
}

#[test]
fn mistakes_of_definitions_are_found() {
    let xrd = XRD
        .replace("  - name: v1\n", "  - name: v1\n    additionalPrinterColumns:\n    - {name: A, type: string, jsonPath: .status.address}\n    - {name: B, type: string, jsonPath: .spec.resourceRef.name}\n    - {name: C, type: string, jsonPath: \".status.conditions[?(@.type=='Ready')].status\"}\n");
    assert_eq!(told(&files(&xrd, STEPS)), Vec::<String>::new());
    let cases: &[Case] = &[
        (
            ".status.address",
            ".status.adress",
            0,
            "check/unknown-field",
            "`address`",
        ),
        (
            "          status:\n",
            "          sttaus:\n",
            0,
            "xrd/unknown-keyword",
            "`status`",
        ),
        (
            "required: [region]",
            "required: [regoin]",
            0,
            "xrd/required-unknown",
            "`region`",
        ),
        (
            "{type: array, items: {type: string}}",
            "{type: array}",
            0,
            "xrd/missing-field",
            "elements",
        ),
        (
            "referenceable: true",
            "referenceable: false",
            0,
            "xrd/invalid-value",
            "referenceable",
        ),
    ];
    check("xrd.yaml", &xrd, cases, |text| told(&files(text, STEPS)));
}

#[test]
fn a_definition_without_a_schema_is_told_once() {
    let found = told(&files(
        &XRD.replace("openAPIV3Schema", "openAPISchema"),
        STEPS,
    ));
    assert!(
        !found.is_empty() && found.iter().all(|told| told.starts_with("xrd.yaml:")),
        "{found:#?}"
    );
}

const CLAIM: &str = "apiVersion: acme.example/v1\nkind: Shop\nmetadata:\n  name: corner\n  labels: {a: b}\nspec:\n  region: north\n";

#[test]
fn mistakes_of_objects_are_found() {
    let cases: &[Case] = &[
        (
            "  labels:",
            "  lables:",
            0,
            "check/unknown-field",
            "`labels`",
        ),
        (
            "name: corner",
            "name: Corner",
            0,
            "check/invalid-value",
            "lower-case",
        ),
        (
            "name: corner",
            "nam: corner",
            0,
            "check/unknown-field",
            "`name`",
        ),
    ];
    let beside = |text: &str| {
        let mut files = files(XRD, STEPS);
        files.push(("claim.yaml", text.to_owned()));
        told(&files)
    };
    assert_eq!(beside(CLAIM), Vec::<String>::new());
    check("claim.yaml", CLAIM, cases, beside);
    let misspelt: &[Case] = &[
        (
            "apiVersion",
            "apViersion",
            0,
            "check/unknown-field",
            "`apiVersion`",
        ),
        ("kind", "kidn", 0, "check/unknown-field", "`kind`"),
        (
            "metadata",
            "meatdata",
            0,
            "check/unknown-field",
            "`metadata`",
        ),
        ("spec", "spce", 0, "check/unknown-field", "`spec`"),
    ];
    check("claim.yaml", CLAIM, misspelt, beside);
    let others = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {title: a}\n";
    assert_eq!(beside(others), Vec::<String>::new());
}

#[test]
fn kinds_that_every_kubernetes_has_are_known() {
    let object = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n";
    let beside = |text: &str| told(&[("a.yaml", text.to_owned())]);
    assert_eq!(beside(object), Vec::<String>::new());
    let whole = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, creationTimestamp: null}\nspec:\n  replicas: 2\n  selector: {matchLabels: {a: b}}\n  template:\n    metadata: {creationTimestamp: null, labels: {a: b}}\n    spec:\n      containers:\n      - name: a\n        image: b\n        ports: [{containerPort: 80}]\n        resources: {limits: {cpu: 0.5, memory: 1Gi}}\n        livenessProbe: {httpGet: {port: http, path: /}}\n";
    assert_eq!(beside(whole), Vec::<String>::new());
    let cases: &[Case] = &[
        (
            "replicas: 2",
            "replicas: two",
            0,
            "check/wrong-type",
            "integer",
        ),
        (
            "replicas: 2",
            "relpicas: 2",
            0,
            "check/unknown-field",
            "`replicas`",
        ),
        (
            "containerPort",
            "containerport",
            0,
            "check/unknown-field",
            "`containerPort`",
        ),
        ("apps/v1", "apps/v1beta1", 0, "check/unknown-version", "v1"),
    ];
    check("a.yaml", whole, cases, beside);
    check(
        "a.yaml",
        object,
        &[(
            "Deployment",
            "Deploymnt",
            0,
            "check/unknown-kind",
            "`Deployment`",
        )],
        beside,
    );
}

const BLUEPRINT: &str = r#"apiVersion: apiextensions.crossplane.io/v1
kind: Composition
metadata: {name: shop}
spec:
  compositeTypeRef: {apiVersion: acme.example/v1, kind: XShop}
  mode: Pipeline
  pipeline:
  - step: blueprint
    functionRef: {name: function-blueprint}
    input:
      apiVersion: blueprint.fn.purlin.dev/v1alpha1
      kind: Blueprint
      environment:
        limit: {type: integer, default: 3}
      modules:
        boxes:
          parameters:
            where: {type: string}
            much: {type: integer, required: false}
          let:
            tags: '${ {"of": xr.metadata.name} }'
          resources:
          - name: box
            manifest:
              apiVersion: cloud.example/v1
              kind: Box
              spec:
                forProvider:
                  region: ${where}
                  capacity: ${much}
                  tags: ${tags}
            ready: ${self.status.atProvider.ports > 0}
          outputs:
            address: ${box.status.atProvider.address}
      use:
      - name: main
        module: boxes
        with: {where: '${xr.spec.region}', much: '${environment.limit}'}
      - name: each
        module: boxes
        forEach: {one: '${xr.spec.names}'}
        with: {where: '${one}'}
      status:
        address: ${main.address}
"#;

#[test]
fn modules_and_their_uses_are_checked() {
    assert_eq!(told(&files(XRD, BLUEPRINT)), Vec::<String>::new());
    let cases: &[Case] = &[
        (
            "region: ${where}",
            "regoin: ${where}",
            0,
            "check/unknown-field",
            "`region`",
        ),
        (
            "capacity: ${much}",
            "capacity: ${where}",
            0,
            "expr/types",
            "string",
        ),
        ("tags: ${tags}", "tags: ${where}", 0, "expr/types", "string"),
        (
            "self.status.atProvider.ports",
            "self.status.atProvider.prots",
            0,
            "expr/no-such-field",
            "`ports`",
        ),
        (
            "box.status.atProvider.address",
            "box.status.atProvider.adress",
            0,
            "expr/no-such-field",
            "`address`",
        ),
        (
            "'${xr.spec.region}'",
            "'${xr.spec.regoin}'",
            0,
            "expr/no-such-field",
            "`region`",
        ),
        (
            "'${xr.spec.region}'",
            "'${xr.spec.count}'",
            0,
            "expr/types",
            "string",
        ),
        (
            "'${environment.limit}'",
            "'${xr.spec.region}'",
            0,
            "expr/types",
            "string",
        ),
        (
            "'${xr.spec.names}'",
            "'${xr.spec.nmaes}'",
            0,
            "expr/no-such-field",
            "`names`",
        ),
        (
            "xr.metadata.name",
            "xr.metadata.nam",
            0,
            "expr/no-such-field",
            "`name`",
        ),
        ("kind: Box", "kind: Bax", 0, "check/unknown-kind", "`Box`"),
        (
            "kind: Box\n",
            "kind: Box\n              metadata: {lables: {a: b}}\n",
            1,
            "check/unknown-field",
            "`labels`",
        ),
    ];
    check("shop.yaml", BLUEPRINT, cases, |text| {
        told(&files(XRD, text))
    });
}

#[test]
fn for_each_goes_over_lists_and_maps() {
    let blueprint = BLUEPRINT.replace(
        "      use:\n",
        "      resources:\n      - name: more\n        forEach: {one: '${xr.spec.names}'}\n        manifest: {apiVersion: cloud.example/v1, kind: Box, spec: {forProvider: {region: '${one}'}}}\n      use:\n",
    );
    assert_eq!(told(&files(XRD, &blueprint)), Vec::<String>::new());
    let cases: &[Case] = &[(
        "{one: '${xr.spec.names}'}",
        "{one: '${xr.spec.count}'}",
        0,
        "check/wrong-type",
        "list",
    )];
    check("shop.yaml", &blueprint, cases, |text| {
        told(&files(XRD, text))
    });
}
