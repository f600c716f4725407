//! `purlin check PATH...`

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use purlin_diag::{Diagnostic, Diagnostics, Severity, Sources, render_text};
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::ui::Ui;

/// Folders below each other.
const DEEPEST: usize = 32;
/// Files of one run.
const MOST_FILES: usize = 50_000;
/// Bytes of one file: as much as is read of YAML anywhere.
const LARGEST: u64 = 32 << 20;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files, and folders whose .yaml, .yml and .json files are read, also in folders below. Not read are hidden
    /// folders, node_modules, and templates of Helm charts.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// How to print what is found.
    #[arg(short, long, value_enum, default_value = "text")]
    output: Format,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    /// For people: the line, with carets under what is meant.
    Text,
    /// One list of {file, line, column, severity, code, message, help}.
    Json,
    /// SARIF 2.1.0, which code hosts show beside the code.
    Sarif,
    /// Commands that GitHub Actions turns into annotations.
    Github,
}

pub(crate) fn run(args: &Args, ui: &Ui) -> anyhow::Result<Exit> {
    let mut files = BTreeSet::new();
    for path in &args.paths {
        if !path.exists() {
            ui.say(format_args!("error: there is no {}", path.display()));
            return Ok(Exit::Misuse);
        }
        gather(path, DEEPEST, &mut files)?;
    }
    let mut sources = Sources::new();
    for file in &files {
        if let Some(text) = read(file)? {
            sources.insert(file.display().to_string(), text);
        }
    }
    let texts = sources
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()));
    let checked = purlin_check::check(texts, &crate::hosted::functions());
    let found = checked.found;
    match args.output {
        Format::Text => {
            ui.data(render_text(&found, &sources))?;
            if found.is_empty() {
                ui.say(format_args!(
                    "nothing found in {} objects of {} files",
                    checked.objects,
                    sources.len()
                ));
            }
        }
        Format::Json => ui.data(format_args!("{:#}\n", serde_json::to_value(&found)?))?,
        Format::Sarif => ui.data(format_args!("{:#}\n", sarif(&found)))?,
        Format::Github => ui.data(github(&found))?,
    }
    Ok(if found.has_errors() {
        Exit::Differs
    } else {
        Exit::Done
    })
}

fn gather(path: &Path, depth: usize, files: &mut BTreeSet<PathBuf>) -> anyhow::Result<()> {
    if !path.is_dir() {
        files.insert(path.to_owned());
        return Ok(());
    }
    let entries = fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
    let chart = path.join("Chart.yaml").exists();
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot read {}", path.display()))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        // Links are not followed: they may lead in circles, and what they lead to is there anyway.
        let kind = entry.file_type()?;
        if kind.is_dir() {
            let skipped =
                name.starts_with('.') || name == "node_modules" || chart && name == "templates";
            if !skipped && depth > 0 {
                gather(&entry.path(), depth - 1, files)?;
            }
        } else if kind.is_file() && is_manifest(&entry.path()) {
            files.insert(entry.path());
        }
        if files.len() > MOST_FILES {
            bail!("there are more than {MOST_FILES} files: check a part of them");
        }
    }
    Ok(())
}

fn is_manifest(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    matches!(ending, Some("yaml" | "yml" | "json"))
}

/// The text of a file; `None` for JSON that is no manifest, like what other tools keep beside them.
fn read(file: &Path) -> anyhow::Result<Option<String>> {
    let cannot = || format!("cannot read {}", file.display());
    let size = fs::metadata(file).with_context(cannot)?.len();
    if size > LARGEST {
        bail!("{} is larger than {LARGEST} bytes", file.display());
    }
    let bytes = fs::read(file).with_context(cannot)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let json = file.extension().is_some_and(|ending| ending == "json");
    Ok((!json || text.contains("apiVersion")).then_some(text))
}

fn sarif(found: &Diagnostics) -> Value {
    let rules: BTreeSet<&str> = found.iter().map(|one| one.code.0).collect();
    let rules: Vec<Value> = rules.iter().map(|code| json!({"id": code})).collect();
    let results: Vec<Value> = found.iter().map(sarif_result).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "purlin", "version": env!("CARGO_PKG_VERSION"), "rules": rules}},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn sarif_result(finding: &Diagnostic) -> Value {
    let mut result = json!({
        "ruleId": finding.code.0,
        "level": finding.severity.as_str(),
        "message": {"text": with_help(finding)},
    });
    if let Some(place) = &finding.place {
        let mut region = json!({"startLine": place.line, "startColumn": place.column});
        if place.length > 0 {
            region["endColumn"] = (place.column + place.length).into();
        }
        result["locations"] = json!([{"physicalLocation": {
            "artifactLocation": {"uri": place.file.as_ref()},
            "region": region,
        }}]);
    }
    result
}

fn github(found: &Diagnostics) -> String {
    let lines = found.iter().map(|finding| {
        let command = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let place = finding.place.as_ref().map(|place| {
            let file = escape(&place.file).replace(':', "%3A").replace(',', "%2C");
            format!("file={file},line={},col={},", place.line, place.column)
        });
        format!(
            "::{command} {}title={}::{}\n",
            place.unwrap_or_default(),
            finding.code,
            escape(&with_help(finding))
        )
    });
    lines.collect::<Vec<_>>().concat()
}

fn escape(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn with_help(finding: &Diagnostic) -> String {
    match &finding.help {
        Some(help) => format!("{}; {help}", finding.message),
        None => finding.message.clone(),
    }
}
