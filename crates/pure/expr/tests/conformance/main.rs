//! The official conformance suite of the language, where it is at hand.
//!
//! `CEL_CONFORMANCE` names a directory with its `*.textproto` files (`scripts/cel-conformance.sh` says where they are);
//! without it only the reader is tested. What fails stands in `known.txt` with a reason, and that list may only shrink.

#![expect(
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "the figures are what one runs it for, and the cases are files"
)]

mod case;
mod textproto;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::case::{Answer, run};
use crate::textproto::{Message, parse};

/// `file/section/case: reason`, one a line.
const KNOWN: &str = include_str!("known.txt");

#[derive(Debug, Default)]
struct Tally {
    right: usize,
    wrong: BTreeMap<String, String>,
    skipped: BTreeMap<&'static str, usize>,
}

fn read(directory: &Path) -> Result<Vec<(String, Message)>, String> {
    let entries =
        std::fs::read_dir(directory).map_err(|e| format!("{}: {e}", directory.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|e| e.to_string())?.path();
        if path.extension().is_none_or(|ext| ext != "textproto") {
            continue;
        }
        let text = std::fs::read_to_string(&path).map_err(|e| e.to_string())?;
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let message = parse(&text).map_err(|why| format!("{name}: {why}"))?;
        files.push((name, message));
    }
    files.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(files)
}

#[test]
fn the_official_cases_hold() -> Result<(), String> {
    let Some(directory) = std::env::var_os("CEL_CONFORMANCE") else {
        eprintln!("note: CEL_CONFORMANCE names no directory, so the official cases are not run");
        return Ok(());
    };
    let mut tally = Tally::default();
    let files = read(Path::new(&directory))?;
    if files.is_empty() {
        return Err("there is no *.textproto file in that directory".to_owned());
    }
    for (file, message) in &files {
        let (before, wrong) = (tally.right, tally.wrong.len());
        for section in message.messages("section") {
            for test in section.messages("test") {
                let id = |message: &Message| message.text("name").unwrap_or_default();
                match run(test) {
                    Answer::Right => tally.right += 1,
                    Answer::Skipped(class) => *tally.skipped.entry(class).or_default() += 1,
                    Answer::Wrong(why) => {
                        let name = format!("{file}/{}/{}", id(section), id(test));
                        let source = test.text("expr").unwrap_or_default();
                        tally.wrong.insert(name, format!("{source}\n    {why}"));
                    }
                }
            }
        }
        let (right, wrong) = (tally.right - before, tally.wrong.len() - wrong);
        eprintln!("{file:20} {right:5} of {}", right + wrong);
    }
    report(&tally)
}

fn report(tally: &Tally) -> Result<(), String> {
    let runnable = tally.right + tally.wrong.len();
    eprintln!("{} of {runnable} runnable cases hold", tally.right);
    for (class, count) in &tally.skipped {
        eprintln!("not run: {count} ({class})");
    }
    let known: BTreeSet<&str> = KNOWN
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(": "))
        .map(|(name, _)| name)
        .collect();
    let new = tally
        .wrong
        .iter()
        .filter(|(name, _)| !known.contains(name.as_str()));
    let new: Vec<String> = new
        .map(|(name, why)| format!("{name}\n    {why}"))
        .collect();
    let fixed: Vec<&&str> = known
        .iter()
        .filter(|name| !tally.wrong.contains_key(**name))
        .collect();
    if !new.is_empty() {
        return Err(format!("{} new failures:\n{}", new.len(), new.join("\n")));
    }
    if !fixed.is_empty() {
        return Err(format!("these hold now, take them off the list: {fixed:?}"));
    }
    if tally.right * 100 < runnable * 98 {
        return Err("less than 98 % of the runnable cases hold".to_owned());
    }
    Ok(())
}
