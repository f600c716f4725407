//! Is every code of a finding on the page docs/manual/errors.md, and nothing else?

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use purlin_testkit::root;

/// What makes a finding: the code is its first argument.
const MAKERS: [&str; 7] = [
    "Diagnostic::error(",
    "Diagnostic::warning(",
    "Diagnostic::note(",
    "Problem::new(",
    "Fields::new(",
    "Code(",
    ".error(",
];

#[test]
fn every_code_has_its_line_in_the_error_index() {
    let mut sources = Vec::new();
    for layer in ["crates/pure", "crates/edge", "crates/app", "functions"] {
        for entry in fs::read_dir(root().join(layer)).unwrap() {
            read(&entry.unwrap().path().join("src"), &mut sources);
        }
    }
    let groups: BTreeSet<&str> = sources
        .iter()
        .flat_map(|text| MAKERS.iter().flat_map(|maker| text.split(*maker).skip(1)))
        .filter_map(|rest| code(rest.trim_start().strip_prefix('"')?))
        .map(|(group, _)| group)
        .collect();
    assert!(groups.len() > 8, "{groups:?}");
    let used: BTreeSet<String> = sources
        .iter()
        .flat_map(|text| text.split('"'))
        .filter_map(|literal| {
            let (group, word) = code(literal)?;
            let whole = literal.len() == group.len() + 1 + word.len();
            (whole && groups.contains(group)).then(|| literal.to_owned())
        })
        .collect();
    let page = fs::read_to_string(root().join("docs/manual/errors.md")).unwrap();
    let listed: Vec<String> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .map(str::to_owned)
        .collect();
    for row in page.lines().filter(|line| line.starts_with("| `")) {
        let empty = row
            .split('|')
            .map(str::trim)
            .skip(1)
            .take(4)
            .any(str::is_empty);
        assert!(
            !empty,
            "a row that lacks a cause, a fix or an example: {row}"
        );
    }
    let unique: BTreeSet<String> = listed.iter().cloned().collect();
    assert_eq!(unique.len(), listed.len(), "a code is listed twice");
    let missing: Vec<&String> = used.difference(&unique).collect();
    let gone: Vec<&String> = unique.difference(&used).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "docs/manual/errors.md lacks {missing:?}, and has {gone:?}, which nothing says"
    );
}

/// A code at the start of a text: its group and its word.
fn code(text: &str) -> Option<(&str, &str)> {
    let slug = |text: &str| {
        let end = text
            .find(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit() && c != '-')
            .unwrap_or(text.len());
        (end > 1).then_some(end)
    };
    let (group, rest) = text.split_once('/')?;
    let whole = slug(group).is_some_and(|end| end == group.len());
    let end = slug(rest).filter(|_| whole)?;
    let ends = rest.get(end..)?.is_empty() || rest.get(end..)?.starts_with('"');
    ends.then(|| Some((group, rest.get(..end)?)))?
}

/// The sources of a folder, without their tests.
fn read(folder: &Path, sources: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "tests" {
                read(&path, sources);
            }
        } else if path.extension().is_some_and(|it| it == "rs") && !name.ends_with("tests.rs") {
            let text = fs::read_to_string(&path).unwrap();
            let code = text
                .split("#[cfg(test)]\nmod tests {")
                .next()
                .unwrap_or_default();
            sources.push(code.to_owned());
        }
    }
}
