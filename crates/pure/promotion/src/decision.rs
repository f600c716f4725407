//! May this be promoted now, and if not, why not and what would change that?

use serde::Serialize;

use crate::api_change::Compatibility;
use crate::gate::{Budget, Gate};
use crate::pipeline::{Mode, Pipeline};
use crate::plan::Plan;
use crate::preview::PreviewOutcome;

/// How the promotion would be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Way {
    /// A commit on the branch that is synced.
    Direct,
    /// A commit on a branch of its own. It is a proposal: gates that cannot be evaluated here are left to whoever merges.
    Proposal,
    /// Whichever the environment asks for: nobody has decided yet.
    #[default]
    Configured,
}

/// What was asked for, beside the plan itself.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// How it would be made.
    pub way: Way,
    /// Whether breaking changes are accepted.
    pub allow_breaking: bool,
    /// The gates that are overridden, by name.
    pub skip: Vec<String>,
}

/// The answer in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// There is nothing to do.
    Same,
    /// It may go.
    Ready,
    /// Only breaking changes stand in the way.
    Breaking,
    /// Something else stands in the way.
    Blocked,
}

/// One thing that stands in the way, or would have if it had not been overridden.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reason {
    /// The gate's name.
    pub gate: String,
    /// What does not hold.
    pub text: String,
    /// What to do about it.
    pub help: String,
    /// Whether it stops the promotion.
    pub stops: bool,
}

/// Whether a promotion may go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// The answer in one word.
    pub verdict: Verdict,
    /// Everything that stands in the way, or was overridden.
    pub reasons: Vec<Reason>,
}

impl Decision {
    /// The names of the gates that were overridden and would have stopped it.
    pub fn overridden(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .reasons
            .iter()
            .filter(|reason| !reason.stops)
            .map(|reason| reason.gate.clone())
            .collect();
        names.sort();
        names.dedup();
        names
    }
}

/// Decides. Everything that stands in the way is listed, not only the first.
pub fn decide(plan: &Plan, pipeline: &Pipeline, request: &Request) -> Decision {
    if plan.is_same() {
        return Decision {
            verdict: Verdict::Same,
            reasons: Vec::new(),
        };
    }
    let mut reasons = Vec::new();
    check_route(plan, pipeline, request, &mut reasons);
    check_readable(plan, &mut reasons);
    check_possible(plan, &mut reasons);
    check_render(plan, &mut reasons);
    let gates = pipeline
        .get(&plan.to)
        .map(|e| e.gates.as_slice())
        .unwrap_or_default();
    let direct = match request.way {
        Way::Direct => true,
        Way::Proposal => false,
        Way::Configured => pipeline
            .get(&plan.to)
            .is_none_or(|e| e.mode == Mode::Direct),
    };
    for gate in gates {
        check_gate(gate, plan, direct, &mut reasons);
    }
    for reason in &mut reasons {
        reason.stops &= !request.skip.contains(&reason.gate);
    }
    let blocked = reasons.iter().any(|reason| reason.stops);
    let breaking = check_compatible(plan, request, &mut reasons);
    let verdict = match (blocked, breaking) {
        (true, _) => Verdict::Blocked,
        (false, true) => Verdict::Breaking,
        (false, false) => Verdict::Ready,
    };
    Decision { verdict, reasons }
}

fn stop(gate: &str, text: String, help: impl Into<String>) -> Reason {
    Reason {
        gate: gate.to_owned(),
        text,
        help: help.into(),
        stops: true,
    }
}

fn check_route(plan: &Plan, pipeline: &Pipeline, request: &Request, reasons: &mut Vec<Reason>) {
    let Some(target) = pipeline.get(&plan.to) else {
        return;
    };
    if !target.from.is_empty() && !target.from.contains(&plan.from) {
        let text = format!(
            "promotions into {} come from {}, not from {}",
            plan.to,
            target.from.join(" or "),
            plan.from
        );
        reasons.push(stop(
            "order",
            text,
            format!(
                "promote {} to {} first",
                plan.unit,
                target.from.join(" or ")
            ),
        ));
    }
    if target.mode == Mode::Proposal && request.way == Way::Direct {
        let text = format!("promotions into {} are reviewed", plan.to);
        reasons.push(stop(
            "mode",
            text,
            "add `--branch` to propose it on a branch of its own",
        ));
    }
}

