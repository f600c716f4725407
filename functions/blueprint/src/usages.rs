//! Which usages make deletion go the other way?
//!
//! Of two resources one of which reads the other, the reader is deleted first. The objects that say so have the shape and
//! the names that function-sequencer gives them. They are computed from what is wanted, so that a resource that waits for a
//! moment does not take its usages along; and as long as one of the two is on its way out, the usage stays.

use std::collections::{BTreeMap, BTreeSet};

use purlin_diag::Diagnostic;
use purlin_function::{Ready, RequestView as _};
use purlin_object::{Object, ObjectRef, Value, ValueRef};

use crate::encoding::short_hash;
use crate::frame::{Frame, matches};
use crate::input::UsageVersion;
use crate::plan::{External, Place, Source, UsagesPlan};
use crate::run::Run;

/// The longest name of a usage: a label's length.
const NAME: usize = 63;

/// Most pairs of resources.
const PAIRS: usize = 5_000;

/// What the parameters of a module come from: names of composed resources.
type Given = Vec<BTreeSet<String>>;

/// Who uses whom, by the names of composed resources.
type Pairs = BTreeSet<(String, String)>;

/// Desires a usage for every pair, and keeps those whose pair cannot be seen.
pub(crate) fn compose<'m>(plan: &'m UsagesPlan, root: &Frame<'m>, run: &mut Run<'m>) {
    let mut pairs = Pairs::new();
    if plan.inferred {
        infer(root, &Given::new(), run, &mut pairs);
    }
    for (by, of) in &plan.pairs {
        for by in names_at(root, by) {
            for of in names_at(root, of) {
                add(&by, &of, &mut pairs);
            }
        }
    }
    if pairs.len() > PAIRS {
        let message = format!("there would be more than {PAIRS} usages");
        let diagnostic = Diagnostic::error("blueprint/too-many", message).path("usages");
        run.found
            .push(diagnostic.help("list the pairs in usages.pairs"));
        return;
    }
    let mut usages = BTreeMap::new();
    let mut declared = BTreeSet::new();
    let request = run.request;
    for (by, of) in &pairs {
        let key = key(by, of);
        declared.insert(key.clone());
        if !wanted(run, by) || !wanted(run, of) {
            continue;
        }
        let found = |name: &str| request.observed_resource(name).filter(|one| is_whole(*one));
        let (Some(by), Some(of)) = (found(by), found(of)) else {
            continue;
        };
        if !is_usage(by) {
            usages.insert(key, usage(plan, of, by));
        }
    }
    for (name, live) in request.observed_resources() {
        let Some(live) = live.resource.as_ref().map(Object::as_ref) else {
            continue;
        };
        let known = usages.contains_key(name) || run.made.contains_key(name);
        if known || request.desired_resource(name).is_some() || !may_be_usage(name, live) {
            continue;
        }
        if declared.contains(name) || stays(name, run) {
            usages.insert(name.clone(), kept(plan, live));
        }
    }
    for (key, usage) in usages {
        if run.decide(&key, "usages", true) {
            run.desire(&key, usage, Ready::True, "usages");
        }
    }
}

fn key(by: &str, of: &str) -> String {
    format!("{by}-{of}-usage")
}

fn add(by: &str, of: &str, pairs: &mut Pairs) {
    if by != of && pairs.len() <= PAIRS {
        pairs.insert((by.to_owned(), of.to_owned()));
    }
}

fn wanted(run: &Run<'_>, name: &str) -> bool {
    run.made.get(name) == Some(&true)
}

/// Whether a usage that no pair asks for any more stays: one of the two is on its way out, or there may be a pair that is not
/// known.
fn stays(name: &str, run: &Run<'_>) -> bool {
    let unknown = !run.patterns.is_empty();
    any_pair(name, run, |by, of| {
        unknown || !wanted(run, by) || !wanted(run, of)
    })
}

