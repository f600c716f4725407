//! Is the input right, and what is its plan? All mistakes are told at once.

use purlin_diag::{Diagnostic, Diagnostics};
use purlin_function::input;
use purlin_object::{Object, Value, ValueRef};

use crate::graph::{Edge, Graph};
use crate::input::{Input, Require, Resource};
use crate::names::{Names, Stands, is_identifier, variable};
use crate::plan::{AssertPlan, Named, Plan, RequirePlan, ResourcePlan};
use crate::template::{Tree, member};

/// Compiles an input.
///
/// # Errors
/// Everything that is wrong with it.
#[expect(
    clippy::too_many_lines,
    reason = "one paragraph per section of the input"
)]
pub(crate) fn compile(input: &Object) -> Result<Plan, Diagnostics> {
    let input: Input = input::decode(input)?;
    let mut mistakes = Diagnostics::new();
    let names = Names::of(&input, &mut mistakes);
    let lets: Vec<(String, Tree)> = input
        .lets
        .iter()
        .map(|(name, value)| {
            (
                name.clone(),
                tree(value, &member("let", name), &mut mistakes),
            )
        })
        .collect();
    let resources: Vec<ResourcePlan> = input
        .resources
        .iter()
        .enumerate()
        .map(|(at, resource)| {
            plan_resource(resource, &format!("resources[{at}]"), &names, &mut mistakes)
        })
        .collect();
    let requires = input
        .requires
        .iter()
        .map(|(name, require)| plan_require(name, require, &mut mistakes))
        .collect();
    let mut plan = Plan {
        named: Vec::new(),
        resources,
        requires,
        status: input
            .status
            .as_ref()
            .map(|status| tree(status, "status", &mut mistakes)),
        connection: input
            .connection
            .iter()
            .map(|(key, value)| {
                (
                    key.clone(),
                    tree(value, &member("connection", key), &mut mistakes),
                )
            })
            .collect(),
        asserts: Vec::new(),
    };
    for (at, assert) in input.asserts.iter().enumerate() {
        plan.asserts.push(AssertPlan {
            that: tree(&assert.that, &format!("asserts[{at}].that"), &mut mistakes),
            message: tree(
                &assert.message,
                &format!("asserts[{at}].message"),
                &mut mistakes,
            ),
        });
    }
    check_reads(&plan, &lets, &names, &mut mistakes);
    if mistakes.has_errors() {
        mistakes.sort();
        return Err(mistakes);
    }
    check_waiting(&plan, &lets, &names, &mut mistakes);
    plan.named = order(&plan, lets, &names, &mut mistakes);
    if mistakes.has_errors() {
        Err(mistakes)
    } else {
        Ok(plan)
    }
}

fn tree(value: &Value, field: &str, mistakes: &mut Diagnostics) -> Tree {
    Tree::compile(value.as_ref(), field, mistakes)
}

fn plan_resource(
    resource: &Resource,
    at: &str,
    names: &Names,
    mistakes: &mut Diagnostics,
) -> ResourcePlan {
    let optional = |value: &Option<Value>, name: &str, mistakes: &mut Diagnostics| {
        value
            .as_ref()
            .map(|value| tree(value, &format!("{at}.{name}"), mistakes))
    };
    check_manifest(resource, at, mistakes);
    let mut for_each = None;
    if let Some(given) = &resource.for_each {
        let field = format!("{at}.forEach");
        match given.iter().next() {
            Some((name, list)) if given.len() == 1 => {
                if !is_identifier(name) || names.get(name).is_some() {
                    let message = format!(
                        "{name} cannot be the name of the variable: no expression can spell it, or it is taken"
                    );
                    mistakes.push(
                        Diagnostic::error("blueprint/bad-name", message).path(member(&field, name)),
                    );
                }
                for_each = Some((name.clone(), tree(list, &member(&field, name), mistakes)));
            }
            _ => mistakes.push(
                Diagnostic::error("blueprint/for-each", "forEach takes exactly one variable")
                    .path(field)
                    .help("for example {zone: ${xr.spec.zones}}"),
            ),
        }
    }
    if resource.external && (resource.for_each.is_some() || resource.when.is_some()) {
        let message = "an external resource is one object that is always read";
        mistakes.push(
            Diagnostic::error("blueprint/external", message)
                .path(at)
                .help("remove forEach and when"),
        );
    }
    ResourcePlan {
        name: resource.name.clone(),
        variable: variable(&resource.name),
        for_each,
        when: optional(&resource.when, "when", mistakes),
        ready: optional(&resource.ready, "ready", mistakes),
        external: resource.external,
        manifest: tree(&resource.manifest, &format!("{at}.manifest"), mistakes),
    }
}

