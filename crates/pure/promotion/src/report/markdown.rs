//! A plan for a review: GitHub-flavoured Markdown that fits in a comment.

use std::fmt::Write as _;

use purlin_diff::Verb;

use super::{counts, field, file_sign, presence_sign, short, verb_sign, verdict};
use crate::decision::{Decision, Verdict};
use crate::plan::Plan;
use crate::preview::PreviewOutcome;

/// What GitHub accepts in one comment is 65,536 characters.
const LIMIT: usize = 60_000;

/// Writes a plan and what was decided about it. What does not fit in a comment is cut off, and that is said.
pub fn plan_markdown(plan: &Plan, decision: &Decision) -> String {
    let mut out = String::new();
    let base = plan.base.as_deref().map_or("nothing", short);
    put_line!(
        out,
        "## `{}`: {} → {}\n\n**{}** (`{base}` → `{}`)\n",
        plan.unit,
        plan.from,
        plan.to,
        verdict(plan, decision),
        short(&plan.tree)
    );
    if decision.verdict != Verdict::Same {
        put_line!(out, "{}.\n", counts(plan));
        reasons(&mut out, decision);
        apis(&mut out, plan);
        claims(&mut out, plan);
        objects(&mut out, plan);
        files(&mut out, plan);
    }
    put_line!(out, "<sub>{} at {}</sub>", plan.digest, short(&plan.commit));
    cut(out)
}

fn cut(out: String) -> String {
    if out.chars().count() <= LIMIT {
        return out;
    }
    let head: String = out.chars().take(LIMIT).collect();
    // An open block would swallow the note.
    let open = head.matches("\n```").count() % 2 == 1;
    let fence = if open { "\n```" } else { "" };
    format!("{head}{fence}\n\n*Cut off here: the whole plan is longer than a comment may be.*\n")
}

/// Text from a repository is data: it must not open a table cell, a tag or a code span of its own.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
        .replace(['\n', '\r'], " ")
        .replace('<', "&lt;")
}

fn code(text: &str) -> String {
    format!(
        "`{}`",
        text.replace('`', "'")
            .replace(['\n', '\r'], " ")
            .replace('|', "\\|")
    )
}

fn fenced(out: &mut String, language: &str, text: &str) {
    let text = text.replace("```", "'''");
    put_line!(out, "```{language}\n{}\n```\n", text.trim_end());
}

fn reasons(out: &mut String, decision: &Decision) {
    for reason in &decision.reasons {
        let mark = if reason.stops {
            "❌"
        } else {
            "⚠️ overridden:"
        };
        put_line!(
            out,
            "- {mark} **{}**: {}; {}",
            cell(&reason.gate),
            cell(&reason.text),
            cell(&reason.help)
        );
    }
    if !decision.reasons.is_empty() {
        out.push('\n');
    }
}

fn apis(out: &mut String, plan: &Plan) {
    if plan.apis.is_empty() {
        return;
    }
    out.push_str("### APIs\n\n");
    for api in &plan.apis {
        put_line!(out, "{} {}\n", presence_sign(api.presence), code(&api.name));
        if api.changes.is_empty() {
            continue;
        }
        out.push_str("| verdict | definition | field | why |\n| --- | --- | --- | --- |\n");
        for change in &api.changes {
            put_line!(
                out,
                "| {} | {} | {} | {} |",
                change.compatibility.word(),
                code(&change.definition),
                code(&change.path),
                cell(&change.why)
            );
        }
        out.push('\n');
    }
}

fn claims(out: &mut String, plan: &Plan) {
    if plan.claims.is_empty() {
        return;
    }
    put_line!(out, "### Claims in {}\n", plan.to);
    for preview in &plan.claims {
        let mut block = String::new();
        let head = match &preview.outcome {
            PreviewOutcome::Rendered { changes } if changes.is_empty() => "no change".to_owned(),
            PreviewOutcome::Rendered { changes } => {
                for noted in changes {
                    let change = &noted.change;
                    put_line!(block, "{} {}", verb_sign(&change.verb), change.id);
                    if let Verb::Change { fields } = &change.verb {
                        for one in fields {
                            let fixed = noted.immutable.contains(&one.path);
                            let mark = if fixed { "  (cannot change)" } else { "" };
                            put_line!(block, "!   {}{mark}", field(one));
                        }
                    }
                }
                format!("{} resources", changes.len())
            }
            PreviewOutcome::Fails { problems, .. } => {
                for problem in problems {
                    put_line!(block, "- {problem}");
                }
                "**does not work**".to_owned()
            }
        };
        put_line!(out, "- {}: {head}\n", code(&preview.claim.to_string()));
        if !block.is_empty() {
            fenced(out, "diff", &block);
        }
    }
}

fn objects(out: &mut String, plan: &Plan) {
    if plan.objects.is_empty() {
        return;
    }
    out.push_str("### Compositions and other objects\n\n");
    for object in &plan.objects {
        put_line!(
            out,
            "- {} {}",
            presence_sign(object.presence),
            code(&object.id.to_string())
        );
        for change in &object.fields {
            put_line!(out, "  - {}", code(&field(change)));
        }
    }
    out.push('\n');
}

fn files(out: &mut String, plan: &Plan) {
    out.push_str("<details><summary>Files</summary>\n\n");
    for file in &plan.files {
        put_line!(
            out,
            "{} {}\n",
            file_sign(file.change.kind),
            code(&file.change.path)
        );
        if !file.patch.is_empty() {
            fenced(out, "diff", &file.patch);
        }
    }
    out.push_str("</details>\n\n");
}
