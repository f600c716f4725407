//! Is this object of a built-in kind healthy?
//!
//! The rules of function-auto-ready, by the group, version and kind of what is observed.

use purlin_object::{Instant, ObjectRef, ValueRef};

use crate::lenient::{conditions, is_true, list, number, text};
use crate::typed::fits;

/// Group, version and kind of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gvk<'a> {
    pub(crate) group: &'a str,
    pub(crate) version: &'a str,
    pub(crate) kind: &'a str,
}

impl<'a> Gvk<'a> {
    /// What an object says it is; empty where it does not say it in the usual form.
    pub(crate) fn of(object: ObjectRef<'a>) -> Self {
        let api_version = text(object, &["apiVersion"]).unwrap_or_default();
        let (group, version) = match api_version.split_once('/') {
            None => ("", api_version),
            Some((group, version)) => (group, version),
        };
        if version.contains('/') {
            return Self {
                group: "",
                version: "",
                kind: "",
            };
        }
        let kind = text(object, &["kind"]).unwrap_or_default();
        Self {
            group,
            version,
            kind,
        }
    }
}

/// Whether a rule for the kind says that the object is healthy.
pub(crate) fn is_healthy(gvk: Gvk<'_>, object: ObjectRef<'_>) -> bool {
    match (gvk.group, gvk.version, gvk.kind) {
        ("", "v1", "ConfigMap" | "Secret" | "ServiceAccount" | "Namespace") => true,
        ("", "v1", "Service") => {
            text(object, &["spec", "type"]) != Some("LoadBalancer") || has_ingress(object)
        }
        ("", "v1", "Pod") => fits("Pod", object) && pod(object),
        ("", "v1", "PersistentVolumeClaim") => {
            fits("PersistentVolumeClaim", object) && phase(object) == Some("Bound")
        }
        ("apps", "v1", "Deployment") => deployment(object),
        ("apps", "v1", "StatefulSet") => stateful_set(object),
        ("apps", "v1", "DaemonSet") => daemon_set(object),
        ("apps", "v1", "ReplicaSet") => fits("ReplicaSet", object) && replica_set(object),
        ("batch", "v1", "Job") => fits("Job", object) && job(object),
        ("batch", "v1", "CronJob") => fits("CronJob", object) && cron_job(object),
        ("autoscaling", "v2", "HorizontalPodAutoscaler") => {
            fits("HorizontalPodAutoscaler", object) && autoscaler(object)
        }
        ("networking.k8s.io", "v1", "Ingress") => has_ingress(object),
        _ => false,
    }
}

fn phase(object: ObjectRef<'_>) -> Option<&str> {
    text(object, &["status", "phase"])
}

fn has_ingress(object: ObjectRef<'_>) -> bool {
    list(object, &["status", "loadBalancer", "ingress"]).is_some_and(|list| !list.is_empty())
}

fn pod(object: ObjectRef<'_>) -> bool {
    match phase(object) {
        Some("Succeeded") => true,
        Some("Running") => {
            text(object, &["spec", "restartPolicy"]) == Some("Always") && is_true(object, "Ready")
        }
        _ => false,
    }
}

fn replicas(object: ObjectRef<'_>) -> i64 {
    number(object, &["spec", "replicas"]).unwrap_or(1)
}

fn deployment(object: ObjectRef<'_>) -> bool {
    let wanted = Some(replicas(object));
    number(object, &["status", "updatedReplicas"]) == wanted
        && number(object, &["status", "availableReplicas"]) == wanted
        && is_true(object, "Available")
}

fn stateful_set(object: ObjectRef<'_>) -> bool {
    let wanted = Some(replicas(object));
    let revision = text(object, &["status", "currentRevision"]);
    number(object, &["status", "readyReplicas"]) == wanted
        && number(object, &["status", "currentReplicas"]) == wanted
        && revision.is_some()
        && revision == text(object, &["status", "updateRevision"])
}

fn daemon_set(object: ObjectRef<'_>) -> bool {
    let count = |name| number(object, &["status", name]);
    let wanted = count("desiredNumberScheduled");
    wanted.is_some()
        && ["numberReady", "updatedNumberScheduled", "numberAvailable"]
            .into_iter()
            .all(|name| count(name) == wanted)
}

fn replica_set(object: ObjectRef<'_>) -> bool {
    let zero = |path: &[&str]| number(object, path).unwrap_or(0);
    zero(&["status", "observedGeneration"]) >= zero(&["metadata", "generation"])
        && !is_true(object, "ReplicaFailure")
        && zero(&["status", "availableReplicas"]) >= replicas(object)
}

/// Complete, unless it failed or was suspended before that in the order of its conditions.
fn job(object: ObjectRef<'_>) -> bool {
    conditions(object)
        .filter(|(_, status)| *status == "True")
        .find_map(|(kind, _)| match kind {
            "Complete" => Some(true),
            "Failed" | "Suspended" => Some(false),
            _ => None,
        })
        .unwrap_or(false)
}

fn cron_job(object: ObjectRef<'_>) -> bool {
    if object.get_path(&["spec", "suspend"]) == Some(ValueRef::Bool(true)) {
        return true;
    }
    let time = |name| text(object, &["status", name]).and_then(Instant::parse);
    let Some(scheduled) = time("lastScheduleTime") else {
        return false;
    };
    list(object, &["status", "active"]).is_some_and(|active| !active.is_empty())
        || time("lastSuccessfulTime").is_some_and(|succeeded| succeeded >= scheduled)
}

/// The first condition that decides does.
fn autoscaler(object: ObjectRef<'_>) -> bool {
    conditions(object)
        .filter(|(_, status)| *status == "True")
        .find_map(|(kind, _)| match kind {
            "FailedGetScale"
            | "FailedUpdateScale"
            | "FailedGetResourceMetric"
            | "InvalidSelector" => Some(false),
            "ScalingActive" | "ScalingLimited" => Some(true),
            _ => None,
        })
        .unwrap_or(false)
}
