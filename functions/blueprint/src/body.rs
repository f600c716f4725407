//! Are the parts right that a Blueprint and a module have in common, and what is their plan?

use std::collections::BTreeMap;

use purlin_diag::Diagnostic;
use purlin_object::Value;

use crate::compiler::{Compiler, Secrecy, Sees};
use crate::external::{check_manifest, external};
use crate::graph_of;
use crate::input::{Assert, Require, Resource, Use};
use crate::language::variable;
use crate::names::{Parts, is_identifier};
use crate::plan::{AssertPlan, Body, Each, RequirePlan, ResourcePlan, UsePlan};
use crate::template::{Tree, member};

/// Compiles the parts; `finish` closes the body when everything that reads it is compiled too.
pub(crate) fn compile(parts: &Parts<'_>, asserts: &[Assert], compiler: &mut Compiler<'_>) -> Body {
    let lets = lets(parts, compiler);
    let resources = parts.resources.iter().enumerate();
    let resources = resources
        .map(|(at, one)| resource(one, &parts.field(&format!("resources[{at}]")), compiler))
        .collect();
    let requires = parts.requires.iter();
    let requires = requires
        .map(|(name, one)| {
            let field = member(&parts.field("requires"), name);
            require(name, one, field, compiler)
        })
        .collect();
    let uses = parts.uses.iter().enumerate();
    let uses = uses
        .filter_map(|(at, one)| {
            let field = parts.field(&format!("use[{at}]"));
            plan_use(at, one, &field, compiler)
        })
        .collect();
    let asserts = asserts.iter().enumerate();
    let asserts = asserts
        .map(|(at, one)| {
            let field = parts.field(&format!("asserts[{at}]"));
            let that = Sees::at("asserts[].that", &[]);
            let message = Sees::at("asserts[].message", &[]);
            AssertPlan {
                that: compiler.tree(&one.that, &format!("{field}.that"), &that),
                message: compiler.tree(&one.message, &format!("{field}.message"), &message),
                severity: one.severity,
                target: one.target,
                field,
            }
        })
        .collect();
    Body {
        named: Vec::new(),
        lets,
        resources,
        requires,
        uses,
        asserts,
        ..Body::default()
    }
}

/// Puts the body in order once everything that belongs to it is compiled.
pub(crate) fn finish(body: &mut Body, compiler: &mut Compiler<'_>) {
    for resource in &mut body.resources {
        let own = own(&resource.each);
        let mut sources = std::collections::BTreeSet::new();
        for tree in resource.trees() {
            sources.extend(compiler.sources(tree, &own));
        }
        resource.sources = sources;
    }
    for one in &mut body.uses {
        let own = own(&one.each);
        one.sources = one
            .with
            .iter()
            .map(|(parameter, tree)| (*parameter, compiler.sources(tree, &own)))
            .collect();
        let mut reads = std::collections::BTreeSet::new();
        for tree in one
            .each
            .trees()
            .chain(one.with.iter().map(|(_, tree)| tree))
        {
            tree.holes(&mut |hole| {
                reads.extend(hole.program.reads().iter().map(|read| read.root.clone()));
            });
        }
        one.reads = reads;
    }
    body.named = graph_of::order(body, compiler);
    body.reads = std::mem::take(&mut compiler.reads);
    body.connections = std::mem::take(&mut compiler.connections);
    for resource in &mut body.resources {
        resource.read = body.reads.contains(&resource.variable);
    }
    body.slots = compiler.slots();
}

fn own(each: &Each) -> Vec<&str> {
    each.variables
        .iter()
        .map(|(name, _)| name.as_str())
        .collect()
}

