//! What is there? A composite, and managed resources as a provider leaves them.

use serde_json::{Value, json};

pub(super) fn composite() -> Value {
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
pub(super) fn observed(index: usize) -> Value {
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
                "crossplane.io/composition-resource-name": super::name(index),
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

#[cfg(test)]
mod tests {
    #[test]
    fn an_observed_resource_has_the_size_that_is_claimed() {
        let size = super::observed(7).to_string().len();
        assert!((2200..2400).contains(&size), "{size}");
    }
}
