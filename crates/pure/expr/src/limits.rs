//! Is this source small and flat enough to be parsed and evaluated on an ordinary stack?
//!
//! The `cel` parser recurses once per operator of a chain, not only per bracket, and an overflow of the stack cannot be
//! caught. So the depth its tree would have is bounded here, from the tokens alone.

use crate::Problem;
use crate::lex::{Lexer, Token};

/// Longest source, in bytes.
pub(crate) const SOURCE: usize = 16 * 1024;
/// Most operators, selections, indexes and calls together.
pub(crate) const OPERATORS: usize = 1_000;
/// Deepest tree, as estimated from the tokens: brackets, plus the longest chain inside each of them.
pub(crate) const DEPTH: usize = 160;
/// Deepest nesting of brackets. The parser's own limit is 96.
pub(crate) const BRACKETS: usize = 40;

/// One open bracket: how deep the tree inside it may be.
#[derive(Default, Clone, Copy)]
struct Level {
    /// Operators since the last separator.
    chain: usize,
    /// Conditionals since the last comma: they nest to the right.
    conditionals: usize,
}

/// Refuses what is too large; says nothing about whether it is an expression.
#[expect(clippy::too_many_lines, reason = "one flat arm per token reads better")]
pub(crate) fn check(source: &str) -> Result<(), Problem> {
    if source.len() > SOURCE {
        return Err(Problem::new(
            "expr/too-long",
            format!(
                "the expression has {} bytes; at most {SOURCE} are allowed",
                source.len()
            ),
            0,
            source.len(),
        )
        .help("split it with `let`"));
    }
    let mut lexer = Lexer::new(source, 0);
    let mut levels = vec![Level::default()];
    let mut below = 0_usize;
    let mut operators = 0_usize;
    let mut before = Token::Comment;
    loop {
        let (token, start, end) = match lexer.next_token() {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(()),
            Err(open) => {
                return Err(Problem::new(
                    "expr/open-string",
                    "this string is never closed",
                    open.start,
                    source.len(),
                )
                .help("end it with the quote it began with, on the same line"));
            }
        };
        if token == Token::Comment {
            continue;
        }
        let level = levels
            .last_mut()
            .expect("the outermost level is never popped");
        match token {
            Token::Mark(b'(' | b'[' | b'{') => {
                // A bracket after an operand is a call or an index: a link of the chain.
                if matches!(
                    before,
                    Token::Word | Token::Text | Token::Mark(b')' | b']' | b'}')
                ) {
                    level.chain += 1;
                    operators += 1;
                }
                below += level.chain + level.conditionals + 1;
                levels.push(Level::default());
            }
            Token::Mark(b')' | b']' | b'}') => {
                if levels.len() > 1 {
                    levels.pop();
                    let level = levels.last().expect("one is left");
                    below -= level.chain + level.conditionals + 1;
                }
            }
            Token::Mark(b',') => *level = Level::default(),
            Token::Mark(b'&' | b'|') => {
                level.chain = 0;
                operators += usize::from(before != token);
            }
            Token::Mark(b'?') => {
                level.chain = 0;
                level.conditionals += 1;
                operators += 1;
            }
            Token::Mark(b':') => level.chain = 0,
            Token::Mark(_) => {
                level.chain += 1;
                operators += 1;
            }
            Token::Word if source.get(start..end) == Some("in") => {
                level.chain += 1;
                operators += 1;
            }
            Token::Word | Token::Text | Token::Comment => {}
        }
        before = token;
        let level = levels.last().expect("the outermost level is never popped");
        let deep = below + level.chain + level.conditionals;
        if levels.len() - 1 > BRACKETS {
            let message =
                format!("the expression has more than {BRACKETS} brackets inside one another");
            return Err(
                Problem::new("expr/too-deep", message, start, end).help("split it with `let`")
            );
        }
        if deep > DEPTH {
            let message = format!(
                "the expression is deeper than {DEPTH}: brackets inside one another, and operators and calls in a chain"
            );
            return Err(Problem::new("expr/too-deep", message, start, end)
                .help("split it with `let`, or build a list and join or sum it"));
        }
        if operators > OPERATORS {
            return Err(Problem::new(
                "expr/too-many-operators",
                format!("the expression has more than {OPERATORS} operators, selections and calls"),
                start,
                end,
            )
            .help("split it with `let`"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_overflows_the_parser_is_refused_before_it() {
        for (source, code) in [
            (vec!["1"; 1_200].join("+"), "expr/too-deep"),
            (format!("a{}", "[0]".repeat(1_000)), "expr/too-deep"),
            (format!("'a'{}", ".trim()".repeat(1_000)), "expr/too-deep"),
            (format!("a{}", ".b".repeat(1_000)), "expr/too-deep"),
            (
                format!("{}1{}", "(".repeat(50), ")".repeat(50)),
                "expr/too-deep",
            ),
            (format!("{}1", "a ? b : ".repeat(300)), "expr/too-deep"),
            (vec!["a.b"; 1_100].join(" && "), "expr/too-many-operators"),
            ("x".repeat(20_000), "expr/too-long"),
            ("'".to_owned(), "expr/open-string"),
        ] {
            assert_eq!(check(&source).unwrap_err().code, code);
        }
    }

    #[test]
    fn wide_expressions_are_fine() {
        let map: Vec<String> = (0..200).map(|i| format!("'k{i}': xr.spec.a")).collect();
        assert_eq!(check(&format!("{{{}}}", map.join(", "))), Ok(()));
        assert_eq!(check(&vec!["a == 1"; 300].join(" || ")), Ok(()));
        assert_eq!(check("'((((((' + r'\\' // ((((("), Ok(()));
    }
}
