//! Objects that Go templates write are checked as far as they are written out.

#![expect(clippy::too_many_lines, reason = "tables")]

use super::{CRD, XRD, told};

const COMPOSITION: &str = r#"apiVersion: apiextensions.crossplane.io/v1
kind: Composition
metadata: {name: shop}
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
          apiVersion: cloud.example/v1
          kind: Box
          metadata:
            annotations:
              {{ setResourceNameAnnotation "first" }}
          spec:
            forProvider:
              region: {{ $spec.region }}
              {{- if eq $spec.size "small" }}
              tier: Basic
              {{- else }}
              tier: Premium
              {{- end }}
              capacity: {{ $spec.count }}
              open: true
              tags:
                {{- toYaml $spec.free | nindent 16 }}
                more: "{{ $spec.region }}"
          ---
          {{- range $name := $spec.names }}
          ---
          apiVersion: cloud.example/v1
          kind: Box
          metadata:
            annotations:
              gotemplating.fn.crossplane.io/composition-resource-name: box-{{ $name }}
          spec:
            forProvider: {region: north}
          {{- end }}
          ---
          apiVersion: acme.example/v1
          kind: XShop
          status:
            address: {{ $spec.region }}
"#;

fn found(old: &str, new: &str) -> Vec<String> {
    assert!(COMPOSITION.contains(old), "{old}");
    told(&[
        ("xrd.yaml", XRD.to_owned()),
        ("box.yaml", CRD.to_owned()),
        ("shop.yaml", COMPOSITION.replacen(old, new, 1)),
    ])
}

#[test]
fn what_is_right_is_left_alone() {
    assert_eq!(found("", ""), Vec::<String>::new());
}

#[test]
fn mistakes_are_named_on_their_line() {
    let table = [
        ("kind: Box", "kind: Bax", "18 check/unknown-kind", "`Box`"),
        (
            "cloud.example/v1",
            "cloud.example/v2",
            "17 check/unknown-version",
            "v1",
        ),
        (
            "region: {{",
            "regoin: {{",
            "24 check/unknown-field",
            "`region`",
        ),
        (
            "          spec:\n",
            "          spek:\n",
            "22 check/unknown-field",
            "`spec`",
        ),
        (
            "tier: Basic",
            "tier: Basik",
            "26 check/unknown-value",
            "`Basic`",
        ),
        (
            "tier: Premium",
            "tier: {a: 1}",
            "28 check/wrong-type",
            "string",
        ),
        (
            "open: true",
            "open: 'true'",
            "31 check/wrong-type",
            "boolean",
        ),
        (
            "capacity: {{ $spec.count }}",
            "capacity: {{ $spec.count | quote }}",
            "30 check/wrong-type",
            "`quote`",
        ),
        (
            "capacity: {{ $spec.count }}",
            "capacity: \"{{ $spec.count }}\"",
            "30 check/wrong-type",
            "quotes",
        ),
        (
            "capacity: {{ $spec.count }}",
            "capacity: [1]",
            "30 check/wrong-type",
            "integer",
        ),
        (
            "              region: {{ $spec.region }}\n",
            "",
            "23 check/missing-field",
            "region",
        ),
        (
            "{region: north}",
            "{region: 5}",
            "44 check/wrong-type",
            "region",
        ),
        (
            "address: {{",
            "adress: {{",
            "50 check/unknown-field",
            "`address`",
        ),
        (
            "annotations:\n              {{",
            "annotation:\n              {{",
            "20 check/unknown-field",
            "`annotations`",
        ),
    ];
    let mut wrong = Vec::new();
    for (old, new, place, word) in table {
        let found = found(old, new);
        let right =
            |told: &String| told.starts_with(&format!("shop.yaml:{place} ")) && told.contains(word);
        if found.len() > 2 || !found.iter().any(right) {
            wrong.push(format!("{new}: expected {place} {word}, found {found:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_actions_may_write_is_not_missed() {
    for (old, new) in [
        (
            "              region: {{ $spec.region }}\n",
            "              {{ include \"region\" . }}\n",
        ),
        (
            "              region: {{ $spec.region }}\n",
            "              {{ $spec.region }}: x\n",
        ),
        (
            "forProvider: {region: north}",
            "forProvider: {{ $spec.free | toJson }}",
        ),
        (
            "capacity: {{ $spec.count }}",
            "capacity: {{ $spec.count | int }}",
        ),
        (
            "open: true",
            "open: {{ if $spec.count }}true{{ else }}false{{ end }}",
        ),
        ("tier: Basic", "tier: {{ printf \"%s\" \"Basic\" | quote }}"),
        (
            "open: true",
            "# opne: {{ $spec.count }}\n              open: true",
        ),
    ] {
        assert_eq!(found(old, new), Vec::<String>::new(), "{new}");
    }
}

#[test]
fn keys_of_the_context_are_written_for_somebody() {
    let head = COMPOSITION
        .split("          {{-")
        .next()
        .unwrap_or_default();
    let written = format!(
        "{head}          apiVersion: meta.gotemplating.fn.crossplane.io/v1alpha1\n          kind: Context\n          data:\n            acme.example/zones:\n              north: {{{{ .observed.composite.resource.spec.region }}}}\n"
    );
    let told_of = |more: &str| {
        told(&[
            ("xrd.yaml", XRD.to_owned()),
            ("shop.yaml", format!("{written}{more}")),
        ])
    };
    let found = told_of("  - step: ready\n    functionRef: {name: function-auto-ready}\n");
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(
        found[0].starts_with("shop.yaml:19 check/context-unread"),
        "{found:#?}"
    );
    let reader = "  - step: more\n    functionRef: {name: function-go-templating}\n    input:\n      apiVersion: gotemplating.fn.crossplane.io/v1beta1\n      kind: GoTemplate\n      source: Inline\n      inline:\n        template: |\n          {{ $zones := index .context \"acme.example/zones\" }}\n";
    assert_eq!(told_of(reader), Vec::<String>::new());
    let unknown = "  - step: own\n    functionRef: {name: function-of-ours}\n";
    assert_eq!(told_of(unknown), Vec::<String>::new());
}

#[test]
fn names_of_resources_are_known_to_other_steps() {
    let sequencer = "  - step: order\n    functionRef: {name: function-sequencer}\n    input:\n      apiVersion: sequencer.fn.crossplane.io/v1beta1\n      kind: Input\n      rules: [{sequence: [first, secnd]}]\n";
    let one = COMPOSITION
        .split_inclusive("          ---\n")
        .next()
        .unwrap_or_default();
    let found = told(&[
        ("xrd.yaml", XRD.to_owned()),
        ("box.yaml", CRD.to_owned()),
        ("shop.yaml", format!("{one}{sequencer}")),
    ]);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].contains("check/no-resource") && found[0].contains("secnd"));
}
