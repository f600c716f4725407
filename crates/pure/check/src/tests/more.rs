//! Mistakes across steps, transforms, functions and files: each is found on its line, and nothing else is.

#![expect(clippy::too_many_lines, reason = "tables")]

use super::{CLAIM, CRD, XRD, told};

const PIPELINE: &str = r"apiVersion: apiextensions.crossplane.io/v1
kind: Composition
metadata: {name: shop}
spec:
  compositeTypeRef: {apiVersion: acme.example/v1, kind: XShop}
  mode: Pipeline
  pipeline:
  - step: environment
    functionRef: {name: function-environment-configs}
    input:
      apiVersion: environmentconfigs.fn.crossplane.io/v1beta1
      kind: Input
      spec:
        environmentConfigs:
        - type: Selector
          selector:
            mode: Single
            matchLabels:
            - key: region
              type: FromCompositeFieldPath
              valueFromFieldPath: spec.region
  - step: boxes
    functionRef: {name: function-patch-and-transform}
    input:
      apiVersion: pt.fn.crossplane.io/v1beta1
      kind: Resources
      patchSets:
      - name: region
        patches:
        - fromFieldPath: spec.region
          toFieldPath: spec.forProvider.region
      resources:
      - name: box
        base:
          apiVersion: cloud.example/v1
          kind: Box
          spec:
            forProvider:
              tier: Basic
        patches:
        - type: PatchSet
          patchSetName: region
        - type: FromEnvironmentFieldPath
          fromFieldPath: capacity
          toFieldPath: spec.forProvider.capacity
        - type: CombineFromComposite
          combine:
            variables:
            - fromFieldPath: spec.region
            - fromFieldPath: spec.size
            strategy: string
            string:
              fmt: '%s-%s'
          toFieldPath: spec.forProvider.tags.name
        - fromFieldPath: spec.region
          toFieldPath: spec.forProvider.tags.short
          transforms:
          - type: match
            match:
              patterns:
              - type: literal
                literal: north
                result: up
              - type: regexp
                regexp: ^s.*
                result: s
              fallbackValue: other
          - type: string
            string:
              type: Format
              fmt: '%s!'
        - fromFieldPath: spec.count
          toFieldPath: spec.forProvider.tags.count
          transforms:
          - type: math
            math: {type: Multiply, multiply: 2}
          - type: convert
            convert: {toType: string}
        - type: ToCompositeFieldPath
          fromFieldPath: status.atProvider.ports
          toFieldPath: status.ports
        readinessChecks:
        - type: NonEmpty
          fieldPath: status.atProvider.address
        connectionDetails:
        - name: address
          type: FromFieldPath
          fromFieldPath: status.atProvider.address
      - name: lid
        base:
          apiVersion: cloud.example/v1
          kind: Box
          spec:
            forProvider:
              region: north
        patches:
        - fromFieldPath: status.ports
          toFieldPath: spec.forProvider.capacity
          policy: {fromFieldPath: Required}
  - step: order
    functionRef: {name: function-sequencer}
    input:
      apiVersion: sequencer.fn.crossplane.io/v1beta1
      kind: Input
      rules:
      - sequence: [box, lid]
  - step: ready
    functionRef: {name: function-auto-ready}
";

const FUNCTIONS: &str = r"apiVersion: pkg.crossplane.io/v1
kind: Function
metadata: {name: function-other}
spec: {package: example.org/function-other:v1}
";

const BOX: &str = r"apiVersion: cloud.example/v1
kind: Box
metadata: {name: lone}
spec:
  forProvider:
    region: north
    tier: Basic
    tags: {a: b}
";

fn files() -> Vec<(&'static str, String)> {
    vec![
        ("apis/xrd.yaml", XRD.to_owned()),
        ("apis/crd.yaml", CRD.to_owned()),
        ("apis/composition.yaml", PIPELINE.to_owned()),
        ("apis/functions.yaml", FUNCTIONS.to_owned()),
        ("apis/claim.yaml", CLAIM.to_owned()),
        ("apis/box.yaml", BOX.to_owned()),
    ]
}

