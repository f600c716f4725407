//! The table columns of the built-in kinds.

use jiff::Timestamp;
use serde_json::Value;

use super::Which;
use crate::table::{age, column};

/// Name, type, priority.
type Head = (&'static str, &'static str, i64);

fn own(which: Which) -> &'static [Head] {
    match which {
        Which::Namespace => &[("Status", "string", 0), ("Age", "string", 0)],
        Which::ConfigMap => &[("Data", "string", 0), ("Age", "string", 0)],
        Which::Secret => &[
            ("Type", "string", 0),
            ("Data", "string", 0),
            ("Age", "string", 0),
        ],
        Which::ServiceAccount => &[("Secrets", "string", 0), ("Age", "string", 0)],
        Which::Event | Which::NewEvent => &[
            ("Last Seen", "string", 0),
            ("Type", "string", 0),
            ("Reason", "string", 0),
            ("Object", "string", 0),
            ("Subobject", "string", 1),
            ("Source", "string", 1),
            ("Message", "string", 0),
            ("First Seen", "string", 1),
            ("Count", "string", 1),
            ("Name", "string", 1),
        ],
        Which::Lease => &[("Holder", "string", 0), ("Age", "string", 0)],
        Which::RoleBinding | Which::ClusterRoleBinding => &[
            ("Role", "string", 0),
            ("Age", "string", 0),
            ("Users", "string", 1),
            ("Groups", "string", 1),
            ("ServiceAccounts", "string", 1),
        ],
        Which::Role | Which::ClusterRole | Which::Definition | Which::Review => {
            &[("Created At", "date", 0)]
        }
    }
}

/// The heads of a kind's table.
pub(crate) fn heads(which: Which) -> Vec<Value> {
    let name = column(
        "Name",
        "string",
        "name",
        "The name, unique among its kind.",
        0,
    );
    let rest = own(which)
        .iter()
        .map(|(name, holds, priority)| column(name, holds, "", "", *priority));
    if matches!(which, Which::Event | Which::NewEvent) {
        // The name of an event says little: it stands last, where it has the format of a name.
        let mut heads: Vec<Value> = rest.collect();
        if let Some(last) = heads.last_mut() {
            last["format"] = "name".into();
        }
        return heads;
    }
    std::iter::once(name).chain(rest).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn count(value: &Value) -> usize {
    value.as_object().map_or(0, serde_json::Map::len)
}

/// The cells of one object's row.
pub(crate) fn cells(which: Which, object: &Value, now: Timestamp) -> Vec<Value> {
    let name = object["metadata"]["name"].clone();
    let created = &object["metadata"]["creationTimestamp"];
    let since = age(created, now);
    match which {
        Which::Namespace => vec![name, text(&object["status"]["phase"]).into(), since],
        Which::ConfigMap => {
            let data = count(&object["data"]) + count(&object["binaryData"]);
            vec![name, data.to_string().into(), since]
        }
        Which::Secret => vec![
            name,
            text(&object["type"]).into(),
            count(&object["data"]).to_string().into(),
            since,
        ],
        Which::ServiceAccount => {
            let secrets = object["secrets"].as_array().map_or(0, Vec::len);
            vec![name, secrets.to_string().into(), since]
        }
        Which::Event | Which::NewEvent => event(which, object, now),
        Which::Lease => vec![name, text(&object["spec"]["holderIdentity"]).into(), since],
        Which::RoleBinding | Which::ClusterRoleBinding => binding(object, name, since),
        Which::Role | Which::ClusterRole | Which::Definition | Which::Review => {
            vec![name, created.clone()]
        }
    }
}

fn binding(object: &Value, name: Value, since: Value) -> Vec<Value> {
    let reference = &object["roleRef"];
    let role = format!("{}/{}", text(&reference["kind"]), text(&reference["name"]));
    let subjects = |kind: &str| {
        let all = object["subjects"].as_array().into_iter().flatten();
        let names = all
            .filter(|s| s["kind"].as_str() == Some(kind))
            .map(|s| match s["namespace"].as_str() {
                Some(namespace) if !namespace.is_empty() => {
                    format!("{namespace}/{}", text(&s["name"]))
                }
                _ => text(&s["name"]).to_owned(),
            });
        Value::from(names.collect::<Vec<_>>().join(", "))
    };
    vec![
        name,
        role.into(),
        since,
        subjects("User"),
        subjects("Group"),
        subjects("ServiceAccount"),
    ]
}

fn event(which: Which, object: &Value, now: Timestamp) -> Vec<Value> {
    let new = which == Which::NewEvent;
    let field = |core: &str, other: &str| &object[if new { other } else { core }];
    let about = field("involvedObject", "regarding");
    let source = field("source", "deprecatedSource");
    let first_of = |times: &[&Value]| {
        let time = times.iter().find(|t| t.is_string());
        time.map_or_else(|| "<unknown>".into(), |t| age(t, now))
    };
    let series = &object["series"];
    let seen = first_of(&[
        &series["lastObservedTime"],
        field("lastTimestamp", "deprecatedLastTimestamp"),
        &object["eventTime"],
        field("firstTimestamp", "deprecatedFirstTimestamp"),
    ]);
    let first = first_of(&[
        field("firstTimestamp", "deprecatedFirstTimestamp"),
        &object["eventTime"],
    ]);
    let count = series["count"]
        .as_i64()
        .or_else(|| field("count", "deprecatedCount").as_i64())
        .unwrap_or(1);
    let reporter = match text(&source["component"]) {
        "" => text(field("reportingComponent", "reportingController")),
        component => component,
    };
    let reporter = match text(&source["host"]) {
        "" => reporter.to_owned(),
        host => format!("{reporter}, {host}"),
    };
    let target = format!(
        "{}/{}",
        text(&about["kind"]).to_lowercase(),
        text(&about["name"])
    );
    vec![
        seen,
        text(&object["type"]).into(),
        text(&object["reason"]).into(),
        target.into(),
        text(&about["fieldPath"]).into(),
        reporter.into(),
        text(field("message", "note")).trim().into(),
        first,
        count.to_string().into(),
        object["metadata"]["name"].clone(),
    ]
}
