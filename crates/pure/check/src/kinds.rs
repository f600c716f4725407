//! Is the kind of an object one that its group has?

use purlin_diag::{Code, Diagnostic, Severity, nearest};
use serde_json::Value;

use crate::Report;
use crate::compose::close;
use crate::set::{Defined, Origin, Set, group_version};

/// Checks the apiVersion and kind of an object that stands at `at`. Groups of which nothing is known say nothing.
pub(crate) fn check(set: &Set, file: &str, object: &Value, at: &str, report: &mut Report<'_>) {
    let text = |field: &str| {
        object[field]
            .as_str()
            .filter(|text| !text.contains(['$', '{']))
    };
    let (Some(api_version), Some(kind)) = (text("apiVersion"), text("kind")) else {
        return;
    };
    let place = |field: &str| crate::join(at, field);
    let (group, version) = group_version(api_version);
    if set.versions_of(group, kind).next().is_some() {
        let versions = set.near_versions(group, kind, file);
        if let Some(finding) = wrong_version(group, kind, version, &versions) {
            report.at(&place("apiVersion"), finding);
        }
        return;
    }
    let own = builtin(group);
    if own.contains(&kind) {
        return;
    }
    let near = nearest(kind, set.kinds_of(group).chain(own.iter().copied()));
    let near = near.filter(|near| close(near, kind) && !differ_by_x(near, kind));
    if let Some(near) = near {
        let message = format!("{group} has no kind {kind}");
        let finding = Diagnostic::error("check/unknown-kind", message);
        report.at(
            &place("kind"),
            finding.help(format!("did you mean `{near}`?")),
        );
        return;
    }
    if set.kinds_of(group).next().is_some() || set.is_broken(group, kind) {
        return;
    }
    let mut groups = set
        .defined
        .iter()
        .filter(|one| one.kind == kind && one.group.contains('.'));
    if let Some(near) = groups.find(|one| strsim::damerau_levenshtein(&one.group, group) == 1) {
        let message = format!("there is no group {group}");
        let finding = Diagnostic::error("check/unknown-kind", message);
        let help = format!("did you mean `{}`?", near.group);
        report.at(&place("apiVersion"), finding.help(help));
    }
}

/// A version that is not there, or not for long.
fn wrong_version(
    group: &str,
    kind: &str,
    version: &str,
    versions: &[&Defined],
) -> Option<Diagnostic> {
    if versions.is_empty() {
        return None;
    }
    let Some(one) = versions.iter().find(|one| one.version == version) else {
        let mut finding = no_version(group, kind, version, versions);
        // Crossplane's own kinds have other versions in other versions of it.
        if versions.iter().all(|one| one.origin == Origin::Engine) {
            if is_older(group, version) {
                finding.severity = Severity::Note;
                finding.code = Code("check/deprecated");
            }
        } else if versions.iter().all(|one| one.origin == Origin::Known) {
            // What is kept may be of another version of the provider.
            finding.severity = Severity::Warning;
        }
        return Some(finding);
    };
    if !one.deprecated {
        return None;
    }
    let message = format!("the version {version} of {kind} is deprecated");
    let finding = Diagnostic::note("check/deprecated", message);
    let newer: Vec<&str> = versions
        .iter()
        .filter(|one| !one.deprecated)
        .map(|one| one.version.as_str())
        .collect();
    Some(match newer.as_slice() {
        [] => finding,
        newer => finding.help(format!("there is {}", newer.join(", "))),
    })
}

/// Kinds that every Kubernetes has.
fn builtin(group: &str) -> &'static [&'static str] {
    match group {
        "" => &[
            "ConfigMap",
            "Endpoints",
            "Event",
            "LimitRange",
            "List",
            "Namespace",
            "Node",
            "PersistentVolume",
            "PersistentVolumeClaim",
            "Pod",
            "PodTemplate",
            "ReplicationController",
            "ResourceQuota",
            "Secret",
            "Service",
            "ServiceAccount",
        ],
        "apps" => &[
            "ControllerRevision",
            "DaemonSet",
            "Deployment",
            "ReplicaSet",
            "StatefulSet",
        ],
        "batch" => &["CronJob", "Job"],
        "autoscaling" => &["HorizontalPodAutoscaler", "Scale"],
        "policy" => &["Eviction", "PodDisruptionBudget", "PodSecurityPolicy"],
        "networking.k8s.io" => &[
            "IPAddress",
            "Ingress",
            "IngressClass",
            "NetworkPolicy",
            "ServiceCIDR",
        ],
        "rbac.authorization.k8s.io" => {
            &["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"]
        }
        "storage.k8s.io" => &[
            "CSIDriver",
            "CSINode",
            "CSIStorageCapacity",
            "StorageClass",
            "VolumeAttachment",
            "VolumeAttributesClass",
        ],
        _ => &[],
    }
}

/// Whether a version is one that Crossplane's kinds had, or will have.
fn is_older(group: &str, version: &str) -> bool {
    matches!(version, "v1alpha1" | "v1alpha2" | "v1beta1" | "v1")
        || group == "apiextensions.crossplane.io" && version == "v2"
}

/// Whether one is the usual name of the composites of the other.
pub(crate) fn differ_by_x(one: &str, other: &str) -> bool {
    one.strip_prefix('X') == Some(other) || other.strip_prefix('X') == Some(one)
}

/// A version that a kind does not have.
pub(crate) fn no_version(
    group: &str,
    kind: &str,
    version: &str,
    versions: &[&Defined],
) -> Diagnostic {
    let mut known: Vec<&str> = versions.iter().map(|one| one.version.as_str()).collect();
    known.dedup();
    let message = format!("{kind} of {group} has no version {version}");
    Diagnostic::error("check/unknown-version", message).help(format!("it has {}", known.join(", ")))
}
