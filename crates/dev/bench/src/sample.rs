//! Requests as a cluster sends them: a composite, N observed resources of 2.3 KB, and an input with 8 patches for each.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use prost::Message as _;
use purlin_object::Object;
use purlin_proto::v1::{Resource, RunFunctionRequest, State};
use serde_json::{Value, json};

/// What is replaced in each request: a word of digits, the same length as its marker.
const MARKER: &[u8] = b"0000000000";

/// An encoded request, different each time.
#[derive(Debug)]
pub(crate) struct Requests {
    template: Vec<u8>,
    places: Vec<usize>,
    next: AtomicU64,
}

impl Requests {
    /// Requests with this many composed resources.
    pub(crate) fn new(resources: usize) -> anyhow::Result<Self> {
        let template = request(resources)?.encode_to_vec();
        let places: Vec<usize> = template
            .windows(MARKER.len())
            .enumerate()
            .filter(|(_, window)| *window == MARKER)
            .map(|(place, _)| place)
            .collect();
        anyhow::ensure!(places.len() > resources, "every resource has a marker");
        Ok(Self {
            template,
            places,
            next: AtomicU64::new(1),
        })
    }

    /// How large each is.
    pub(crate) fn len(&self) -> usize {
        self.template.len()
    }

    /// The next one. The composite and every observed resource differ from all others.
    pub(crate) fn next(&self) -> Bytes {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let digits = format!("{number:0width$}", width = MARKER.len());
        let mut request = self.template.clone();
        for &place in &self.places {
            if let Some(marker) = request.get_mut(place..place + MARKER.len()) {
                marker.copy_from_slice(digits.as_bytes());
            }
        }
        request.into()
    }
}

fn request(resources: usize) -> anyhow::Result<RunFunctionRequest> {
    let observed: anyhow::Result<_> = (0..resources)
        .map(|index| Ok((name(index), resource(observed(index))?)))
        .collect();
    let mut request = RunFunctionRequest {
        observed: Some(State {
            composite: Some(resource(composite())?),
            resources: observed?,
        }),
        input: Some(Object::from_json(input(resources))?),
        ..RunFunctionRequest::default()
    };
    "0000000000".clone_into(&mut request.meta.get_or_insert_default().tag);
    Ok(request)
}

fn resource(object: Value) -> anyhow::Result<Resource> {
    Ok(Resource {
        resource: Some(Object::from_json(object)?),
        ..Resource::default()
    })
}

fn name(index: usize) -> String {
    format!("bucket-{index:03}")
}

fn composite() -> Value {
    json!({
        "apiVersion": "platform.example.org/v1alpha1",
        "kind": "XStorage",
        "metadata": {
            "name": "storage-x7k2p",
            "uid": "7c9f6c1e-3b0e-4a2c-9b7e-0d7f4a9c2b11",
            "resourceVersion": "0000000000",
            "generation": 3,
            "labels": {"crossplane.io/claim-name": "storage", "crossplane.io/claim-namespace": "team-a", "crossplane.io/composite": "storage-x7k2p"},
            "annotations": {"example.org/request": "0000000000"}
        },
        "spec": {
            "region": "eu-west-1",
            "size": "medium",
            "versioning": true,
            "retentionDays": 30,
            "owner": {"team": "payments", "costCentre": "cc-0000000000"},
            "parameters": {"environment": "staging", "tier": "gold", "replicas": 3},
            "compositionRef": {"name": "storage"}
        },
        "status": {"conditions": [{"type": "Ready", "status": "True", "reason": "Available", "lastTransitionTime": "2026-01-01T00:00:00Z"}]}
    })
}

