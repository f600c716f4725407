//! What is wanted? The same resources, in the words of each function.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::name;

/// What every resource starts from.
fn base() -> Value {
    json!({
        "apiVersion": "s3.aws.upbound.io/v1beta2",
        "kind": "Bucket",
        "spec": {
            "deletionPolicy": "Delete",
            "forProvider": {"forceDestroy": false, "objectLockEnabled": false, "region": "us-east-1", "tags": {"managed-by": "crossplane"}},
            "providerConfigRef": {"name": "default"}
        }
    })
}

/// Templates of patch-and-transform: the first eight patches are copies, a map, a format, a combination, and one back to the
/// composite; more are copies.
pub(super) fn patches(resources: usize, patches: usize) -> Value {
    let resources: Vec<Value> = (0..resources)
        .map(|index| {
            let patches: Vec<Value> = (0..patches).map(|number| patch(index, number)).collect();
            json!({"name": name(index), "base": base(), "patches": patches})
        })
        .collect();
    json!({"apiVersion": "pt.fn.crossplane.io/v1beta1", "kind": "Resources", "resources": resources})
}

fn patch(index: usize, number: usize) -> Value {
    let copy = |from: &str, to: &str| json!({"type": "FromCompositeFieldPath", "fromFieldPath": from, "toFieldPath": to});
    match number {
        0 => copy("spec.region", "spec.forProvider.region"),
        1 => copy("spec.owner.team", "metadata.labels.team"),
        2 => copy("spec.owner.costCentre", "spec.forProvider.tags.costCentre"),
        3 => copy(
            "metadata.annotations[example.org/request]",
            "metadata.annotations[example.org/request]",
        ),
        4 => json!({
            "type": "FromCompositeFieldPath", "fromFieldPath": "spec.size", "toFieldPath": "spec.forProvider.tags.size",
            "transforms": [{"type": "map", "map": {"small": "s", "medium": "m", "large": "l"}}]
        }),
        5 => json!({
            "type": "FromCompositeFieldPath", "fromFieldPath": "spec.parameters.environment", "toFieldPath": "spec.forProvider.tags.environment",
            "transforms": [{"type": "string", "string": {"type": "Format", "fmt": format!("%s-{index}")}}]
        }),
        6 => json!({
            "type": "CombineFromComposite", "toFieldPath": "spec.forProvider.tags.name",
            "combine": {"strategy": "string", "variables": [{"fromFieldPath": "metadata.name"}, {"fromFieldPath": "spec.parameters.tier"}], "string": {"fmt": "%s-%s"}}
        }),
        7 => json!({
            "type": "ToCompositeFieldPath", "fromFieldPath": "status.atProvider.arn", "toFieldPath": format!("status.buckets.{}", name(index))
        }),
        _ => copy(
            "spec.owner.team",
            &format!("spec.forProvider.tags.more{number}"),
        ),
    }
}

pub(super) fn auto_ready() -> Value {
    json!({"apiVersion": "autoready.fn.crossplane.io/v1beta1", "kind": "Input"})
}

pub(super) fn pipeline<const N: usize>(steps: [(&str, Value); N]) -> Value {
    let steps = steps.map(|(step, input)| json!({"step": step, "input": input}));
    json!({"apiVersion": "pipeline.fn.purlin.dev/v1alpha1", "kind": "Pipeline", "steps": steps.to_vec()})
}

pub(super) fn blueprint(resources: usize) -> Value {
    let mut buckets = serde_json::Map::new();
    let resources: Vec<Value> = (0..resources)
        .map(|index| {
            let name = name(index);
            let variable = name.replace('-', "_");
            buckets.insert(name.clone(), json!(format!("${{{variable}.status.atProvider.arn}}")));
            json!({
                "name": name,
                "manifest": {
                    "apiVersion": "s3.aws.upbound.io/v1beta2",
                    "kind": "Bucket",
                    "metadata": {
                        "labels": {"team": "${xr.spec.owner.team}"},
                        "annotations": {"example.org/request": "${xr.metadata.annotations['example.org/request']}"}
                    },
                    "spec": {
                        "deletionPolicy": "Delete",
                        "forProvider": {
                            "forceDestroy": false, "objectLockEnabled": false, "region": "${xr.spec.region}",
                            "tags": {
                                "managed-by": "crossplane",
                                "costCentre": "${xr.spec.owner.costCentre}",
                                "size": "${{'small': 's', 'medium': 'm', 'large': 'l'}[xr.spec.size]}",
                                "environment": format!("${{xr.spec.parameters.environment}}-{index}"),
                                "name": "${xr.metadata.name}-${xr.spec.parameters.tier}"
                            }
                        },
                        "providerConfigRef": {"name": "default"}
                    }
                }
            })
        })
        .collect();
    json!({
        "apiVersion": "blueprint.fn.purlin.dev/v1alpha1",
        "kind": "Blueprint",
        "resources": resources,
        "status": {"buckets": buckets}
    })
}

/// One loop, as people write it.
pub(super) fn template(resources: usize) -> Value {
    let mut text = String::from(BEFORE);
    write!(text, "{{{{- range $i := until {resources} }}}}").expect("a String takes all of it");
    text.push_str(RESOURCE);
    text.push_str(STATUS);
    write!(text, "{{{{- range $i := until {resources} }}}}").expect("a String takes all of it");
    text.push_str(BUCKET);
    json!({
        "apiVersion": "gotemplating.fn.crossplane.io/v1beta1",
        "kind": "GoTemplate",
        "source": "Inline",
        "inline": {"template": text}
    })
}

const BEFORE: &str = r#"{{- $xr := .observed.composite.resource }}
{{- $sizes := dict "small" "s" "medium" "m" "large" "l" }}
"#;

const RESOURCE: &str = r#"
{{- $name := printf "bucket-%03d" $i }}
---
apiVersion: s3.aws.upbound.io/v1beta2
kind: Bucket
metadata:
  annotations:
    gotemplating.fn.crossplane.io/composition-resource-name: {{ $name }}
    example.org/request: {{ index $xr.metadata.annotations "example.org/request" | quote }}
  labels:
    team: {{ $xr.spec.owner.team }}
spec:
  deletionPolicy: Delete
  forProvider:
    forceDestroy: false
    objectLockEnabled: false
    region: {{ $xr.spec.region }}
    tags:
      managed-by: crossplane
      costCentre: {{ $xr.spec.owner.costCentre }}
      size: {{ get $sizes $xr.spec.size }}
      environment: {{ $xr.spec.parameters.environment }}-{{ $i }}
      name: {{ $xr.metadata.name }}-{{ $xr.spec.parameters.tier }}
  providerConfigRef:
    name: default
{{- end }}
"#;

const STATUS: &str = r"---
apiVersion: platform.example.org/v1alpha1
kind: XStorage
status:
  buckets:
";

const BUCKET: &str = r#"
{{- $name := printf "bucket-%03d" $i }}
    {{ $name }}: {{ (index $.observed.resources $name).resource.status.atProvider.arn }}
{{- end }}
"#;
