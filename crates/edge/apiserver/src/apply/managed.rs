//! `metadata.managedFields`: read, kept within bounds, and written back in the order Kubernetes uses.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::set::Set;
use super::updater::{self, Conflicts, Managers, Owned, Rules};
use super::{conflict, typed};
use crate::failure::{Failure, Outcome};

/// More Update entries than this are folded into one manager.
const MOST_UPDATERS: usize = 10;
const OLD_UPDATERS: &str = "ancient-changes";
const BEFORE_FIRST_APPLY: &str = "before-first-apply";
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Identifies an entry. Update entries of different versions are different managers; Apply entries are not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ManagerId {
    pub applied: bool,
    pub name: String,
    /// The version of an Update entry; empty for Apply.
    pub version: String,
    pub subresource: String,
    /// The entry of the request at hand, before it is joined with an older one.
    pub current: bool,
}

impl ManagerId {
    pub(crate) fn new(name: &str, applied: bool, version: &str, subresource: &str) -> Self {
        Self {
            applied,
            name: if name.is_empty() {
                "unknown".into()
            } else {
                name.into()
            },
            version: if applied {
                String::new()
            } else {
                version.into()
            },
            subresource: subresource.into(),
            current: false,
        }
    }
}

/// All entries of an object, with the time each was last changed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Managed {
    pub managers: Managers,
    pub times: BTreeMap<ManagerId, String>,
}

/// Who writes, through what, and when.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    pub manager: String,
    pub subresource: String,
    pub now: String,
}

fn parse(entries: &Value) -> Option<Managed> {
    let mut managed = Managed::default();
    for entry in entries.as_array()? {
        let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
        let applied = match text("operation") {
            "Apply" => true,
            "Update" => false,
            _ => return None,
        };
        if text("fieldsType") != "FieldsV1" && !text("fieldsType").is_empty() {
            return None;
        }
        let id = ManagerId::new(
            text("manager"),
            applied,
            text("apiVersion"),
            text("subresource"),
        );
        let set = match entry.get("fieldsV1") {
            Some(fields) => Set::parse(fields)?,
            None => Set::default(),
        };
        let version = text("apiVersion").to_owned();
        managed.managers.insert(id.clone(), Owned { set, version });
        if let Some(time) = entry.get("time").and_then(Value::as_str) {
            managed.times.insert(id, time.to_owned());
        }
    }
    Some(managed)
}

fn entries_of(object: &Value) -> Option<&Value> {
    object
        .pointer("/metadata/managedFields")
        .filter(|v| !v.is_null())
}

/// The entries of a stored object.
pub(crate) fn read(object: &Value) -> Managed {
    entries_of(object).and_then(parse).unwrap_or_default()
}

/// Takes the entries out of an object.
pub(crate) fn strip(object: &mut Value) {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
}

/// The entries to begin an update with: the live ones, unless the request carries a valid list of its own.
fn live_or_new(live: &Value, new: &Value, subresource: bool) -> Managed {
    if subresource {
        return read(live);
    }
    let Some(Value::Array(sent)) = entries_of(new) else {
        return read(live);
    };
    if let [Value::Object(only)] = sent.as_slice()
        && only.is_empty()
    {
        return Managed::default();
    }
    match entries_of(new).and_then(parse) {
        Some(managed) if !managed.managers.is_empty() => managed,
        _ => read(live),
    }
}

fn without_entries(object: &Value) -> Value {
    let mut copy = object.clone();
    strip(&mut copy);
    copy
}

/// Never owned by anybody.
fn stripped() -> Set {
    Set::of(&[
        &["apiVersion"],
        &["kind"],
        &["metadata"],
        &["metadata", "name"],
        &["metadata", "namespace"],
        &["metadata", "creationTimestamp"],
        &["metadata", "selfLink"],
        &["metadata", "uid"],
        &["metadata", "clusterName"],
        &["metadata", "generation"],
        &["metadata", "managedFields"],
        &["metadata", "resourceVersion"],
    ])
}

impl Managed {
    fn strip_manager(&mut self, id: &ManagerId) {
        if let Some(owned) = self.managers.get_mut(id) {
            owned.set = owned.set.difference(&stripped());
            if owned.set.is_empty() {
                self.managers.remove(id);
            }
        }
    }

    /// Joins the entry of the request at hand with an older one of the same identity.
    fn join(&mut self, current: &ManagerId, writer: &Writer) {
        let Some(owned) = self.managers.remove(current) else {
            return;
        };
        let id = ManagerId {
            current: false,
            ..current.clone()
        };
        if let Some(previous) = self.managers.get_mut(&id) {
            let joined = owned.set.union(&previous.set);
            if joined != previous.set {
                self.times.insert(id.clone(), writer.now.clone());
            }
            previous.set = joined;
            previous.version = owned.version;
        } else {
            self.times.insert(id.clone(), writer.now.clone());
            self.managers.insert(id, owned);
        }
    }