/// Values first: what they come from says how secret the rest is.
fn lets(parts: &Parts<'_>, compiler: &mut Compiler<'_>) -> Vec<(String, Tree)> {
    compiler.lets = vec![Default::default(); parts.lets.len()];
    let sees = Sees::at("let.*", &[]);
    let mut lets: Vec<(String, Tree)> = parts
        .lets
        .iter()
        .map(|(name, value)| {
            let field = member(&parts.field("let"), name);
            (name.clone(), compiler.tree(value, &field, &sees))
        })
        .collect();
    // Until nothing changes any more: one may read the other, in any order.
    for _ in 0..=lets.len() {
        let before = compiler.lets.clone();
        for (at, (_, tree)) in lets.iter().enumerate() {
            let mut secrecy = Secrecy::Open;
            tree.holes(&mut |hole| {
                for read in hole.program.reads() {
                    secrecy = secrecy.max(compiler.secrecy(read));
                }
                if hole.secret {
                    secrecy = secrecy.max(Secrecy::Quiet);
                }
            });
            let sources = compiler.sources(tree, &[]);
            compiler.lets[at] = (secrecy, sources);
        }
        if compiler.lets == before {
            break;
        }
    }
    for (at, (_, tree)) in lets.iter_mut().enumerate() {
        let secret = compiler.lets[at].0 > Secrecy::Open;
        tree.holes_mut(&mut |hole| hole.secret |= secret);
    }
    lets
}

/// What says how many there are of something.
#[derive(Clone, Copy)]
struct Given<'i> {
    for_each: Option<&'i BTreeMap<String, Value>>,
    key: Option<&'i Value>,
    when: Option<&'i Value>,
}

/// `forEach`, `key` and `when` of a resource or a use; `what` is how the description calls it.
fn each(what: &str, field: &str, given: Given<'_>, compiler: &mut Compiler<'_>) -> Each {
    let Given {
        for_each,
        key,
        when,
    } = given;
    let mut variables = Vec::new();
    if let Some(given) = for_each {
        let at = format!("{field}.forEach");
        if given.is_empty() {
            compiler.mistakes.push(
                Diagnostic::error("blueprint/for-each", "forEach needs a variable")
                    .path(at.clone())
                    .help("for example {zone: ${xr.spec.zones}}"),
            );
        }
        for (name, list) in given {
            let why = if !is_identifier(name) {
                Some("no expression can spell it")
            } else if compiler.names.get(name).is_some() {
                Some("it is taken")
            } else {
                None
            };
            if let Some(why) = why {
                let message = format!("{name} cannot be the name of the variable: {why}");
                compiler
                    .mistakes
                    .push(Diagnostic::error("blueprint/bad-name", message).path(member(&at, name)));
            }
            let sees = Sees::at(&format!("{what}.forEach.*"), &[]);
            variables.push((name.clone(), compiler.tree(list, &member(&at, name), &sees)));
        }
    } else if key.is_some() {
        compiler.mistakes.push(
            Diagnostic::error("blueprint/key", "a key tells the elements of forEach apart")
                .path(format!("{field}.key"))
                .help("remove it, or add forEach"),
        );
    }
    let own: Vec<&str> = variables.iter().map(|(name, _)| name.as_str()).collect();
    let sees = |name: &str| Sees::at(&format!("{what}.{name}"), &own);
    let mut part = |value: Option<&Value>, name: &str| {
        value.map(|value| compiler.tree(value, &format!("{field}.{name}"), &sees(name)))
    };
    let (key, when) = (part(key, "key"), part(when, "when"));
    Each {
        key,
        when,
        field: field.to_owned(),
        variables,
    }
}

fn resource(resource: &Resource, field: &str, compiler: &mut Compiler<'_>) -> ResourcePlan {
    let kind = check_manifest(resource, field, compiler.mistakes);
    let given = Given {
        for_each: resource.for_each.as_ref(),
        key: resource.key.as_ref(),
        when: resource.when.as_ref(),
    };
    let each = each("resources[]", field, given, compiler);
    let names: Vec<String> = each
        .variables
        .iter()
        .map(|(name, _)| name.clone())
        .collect();
    let mut own: Vec<&str> = names.iter().map(String::as_str).collect();
    let external = external(resource, field, &own, compiler);
    let sees = Sees::at("resources[].manifest", &own);
    let manifest = compiler.tree(&resource.manifest, &format!("{field}.manifest"), &sees);
    own.push("self");
    let sees = Sees::at("resources[].ready", &own);
    let ready = resource.ready.as_ref();
    let ready = ready.map(|ready| compiler.tree(ready, &format!("{field}.ready"), &sees));
    ResourcePlan {
        name: resource.name.clone(),
        variable: variable(&resource.name),
        read: false,
        each,
        ready,
        external,
        form: manifest.form(),
        manifest,
        kind,
        sources: std::collections::BTreeSet::new(),
    }
}

