//! `purlin promote status|plan|run`

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Subcommand, ValueEnum};
use purlin_diag::{Diagnostics, Sources};
use purlin_promoter::{Done, Error, Order, Outcome, Planned, Promoter, Subject};
use purlin_promotion::{
    Request, Verdict, Way, matrix_markdown, matrix_table, plan_markdown, plan_text,
};
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::ui::Ui;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show where every unit stands in every environment.
    Status(StatusArgs),
    /// Show what a promotion would do: exit code 0 nothing, 1 something, 4 blocked, 5 breaking.
    Plan(PlanArgs),
    /// Promote: one commit that gives the target environment the source's folder.
    Run(RunArgs),
}

#[derive(Debug, clap::Args)]
struct Repository {
    /// The repository, bare or with a work tree.
    #[arg(long, value_name = "DIR", default_value = ".")]
    repo: PathBuf,
    /// The branch the environments are on [default: the one that is checked out].
    #[arg(long, value_name = "BRANCH")]
    on: Option<String>,
}

impl Repository {
    fn open(&self) -> Result<Promoter, Error> {
        let hosted = Arc::new(crate::hosted::functions());
        Promoter::open(&self.repo, self.on.as_deref(), hosted)
    }
}

#[derive(Debug, clap::Args)]
struct StatusArgs {
    #[command(flatten)]
    repository: Repository,
    /// How to show it.
    #[arg(short, long, value_enum, default_value_t = MatrixFormat::Table)]
    output: MatrixFormat,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum MatrixFormat {
    Table,
    Json,
    Yaml,
    Markdown,
}

#[derive(Debug, clap::Args)]
struct SubjectArgs {
    #[command(flatten)]
    repository: Repository,
    /// The unit: a folder inside an environment.
    unit: String,
    /// The environment it comes from [default: the one that feeds the target].
    #[arg(long, value_name = "ENV")]
    from: Option<String>,
    /// The environment it goes to.
    #[arg(long, value_name = "ENV")]
    to: String,
    /// Accept changes that break who uses the API today.
    #[arg(long)]
    allow_breaking: bool,
    /// Accept that a gate does not pass; may be repeated. The commit will say so.
    #[arg(long, value_name = "GATE")]
    skip_gate: Vec<String>,
    /// How to show the plan.
    #[arg(short, long, value_enum, default_value_t = PlanFormat::Text)]
    output: PlanFormat,
}

impl SubjectArgs {
    fn subject(&self) -> Subject {
        Subject {
            unit: self.unit.clone(),
            from: self.from.clone(),
            to: self.to.clone(),
        }
    }

