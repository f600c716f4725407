//! Files no `mod` line reaches, files without a header, and to-dos without an owner.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::workspace::Workspace;

/// Past this many lines a file is named in the (harmless) list of long ones.
const LONG: usize = 400;

pub(super) fn check(workspace: &Workspace, wrong: &mut Vec<String>) -> Result<()> {
    let mut long = Vec::new();
    for package in &workspace.packages {
        let mut reached = BTreeSet::new();
        let src = package.dir.join("src");
        for entry in ["lib.rs", "main.rs"] {
            reach(&src.join(entry), &src, &mut reached);
        }
        for bin in rust_files(&src.join("bin"))? {
            reached.insert(bin);
        }
        for file in rust_files(&src)? {
            let text =
                fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
            let shown = file
                .strip_prefix(&workspace.root)
                .unwrap_or(&file)
                .display()
                .to_string();
            let generated = shown.contains("/generated/");
            if !reached.contains(&file) && !generated {
                wrong.push(format!("{shown}: no `mod` line reaches this file"));
            }
            if !text.starts_with("//!") && !generated && !shown.ends_with("tests.rs") {
                wrong.push(format!(
                    "{shown}: starts without a `//!` line that says which question it answers"
                ));
            }
            for (number, line) in text.lines().enumerate() {
                if line.contains(concat!("TO", "DO")) && !line.contains(concat!("TO", "DO(#")) {
                    wrong.push(format!(
                        "{shown}:{}: a to-do without an issue number",
                        number + 1
                    ));
                }
            }
            if text.lines().count() > LONG && !generated {
                long.push(format!("{} {shown}", text.lines().count()));
            }
        }
    }
    long.sort();
    for line in long.iter().rev() {
        #[expect(clippy::print_stdout, reason = "a chore talks to whoever ran it")]
        {
            println!("long file: {line}");
        }
    }
    Ok(())
}

fn rust_files(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(dir) else {
        return Ok(found);
    };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Follows `mod name;` lines from `file`, whose submodules live in `dir`.
fn reach(file: &Path, dir: &Path, reached: &mut BTreeSet<PathBuf>) {
    let Ok(text) = fs::read_to_string(file) else {
        return;
    };
    if !reached.insert(file.to_owned()) {
        return;
    }
    let mut named_path = None;
    for line in text.lines().map(str::trim) {
        if let Some(path) = line
            .strip_prefix("#[path = \"")
            .and_then(|rest| rest.split('"').next())
        {
            named_path = Some(file.with_file_name(path));
            continue;
        }
        let Some(name) = module_name(line) else {
            continue;
        };
        let candidates = [
            named_path.take(),
            Some(dir.join(format!("{name}.rs"))),
            Some(dir.join(name).join("mod.rs")),
        ];
        for candidate in candidates.into_iter().flatten() {
            reach(&candidate, &dir.join(name), reached);
        }
    }
}

fn module_name(line: &str) -> Option<&str> {
    let rest = line
        .strip_prefix("pub(crate) ")
        .or_else(|| line.strip_prefix("pub(super) "))
        .or_else(|| line.strip_prefix("pub "))
        .unwrap_or(line);
    let name = rest.strip_prefix("mod ")?.strip_suffix(';')?;
    Some(name.trim())
}

#[cfg(test)]
mod tests {
    use super::module_name;

    #[test]
    fn only_module_declarations_without_a_body_name_a_file() {
        assert_eq!(module_name("mod place;"), Some("place"));
        assert_eq!(module_name("pub(crate) mod place;"), Some("place"));
        assert_eq!(module_name("mod tests {"), None);
        assert_eq!(module_name("use place;"), None);
    }
}