    /// Folds the oldest Update entries together when there are too many.
    fn cap(&mut self) {
        let mut updaters: Vec<ManagerId> = self
            .managers
            .keys()
            .filter(|id| !id.applied)
            .cloned()
            .collect();
        let mut count = updaters.len();
        if count <= MOST_UPDATERS {
            return;
        }
        updaters.sort_by(|a, b| {
            self.times
                .get(a)
                .cmp(&self.times.get(b))
                .then_with(|| a.cmp(b))
        });
        let mut firsts: BTreeMap<String, ManagerId> = BTreeMap::new();
        for id in updaters {
            if count <= MOST_UPDATERS {
                return;
            }
            let Some(version) = self.managers.get(&id).map(|o| o.version.clone()) else {
                continue;
            };
            let Some(first) = firsts.get(&version) else {
                firsts.insert(version, id);
                continue;
            };
            let bucket = ManagerId::new(OLD_UPDATERS, false, &version, "");
            if !self.managers.contains_key(&bucket)
                && let Some(owned) = self.managers.remove(first)
            {
                self.managers.insert(bucket.clone(), owned);
            }
            let Some(folded) = self.managers.remove(&id) else {
                continue;
            };
            if let Some(owned) = self.managers.get_mut(&bucket) {
                owned.set = owned.set.union(&folded.set);
            }
            if let Some(time) = self.times.get(&id).cloned() {
                self.times.insert(bucket, time);
            }
            count -= 1;
        }
    }

    /// Writes the entries into an object.
    fn write(&self, object: &mut Value) {
        let mut list: Vec<(bool, Option<&String>, &ManagerId, &Owned)> = self
            .managers
            .iter()
            .map(|(id, owned)| (!id.applied, self.times.get(id), id, owned))
            .collect();
        list.sort_by(|a, b| {
            (a.0, a.1, &a.2.name, &a.3.version, &a.2.subresource).cmp(&(
                b.0,
                b.1,
                &b.2.name,
                &b.3.version,
                &b.2.subresource,
            ))
        });
        let entries = list.into_iter().map(|(_, time, id, owned)| {
            let mut entry = json!({
                "manager": id.name,
                "operation": if id.applied { "Apply" } else { "Update" },
                "apiVersion": owned.version,
                "fieldsType": "FieldsV1",
                "fieldsV1": owned.set.render(),
            });
            if let Some(time) = time {
                entry["time"] = time.as_str().into();
            }
            if !id.subresource.is_empty() {
                entry["subresource"] = id.subresource.as_str().into();
            }
            entry
        });
        let entries: Vec<Value> = entries.collect();
        let Some(metadata) = metadata_mut(object) else {
            return;
        };
        if entries.is_empty() {
            metadata.remove("managedFields");
        } else {
            metadata.insert("managedFields".into(), entries.into());
        }
    }
}

fn metadata_mut(object: &mut Value) -> Option<&mut Map<String, Value>> {
    object
        .as_object_mut()?
        .entry("metadata")
        .or_insert_with(|| Value::Object(Map::new()))
        .as_object_mut()
}

/// Records a create or update: `new` gets the entries that follow from what it changes in `live`.
///
/// `live` is `None` for a create.
pub(crate) fn track_update(rules: &Rules, live: Option<&Value>, new: &mut Value, writer: &Writer) {
    let nothing = empty_like(rules, new);
    let base = live.unwrap_or(&nothing);
    let managed = live_or_new(base, new, !writer.subresource.is_empty());
    strip(new);
    // An object whose entries were reset is not tracked again until somebody applies to it.
    if live.is_some() && managed.managers.is_empty() {
        return;
    }
    let mut errors = Vec::new();
    typed::check(&rules.shape, new, "", &mut errors);
    // An object that does not fit its schema (it is refused later, or not looked at here) changes no ownership.
    if errors.iter().all(|e| e.contains("duplicate entries")) {
        updated(rules, &without_entries(base), new, managed, writer).write(new);
    } else {
        managed.write(new);
    }
}

/// The object as it was before it was created.
fn empty_like(rules: &Rules, object: &Value) -> Value {
    let mut empty = rules.empty.clone();
    empty["apiVersion"] = object["apiVersion"].clone();
    empty["kind"] = object["kind"].clone();
    empty
}