    fn request(&self, way: Way) -> Request {
        Request {
            way,
            allow_breaking: self.allow_breaking,
            skip: self.skip_gate.clone(),
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum PlanFormat {
    Text,
    Json,
    Yaml,
    Markdown,
}

#[derive(Debug, clap::Args)]
struct PlanArgs {
    #[command(flatten)]
    subject: SubjectArgs,
}

#[derive(Debug, clap::Args)]
struct RunArgs {
    #[command(flatten)]
    subject: SubjectArgs,
    /// Propose it on a branch of its own [default name: promote/ENV/UNIT].
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "")]
    branch: Option<String>,
    /// Do not push, even when there is a remote.
    #[arg(long)]
    no_push: bool,
    /// Do not show the plan.
    #[arg(short, long)]
    quiet: bool,
    /// Why; becomes part of the commit's message.
    #[arg(short, long, value_name = "TEXT", default_value = "")]
    message: String,
}

pub(crate) fn run(args: &Args, ui: &Ui) -> anyhow::Result<Exit> {
    let outcome = match &args.action {
        Action::Status(args) => status(args, ui),
        Action::Plan(args) => plan(args, ui),
        Action::Run(args) => promote(args, ui),
    };
    // What the promotion itself refuses has an exit code of its own.
    outcome.or_else(|error| {
        error
            .downcast::<Error>()
            .and_then(|error| explain(error, ui))
    })
}

fn explain(error: Error, ui: &Ui) -> anyhow::Result<Exit> {
    match error {
        Error::Wrong { findings, sources } => {
            ui.report(&findings, &sources);
            Ok(Exit::Differs)
        }
        Error::Misuse { .. } => {
            ui.say(format_args!("error: {error}"));
            Ok(Exit::Misuse)
        }
        error if error.is_conflict() => {
            ui.say(format_args!("error: {error}"));
            Ok(Exit::Conflict)
        }
        error => Err(error.into()),
    }
}

fn status(args: &StatusArgs, ui: &Ui) -> anyhow::Result<Exit> {
    let (matrix, findings) = args.repository.open()?.status()?;
    report(&findings, &Sources::new(), ui);
    let text = match args.output {
        MatrixFormat::Table => matrix_table(&matrix),
        MatrixFormat::Markdown => matrix_markdown(&matrix),
        MatrixFormat::Json => pretty(&to_value(&matrix)?),
        MatrixFormat::Yaml => purlin_yaml::to_string(&to_value(&matrix)?),
    };
    print(ui, &text)?;
    Ok(Exit::Done)
}

fn plan(args: &PlanArgs, ui: &Ui) -> anyhow::Result<Exit> {
    let subject = &args.subject;
    let promoter = subject.repository.open()?;
    let request = subject.request(Way::Configured);
    let planned = promoter.plan(&subject.subject(), &request)?;
    remind(&promoter, &planned, ui);
    report(&planned.findings, &planned.sources, ui);
    show(subject.output, &planned, &json!(null), ui)?;
    Ok(match planned.decision.verdict {
        Verdict::Same => Exit::Done,
        Verdict::Ready => Exit::Differs,
        Verdict::Breaking => Exit::Breaking,
        Verdict::Blocked => Exit::Blocked,
    })
}

fn promote(args: &RunArgs, ui: &Ui) -> anyhow::Result<Exit> {
    let subject = &args.subject;
    let promoter = subject.repository.open()?;
    let way = if args.branch.is_some() {
        Way::Proposal
    } else {
        Way::Direct
    };
    let order = Order {
        subject: subject.subject(),
        branch: args.branch.clone().filter(|name| !name.is_empty()),
        push: !args.no_push,
        request: subject.request(way),
        note: args.message.clone(),
    };
    let Outcome { planned, done } = promoter.run(&order)?;
    remind(&promoter, &planned, ui);
    report(&planned.findings, &planned.sources, ui);
    // A plan that is refused is shown in any case: it says why.
    if !args.quiet || done == Done::Refused {
        show(subject.output, &planned, &describe(&done), ui)?;
    }
    Ok(conclude(&planned, &done, promoter.branch(), ui))
}

fn conclude(planned: &Planned, done: &Done, on: &str, ui: &Ui) -> Exit {
    let plan = &planned.plan;
    match done {
        Done::Refused => {
            return match planned.decision.verdict {
                Verdict::Breaking => Exit::Breaking,
                Verdict::Blocked | Verdict::Same | Verdict::Ready => Exit::Blocked,
            };
        }
        Done::Nothing {
            proposal: Some(branch),
            ..
        } => {
            ui.say(format_args!(
                "{} is already proposed for {} on {branch}",
                plan.unit, plan.to
            ));
        }
        Done::Nothing { caught_up, .. } => {
            if *caught_up {
                ui.say("finished an interrupted promotion: this clone was behind it");
            }
            ui.say(format_args!(
                "nothing to do: {} in {} is what it is in {}",
                plan.unit, plan.to, plan.from
            ));
        }
        Done::Promoted {
            commit,
            branch,
            pushed,
            left_behind,
        } => {
            let pushed = pushed
                .as_ref()
                .map(|to| format!(", pushed to {to}"))
                .unwrap_or_default();
            ui.say(format_args!(
                "promoted {} from {} to {}: commit {} on {branch}{pushed}",
                plan.unit,
                plan.from,
                plan.to,
                commit.short()
            ));
            if *left_behind {
                ui.say(format_args!(
                    "{on} was moved here meanwhile; `git pull` brings it up to date"
                ));
            }
        }
    }
    Exit::Done
}

fn describe(done: &Done) -> Value {
    match done {
        Done::Nothing {
            caught_up,
            proposal,
        } => {
            json!({"outcome": "nothing", "caughtUp": caught_up, "branch": proposal})
        }
        Done::Refused => json!({"outcome": "refused"}),
        Done::Promoted {
            commit,
            branch,
            pushed,
            left_behind,
        } => json!({
            "outcome": "promoted", "commit": commit.to_string(), "branch": branch, "pushed": pushed, "leftBehind": left_behind,
        }),
    }
}

fn remind(promoter: &Promoter, planned: &Planned, ui: &Ui) {
    // Only a courtesy: without the `git` program there is nothing to remind of.
    if let Ok(files) = promoter.uncommitted(planned)
        && !files.is_empty()
    {
        ui.say(format_args!(
            "note: not committed, so not promoted: {}",
            files.join(", ")
        ));
    }
}

fn report(findings: &Diagnostics, sources: &Sources, ui: &Ui) {
    if !findings.is_empty() {
        ui.report(findings, sources);
    }
}

fn show(format: PlanFormat, planned: &Planned, done: &Value, ui: &Ui) -> anyhow::Result<()> {
    let (plan, decision) = (&planned.plan, &planned.decision);
    let text = match format {
        PlanFormat::Text => plan_text(plan, decision),
        PlanFormat::Markdown => plan_markdown(plan, decision),
        PlanFormat::Json | PlanFormat::Yaml => {
            let mut value = json!({
                "plan": to_value(plan)?, "decision": to_value(decision)?, "findings": to_value(&planned.findings)?,
            });
            if !done.is_null() {
                value["done"] = done.clone();
            }
            match format {
                PlanFormat::Yaml => purlin_yaml::to_string(&value),
                PlanFormat::Json | PlanFormat::Text | PlanFormat::Markdown => pretty(&value),
            }
        }
    };
    print(ui, &text)
}

fn print(ui: &Ui, text: &str) -> anyhow::Result<()> {
    Ok(ui.data(text)?)
}

fn to_value(value: impl serde::Serialize) -> anyhow::Result<Value> {
    Ok(serde_json::to_value(value)?)
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}