fn require(name: &str, require: &Require, at: String, compiler: &mut Compiler<'_>) -> RequirePlan {
    if require.name.is_some() && require.match_labels.is_some() {
        let message = "an object is asked for by name or by labels, not by both";
        compiler
            .mistakes
            .push(Diagnostic::error("blueprint/requires", message).path(at.clone()));
    }
    let mut part = |value: &Value, name: &str| {
        let sees = Sees::at(&format!("requires.*.{name}"), &[]);
        compiler.tree(value, &format!("{at}.{name}"), &sees)
    };
    let (api_version, kind) = (
        part(&require.api_version, "apiVersion"),
        part(&require.kind, "kind"),
    );
    let namespace = require.namespace.as_ref().map(|one| part(one, "namespace"));
    let object = require.name.as_ref().map(|one| part(one, "name"));
    let sees = Sees::at("requires.*.matchLabels.*", &[]);
    let labels = require.match_labels.as_ref();
    let labels = labels.map(|one| compiler.object(one, &format!("{at}.matchLabels"), &sees));
    RequirePlan {
        name: name.to_owned(),
        api_version,
        kind,
        namespace,
        object,
        labels,
        optional: require.optional,
        field: at,
    }
}

#[expect(
    clippy::too_many_lines,
    reason = "one paragraph per thing that can be wrong"
)]
fn plan_use(at: usize, one: &Use, field: &str, compiler: &mut Compiler<'_>) -> Option<UsePlan> {
    let given = Given {
        for_each: one.for_each.as_ref(),
        key: one.key.as_ref(),
        when: one.when.as_ref(),
    };
    let each = each("use[]", field, given, compiler);
    let own: Vec<&str> = each
        .variables
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    let found = compiler.modules.get(at).copied().flatten();
    let mut with = Vec::new();
    for (name, value) in &one.with {
        let at = member(&format!("{field}.with"), name);
        let place = found.and_then(|module| {
            let known = module.parameters.iter();
            known.into_iter().position(|known| known.name == *name)
        });
        let mut sees = Sees::at("use[].with.*", &own);
        if let (Some(module), Some(place)) = (found, place) {
            sees.field.secrets = module.parameters[place].secret;
        }
        let tree = compiler.tree(value, &at, &sees);
        if let (Some(module), Some(place), Tree::Fixed(data)) = (found, place, &tree)
            && let Some(why) = module.parameters[place].misfit(data.as_ref())
        {
            let diagnostic = Diagnostic::error("blueprint/parameter", why);
            compiler.mistakes.push(diagnostic.path(at.clone()));
        }
        match (found, place) {
            (_, Some(place)) => with.push((place, tree)),
            (Some(module), None) => {
                let names = module.parameters.iter().map(|one| one.name.as_str());
                let message = format!("the module {} has no parameter {name}", module.name);
                let mut diagnostic =
                    Diagnostic::error("blueprint/no-such-parameter", message).path(at);
                if let Some(near) = purlin_diag::nearest(name, names) {
                    diagnostic = diagnostic.help(format!("did you mean {near}?"));
                }
                compiler.mistakes.push(diagnostic);
            }
            (None, None) => {}
        }
    }
    let module = found?;
    for (place, parameter) in module.parameters.iter().enumerate() {
        if parameter.required && !with.iter().any(|(given, _)| *given == place) {
            let message = format!(
                "the module {} needs its parameter {}",
                module.name, parameter.name
            );
            compiler.mistakes.push(
                Diagnostic::error("blueprint/parameter", message).path(format!("{field}.with")),
            );
        }
    }
    Some(UsePlan {
        name: one.name.clone(),
        variable: variable(&one.name),
        module: module.at,
        each,
        with,
        sources: Vec::new(),
        reads: std::collections::BTreeSet::new(),
    })
}
