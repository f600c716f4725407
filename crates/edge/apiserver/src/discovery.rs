//! Discovery: which groups, versions and resources there are.

use serde_json::{Value, json};

use crate::kinds::Which;
use crate::registry::{Catalog, Resource, api_version};

/// A subresource: name, kind, group, version, verbs.
type Part = (
    &'static str,
    String,
    &'static str,
    &'static str,
    &'static [&'static str],
);

const WRITE: &[&str] = &["get", "patch", "update"];

fn parts(resource: &Resource) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let which = resource.builtin().map(|b| b.which);
    if which == Some(Which::Namespace) {
        parts.push(("finalize", resource.kind.clone(), "", "", &["update"]));
    }
    if resource.custom().is_some_and(|c| c.scale.is_some()) {
        parts.push(("scale", "Scale".into(), "autoscaling", "v1", WRITE));
    }
    if resource.has_status() {
        parts.push(("status", resource.kind.clone(), "", "", WRITE));
    }
    if which == Some(Which::ServiceAccount) {
        parts.push((
            "token",
            "TokenRequest".into(),
            "authentication.k8s.io",
            "v1",
            &["create"],
        ));
    }
    parts
}

/// `/api` or, for everything but the core group, `/apis`, in the aggregated form.
pub(crate) fn aggregated(catalog: &Catalog, core: bool) -> Value {
    let items: Vec<Value> = catalog
        .groups()
        .into_iter()
        .filter(|(group, _)| group.is_empty() == core)
        .map(|(group, versions)| {
            let versions: Vec<Value> = versions
                .iter()
                .map(|(version, resources)| {
                    let resources: Vec<Value> =
                        resources.iter().map(|r| aggregated_resource(r)).collect();
                    json!({"version": version, "resources": resources, "freshness": "Current"})
                })
                .collect();
            let metadata = if group.is_empty() {
                json!({})
            } else {
                json!({"name": group})
            };
            json!({"metadata": metadata, "versions": versions})
        })
        .collect();
    json!({
        "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {}, "items": items,
    })
}

fn aggregated_resource(resource: &Resource) -> Value {
    // Built-in kinds answer with an empty group and version here, custom ones with their own.
    let own = resource.custom().is_some();
    let kind = |kind: &str, group: &str, version: &str| {
        json!({
            "group": if own && group.is_empty() { &resource.group } else { group },
            "version": if own && version.is_empty() { &resource.version } else { version },
            "kind": kind,
        })
    };
    let mut out = json!({
        "resource": resource.plural,
        "responseKind": kind(&resource.kind, "", ""),
        "scope": if resource.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": resource.singular,
        "verbs": resource.verbs(),
    });
    if !resource.short_names.is_empty() {
        out["shortNames"] = json!(resource.short_names);
    }
    if !resource.categories.is_empty() {
        out["categories"] = json!(resource.categories);
    }
    let parts: Vec<Value> = parts(resource)
        .into_iter()
        .map(|(name, kind_name, group, version, verbs)| {
            json!({"subresource": name, "responseKind": kind(&kind_name, group, version), "verbs": verbs})
        })
        .collect();
    if !parts.is_empty() {
        out["subresources"] = parts.into();
    }
    out
}

fn addresses(host: &str) -> Value {
    json!([{"clientCIDR": "0.0.0.0/0", "serverAddress": host}])
}

/// `/api` in the old form.
pub(crate) fn core_versions(host: &str) -> Value {
    json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": addresses(host)})
}

fn versions(group: &str, versions: &[String]) -> (Value, Value) {
    let shown: Vec<Value> = versions
        .iter()
        .map(|v| json!({"groupVersion": api_version(group, v), "version": v}))
        .collect();
    let preferred = shown.first().cloned().unwrap_or_default();
    (shown.into(), preferred)
}

/// `/apis` in the old form.
pub(crate) fn groups(catalog: &Catalog, host: &str) -> Value {
    let groups: Vec<Value> = catalog
        .groups()
        .into_iter()
        .filter(|(group, _)| !group.is_empty())
        .map(|(group, found)| {
            let names: Vec<String> = found.into_iter().map(|(v, _)| v).collect();
            let (versions, preferred) = versions(&group, &names);
            let mut shown =
                json!({"name": group, "versions": versions, "preferredVersion": preferred});
            shown["serverAddressByClientCIDRs"] = addresses(host);
            shown
        })
        .collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

/// `/apis/{group}`.
pub(crate) fn group(catalog: &Catalog, group: &str) -> Option<Value> {
    let groups = catalog.groups();
    let (_, found) = groups.into_iter().find(|(name, _)| name == group)?;
    let names: Vec<String> = found.into_iter().map(|(v, _)| v).collect();
    let (versions, preferred) = versions(group, &names);
    Some(json!({
        "kind": "APIGroup", "apiVersion": "v1", "name": group,
        "versions": versions, "preferredVersion": preferred,
    }))
}

/// `/api/v1` or `/apis/{group}/{version}`.
pub(crate) fn resources(catalog: &Catalog, group: &str, version: &str) -> Option<Value> {
    let groups = catalog.groups();
    let (_, versions) = groups.into_iter().find(|(name, _)| name == group)?;
    let (_, found) = versions.into_iter().find(|(name, _)| name == version)?;
    let mut list = Vec::new();
    for resource in found {
        let mut shown = json!({
            "name": resource.plural,
            "singularName": resource.singular,
            "namespaced": resource.namespaced,
            "kind": resource.kind,
            "verbs": resource.verbs(),
        });
        if !resource.short_names.is_empty() {
            shown["shortNames"] = json!(resource.short_names);
        }
        if !resource.categories.is_empty() {
            shown["categories"] = json!(resource.categories);
        }
        list.push(shown);
        for (name, kind, group, version, verbs) in parts(&resource) {
            let mut shown = json!({
                "name": format!("{}/{name}", resource.plural),
                "singularName": "",
                "namespaced": resource.namespaced,
                "kind": kind,
                "verbs": verbs,
            });
            if !group.is_empty() {
                shown["group"] = group.into();
                shown["version"] = version.into();
            }
            list.push(shown);
        }
    }
    Some(json!({
        "kind": "APIResourceList", "apiVersion": "v1",
        "groupVersion": api_version(group, version), "resources": list,
    }))
}