/// The manifest says what it is. One that is a single expression is believed until it runs.
fn check_manifest(resource: &Resource, at: &str, mistakes: &mut Diagnostics) {
    let field = format!("{at}.manifest");
    match resource.manifest.as_ref() {
        ValueRef::Object(manifest) => {
            for name in ["apiVersion", "kind"] {
                match manifest.get(name) {
                    Some(ValueRef::String(text)) if !text.is_empty() => {}
                    Some(_) => {
                        let message = format!("{name} is a text");
                        mistakes.push(
                            Diagnostic::error("blueprint/manifest", message)
                                .path(member(&field, name)),
                        );
                    }
                    None => {
                        let message = format!("{name} is missing");
                        mistakes.push(
                            Diagnostic::error("blueprint/manifest", message)
                                .path(member(&field, name)),
                        );
                    }
                }
            }
        }
        ValueRef::String(text) if text.contains("${") => {}
        other => {
            let message = format!("a manifest is an object, not {}", other.kind());
            mistakes.push(Diagnostic::error("blueprint/manifest", message).path(field));
        }
    }
}

fn plan_require(name: &str, require: &Require, mistakes: &mut Diagnostics) -> RequirePlan {
    let at = member("requires", name);
    let field = |name: &str| format!("{at}.{name}");
    if require.name.is_some() && require.match_labels.is_some() {
        let message = "an object is asked for by name or by labels, not by both";
        mistakes.push(Diagnostic::error("blueprint/requires", message).path(at.clone()));
    }
    let labels = require.match_labels.as_ref();
    RequirePlan {
        name: name.to_owned(),
        api_version: tree(&require.api_version, &field("apiVersion"), mistakes),
        kind: tree(&require.kind, &field("kind"), mistakes),
        namespace: require
            .namespace
            .as_ref()
            .map(|value| tree(value, &field("namespace"), mistakes)),
        object: require
            .name
            .as_ref()
            .map(|value| tree(value, &field("name"), mistakes)),
        labels: labels.map(|labels| {
            Tree::compile(
                ValueRef::Object(labels.as_ref()),
                &field("matchLabels"),
                mistakes,
            )
        }),
    }
}

/// Every variable that is read exists where it is read.
fn check_reads(plan: &Plan, lets: &[(String, Tree)], names: &Names, mistakes: &mut Diagnostics) {
    for (_, value) in lets {
        names.check(value, &[], mistakes);
    }
    for resource in &plan.resources {
        let mut own: Vec<&str> = Vec::new();
        if let Some((name, list)) = &resource.for_each {
            names.check(list, &[], mistakes);
            own.push(name);
        }
        for part in [Some(&resource.manifest), resource.when.as_ref()]
            .into_iter()
            .flatten()
        {
            names.check(part, &own, mistakes);
        }
        own.push("self");
        if let Some(ready) = &resource.ready {
            names.check(ready, &own, mistakes);
        }
    }
    for require in &plan.requires {
        let parts = [
            Some(&require.api_version),
            Some(&require.kind),
            require.namespace.as_ref(),
            require.object.as_ref(),
            require.labels.as_ref(),
        ];
        for part in parts.into_iter().flatten() {
            names.check(part, &[], mistakes);
        }
    }
    let rest = plan
        .status
        .iter()
        .chain(plan.connection.iter().map(|(_, value)| value));
    let rest = rest.chain(
        plan.asserts
            .iter()
            .flat_map(|assert| [&assert.that, &assert.message]),
    );
    for part in rest {
        names.check(part, &[], mistakes);
    }
}

/// Which reads of a tree count as edges.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reads {
    All,
    /// Not those that say themselves what to do when there is nothing.
    Needed,
}