/// Whether a live resource is a usage of two others, as far as can be seen, and not one of them itself.
pub(crate) fn is_of_two(name: &str, live: Option<&Object>, run: &Run<'_>) -> bool {
    let may_be = live.is_none_or(|live| may_be_usage(name, live.as_ref()));
    run.plan.usages.is_some() && may_be && any_pair(name, run, |_, _| true)
}

/// Whether the name of a usage is that of two resources that are there or wanted, and for which `test` holds.
fn any_pair(name: &str, run: &Run<'_>, test: impl Fn(&str, &str) -> bool) -> bool {
    let request = run.request;
    let there = |name: &str| {
        let live = request.observed_resource(name).is_some();
        live || wanted(run, name) || run.patterns.iter().any(|one| matches(one, name).is_some())
    };
    let Some(both) = name.strip_suffix("-usage") else {
        return false;
    };
    both.match_indices('-').any(|(at, _)| {
        let (Some(by), Some(of)) = (both.get(..at), both.get(at + 1..)) else {
            return false;
        };
        there(by) && there(of) && test(by, of)
    })
}

/// Who uses whom in a body and the modules it uses, by what they read.
fn infer<'m>(frame: &Frame<'m>, given: &Given, run: &Run<'m>, pairs: &mut Pairs) {
    for (resource, instances) in frame.composed() {
        let mut of = BTreeSet::new();
        for source in &resource.sources {
            of.extend(names(frame, *source, given, run));
        }
        for by in instances.known() {
            for of in &of {
                add(&by.name, of, pairs);
            }
        }
    }
    for (at, used) in frame.uses.iter().enumerate() {
        let inner = handed(frame, at, given, run);
        for child in used.known() {
            infer(&child.frame, &inner, run, pairs);
        }
    }
}

/// What the parameters of a use come from.
fn handed<'m>(frame: &Frame<'m>, at: usize, given: &Given, run: &Run<'m>) -> Given {
    let one = &frame.body.uses[at];
    let module = &run.plan.modules[one.module];
    let mut inner = vec![BTreeSet::new(); module.parameters.len()];
    for (parameter, sources) in &one.sources {
        for source in sources {
            inner[*parameter].extend(names(frame, *source, given, run));
        }
    }
    inner
}

/// The composed resources that a source stands for.
fn names<'m>(frame: &Frame<'m>, source: Source, given: &Given, run: &Run<'m>) -> BTreeSet<String> {
    match source {
        Source::Parameter(at) => given.get(at).cloned().unwrap_or_default(),
        Source::Resource(at) => instances(frame, at),
        Source::Output(at, output) => {
            let inner = handed(frame, at, given, run);
            let module = &run.plan.modules[frame.body.uses[at].module];
            let sources = &module.outputs[output].sources;
            let children = frame.uses[at].known().iter();
            children
                .flat_map(|child| {
                    let sources = sources.iter();
                    sources.flat_map(|source| names(&child.frame, *source, &inner, run))
                })
                .collect()
        }
    }
}

fn instances(frame: &Frame<'_>, at: usize) -> BTreeSet<String> {
    if let External::Object = frame.body.resources[at].external {
        return BTreeSet::new();
    }
    let known = frame.resources[at].known().iter();
    known.map(|one| one.name.to_string()).collect()
}

fn names_at(frame: &Frame<'_>, place: &Place) -> BTreeSet<String> {
    match place.uses.split_first() {
        None => instances(frame, place.resource),
        Some((first, rest)) => {
            let place = Place {
                uses: rest.to_vec(),
                resource: place.resource,
            };
            let children = frame.uses[*first].known().iter();
            children
                .flat_map(|child| names_at(&child.frame, &place))
                .collect()
        }
    }
}

/// Whether everything that a usage names is there.
fn is_whole(object: ObjectRef<'_>) -> bool {
    let paths: [&[&str]; 3] = [&["apiVersion"], &["kind"], &["metadata", "name"]];
    paths.iter().all(|path| !text(object, path).is_empty())
}

