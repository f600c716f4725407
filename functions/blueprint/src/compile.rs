//! Is the input right, and what is its plan? All mistakes are told at once.

use std::collections::{BTreeMap, BTreeSet};

use purlin_diag::{Diagnostic, Diagnostics};
use purlin_function::input;
use purlin_object::Object;

use crate::compiler::{Compiler, Promise, Secrecy, Sees, Signature};
use crate::declare::{Declared, check_names};
use crate::graph_of;
use crate::input::{Condition, Input, Module, Pair, Use};
use crate::names::{Names, Parts};
use crate::plan::{Body, ConditionPlan, ModulePlan, Output, Place, Plan, SecretPlan, UsagesPlan};
use crate::template::{Tree, member};
use crate::{body, graph};

/// How deep modules may use modules.
const DEEPEST: usize = 8;
/// How many bodies all uses may make together, elements of `forEach` aside.
const BODIES: usize = 1_000;

/// Conditions that the caller sets itself, and the one that says whether everything is composed.
const TAKEN: [&str; 4] = ["Ready", "Synced", "Healthy", crate::run::COMPOSED];

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
    let environment = Declared::all(&input.environment, "environment", &mut mistakes);
    let mut modules = Modules::default();
    for name in module_order(&input.modules, &mut mistakes) {
        if let Some(module) = input.modules.get(&name) {
            modules.compile(&name, module, &environment, &mut mistakes);
        }
    }
    let parts = Parts {
        at: "",
        parameters: &[],
        lets: &input.lets,
        requires: &input.requires,
        resources: &input.resources,
        uses: &input.uses,
        module: false,
    };
    let names = Names::of(&parts, &mut mistakes);
    let found = modules.of(&input.uses, Some(&input.modules), &mut mistakes);
    check_size(&input.uses, &found, &mut mistakes);
    let mut compiler = Compiler::new(&names, &environment, &[], found, &mut mistakes);
    let mut plan_body = body::compile(&parts, &input.asserts, &mut compiler);
    let sees = Sees::at("status", &[]);
    let status = input.status.as_ref();
    let status = status.map(|status| compiler.tree(status, "status", &sees));
    let sees = Sees::at("connection.*", &[]);
    let connection = input.connection.iter();
    let connection = connection
        .map(|(key, value)| {
            let tree = compiler.tree(value, &member("connection", key), &sees);
            (key.clone(), tree)
        })
        .collect();
    let secret = secret(&input, &mut compiler);
    let conditions = conditions(&input.conditions, &mut compiler);
    let broken = compiler.mistakes.has_errors();
    if !broken {
        graph_of::waiting(&plan_body, &[], &mut compiler);
        body::finish(&mut plan_body, &mut compiler);
    }
    drop(compiler);
    let usages = input.usages.as_ref().map(|usages| UsagesPlan {
        inferred: usages.inferred,
        pairs: pairs(&usages.pairs, &plan_body, &modules.plans, &mut mistakes),
        version: usages.version,
        replay_deletion: usages.replay_deletion,
    });
    if mistakes.has_errors() {
        mistakes.sort();
        return Err(mistakes);
    }
    Ok(Plan {
        body: plan_body,
        modules: modules.plans,
        environment,
        status_form: status.as_ref().and_then(Tree::form),
        status,
        connection,
        secret,
        conditions,
        usages,
    })
}

/// Modules that are compiled.
#[derive(Debug, Default)]
struct Modules {
    plans: Vec<ModulePlan>,
    signatures: Vec<Signature>,
}

