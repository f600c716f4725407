//! Compares a run's failures with the list of known ones, which may only shrink.

use std::collections::BTreeSet;
use std::io::Write as _;

use crate::golden;

/// How one case ended: its name, and what differed when it failed.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The case's name.
    pub name: String,
    /// What differed; `None` when the case passed.
    pub failure: Option<String>,
}

/// Prints how many cases passed, and fails the test when a case fails that is not in the list, when a listed case
/// passes (take it out of the list), or when the list names a case that does not exist.
///
/// `list` is a file under `tests/golden/`, a name a line; `#` starts a comment, so each known failure can say why.
pub fn check_known(area: &str, list: &str, outcomes: &[Outcome]) {
    let path = golden(list);
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let known: BTreeSet<&str> = text
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim())
        .filter(|name| !name.is_empty())
        .collect();
    let names: BTreeSet<&str> = outcomes.iter().map(|o| o.name.as_str()).collect();
    let passed = outcomes.iter().filter(|o| o.failure.is_none()).count();
    // Not `println!`, whose words the test runner keeps to itself when the test passes.
    let counts = format!(
        "{area}: {passed} of {} cases pass, {} known to fail\n",
        outcomes.len(),
        known.len()
    );
    drop(std::io::stdout().write_all(counts.as_bytes()));
    if std::env::var_os("PURLIN_BLESS").is_some() {
        let list: Vec<&str> = outcomes
            .iter()
            .filter(|o| o.failure.is_some())
            .map(|o| o.name.as_str())
            .collect();
        let grown = list.iter().filter(|name| !known.contains(*name)).count();
        assert!(
            known.is_empty() || grown == 0,
            "{area}: the list of known failures may only shrink; {grown} new"
        );
        let text = if list.is_empty() {
            String::new()
        } else {
            list.join("\n") + "\n"
        };
        std::fs::write(&path, text)
            .unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
        return;
    }
    let mut wrong = Vec::new();
    for outcome in outcomes {
        match (&outcome.failure, known.contains(outcome.name.as_str())) {
            (Some(failure), false) => wrong.push(format!("{} fails:\n{failure}", outcome.name)),
            (None, true) => wrong.push(format!(
                "{} passes: take it out of tests/golden/{list}",
                outcome.name
            )),
            (Some(_), true) | (None, false) => {}
        }
    }
    for stale in known.difference(&names) {
        wrong.push(format!("{stale} is in tests/golden/{list} but is no case"));
    }
    let shown: String = wrong.join("\n--- ").chars().take(20_000).collect();
    assert!(
        wrong.is_empty(),
        "{area}: {passed} of {} pass; {} differ from the list:\n--- {shown}",
        outcomes.len(),
        wrong.len()
    );
}