/// A managed resource as a provider leaves it, 2.3 KB as JSON.
fn observed(index: usize) -> Value {
    let bucket = format!("storage-x7k2p-{index:03}-qwert");
    let arn = format!("arn:aws:s3:::{bucket}");
    let conditions: Vec<Value> = ["Ready", "Synced"]
        .iter()
        .map(|kind| json!({"type": kind, "status": "True", "reason": "ReconcileSuccess", "lastTransitionTime": "2026-01-01T00:00:00Z", "observedGeneration": 2}))
        .collect();
    json!({
        "apiVersion": "s3.aws.upbound.io/v1beta2",
        "kind": "Bucket",
        "metadata": {
            "name": bucket,
            "generateName": "storage-x7k2p-",
            "uid": format!("11111111-2222-3333-4444-{index:012}"),
            "resourceVersion": "0000000000",
            "generation": 2,
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "labels": {"crossplane.io/claim-name": "storage", "crossplane.io/claim-namespace": "team-a", "crossplane.io/composite": "storage-x7k2p", "team": "payments"},
            "annotations": {
                "crossplane.io/composition-resource-name": name(index),
                "crossplane.io/external-name": bucket,
                "crossplane.io/external-create-pending": "2026-01-01T00:00:00Z",
                "crossplane.io/external-create-succeeded": "2026-01-01T00:00:01Z"
            },
            "finalizers": ["finalizer.managedresource.crossplane.io"],
            "ownerReferences": [{"apiVersion": "platform.example.org/v1alpha1", "kind": "XStorage", "name": "storage-x7k2p", "uid": "7c9f6c1e-3b0e-4a2c-9b7e-0d7f4a9c2b11", "controller": true, "blockOwnerDeletion": true}]
        },
        "spec": {
            "deletionPolicy": "Delete",
            "managementPolicies": ["*"],
            "forProvider": {
                "region": "eu-west-1",
                "forceDestroy": false,
                "objectLockEnabled": false,
                "tags": {"crossplane-kind": "bucket.s3.aws.upbound.io", "crossplane-name": bucket, "crossplane-providerconfig": "default", "team": "payments", "costCentre": "cc-0000000000"}
            },
            "initProvider": {},
            "providerConfigRef": {"name": "default"}
        },
        "status": {
            "atProvider": {
                "accelerationStatus": "", "arn": arn, "bucket": bucket,
                "bucketDomainName": format!("{bucket}.s3.amazonaws.com"),
                "bucketRegionalDomainName": format!("{bucket}.s3.eu-west-1.amazonaws.com"),
                "corsRule": [], "forceDestroy": false,
                "grant": [{"id": "0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9", "permissions": ["FULL_CONTROL"], "type": "CanonicalUser", "uri": ""}],
                "hostedZoneId": "Z1BKCTXD74EZPE", "id": bucket, "lifecycleRule": [], "logging": [],
                "objectLockConfiguration": [], "objectLockEnabled": false, "policy": "", "replicationConfiguration": [],
                "requestPayer": "BucketOwner",
                "versioning": [{"enabled": false, "mfaDelete": false}],
                "website": []
            },
            "conditions": conditions,
            "observedGeneration": 2
        }
    })
}

fn input(resources: usize) -> Value {
    let resources: Vec<Value> = (0..resources).map(template).collect();
    json!({
        "apiVersion": "pt.fn.crossplane.io/v1beta1",
        "kind": "Resources",
        "resources": resources
    })
}

/// A template with 8 patches: copies, a format, a map, a combination, and one back to the composite.
fn template(index: usize) -> Value {
    json!({
        "name": name(index),
        "base": {
            "apiVersion": "s3.aws.upbound.io/v1beta2",
            "kind": "Bucket",
            "spec": {
                "deletionPolicy": "Delete",
                "forProvider": {"forceDestroy": false, "objectLockEnabled": false, "region": "us-east-1", "tags": {"managed-by": "crossplane"}},
                "providerConfigRef": {"name": "default"}
            }
        },
        "patches": [
            {"type": "FromCompositeFieldPath", "fromFieldPath": "spec.region", "toFieldPath": "spec.forProvider.region"},
            {"type": "FromCompositeFieldPath", "fromFieldPath": "spec.owner.team", "toFieldPath": "metadata.labels.team"},
            {"type": "FromCompositeFieldPath", "fromFieldPath": "spec.owner.costCentre", "toFieldPath": "spec.forProvider.tags.costCentre"},
            {"type": "FromCompositeFieldPath", "fromFieldPath": "metadata.annotations[example.org/request]", "toFieldPath": "metadata.annotations[example.org/request]"},
            {"type": "FromCompositeFieldPath", "fromFieldPath": "spec.size", "toFieldPath": "spec.forProvider.tags.size",
             "transforms": [{"type": "map", "map": {"small": "s", "medium": "m", "large": "l"}}]},
            {"type": "FromCompositeFieldPath", "fromFieldPath": "spec.parameters.environment", "toFieldPath": "spec.forProvider.tags.environment",
             "transforms": [{"type": "string", "string": {"type": "Format", "fmt": format!("%s-{index}")}}]},
            {"type": "CombineFromComposite", "toFieldPath": "spec.forProvider.tags.name",
             "combine": {"strategy": "string", "variables": [{"fromFieldPath": "metadata.name"}, {"fromFieldPath": "spec.parameters.tier"}], "string": {"fmt": "%s-%s"}}},
            {"type": "ToCompositeFieldPath", "fromFieldPath": "status.atProvider.arn", "toFieldPath": format!("status.buckets.{}", name(index))}
        ]
    })
}

#[cfg(test)]
mod tests {
    use super::{Requests, observed};

    #[test]
    fn requests_differ_and_have_the_size_that_is_claimed() {
        let size = observed(7).to_string().len();
        assert!((2200..2400).contains(&size), "{size}");
        let requests = Requests::new(10).unwrap();
        assert_ne!(requests.next(), requests.next());
    }
}
