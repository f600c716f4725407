//! Is this text an expression?
//!
//! The `cel` crate parses, without macros, so that positions stay true; everything it gives is turned into our own tree
//! at once. Only `parse`, `lower`, `forms` and `bridge` know that crate.

use crate::ast::Node;
use crate::lower::Lower;
use crate::{Problem, limits};

/// Parses `source`.
///
/// # Errors
/// Everything that is wrong with it, as far as it can be told.
pub(crate) fn parse(source: &str) -> Result<Node, Vec<Problem>> {
    limits::check(source).map_err(|problem| vec![problem])?;
    if source.trim().is_empty() {
        return Err(vec![Problem::new(
            "expr/empty",
            "there is no expression here",
            0,
            source.len(),
        )]);
    }
    let parser = cel::Env::default()
        .parser()
        .enable_ident_escape_syntax(true);
    let (tree, places) = match parser.parse_with_source_info(source) {
        Ok(parsed) => parsed,
        Err(errors) => return Err(syntax_problems(source, &errors.errors)),
    };
    let mut lower = Lower {
        source,
        places: &places,
        scope: Vec::new(),
        problems: Vec::new(),
    };
    let node = lower.node(&tree);
    if lower.problems.is_empty() {
        Ok(node)
    } else {
        Err(lower.problems)
    }
}

fn syntax_problems(source: &str, errors: &[cel::ParseError]) -> Vec<Problem> {
    let mut problems: Vec<Problem> = Vec::new();
    for error in errors {
        let at = offset(source, error.pos).min(source.len());
        let end = source
            .get(at..)
            .and_then(|rest| rest.chars().next())
            .map_or(at, |c| at + c.len_utf8());
        let text = error.msg.trim_start_matches("Syntax error: ");
        // What the grammar would have taken instead is a list of token names nobody can read.
        let text = text.split(" expecting {").next().unwrap_or(text);
        let text = if text.contains("'<EOF>'") || text.contains("<EOF>") {
            "the expression ends too early".to_owned()
        } else {
            text.to_owned()
        };
        // After the first mistake the parser often stumbles over its own recovery at the same spot.
        if problems.iter().any(|p| p.start == at) {
            continue;
        }
        problems.push(Problem::new("expr/syntax", text, at, end));
    }
    if problems.is_empty() {
        problems.push(Problem::new(
            "expr/syntax",
            "this is not an expression",
            0,
            source.len(),
        ));
    }
    problems
}

/// The byte of a line and a column, both from 1, the column in characters.
fn offset(source: &str, (line, column): (isize, isize)) -> usize {
    let line = usize::try_from(line).unwrap_or(1).max(1);
    let column = usize::try_from(column).unwrap_or(1).max(1);
    let mut at = 0;
    for (number, text) in source.split_inclusive('\n').enumerate() {
        if number + 1 == line {
            return at
                + text
                    .char_indices()
                    .nth(column - 1)
                    .map_or(text.len(), |(byte, _)| byte);
        }
        at += text.len();
    }
    source.len()
}
