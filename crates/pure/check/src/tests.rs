mod manual;
mod more;
mod planted;
mod public;

mod template;

use purlin_diag::Severity;
use purlin_function::Functions;
use purlin_testkit::root;

fn functions() -> Functions {
    Functions::new([
        function_patch_and_transform::hosted(),
        function_auto_ready::hosted(),
        function_blueprint::hosted(),
        function_environment_configs::hosted(),
        function_go_templating::hosted(),
        function_sequencer::hosted(),
        function_cel_filter::hosted(),
        function_extra_resources::hosted(),
        function_status_transformer::hosted(),
        function_tag_manager::hosted(),
    ])
}

const XRD: &str = r"apiVersion: apiextensions.crossplane.io/v1
kind: CompositeResourceDefinition
metadata: {name: xshops.acme.example}
spec:
  group: acme.example
  names: {kind: XShop, plural: xshops}
  claimNames: {kind: Shop, plural: shops}
  versions:
  - name: v1
    served: true
    referenceable: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [region]
            properties:
              region: {type: string}
              size: {type: string, enum: [small, large]}
              count: {type: integer, minimum: 1}
              names: {type: array, items: {type: string}}
              free: {type: object, x-kubernetes-preserve-unknown-fields: true}
          status:
            type: object
            properties:
              address: {type: string}
              ports: {type: integer}
";

const CRD: &str = r"apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: boxes.cloud.example}
spec:
  group: cloud.example
  names: {kind: Box, plural: boxes}
  scope: Cluster
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              forProvider:
                type: object
                required: [region]
                properties:
                  region: {type: string}
                  capacity: {type: integer}
                  tier: {type: string, enum: [Basic, Premium]}
                  open: {type: boolean}
                  tags: {type: object, additionalProperties: {type: string}}
          status:
            type: object
            properties:
              atProvider:
                type: object
                properties:
                  address: {type: string}
                  ports: {type: integer}
";

const COMPOSITION: &str = r"apiVersion: apiextensions.crossplane.io/v1
kind: Composition
metadata: {name: shop}
spec:
  compositeTypeRef: {apiVersion: acme.example/v1, kind: XShop}
  mode: Pipeline
  pipeline:
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
              tier: Basic
        patches:
        - fromFieldPath: spec.region
          toFieldPath: spec.forProvider.region
        - fromFieldPath: spec.count
          toFieldPath: spec.forProvider.capacity
        - fromFieldPath: spec.free.anything[0].here
          toFieldPath: spec.forProvider.tags[a.b/c]
        - fromFieldPath: metadata.labels[crossplane.io/claim-name]
          toFieldPath: metadata.annotations[crossplane.io/external-name]
        - fromFieldPath: spec.size
          toFieldPath: spec.forProvider.tier
          transforms:
          - type: map
            map:
              small: Basic
              large: Premium
        - type: ToCompositeFieldPath
          fromFieldPath: status.atProvider.address
          toFieldPath: status.address
        readinessChecks:
        - type: MatchString
          fieldPath: status.atProvider.address
          matchString: here
  - step: more
    functionRef: {name: function-blueprint}
    input:
      apiVersion: blueprint.fn.purlin.dev/v1alpha1
      kind: Blueprint
      resources:
      - name: second
        manifest:
          apiVersion: cloud.example/v1
          kind: Box
          spec:
            forProvider:
              region: '${xr.spec.region}'
              capacity: '${xr.spec.count}'
      status:
        address: '${second.status.atProvider.address}'
  - step: ready
    functionRef: {name: function-auto-ready}
";

const CLAIM: &str = r"apiVersion: acme.example/v1
kind: Shop
metadata: {name: corner, namespace: default}
spec:
  region: north
  size: small
";

const FILES: [(&str, &str); 4] = [
    ("xrd.yaml", XRD),
    ("crd.yaml", CRD),
    ("composition.yaml", COMPOSITION),
    ("claim.yaml", CLAIM),
];

fn told(files: &[(&str, String)]) -> Vec<String> {
    let files = files.iter().map(|(name, text)| (*name, text.as_str()));
    let checked = super::check(files, &functions());
    let lines = checked.found.iter().map(|finding| {
        let place = finding.place.as_ref().unwrap();
        let help = finding.help.clone().unwrap_or_default();
        format!(
            "{}:{} {} {} ({help})",
            place.file, place.line, finding.code, finding.message
        )
    });
    lines.collect()
}

