//! Does the manual say what there is? Its examples are run, and its signatures are those of the table.

use std::collections::BTreeSet;

use super::signatures::SIGNATURES;
use crate::{Bindings, Env, Limits, Outcome, Program, Val, Wanted, limits};

const MANUAL: &str = include_str!("../../../../../docs/manual/cel.md");

/// The cells of every row of every table.
fn rows() -> Vec<Vec<String>> {
    let rows = MANUAL.lines().filter(|line| line.starts_with("| "));
    rows.map(|line| {
        // A bar inside of a cell has a backslash before it.
        let line = line.replace("\\|", "\u{1}");
        let cells = line.trim_matches('|').split(" | ");
        cells
            .map(|cell| cell.trim().replace('\u{1}', "|"))
            .collect()
    })
    .collect()
}

fn code(cell: &str) -> Option<&str> {
    cell.strip_prefix('`')?.strip_suffix('`')
}

#[test]
fn every_function_is_in_the_manual_and_no_other() {
    let told: BTreeSet<String> = rows()
        .iter()
        .filter(|row| row.len() == 3)
        .flat_map(|row| row[0].split("<br>").map(str::to_owned).collect::<Vec<_>>())
        .filter_map(|cell| code(&cell).map(str::to_owned))
        .filter(|cell| cell.contains(" -> "))
        .collect();
    let known: BTreeSet<String> = SIGNATURES.iter().map(|line| (*line).to_owned()).collect();
    let missing: Vec<_> = known.difference(&told).collect();
    let unknown: Vec<_> = told.difference(&known).collect();
    assert!(missing.is_empty(), "not in the manual: {missing:#?}");
    assert!(unknown.is_empty(), "only in the manual: {unknown:#?}");
}

#[test]
fn every_example_of_the_manual_is_true() {
    let examples: Vec<String> = rows()
        .iter()
        .filter(|row| row.len() == 3 && row[0].contains('('))
        .filter_map(|row| code(&row[2]).map(str::to_owned))
        .collect();
    assert!(examples.len() > 140, "{}", examples.len());
    let mut wrong = Vec::new();
    for example in &examples {
        let program =
            Program::parse(example).unwrap_or_else(|wrong| panic!("{example}: {wrong:?}"));
        let wanted = Wanted::Value(crate::Ty::Bool);
        let problems = program.check(&Env::new(), &wanted).problems;
        match program.eval(&Bindings::new()) {
            Outcome::Ok(Val::Bool(true)) if problems.is_empty() => {}
            other => wrong.push(format!("{example} gives {other:?}, {problems:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_limits_of_the_manual_are_the_limits() {
    let said = |name: &str| -> u64 {
        let rows = rows();
        let row = rows.iter().find(|row| row[0].starts_with(name));
        row.and_then(|row| row[1].parse().ok())
            .unwrap_or_else(|| panic!("{name} is not there"))
    };
    let usual = Limits::default();
    assert_eq!(said("bytes of an expression"), limits::SOURCE as u64);
    assert_eq!(said("operators, "), limits::OPERATORS as u64);
    assert_eq!(said("nested brackets"), limits::BRACKETS as u64);
    assert_eq!(said("depth, "), limits::DEPTH as u64);
    assert_eq!(said("steps of one evaluation"), usual.fuel);
    assert_eq!(said("bytes of values that"), usual.memory);
    assert_eq!(said("bytes of the value"), usual.output);
    let longest = usize::try_from(said("bytes of a regular")).unwrap();
    assert!(super::regex::compile(&"a".repeat(longest)).is_ok());
    assert!(super::regex::compile(&"a".repeat(longest + 1)).is_err());
}
