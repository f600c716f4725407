//! Do resources of patch-and-transform wait for each other in a circle?
//!
//! A patch whose source is required keeps a new resource back until the source is there. When that is a field of the
//! status, the resource that writes it must be there first.

use std::collections::BTreeMap;

use purlin_diag::Diagnostic;
use serde_json::Value;

use crate::Report;
use crate::reach::{Step, steps};
use crate::resources::{kind_of, sources, target};
use crate::trail::overlaps;

/// A field of the status that a resource reads or writes.
#[derive(Debug)]
struct Touch {
    resource: String,
    field: Vec<Step>,
    at: String,
}

/// What resources need, and what they give.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    needs: Vec<Touch>,
    gives: Vec<Touch>,
}

impl Graph {
    /// Takes a patch of a resource in.
    pub(crate) fn patch(&mut self, resource: &str, patch: &Value, at: &str) {
        let touch = |field, at: String| Touch {
            resource: resource.to_owned(),
            field,
            at,
        };
        match kind_of(patch) {
            "FromCompositeFieldPath" | "CombineFromComposite"
                if patch["policy"]["fromFieldPath"] == "Required" =>
            {
                for (path, at) in sources(patch, at) {
                    self.needs
                        .extend(status(path).map(|field| touch(field, at)));
                }
            }
            "ToCompositeFieldPath" | "CombineToComposite" => {
                let field = target(patch).and_then(status);
                self.gives
                    .extend(field.map(|field| touch(field, at.to_owned())));
            }
            _ => {}
        }
    }

    /// Tells the circles, each once.
    pub(crate) fn report(&self, report: &mut Report<'_>) {
        // A need is met by each of those who give the field: it waits only when there is one.
        let mut edges: BTreeMap<&str, Vec<(&str, &Touch)>> = BTreeMap::new();
        for need in &self.needs {
            let mut givers: Vec<&str> = self
                .gives
                .iter()
                .filter(|give| overlaps(&give.field, &need.field))
                .map(|give| give.resource.as_str())
                .collect();
            givers.dedup();
            if let [giver] = givers.as_slice() {
                edges.entry(&need.resource).or_default().push((giver, need));
            }
        }
        let mut told: Vec<&str> = Vec::new();
        for start in edges.keys() {
            let Some(circle) = circle(start, &edges) else {
                continue;
            };
            if circle.iter().any(|(name, _)| told.contains(name)) {
                continue;
            }
            told.extend(circle.iter().map(|(name, _)| *name));
            let mut names: Vec<&str> = circle.iter().map(|(name, _)| *name).collect();
            names.push(start);
            let message = format!(
                "these resources wait for each other: {}",
                names.join(" -> ")
            );
            if let Some((_, need)) = circle.first() {
                let finding = Diagnostic::error("check/cycle", message);
                let help = "let one of them be created without the field, with `policy.fromFieldPath: Optional`";
                report.at(&need.at, finding.help(help));
            }
        }
    }
}

/// The way from a resource back to itself, with what each one needs of the next.
fn circle<'g>(
    start: &'g str,
    edges: &BTreeMap<&'g str, Vec<(&'g str, &'g Touch)>>,
) -> Option<Vec<(&'g str, &'g Touch)>> {
    let mut ways: Vec<Vec<(&str, &Touch)>> = Vec::new();
    let mut seen = vec![];
    for (next, need) in edges.get(start)? {
        if *next == start {
            return Some(vec![(start, need)]);
        }
        ways.push(vec![(start, need), (next, need)]);
    }
    while let Some(way) = ways.pop() {
        let (at, _) = *way.last()?;
        if seen.contains(&at) {
            continue;
        }
        seen.push(at);
        for (next, need) in edges.get(at).into_iter().flatten() {
            let mut way = way.clone();
            if *next == start {
                return Some(way);
            }
            way.push((next, need));
            ways.push(way);
        }
    }
    None
}

fn status(path: &str) -> Option<Vec<Step>> {
    let field = steps(path)?;
    (field.first() == Some(&Step::Field("status".to_owned()))).then_some(field)
}
