//! `purlin replay PATH...`

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use purlin_diff::FieldChange;
use purlin_function::protojson::response_to_json;
use purlin_function::recorded::Recorded;
use purlin_function::{Functions, Response, RunFunctionRequest, RunFunctionResponse};
use purlin_function::{ask_in_the_old_field_too, run_caught};
use serde_json::Value;

use crate::exit::Exit;
use crate::hosted;
use crate::ui::Ui;

/// How large a recorded call may be.
const MAX_SIZE: u64 = 256 << 20;
/// How many differences of one call are told.
const MAX_TOLD: usize = 10;
/// How many characters of a value are told.
const MAX_VALUE: usize = 200;

/// Answer recorded requests again and say what this version answers differently.
///
/// The calls are those that `purlin serve --record` kept. They are answered in this process, without a server. Exits with 0
/// when every answer is the recorded one, with 1 when one differs.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files with recorded calls, or folders of them.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Print the answers, as JSON, one a line, instead of comparing them.
    #[arg(long)]
    answers: bool,
    /// Compare the messages of results and conditions too; they are for people, and change with versions.
    #[arg(long)]
    messages: bool,
    /// The function that answers requests without an input.
    #[arg(long, value_name = "NAME", default_value = "function-auto-ready")]
    default_function: String,
}

pub(crate) fn run(args: &Args, ui: &Ui) -> anyhow::Result<Exit> {
    let functions = hosted::functions();
    if functions.by_name(&args.default_function).is_none() {
        let mistake = functions.unknown_name(&args.default_function);
        ui.say(format_args!("--default-function: {mistake}"));
        return Ok(Exit::Misuse);
    }
    let functions = functions.with_default(&args.default_function);
    let files = files(&args.paths)?;
    let (mut same, mut wrong) = (0, 0);
    for file in &files {
        let text = read(file)?;
        let call = match parse(&text) {
            Ok(call) => call,
            Err(mistake) => {
                ui.say(format_args!("{}: {mistake}", file.display()));
                wrong += 1;
                continue;
            }
        };
        // Through the same form as the record, so that what it hides is hidden here too.
        let answer = answer(&functions, &call.request);
        let again = Recorded::new("", "", "", &call.request, &answer);
        if args.answers {
            ui.data(format!("{}\n", again.response_json()))?;
            continue;
        }
        let (mut before, mut now) = (call.response, again.response_json().clone());
        if !args.messages {
            forget_messages(&mut before);
            forget_messages(&mut now);
        }
        let told = differences(&before, &now);
        if told.is_empty() {
            same += 1;
            continue;
        }
        wrong += 1;
        ui.say(format_args!("{}: the answer differs", file.display()));
        for line in told.iter().take(MAX_TOLD) {
            ui.say(format_args!("  {line}"));
        }
        if told.len() > MAX_TOLD {
            ui.say(format_args!("  and {} more", told.len() - MAX_TOLD));
        }
    }
    if args.answers {
        return Ok(if wrong == 0 {
            Exit::Done
        } else {
            Exit::Differs
        });
    }
    ui.say(format_args!(
        "{same} of {} answers are as recorded",
        files.len()
    ));
    Ok(if wrong == 0 {
        Exit::Done
    } else {
        Exit::Differs
    })
}

/// A call as far as replaying needs it.
struct Call {
    request: RunFunctionRequest,
    response: Value,
}

fn parse(text: &str) -> Result<Call, String> {
    let call: Recorded = serde_json::from_str(text)
        .map_err(|error| format!("this is not a recorded call: {error}"))?;
    let request = call
        .request()
        .map_err(|error| format!("the request cannot be read: {error}"))?;
    let response = call
        .response()
        .map_err(|error| format!("the answer cannot be read: {error}"))?;
    Ok(Call {
        request,
        response: response_to_json(&response),
    })
}

fn answer(functions: &Functions, request: &RunFunctionRequest) -> RunFunctionResponse {
    match functions.pick(request) {
        Ok(hosted) => {
            let (mut response, _) = run_caught(hosted.function.as_ref(), request);
            ask_in_the_old_field_too(request, &mut response);
            response
        }
        Err(mistakes) => Response::to(request).mistakes(&mistakes).build(),
    }
}

fn forget_messages(answer: &mut Value) {
    for list in ["results", "conditions"] {
        let items = answer.get_mut(list).and_then(Value::as_array_mut);
        for item in items.into_iter().flatten() {
            if let Some(item) = item.as_object_mut() {
                item.remove("message");
            }
        }
    }
}

/// What differs, a line each.
fn differences(before: &Value, after: &Value) -> Vec<String> {
    let changes = purlin_diff::fields(before, after);
    let line = |change: &FieldChange| {
        let (path, was) = (&change.path, short(change.old.as_ref()));
        format!(
            "{path}: {was} was recorded, {} now",
            short(change.new.as_ref())
        )
    };
    changes.iter().map(line).collect()
}

fn short(value: Option<&Value>) -> String {
    let Some(value) = value else {
        return "nothing".to_owned();
    };
    let text = value.to_string();
    if text.chars().count() <= MAX_VALUE {
        return text;
    }
    let start: String = text.chars().take(MAX_VALUE).collect();
    format!("{start}…")
}

/// The files, and those in the folders, in the order of their names.
fn files(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let entries =
            std::fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry
                .with_context(|| format!("cannot read {}", path.display()))?
                .path();
            if entry
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                found.push(entry);
            }
        }
        found.sort();
        files.append(&mut found);
    }
    anyhow::ensure!(
        !files.is_empty(),
        "there is no recorded call (*.json) there"
    );
    Ok(files)
}

fn read(path: &Path) -> anyhow::Result<String> {
    let about = || format!("cannot read {}", path.display());
    let file = std::fs::File::open(path).with_context(about)?;
    let mut text = String::new();
    file.take(MAX_SIZE)
        .read_to_string(&mut text)
        .with_context(about)?;
    Ok(text)
}