impl Modules {
    /// The modules that are used. Those that `all` does not have are told.
    fn of(
        &self,
        uses: &[Use],
        all: Option<&BTreeMap<String, Module>>,
        mistakes: &mut Diagnostics,
    ) -> Vec<Option<&Signature>> {
        let one = |(place, one): (usize, &Use)| {
            let name = one.module.as_ref().unwrap_or(&one.name);
            let found = self.signatures.iter().find(|known| known.name == *name);
            if let (None, Some(all)) = (found, all)
                && !all.contains_key(name)
            {
                let message = format!("there is no module {name}");
                let known = all.keys().map(String::as_str);
                let help = match purlin_diag::nearest(name, known) {
                    Some(near) => format!("did you mean {near}?"),
                    None => "write it in `modules`, or let `purlin blueprint inline` do that with a module's file".to_owned(),
                };
                mistakes.push(
                    Diagnostic::error("blueprint/no-such-module", message)
                        .path(format!("use[{place}].module"))
                        .help(help),
                );
            }
            found
        };
        uses.iter().enumerate().map(one).collect()
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one paragraph per section of a module"
    )]
    fn compile(
        &mut self,
        name: &str,
        module: &Module,
        environment: &[Declared],
        mistakes: &mut Diagnostics,
    ) {
        let at = member("modules", name);
        let parameters = Declared::all(&module.parameters, &format!("{at}.parameters"), mistakes);
        check_names(module.outputs.keys(), &format!("{at}.outputs"), mistakes);
        let parts = Parts {
            at: &at,
            parameters: &parameters,
            lets: &module.lets,
            requires: &module.requires,
            resources: &module.resources,
            uses: &module.uses,
            module: true,
        };
        let names = Names::of(&parts, mistakes);
        let found = self.of(&module.uses, None, mistakes);
        let depth = found.iter().flatten().map(|one| one.depth).max();
        let depth = depth.unwrap_or(0) + 1;
        let bodies = found.iter().flatten().map(|one| one.bodies);
        let bodies = bodies.fold(1_usize, usize::saturating_add);
        if depth > DEEPEST {
            let message = format!("modules use modules more than {DEEPEST} deep here");
            let diagnostic = Diagnostic::error("blueprint/too-deep", message);
            mistakes.push(diagnostic.path(parts.field("use")));
            return;
        }
        let mut compiler = Compiler::new(&names, environment, &parameters, found, mistakes);
        let mut plan_body = body::compile(&parts, &module.asserts, &mut compiler);
        let sees = Sees::at("modules.*.outputs.*", &[]);
        let outputs: Vec<(String, Tree)> = module
            .outputs
            .iter()
            .map(|(name, value)| {
                let field = member(&parts.field("outputs"), name);
                (name.clone(), compiler.tree(value, &field, &sees))
            })
            .collect();
        let mut promises = Vec::with_capacity(outputs.len());
        let mut waits = vec![BTreeSet::new(); outputs.len()];
        if !compiler.mistakes.has_errors() {
            waits = graph_of::waiting(&plan_body, &outputs, &mut compiler);
            body::finish(&mut plan_body, &mut compiler);
        }
        let mut plans = Vec::with_capacity(outputs.len());
        for ((name, value), waits) in outputs.into_iter().zip(waits) {
            let mut secrecy = Secrecy::Open;
            value.holes(&mut |hole| {
                for read in hole.program.reads() {
                    secrecy = secrecy.max(compiler.secrecy(read));
                }
            });
            let sources = compiler.sources(&value, &[]);
            promises.push(Promise {
                name: name.clone(),
                secrecy,
                waits,
            });
            plans.push(Output {
                name,
                value,
                sources,
            });
        }
        drop(compiler);
        self.signatures.push(Signature {
            name: name.to_owned(),
            at: self.plans.len(),
            parameters: parameters.clone(),
            outputs: promises,
            depth,
            bodies,
        });
        self.plans.push(ModulePlan {
            parameters,
            body: plan_body,
            outputs: plans,
        });
    }
}

/// The modules, each after those it uses.
fn module_order(modules: &BTreeMap<String, Module>, mistakes: &mut Diagnostics) -> Vec<String> {
    let names: Vec<&String> = modules.keys().collect();
    let mut uses = graph::Graph::new(names.len());
    for (from, module) in modules.values().enumerate() {
        for (at, one) in module.uses.iter().enumerate() {
            let name = one.module.as_ref().unwrap_or(&one.name);
            let field = format!("{}.use[{at}]", member("modules", names[from]));
            if let Some(to) = names.iter().position(|known| *known == name) {
                let path = name.clone();
                uses.read(from, graph::Edge { to, field, path });
                continue;
            }
            let message = format!("there is no module {name}");
            let mut diagnostic = Diagnostic::error("blueprint/no-such-module", message)
                .path(format!("{field}.module"));
            let known = names.iter().map(|name| name.as_str());
            if let Some(near) = purlin_diag::nearest(name, known) {
                diagnostic = diagnostic.help(format!("did you mean {near}?"));
            }
            mistakes.push(diagnostic);
        }
    }
    match uses.order() {
        Ok(order) => order.into_iter().map(|at| names[at].clone()).collect(),
        Err(cycles) => {
            for cycle in cycles {
                let Some((first, edge)) = cycle.first() else {
                    continue;
                };
                let chain: Vec<&str> = cycle.iter().map(|(at, _)| names[*at].as_str()).collect();
                let message = format!(
                    "the modules {} → {} use each other, which never ends",
                    chain.join(" → "),
                    names[*first]
                );
                let diagnostic = Diagnostic::error("blueprint/cycle", message);
                mistakes.push(diagnostic.path(edge.field.clone()));
            }
            Vec::new()
        }
    }
}