fn updated(
    rules: &Rules,
    live: &Value,
    new: &Value,
    mut managed: Managed,
    writer: &Writer,
) -> Managed {
    let mut current = ManagerId::new(&writer.manager, false, &rules.version, &writer.subresource);
    current.current = true;
    managed.managers = updater::update(rules, live, new, managed.managers, &current);
    managed.strip_manager(&current);
    managed.join(&current, writer);
    managed.cap();
    managed
}

/// Applies `config` to `live` (`None` when the object does not exist yet) and returns the object to write.
pub(crate) fn apply(
    rules: &Rules,
    live: Option<&Value>,
    config: &Value,
    writer: &Writer,
    force: bool,
) -> Outcome<Value> {
    let name = config
        .pointer("/metadata/name")
        .and_then(Value::as_str)
        .unwrap_or_default();
    check_config(rules, config, name)?;
    let nothing = empty_like(rules, config);
    let base = without_entries(live.unwrap_or(&nothing));
    let mut managed = live.map(read).unwrap_or_default();
    if managed.managers.is_empty() {
        let before = Writer {
            manager: BEFORE_FIRST_APPLY.into(),
            ..writer.clone()
        };
        managed = updated(rules, &nothing, &base, Managed::default(), &before);
    }
    let id = ManagerId::new(&writer.manager, true, &rules.version, &writer.subresource);
    let former = managed.managers.clone();
    let run = |force| updater::apply(rules, &base, config, former.clone(), (&id, force));
    let applied = run(force).or_else(|conflicts| {
        let lifted = liftable(rules, &base, writer);
        let rest = conflicts
            .into_iter()
            .map(|(id, set)| (id, set.difference(&lifted)));
        let rest: Conflicts = rest.filter(|(_, set)| !set.is_empty()).collect();
        if rest.is_empty() {
            run(true)
        } else {
            Err(rest)
        }
    });
    let applied = applied.map_err(|conflicts| conflict::failure(&conflicts, &managed))?;
    managed.managers = applied.managers;
    managed.strip_manager(&id);
    managed.cap();
    let mut object = applied.object;
    if !super::path::same(&object, &base) {
        managed.times.insert(id, writer.now.clone());
    }
    refresh_last_applied(&mut object, live, config, writer);
    managed.write(&mut object);
    Ok(object)
}

fn check_config(rules: &Rules, config: &Value, name: &str) -> Outcome<()> {
    if config.pointer("/metadata/managedFields").is_some() {
        return Err(Failure::bad_request("metadata.managedFields must be nil"));
    }
    let version = config
        .get("apiVersion")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if version != rules.version {
        return Err(Failure::bad_request(format!(
            "Incorrect version specified in apply patch. Specified patch version: {version}, expected: {}",
            rules.version
        )));
    }
    let mut errors = Vec::new();
    typed::check(&rules.shape, config, "", &mut errors);
    if errors.is_empty() {
        return Ok(());
    }
    let namespace = config
        .pointer("/metadata/namespace")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let kind = config
        .get("kind")
        .and_then(Value::as_str)
        .unwrap_or_default();
    Err(Failure::unnamed(format!(
        "failed to create typed patch object ({namespace}/{name}; {version}, Kind={kind}): {}",
        errors.join("\n")
    )))
}

/// What `kubectl apply --server-side` may take over after `kubectl apply`: its own last-applied values that still hold.
fn liftable(rules: &Rules, live: &Value, writer: &Writer) -> Set {
    if writer.manager != "kubectl" {
        return Set::default();
    }
    let last = annotation(live).and_then(|text| serde_json::from_str::<Value>(text).ok());
    let Some(last) = last
        .filter(|last| last["apiVersion"] == live["apiVersion"] && last["kind"] == live["kind"])
    else {
        return Set::default();
    };
    let differs = typed::compare(&rules.shape, live, &last);
    typed::paths(&rules.shape, &last).difference(&differs.touched())
}

fn annotation(object: &Value) -> Option<&str> {
    object
        .get("metadata")?
        .get("annotations")?
        .get(LAST_APPLIED)?
        .as_str()
}

/// An object that kubectl applied from the client keeps its annotation in step with what kubectl applies here.
fn refresh_last_applied(object: &mut Value, live: Option<&Value>, config: &Value, writer: &Writer) {
    if writer.manager != "kubectl" || live.and_then(annotation).is_none() {
        return;
    }
    let mut copy = config.clone();
    if let Some(annotations) = copy
        .pointer_mut("/metadata/annotations")
        .and_then(Value::as_object_mut)
    {
        annotations.remove(LAST_APPLIED);
    }
    if let Some(metadata) = metadata_mut(object)
        && let Some(annotations) = metadata
            .get_mut("annotations")
            .and_then(Value::as_object_mut)
    {
        annotations.insert(LAST_APPLIED.into(), format!("{copy}\n").into());
    }
}