/// Replaces `old`, which is in one file only, and gives the expected place: the line of `new` that holds the mark.
fn planted(old: &str, new: &str) -> Vec<String> {
    let mut hits = 0;
    let files = FILES.map(|(name, text)| {
        hits += text.matches(old).count();
        (name, text.replacen(old, new, 1))
    });
    assert!(hits > 0, "nothing to replace: {old}");
    told(&files)
}

#[test]
fn what_is_right_is_left_alone() {
    let files = FILES.map(|(name, text)| (name, text.to_owned()));
    assert_eq!(told(&files), Vec::<String>::new());
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn every_planted_mistake_is_found_on_its_line() {
    // What is replaced, by what, and what is found: file and line, code, a word of the message or help.
    let table: &[(&str, &str, &str, &str, &str)] = &[
        (
            "required: [region]\n            properties:\n              region: {type: string}\n",
            "required: [region]\n            properties:\n              region: {typ: string}\n",
            "xrd.yaml:20",
            "xrd/unknown-keyword",
            "`type`",
        ),
        (
            "claimNames:",
            "claimName:",
            "xrd.yaml:7",
            "check/unknown-field",
            "`claimNames`",
        ),
        (
            "referenceable: true",
            "referenceable: false",
            "xrd.yaml:11",
            "xrd/invalid-value",
            "referenceable",
        ),
        (
            "kind: XShop}\n  mode",
            "kind: XShap}\n  mode",
            "composition.yaml:5",
            "check/no-xrd",
            "`XShop`",
        ),
        (
            "kind: XShop}\n  mode",
            "kind: Shop}\n  mode",
            "composition.yaml:5",
            "check/claim-kind",
            "claims",
        ),
        (
            "apiVersion: acme.example/v1, kind",
            "apiVersion: acme.example/v2, kind",
            "composition.yaml:5",
            "check/unknown-version",
            "it has v1",
        ),
        (
            "name: function-auto-ready",
            "name: function-auto-raedy",
            "composition.yaml:61",
            "check/unknown-function",
            "`function-auto-ready`",
        ),
        (
            "kind: Resources",
            "kind: Resource",
            "composition.yaml:12",
            "check/input-kind",
            "Resources",
        ),
        (
            "fromFieldPath: spec.region",
            "fromFieldPath: spec.regoin",
            "composition.yaml:22",
            "check/unknown-field",
            "`region`",
        ),
        (
            "fromFieldPath: spec.region",
            "fromFeildPath: spec.region",
            "composition.yaml:22",
            "unknown-field",
            "fromFieldPath",
        ),
        (
            "toFieldPath: spec.forProvider.region",
            "toFieldPath: spec.forProvder.region",
            "composition.yaml:23",
            "check/unknown-field",
            "`forProvider`",
        ),
        (
            "fromFieldPath: spec.count",
            "fromFieldPath: spec.size",
            "composition.yaml:25",
            "check/patch-type",
            "toType: int",
        ),
        (
            "fromFieldPath: spec.count",
            "fromFieldPath: spec.region.name",
            "composition.yaml:24",
            "check/unknown-field",
            "a string",
        ),
        (
            "              tier: Basic\n        patches",
            "              teir: Basic\n        patches",
            "composition.yaml:20",
            "check/unknown-field",
            "`tier`",
        ),
        (
            "              tier: Basic\n        patches",
            "              open: \"yes\"\n        patches",
            "composition.yaml:20",
            "check/wrong-type",
            "boolean",
        ),
        (
            "        - fromFieldPath: spec.region\n          toFieldPath: spec.forProvider.region\n",
            "",
            "composition.yaml:19",
            "check/missing-field",
            "region",
        ),
        (
            "large: Premium",
            "larg: Premium",
            "composition.yaml:36",
            "check/map-dead-entry",
            "`large`",
        ),
        (
            "small: Basic",
            "small: Basc",
            "composition.yaml:35",
            "check/unknown-value",
            "`Basic`",
        ),
        (
            "fromFieldPath: status.atProvider.address",
            "fromFieldPath: status.atProvider.ports",
            "composition.yaml:39",
            "check/patch-type",
            "toType: string",
        ),
        (
            "toFieldPath: status.address",
            "toFieldPath: status.adress",
            "composition.yaml:39",
            "check/unknown-field",
            "`address`",
        ),
        (
            "fieldPath: status.atProvider.address",
            "fieldPath: status.atProvider.addres",
            "composition.yaml:42",
            "check/unknown-field",
            "`address`",
        ),
        (
            "fieldPath: status.atProvider.address",
            "fieldPath: status.atProvider.ports",
            "composition.yaml:42",
            "check/readiness-type",
            "integer",
        ),
        (
            "name: second",
            "name: box",
            "composition.yaml:50",
            "check/duplicate-resource",
            "boxes",
        ),
        (
            "${xr.spec.region}",
            "${xr.spec.regoin}",
            "composition.yaml:56",
            "expr/no-such-field",
            "`region`",
        ),
        (
            "${xr.spec.count}",
            "${xr.spec.region}",
            "composition.yaml:57",
            "expr/types",
            "integer",
        ),
        (
            "'${xr.spec.count}'",
            "'${xr.spec.count} GB'",
            "composition.yaml:57",
            "expr/types",
            "integer",
        ),
        (
            "${second.status.atProvider.address}",
            "${second.status.atProvider.adress}",
            "composition.yaml:59",
            "expr/no-such-field",
            "`address`",
        ),
        (
            "        address: '${second",
            "        adress: '${second",
            "composition.yaml:59",
            "check/unknown-field",
            "`address`",
        ),
        (
            "capacity: '${xr",
            "capacty: '${xr",
            "composition.yaml:57",
            "check/unknown-field",
            "`capacity`",
        ),
        (
            "  region: north\n",
            "",
            "claim.yaml:4",
            "check/missing-field",
            "region",
        ),
        (
            "  region: north\n",
            "  region: 5\n",
            "claim.yaml:5",
            "check/wrong-type",
            "string",
        ),
        (
            "size: small\n",
            "size: smal\n",
            "claim.yaml:6",
            "check/unknown-value",
            "`small`",
        ),
        (
            "size: small\n",
            "sise: small\n",
            "claim.yaml:6",
            "check/unknown-field",
            "`size`",
        ),
        (
            "size: small\n",
            "count: 0\n",
            "claim.yaml:6",
            "check/invalid-value",
            "1",
        ),
    ];
    let mut wrong = Vec::new();
    for (old, new, place, code, word) in table {
        let found = planted(old, new);
        let hit = found.iter().any(|line| {
            line.starts_with(&format!("{place} ")) && line.contains(code) && line.contains(word)
        });
        if !hit {
            wrong.push(format!(
                "{new:?}: expected {place} {code} {word}, found {found:#?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_not_known_is_not_complained_about() {
    let composition = COMPOSITION.replace("cloud.example/v1", "other.example/v1");
    let files = [("composition.yaml", composition)];
    let notes = told(&files);
    assert_eq!(notes.len(), 3, "{notes:#?}");
    assert!(notes[0].contains("check/no-schema"));
}

#[test]
fn the_nearest_definition_is_meant_and_no_guess_is_made_between_two() {
    let other = XRD
        .replace("region: {type: string}", "zone: {type: string}")
        .replace("required: [region]", "required: [zone]");
    let files = |claim: &'static str| {
        [
            ("dev/shop/xrd.yaml", XRD.to_owned()),
            ("prod/shop/xrd.yaml", other.clone()),
            (claim, CLAIM.to_owned()),
        ]
    };
    assert!(told(&files("dev/_claims/corner.yaml")).is_empty());
    assert!(!told(&files("prod/_claims/corner.yaml")).is_empty());
    assert!(told(&files("corner.yaml")).is_empty());
}

#[test]
fn the_sample_platform_is_clean() {
    let mut files = Vec::new();
    for folder in ["xrds", "compositions", "environments", "tests/fixtures"] {
        walk(&root().join(folder), folder, &mut files);
    }
    assert!(files.len() > 20);
    let read = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()));
    let hosted = functions();
    let checked = super::check(read, &hosted);
    let found: Vec<String> = checked.found.iter().map(ToString::to_string).collect();
    assert!(found.is_empty(), "{found:#?}");
    assert!(checked.objects > 20);
    assert!(
        checked
            .found
            .iter()
            .all(|one| one.severity == Severity::Note)
    );
}

#[expect(clippy::disallowed_methods, reason = "tests read the sample platform")]
fn walk(at: &std::path::Path, name: &str, files: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(at).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{name}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            walk(&entry.path(), &name, files);
        } else if entry
            .path()
            .extension()
            .is_some_and(|ending| ending == "yaml")
        {
            files.push((name, std::fs::read_to_string(entry.path()).unwrap()));
        }
    }
}