fn check_size(uses: &[Use], found: &[Option<&Signature>], mistakes: &mut Diagnostics) {
    let bodies = found.iter().flatten().map(|one| one.bodies);
    let bodies = bodies.fold(0_usize, usize::saturating_add);
    if bodies > BODIES && !uses.is_empty() {
        let message = format!(
            "the uses make {bodies} modules, nested ones included; at most {BODIES} are allowed"
        );
        mistakes.push(Diagnostic::error("blueprint/too-many", message).path("use"));
    }
}

fn secret(input: &Input, compiler: &mut Compiler<'_>) -> SecretPlan {
    let Some(given) = &input.connection_secret else {
        return SecretPlan::default();
    };
    if input.connection.is_empty() {
        let message = "there are no connection details that a secret could hold";
        compiler.mistakes.push(
            Diagnostic::error("blueprint/connection", message)
                .path("connectionSecret")
                .help("write them in `connection`"),
        );
    }
    let mut part = |value: &Option<purlin_object::Value>, name: &str| {
        let path = format!("connectionSecret.{name}");
        let sees = Sees::at(&path, &[]);
        value
            .as_ref()
            .map(|value| compiler.tree(value, &path, &sees))
    };
    SecretPlan {
        name: part(&given.name, "name"),
        namespace: part(&given.namespace, "namespace"),
    }
}

fn conditions(given: &[Condition], compiler: &mut Compiler<'_>) -> Vec<ConditionPlan> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut plans = Vec::with_capacity(given.len());
    for (at, condition) in given.iter().enumerate() {
        let field = format!("conditions[{at}]");
        let kind = condition.kind.as_str();
        let mut wrong = |message: String| {
            compiler.mistakes.push(
                Diagnostic::error("blueprint/condition", message).path(format!("{field}.type")),
            );
        };
        if TAKEN.contains(&kind) {
            wrong(format!("the condition {kind} is set by somebody else"));
        }
        if !is_word(kind) {
            wrong("the type of a condition is one word of letters and digits".to_owned());
        }
        if let Some(first) = seen.insert(kind, at) {
            wrong(format!("conditions[{first}] has the type {kind} already"));
        }
        let mut part = |value: &purlin_object::Value, name: &str| {
            let sees = Sees::at(&format!("conditions[].{name}"), &[]);
            compiler.tree(value, &format!("{field}.{name}"), &sees)
        };
        plans.push(ConditionPlan {
            kind: kind.to_owned(),
            status: part(&condition.status, "status"),
            reason: condition.reason.as_ref().map(|one| part(one, "reason")),
            message: condition.message.as_ref().map(|one| part(one, "message")),
            target: condition.target,
        });
    }
    plans
}

/// Whether a text is what Kubernetes takes as the type or reason of a condition.
pub(crate) fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.len() <= 316
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/'))
}

fn pairs(
    given: &[Pair],
    body: &Body,
    modules: &[ModulePlan],
    mistakes: &mut Diagnostics,
) -> Vec<(Place, Place)> {
    let mut pairs = Vec::with_capacity(given.len());
    for (at, pair) in given.iter().enumerate() {
        let mut find = |name: &str, part: &str| {
            let found = resource(name, body, modules);
            if found.is_none() {
                let names = body.resources.iter().map(|one| one.name.as_str());
                let message = format!("there is no composed resource {name}");
                let diagnostic = Diagnostic::error("blueprint/usages", message)
                    .path(format!("usages.pairs[{at}].{part}"));
                mistakes.push(match purlin_diag::nearest(name, names) {
                    Some(near) => diagnostic.help(format!("did you mean {near}?")),
                    None => diagnostic.help("one of a module is called `<use>-<resource>`"),
                });
            }
            found
        };
        let (by, of) = (find(&pair.by, "by"), find(&pair.of, "of"));
        if let (Some(by), Some(of)) = (by, of) {
            if by == of {
                let message = format!("{} cannot use itself", pair.of);
                let diagnostic = Diagnostic::error("blueprint/usages", message);
                mistakes.push(diagnostic.path(format!("usages.pairs[{at}]")));
            }
            pairs.push((by, of));
        }
    }
    pairs
}

/// The resource with a name: one of the body, or `<use>-<resource>` of a module it uses.
fn resource(name: &str, body: &Body, modules: &[ModulePlan]) -> Option<Place> {
    let own = body
        .resources
        .iter()
        .position(|one| one.name == name && !matches!(one.external, crate::plan::External::Object));
    if let Some(resource) = own {
        return Some(Place {
            uses: Vec::new(),
            resource,
        });
    }
    body.uses.iter().enumerate().find_map(|(at, one)| {
        let rest = name.strip_prefix(&one.name)?.strip_prefix('-')?;
        let mut place = resource(rest, &modules.get(one.module)?.body, modules)?;
        place.uses.insert(0, at);
        Some(place)
    })
}