#[test]
fn what_is_right_is_left_alone() {
    assert_eq!(told(&files()), Vec::<String>::new());
}

/// What is replaced, by what, the line of the new text that is meant, the code, and a word of the message or help.
type Case = (
    &'static str,
    &'static str,
    isize,
    &'static str,
    &'static str,
);

fn check(cases: &[Case]) {
    let mut wrong = Vec::new();
    for (old, new, line, code, word) in cases {
        let mut files = files();
        let hit = files.iter_mut().find(|(_, text)| text.contains(old));
        let Some((name, text)) = hit else {
            wrong.push(format!("nothing to replace: {old}"));
            continue;
        };
        let at = text.find(old).unwrap_or_default();
        let first = text.chars().take(at).filter(|c| *c == '\n').count() + 1;
        let place = format!("{name}:{} ", first.saturating_add_signed(*line));
        *text = text.replacen(old, new, 1);
        let found = told(&files);
        let right =
            |told: &String| told.starts_with(&place) && told.contains(code) && told.contains(word);
        if !found.iter().any(right) {
            wrong.push(format!(
                "{new:?}: expected {place}{code} {word}, found {found:#?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn formats_are_held_against_what_they_print() {
    check(&[
        (
            "fmt: '%s-%s'",
            "fmt: '%s-%s-%s'",
            0,
            "check/format",
            "wants 3",
        ),
        ("fmt: '%s-%s'", "fmt: '%s'", 0, "check/format", "1 of 2"),
        ("fmt: '%s-%s'", "fmt: '%s-%d'", 0, "check/format", "%d"),
        ("fmt: '%s-%s'", "fmt: '%s-%'", 0, "check/format", "percent"),
        ("fmt: '%s!'", "fmt: plain", 0, "check/format", "0 of 1"),
        ("fmt: '%s!'", "fmt: '%d!'", 0, "check/format", "%d"),
        ("fmt: '%s!'", "fmt: '%[x]s'", 0, "check/format", "number"),
    ]);
}

#[test]
fn types_are_followed_through_transforms() {
    check(&[
        (
            "- type: math\n",
            "- type: map\n            map: {a: b}\n",
            0,
            "check/transform-type",
            "integer",
        ),
        (
            "          - type: math\n            math: {type: Multiply, multiply: 2}\n",
            "          - type: match\n            match: {patterns: [{type: literal, literal: a, result: b}], fallbackValue: c}\n",
            0,
            "check/transform-type",
            "integer",
        ),
        (
            "convert: {toType: string}",
            "convert: {toType: object}",
            0,
            "check/transform-type",
            "object",
        ),
        (
            "          toFieldPath: spec.forProvider.tags.count\n",
            "          toFieldPath: spec.forProvider.open\n",
            0,
            "check/patch-type",
            "toType: bool",
        ),
        (
            "fallbackValue: other\n",
            "fallbackValue: 5\n              fallbackTo: Value\n          - {type: convert, convert: {toType: int}}\n          - {type: map, map: {a: b}}\n",
            3,
            "check/transform-type",
            "integer",
        ),
        (
            "type: Format\n              fmt: '%s!'",
            "type: Convert\n              convert: ToUpp",
            1,
            "check/transform-word",
            "ToUpper",
        ),
        (
            "type: Format\n              fmt: '%s!'",
            "type: Regexp\n              regexp: {match: '(a)', group: 3}",
            1,
            "check/regexp-group",
            "1 groups",
        ),
        (
            "literal: north\n                result: up\n",
            "literal: north\n                result: up\n              - type: literal\n                literal: north\n                result: m\n",
            3,
            "check/unreachable",
            "already",
        ),
        (
            "fromFieldPath: spec.count",
            "fromFieldPath: spec.names[*]",
            0,
            "check/wildcard",
            "[*]",
        ),
        (
            "toFieldPath: spec.forProvider.tags.name",
            "toFieldPath: spec.forProvider.tags[*]",
            0,
            "check/wildcard",
            "combines",
        ),
    ]);
}

#[test]
fn values_are_followed_from_enum_to_enum() {
    check(&[
        (
            "        - fromFieldPath: spec.count\n          toFieldPath: spec.forProvider.tags.count\n          transforms:\n          - type: math\n            math: {type: Multiply, multiply: 2}\n          - type: convert\n            convert: {toType: string}\n",
            "        - fromFieldPath: spec.size\n          toFieldPath: spec.forProvider.tier\n",
            1,
            "check/unknown-value",
            "Basic",
        ),
        (
            "        - fromFieldPath: spec.count\n          toFieldPath: spec.forProvider.tags.count\n          transforms:\n          - type: math\n            math: {type: Multiply, multiply: 2}\n          - type: convert\n            convert: {toType: string}\n",
            "        - fromFieldPath: spec.size\n          toFieldPath: spec.forProvider.tier\n          transforms:\n          - type: match\n            match:\n              patterns:\n              - {type: literal, literal: small, result: Basic}\n              - {type: literal, literal: large, result: Premum}\n",
            7,
            "check/unknown-value",
            "Premium",
        ),
        (
            "        - fromFieldPath: spec.count\n          toFieldPath: spec.forProvider.tags.count\n          transforms:\n          - type: math\n            math: {type: Multiply, multiply: 2}\n          - type: convert\n            convert: {toType: string}\n",
            "        - fromFieldPath: spec.size\n          toFieldPath: spec.forProvider.tier\n          transforms:\n          - type: match\n            match:\n              patterns:\n              - {type: literal, literal: smal, result: Basic}\n              - {type: literal, literal: large, result: Premium}\n",
            6,
            "check/unreachable",
            "small",
        ),
    ]);
}

#[test]
fn steps_are_held_against_each_other() {
    check(&[
        (
            "  - step: environment\n    functionRef: {name: function-environment-configs}\n    input:\n      apiVersion: environmentconfigs.fn.crossplane.io/v1beta1\n      kind: Input\n      spec:\n        environmentConfigs:\n        - type: Selector\n          selector:\n            mode: Single\n            matchLabels:\n            - key: region\n              type: FromCompositeFieldPath\n              valueFromFieldPath: spec.region\n",
            "",
            22,
            "check/context-unwritten",
            "environment",
        ),
        (
            "        - type: FromEnvironmentFieldPath\n          fromFieldPath: capacity\n          toFieldPath: spec.forProvider.capacity\n",
            "",
            -34,
            "check/context-unread",
            "environment",
        ),
        (
            "toFieldPath: status.ports",
            "toFieldPath: status.address",
            0,
            "check/patch-type",
            "string",
        ),
        (
            "        - type: ToCompositeFieldPath\n          fromFieldPath: status.atProvider.ports\n          toFieldPath: status.ports\n",
            "",
            15,
            "check/status-unwritten",
            "status.ports",
        ),
        (
            "toFieldPath: status.ports",
            "toFieldPath: spec.count",
            0,
            "check/ignored-write",
            "status",
        ),
        (
            "sequence: [box, lid]",
            "sequence: [box, lidd]",
            0,
            "check/no-resource",
            "`lid`",
        ),
        (
            "sequence: [box, lid]",
            "sequence: [box, 'l(d']",
            0,
            "check/regexp",
            "RE2",
        ),
        (
            "sequence: [box, lid]",
            "sequence: [box, lid]\n      - sequence: [lid, box]",
            1,
            "check/cycle",
            "box",
        ),
        (
            "sequence: [box, lid]",
            "sequence: [box, box]",
            0,
            "check/cycle",
            "itself",
        ),
        (
            "sequence: [box, lid]",
            "condition: 'true ||'\n        sequence: [box, lid]",
            0,
            "expr/syntax",
            "",
        ),
        (
            "sequence: [box, lid]",
            "condition: '1 == 1'\n        sequence: [box, lid]",
            0,
            "check/unreachable",
            "always true",
        ),
        (
            "name: function-auto-ready",
            "name: function-mystery",
            0,
            "check/unknown-function",
            "function-other",
        ),
        (
            "        - type: ToCompositeFieldPath\n          fromFieldPath: status.atProvider.ports\n",
            "        - fromFieldPath: status.ports\n          toFieldPath: spec.forProvider.capacity\n          policy: {fromFieldPath: Required}\n        - type: ToCompositeFieldPath\n          fromFieldPath: status.atProvider.ports\n",
            0,
            "check/cycle",
            "box -> box",
        ),
        (
            "      - name: lid\n        base:\n          apiVersion: cloud.example/v1\n          kind: Box\n          spec:\n            forProvider:\n              region: north\n",
            "      - name: lid\n",
            0,
            "check/no-base",
            "base",
        ),
    ]);
}

#[test]
fn words_and_paths_of_other_functions_are_read() {
    check(&[
        (
            "type: Selector",
            "type: Selecter",
            0,
            "check/unknown-word",
            "Selector",
        ),
        (
            "mode: Single",
            "mode: Singel",
            0,
            "check/unknown-word",
            "Single",
        ),
        (
            "type: FromCompositeFieldPath\n",
            "type: FromCompositeFieldPth\n",
            0,
            "check/unknown-word",
            "FromCompositeFieldPath",
        ),
        (
            "valueFromFieldPath: spec.region",
            "valueFromFieldPath: spec.regoin",
            0,
            "check/unknown-field",
            "region",
        ),
        (
            "              valueFromFieldPath: spec.region\n",
            "",
            -2,
            "check/missing-field",
            "valueFromFieldPath",
        ),
        (
            "mode: Single",
            "mode: Multiple\n            minMatch: 3\n            maxMatch: 2",
            1,
            "check/bounds",
            "3",
        ),
    ]);
}

#[test]
fn kinds_are_known() {
    check(&[
        (
            "kind: Box\n          spec:\n            forProvider:\n              tier",
            "kind: Bax\n          spec:\n            forProvider:\n              tier",
            0,
            "check/unknown-kind",
            "`Box`",
        ),
        (
            "apiVersion: cloud.example/v1\n          kind: Box\n          spec:\n            forProvider:\n              tier",
            "apiVersion: cloud.example/v2\n          kind: Box\n          spec:\n            forProvider:\n              tier",
            0,
            "check/unknown-version",
            "it has v1",
        ),
        (
            "apiVersion: cloud.example/v1\n          kind: Box\n          spec:\n            forProvider:\n              tier",
            "apiVersion: clod.example/v1\n          kind: Box\n          spec:\n            forProvider:\n              tier",
            0,
            "check/unknown-kind",
            "cloud.example",
        ),
        (
            "kind: Shop\n",
            "kind: Shap\n",
            0,
            "check/unknown-kind",
            "Shop",
        ),
        (
            "kind: Function\n",
            "kind: Functoin\n",
            0,
            "check/unknown-kind",
            "Function",
        ),
        (
            "metadata: {name: corner, namespace: default}",
            "metadata: {namespace: default}",
            0,
            "check/missing-field",
            "name",
        ),
        (
            "    tier: Basic\n    tags",
            "    tier: Basc\n    tags",
            0,
            "check/unknown-value",
            "`Basic`",
        ),
        (
            "    region: north\n    tier",
            "    tier",
            -1,
            "check/missing-field",
            "region",
        ),
        (
            "spec: {package: example.org/function-other:v1}",
            "spec: {pakage: example.org/function-other:v1}",
            0,
            "check/unknown-field",
            "package",
        ),
    ]);
}

#[test]
fn readiness_and_details_are_read() {
    check(&[
        (
            "- type: NonEmpty\n          fieldPath: status.atProvider.address",
            "- type: MatchString\n          fieldPath: spec.forProvider.tier\n          matchString: Premum",
            2,
            "check/unreachable",
            "Premium",
        ),
        (
            "fieldPath: status.atProvider.address",
            "fieldPath: status.atProvider..address",
            0,
            "check/field-path",
            "",
        ),
        (
            "          type: FromFieldPath\n          fromFieldPath: status.atProvider.address",
            "          type: FromFieldPath\n          fromFieldPath: status.atProvider.adress",
            1,
            "check/unknown-field",
            "address",
        ),
    ]);
}

#[test]
fn a_composite_in_a_namespace_composes_nothing_outside() {
    let mut files = files();
    for (_, text) in &mut files {
        *text = text.replace(
            "apiVersion: apiextensions.crossplane.io/v1\nkind: CompositeResourceDefinition",
            "apiVersion: apiextensions.crossplane.io/v2\nkind: CompositeResourceDefinition",
        );
        *text = text.replace(
            "  claimNames: {kind: Shop, plural: shops}\n",
            "  scope: Namespaced\n",
        );
    }
    let found = told(&files);
    let scope = found
        .iter()
        .filter(|told| told.contains("check/scope"))
        .count();
    assert_eq!(scope, 2, "{found:#?}");
}

#[test]
fn a_field_that_may_not_change_is_worth_a_note() {
    let mut files = files();
    for (_, text) in &mut files {
        *text = text.replace(
            "                  region: {type: string}\n",
            "                  region: {type: string, x-kubernetes-validations: [{rule: self == oldSelf}]}\n",
        );
    }
    let found = told(&files);
    assert!(
        found
            .iter()
            .any(|told| told.contains("check/immutable-field")),
        "{found:#?}"
    );
    assert_eq!(found.len(), 1, "{found:#?}");
}

#[test]
fn the_mode_resources_is_checked_and_noted() {
    let legacy = r"apiVersion: apiextensions.crossplane.io/v1
kind: Composition
metadata: {name: old}
spec:
  compositeTypeRef: {apiVersion: acme.example/v1, kind: XShop}
  patchSets:
  - name: region
    patches:
    - fromFieldPath: spec.region
      toFieldPath: spec.forProvider.region
  resources:
  - base:
      apiVersion: cloud.example/v1
      kind: Box
      spec: {forProvider: {tier: Basic}}
    connectionDetails:
    - fromConnectionSecretKey: password
    patches:
    - type: PatchSet
      patchSetName: region
    - fromFieldPath: spec.count
      toFieldPath: spec.forProvider.capacity
      policy: {mergeOptions: {appendSlice: true}}
    - fromFieldPath: spec.region
      toFieldPath: spec.forProvider.tags.name
      transforms:
      - type: string
        string: {fmt: 'box-%s'}
    - type: ToCompositeFieldPath
      fromFieldPath: status.atProvider.address
      toFieldPath: status.address
";
    let mut files = files();
    files.push(("apis/old.yaml", legacy.to_owned()));
    let found = told(&files);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(
        found[0].starts_with("apis/old.yaml:11 check/deprecated"),
        "{found:#?}"
    );
    let planted = legacy.replace("fromFieldPath: spec.count", "fromFieldPath: spec.cuont");
    files.pop();
    files.push(("apis/old.yaml", planted.replace("'box-%s'", "'box-%s-%s'")));
    let found = told(&files);
    assert!(
        found
            .iter()
            .any(|told| told.starts_with("apis/old.yaml:21 check/unknown-field")),
        "{found:#?}"
    );
    assert!(
        found
            .iter()
            .any(|told| told.starts_with("apis/old.yaml:28 check/format")),
        "{found:#?}"
    );
}

#[test]
fn examples_far_away_are_not_meant() {
    let other = XRD.replace("name: v1", "name: v2");
    let files = [
        ("a/one/xrd.yaml", XRD.to_owned()),
        ("b/two/xrd.yaml", other),
        (
            "c/three/four/claim.yaml",
            CLAIM.replace("acme.example/v1", "acme.example/v3"),
        ),
    ];
    assert_eq!(told(&files), Vec::<String>::new());
}

#[test]
fn parts_of_objects_miss_nothing() {
    let mut files = files();
    files.push((
        "apis/kustomization.yaml",
        "patches:\n- path: part.yaml\n".to_owned(),
    ));
    let part = CLAIM.replace("  region: north\n", "");
    files.push(("apis/part.yaml", part.clone()));
    files.push(("apis/01-assert.yaml", part));
    assert_eq!(told(&files), Vec::<String>::new());
}

#[test]
fn lists_are_looked_into() {
    let claim = CLAIM.replace("region: north", "regoin: north");
    let indented = claim.lines().collect::<Vec<_>>().join("\n  ");
    let list = format!(
        "apiVersion: v1\nkind: List\nitems:\n- {}",
        indented.trim_start()
    );
    let mut files = files();
    files.push(("apis/list.yaml", list));
    let found = told(&files);
    assert!(
        found
            .iter()
            .any(|told| told.starts_with("apis/list.yaml:8 check/unknown-field")),
        "{found:#?}"
    );
}

#[test]
fn functions_of_other_names_are_others() {
    let other = PIPELINE
        .replace(
            "name: function-patch-and-transform",
            "name: acme-function-conditional-patch-and-transform",
        )
        .replace(
            "      - name: box\n",
            "      - name: box\n        condition: x\n",
        );
    let mut files = files();
    for (_, text) in &mut files {
        *text = text.replace(PIPELINE, &other);
    }
    files.retain(|(name, _)| *name != "apis/functions.yaml");
    assert_eq!(told(&files), Vec::<String>::new());
}

#[test]
fn packages_are_read() {
    let meta = r"apiVersion: meta.pkg.crossplane.io/v1
kind: Configuration
metadata: {name: shop}
spec:
  dependsOn:
  - apiVersion: pkg.crossplane.io/v1
    kind: Provider
    package: example.org/provider-cloud
    version: latest
";
    let mut files = files();
    files.push(("apis/crossplane.yaml", meta.to_owned()));
    let found = told(&files);
    assert!(
        found.len() == 1 && found[0].starts_with("apis/crossplane.yaml:9 package/constraint"),
        "{found:#?}"
    );
}

const TEMPLATES: &str = r"apiVersion: apiextensions.crossplane.io/v1
kind: Composition
metadata: {name: shop-templates}
spec:
  compositeTypeRef: {apiVersion: acme.example/v1, kind: XShop}
  mode: Pipeline
  pipeline:
  - step: templates
    functionRef: {name: function-go-templating}
    input:
      apiVersion: gotemplating.fn.crossplane.io/v1beta1
      kind: GoTemplate
      source: Inline
      inline:
        template: |
          {{- $spec := .observed.composite.resource.spec }}
          {{- range $i, $name := $spec.names }}
          ---
          apiVersion: cloud.example/v1
          kind: Box
          metadata:
            annotations:
              {{ setResourceNameAnnotation (printf `box-%d` $i) }}
          spec:
            forProvider:
              region: {{ $spec.region | quote }}
              capacity: {{ $spec.count }}
          {{- end }}
";

#[test]
fn templates_are_read() {
    let found = |from: &str, to: &str| {
        let mut files = files();
        files.push(("apis/templates.yaml", TEMPLATES.replacen(from, to, 1)));
        told(&files)
    };
    assert_eq!(found("", ""), Vec::<String>::new());
    let check = |from: &str, to: &str, place: &str, code: &str, word: &str| {
        let found = found(from, to);
        let right =
            |told: &String| told.starts_with(place) && told.contains(code) && told.contains(word);
        assert!(found.iter().any(right), "{from} {to}: {found:#?}");
    };
    check(
        "$spec.region",
        "$spec.regoin",
        "apis/templates.yaml:26 ",
        "check/unknown-field",
        "`region`",
    );
    check(
        "$spec.names",
        "$spec.nmaes",
        "apis/templates.yaml:17 ",
        "check/unknown-field",
        "`names`",
    );
    check(
        "resource.spec }}",
        "resource.psec }}",
        "apis/templates.yaml:16 ",
        "check/unknown-field",
        "`spec`",
    );
    check(
        "| quote",
        "| quot",
        "apis/templates.yaml:26 ",
        "go-templating/template",
        "quot",
    );
    check(
        "{{- end }}",
        "",
        "apis/templates.yaml:",
        "go-templating/template",
        "",
    );
}