fn is_usage(object: ObjectRef<'_>) -> bool {
    let api_version = text(object, &["apiVersion"]);
    let group = api_version.split('/').next().unwrap_or_default();
    match group {
        "apiextensions.crossplane.io" => text(object, &["kind"]) == "Usage",
        "protection.crossplane.io" => {
            matches!(text(object, &["kind"]), "Usage" | "ClusterUsage")
        }
        _ => false,
    }
}

/// Whether it is a usage, as far as can be seen.
fn may_be_usage(name: &str, object: ObjectRef<'_>) -> bool {
    let lacks = |key: &str| text(object, &[key]).is_empty();
    name.ends_with("-usage") && (is_usage(object) || lacks("apiVersion") || lacks("kind"))
}

fn kind(plan: &UsagesPlan, namespace: &str) -> (&'static str, &'static str) {
    match (plan.version, namespace.is_empty()) {
        (UsageVersion::V1, _) => ("apiextensions.crossplane.io/v1beta1", "Usage"),
        (UsageVersion::V2, true) => ("protection.crossplane.io/v1beta1", "ClusterUsage"),
        (UsageVersion::V2, false) => ("protection.crossplane.io/v1beta1", "Usage"),
    }
}

fn usage(plan: &UsagesPlan, of: ObjectRef<'_>, by: ObjectRef<'_>) -> Object {
    let namespace = text(of, &["metadata", "namespace"]);
    let (api_version, kind) = kind(plan, namespace);
    let mut usage = Object::new();
    usage.insert("apiVersion", api_version);
    usage.insert("kind", kind);
    let metadata = usage.object_mut("metadata");
    metadata.insert("name", name(of, by));
    if plan.version == UsageVersion::V2 && !namespace.is_empty() {
        metadata.insert("namespace", namespace);
    }
    let spec = usage.object_mut("spec");
    for (role, object) in [("of", of), ("by", by)] {
        let role = spec.object_mut(role);
        role.insert("apiVersion", text(object, &["apiVersion"]));
        role.insert("kind", text(object, &["kind"]));
        role.object_mut("resourceRef")
            .insert("name", text(object, &["metadata", "name"]));
    }
    spec.insert("reason", "dependency");
    spec.insert("replayDeletion", plan.replay_deletion);
    usage
}

/// A live usage as it was desired.
fn kept(plan: &UsagesPlan, live: ObjectRef<'_>) -> Object {
    let (api_version, kind) = kind(plan, text(live, &["metadata", "namespace"]));
    let mut usage = Object::new();
    for (key, usual) in [("apiVersion", api_version), ("kind", kind)] {
        let value = live.get(key).map(ValueRef::to_owned);
        usage.insert(key, value.unwrap_or_else(|| Value::from(usual)));
    }
    for (part, keys) in [
        ("metadata", &["name", "namespace"][..]),
        ("spec", &["of", "by", "reason", "replayDeletion"]),
    ] {
        for key in keys {
            if let Some(value) = live.get_path(&[part, key]) {
                usage.object_mut(part).insert(key, value);
            }
        }
    }
    usage
}

/// `<by kind>-<by name>-<of kind>-<of name>` in lower case, cut so that a hash of the whole and a suffix fit.
fn name(of: ObjectRef<'_>, by: ObjectRef<'_>) -> String {
    let part = |object| {
        let name = text(object, &["metadata", "name"]);
        format!("{}-{name}", text(object, &["kind"]))
    };
    let whole = format!("{}-{}", part(by), part(of)).to_lowercase();
    let suffix = format!("-{}-dependency", short_hash(&whole));
    let cut: String = whole.chars().take(NAME - suffix.len()).collect();
    cut + &suffix
}

fn text<'a>(object: ObjectRef<'a>, path: &[&str]) -> &'a str {
    let found = object.get_path(path).and_then(ValueRef::as_str);
    found.unwrap_or_default()
}