/// Nodes of the graphs: resources by their place, then lets.
fn edges(
    tree: &Tree,
    reads: Reads,
    names: &Names,
    lets: &[(String, Tree)],
    resources: usize,
) -> Vec<Edge> {
    let mut edges = Vec::new();
    tree.holes(&mut |hole| {
        for read in hole.program.reads() {
            if reads == Reads::Needed && read.optional {
                continue;
            }
            let to = match names.get(&read.root) {
                Some(Stands::Resource(at)) => at,
                Some(Stands::Let) => match lets.iter().position(|(name, _)| *name == read.root) {
                    Some(at) => resources + at,
                    None => continue,
                },
                Some(Stands::Given | Stands::Require) | None => continue,
            };
            edges.push(Edge {
                to,
                field: hole.field.clone(),
                path: read.to_string(),
            });
        }
    });
    edges
}

/// No resource waits, in the end, for itself.
fn check_waiting(plan: &Plan, lets: &[(String, Tree)], names: &Names, mistakes: &mut Diagnostics) {
    let count = plan.resources.len();
    let mut graph = Graph::new(count + lets.len());
    for (at, resource) in plan.resources.iter().enumerate() {
        let list = resource.for_each.as_ref().map(|(_, list)| list);
        for part in [Some(&resource.manifest), resource.when.as_ref(), list]
            .into_iter()
            .flatten()
        {
            for edge in edges(part, Reads::Needed, names, lets, count) {
                graph.read(at, edge);
            }
        }
    }
    for (at, (_, value)) in lets.iter().enumerate() {
        for edge in edges(value, Reads::Needed, names, lets, count) {
            graph.read(count + at, edge);
        }
    }
    if let Err(cycles) = graph.order() {
        report(&cycles, plan, lets, mistakes);
    }
}

/// The order in which values and lists of elements are evaluated.
fn order(
    plan: &Plan,
    lets: Vec<(String, Tree)>,
    names: &Names,
    mistakes: &mut Diagnostics,
) -> Vec<Named> {
    let count = plan.resources.len();
    let mut graph = Graph::new(count + lets.len());
    for (at, resource) in plan.resources.iter().enumerate() {
        if let Some((_, list)) = &resource.for_each {
            for edge in edges(list, Reads::All, names, &lets, count) {
                graph.read(at, edge);
            }
        }
    }
    for (at, (_, value)) in lets.iter().enumerate() {
        for edge in edges(value, Reads::All, names, &lets, count) {
            graph.read(count + at, edge);
        }
    }
    let order = match graph.order() {
        Ok(order) => order,
        Err(cycles) => {
            if !mistakes.has_errors() {
                report(&cycles, plan, &lets, mistakes);
            }
            return Vec::new();
        }
    };
    let mut lets: Vec<Option<(String, Tree)>> = lets.into_iter().map(Some).collect();
    let mut named = Vec::new();
    for node in order {
        match node.checked_sub(count) {
            Some(at) => named.extend(lets[at].take().map(|(name, value)| Named::Let(name, value))),
            None if plan.resources[node].for_each.is_some() => named.push(Named::Elements(node)),
            None => {}
        }
    }
    named
}

fn report(
    cycles: &[Vec<(usize, Edge)>],
    plan: &Plan,
    lets: &[(String, Tree)],
    mistakes: &mut Diagnostics,
) {
    let name = |node: usize| match node.checked_sub(plan.resources.len()) {
        Some(at) => format!("let {}", lets[at].0),
        None => plan.resources[node].name.clone(),
    };
    for cycle in cycles {
        let Some((first, edge)) = cycle.first() else {
            continue;
        };
        let chain: Vec<String> = cycle.iter().map(|(node, _)| name(*node)).collect();
        let steps: Vec<String> = cycle
            .iter()
            .map(|(_, edge)| format!("{} reads {}", edge.field, edge.path))
            .collect();
        let who = match chain.as_slice() {
            [alone] => format!("{alone} waits for itself"),
            chain => format!(
                "{} → {} wait for each other",
                chain.join(" → "),
                name(*first)
            ),
        };
        let message = format!("{who}: {}", steps.join(", "));
        let help = "take the value from somewhere else, or say what to do without it: `.?` with `.orValue(…)`";
        mistakes.push(
            Diagnostic::error("blueprint/cycle", message)
                .path(edge.field.clone())
                .help(help),
        );
    }
}
