//! A plan for a terminal.

use std::fmt::Write as _;

use purlin_diff::Verb;

use super::{counts, field, file_sign, presence_sign, short, verb_sign, verdict};
use crate::decision::{Decision, Verdict};
use crate::plan::Plan;
use crate::preview::{NotedChange, PreviewOutcome};

/// Writes a plan and what was decided about it, as plain text.
pub fn plan_text(plan: &Plan, decision: &Decision) -> String {
    let mut out = String::new();
    let base = plan.base.as_deref().map_or("nothing", short);
    line(
        &mut out,
        0,
        &format!(
            "{}  {} -> {}  ({base} -> {})",
            plan.unit,
            plan.from,
            plan.to,
            short(&plan.tree)
        ),
    );
    if decision.verdict != Verdict::Same {
        files(&mut out, plan);
        apis(&mut out, plan);
        objects(&mut out, plan);
        claims(&mut out, plan);
        out.push('\n');
        line(&mut out, 0, &format!("Resources: {}.", counts(plan)));
        reasons(&mut out, decision);
    }
    line(
        &mut out,
        0,
        &format!("Verdict: {}.", verdict(plan, decision)),
    );
    out
}

/// What stands in a repository must not steer the terminal.
fn line(out: &mut String, depth: usize, text: &str) {
    let plain: String = text
        .chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    put_line!(out, "{}{plain}", "  ".repeat(depth));
}

fn heading(out: &mut String, text: &str) {
    put_line!(out, "\n{text}");
}

fn files(out: &mut String, plan: &Plan) {
    heading(out, "Files");
    for file in &plan.files {
        let (added, removed) = file
            .patch
            .lines()
            .skip(2)
            .fold((0, 0), |(added, removed), line| {
                match line.as_bytes().first() {
                    Some(b'+') => (added + 1, removed),
                    Some(b'-') => (added, removed + 1),
                    _ => (added, removed),
                }
            });
        let size = if file.patch.is_empty() {
            String::new()
        } else {
            format!("  +{added} -{removed}")
        };
        line(
            out,
            1,
            &format!("{} {}{size}", file_sign(file.change.kind), file.change.path),
        );
    }
}

fn apis(out: &mut String, plan: &Plan) {
    if plan.apis.is_empty() {
        return;
    }
    heading(out, "APIs");
    for api in &plan.apis {
        line(
            out,
            1,
            &format!("{} {}", presence_sign(api.presence), api.name),
        );
        let paths = api.changes.iter().map(|change| change.path.chars().count());
        let width = paths.max().unwrap_or_default().min(48);
        let mut definition = "";
        for change in &api.changes {
            if change.definition != definition && change.definition != api.name {
                line(out, 2, &change.definition);
            }
            definition = &change.definition;
            let word = change.compatibility.word();
            line(
                out,
                2,
                &format!("{word:<11} {:<width$}  {}", change.path, change.why),
            );
        }
    }
}

fn objects(out: &mut String, plan: &Plan) {
    if plan.objects.is_empty() {
        return;
    }
    heading(out, "Compositions and other objects");
    for object in &plan.objects {
        line(
            out,
            1,
            &format!("{} {}", presence_sign(object.presence), object.id),
        );
        for change in &object.fields {
            line(out, 2, &field(change));
        }
        if let Some(why) = &object.impossible {
            line(out, 2, &format!("impossible: {why}"));
        }
    }
}

fn claims(out: &mut String, plan: &Plan) {
    if plan.claims.is_empty() {
        return;
    }
    heading(out, &format!("Claims in {}", plan.to));
    for preview in &plan.claims {
        let id = format!("{}  ({})", preview.claim, preview.claim.file);
        match &preview.outcome {
            PreviewOutcome::Rendered { changes } if changes.is_empty() => {
                line(out, 1, &format!("= {id}"));
            }
            PreviewOutcome::Rendered { changes } => {
                line(out, 1, &format!("~ {id}"));
                for noted in changes {
                    resource(out, noted);
                }
            }
            PreviewOutcome::Fails {
                problems,
                failed_before,
            } => {
                let when = if *failed_before {
                    "still fails"
                } else {
                    "fails"
                };
                line(out, 1, &format!("x {id} {when}"));
                for problem in problems {
                    line(out, 2, problem);
                }
            }
        }
    }
}

fn resource(out: &mut String, noted: &NotedChange) {
    let change = &noted.change;
    line(
        out,
        2,
        &format!("{} {}", verb_sign(&change.verb), change.id),
    );
    match &change.verb {
        Verb::Create | Verb::Delete => {}
        Verb::Rename { from } => {
            line(
                out,
                3,
                &format!(
                    "was `{from}` in the Composition: the old resource is deleted, a new one created"
                ),
            );
        }
        Verb::Change { fields } => {
            for one in fields {
                let mark = if noted.immutable.contains(&one.path) {
                    "  (cannot change: the resource would have to be replaced)"
                } else {
                    ""
                };
                line(out, 3, &format!("{}{mark}", field(one)));
            }
        }
    }
}

fn reasons(out: &mut String, decision: &Decision) {
    for reason in &decision.reasons {
        let word = if reason.stops {
            "Stopped by"
        } else {
            "Overridden"
        };
        line(out, 0, &format!("{word} {}: {}", reason.gate, reason.text));
        if reason.stops {
            line(out, 1, &format!("help: {}", reason.help));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn text_from_a_repository_does_not_steer_the_terminal() {
        let mut out = String::new();
        line(&mut out, 1, "a\u{1b}[2Jb\nc");
        assert_eq!(out, "  a\u{fffd}[2Jb\u{fffd}c\n");
    }
}