/// What is broken in the target cannot be compared with, and what is not known does not pass.
fn check_readable(plan: &Plan, reasons: &mut Vec<Reason>) {
    if let Some(first) = plan.unreadable.first() {
        let text = format!(
            "what stands in {} today cannot be read, so nobody knows what breaks: {first}",
            plan.to
        );
        reasons.push(stop(
            "readable",
            text,
            "look at the file diff, then add `--skip-gate readable`",
        ));
    }
}

fn check_possible(plan: &Plan, reasons: &mut Vec<Reason>) {
    let apis = plan.apis.iter().flat_map(|api| &api.changes);
    for change in apis.filter(|change| change.compatibility == Compatibility::Impossible) {
        let text = format!(
            "the API server refuses the change of {} in {}: {}",
            change.path, change.definition, change.why
        );
        reasons.push(stop(
            "possible",
            text,
            "make it a new API beside the old one",
        ));
    }
    for object in &plan.objects {
        if let Some(why) = &object.impossible {
            reasons.push(stop(
                "possible",
                format!("{}: {why}", object.id),
                "rename the object",
            ));
        }
    }
}

fn check_render(plan: &Plan, reasons: &mut Vec<Reason>) {
    for problem in &plan.unreadable_claims {
        let text = format!("a claim in {} cannot be checked: {problem}", plan.to);
        reasons.push(stop(
            "render",
            text,
            "fix the claim's file, or add `--skip-gate render`",
        ));
    }
    for preview in &plan.claims {
        if let PreviewOutcome::Fails {
            problems,
            failed_before: false,
        } = &preview.outcome
        {
            let first = problems.first().map(String::as_str).unwrap_or_default();
            let text = format!(
                "{} ({}) does not work with the new version: {first}",
                preview.claim, preview.claim.file
            );
            reasons.push(stop(
                "render",
                text,
                "fix the claim or the Composition, or add `--skip-gate render`",
            ));
        }
    }
}

fn check_gate(gate: &Gate, plan: &Plan, direct: bool, reasons: &mut Vec<Reason>) {
    match gate {
        // These two are asked of every environment.
        Gate::Schema | Gate::Render => {}
        Gate::Blast(budget) => check_budget(*budget, plan, reasons),
        Gate::Unknown(name) => {
            let text = format!(
                "this version cannot evaluate the gate `{name}`, and what is not known does not pass"
            );
            let mut reason = stop(
                name,
                text,
                format!("check it by hand, then add `--skip-gate {name}`"),
            );
            reason.stops = direct;
            reasons.push(reason);
        }
    }
}

fn check_budget(budget: Budget, plan: &Plan, reasons: &mut Vec<Reason>) {
    let counts = plan.counts;
    for (word, limit, count) in [
        ("created", budget.create, counts.create),
        ("changed", budget.update, counts.update),
        ("deleted", budget.delete, counts.delete),
        (
            "changed in a field that cannot change",
            budget.replace,
            counts.replace,
        ),
    ] {
        if let Some(limit) = limit.filter(|limit| count > *limit) {
            let text = format!(
                "{count} resources would be {word}; {} accepts {limit} at once",
                plan.to
            );
            reasons.push(stop(
                "blast",
                text,
                "make a smaller change, or add `--skip-gate blast`",
            ));
        }
    }
}

fn check_compatible(plan: &Plan, request: &Request, reasons: &mut Vec<Reason>) -> bool {
    let allowed = request.allow_breaking || request.skip.iter().any(|gate| gate == "schema");
    let changes = plan.apis.iter().flat_map(|api| &api.changes);
    let before = reasons.len();
    for change in changes.filter(|change| change.compatibility.is_breaking()) {
        let text = format!("{} {}: {}", change.definition, change.path, change.why);
        let mut reason = stop(
            "schema",
            text,
            "keep the old field beside the new one, or add `--allow-breaking`",
        );
        reason.stops = !allowed;
        reasons.push(reason);
    }
    reasons.len() > before && !allowed
}
