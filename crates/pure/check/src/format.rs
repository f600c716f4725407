//! What does a Go format string want, and what does it get?

use purlin_schema::Kind;

/// One verb of a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verb {
    /// The letter; `None` when the text ends before it.
    pub(crate) letter: Option<char>,
    /// Which argument it prints, from 0.
    pub(crate) argument: usize,
    /// Where it stands, in bytes: from the percent sign to after the letter.
    pub(crate) span: (usize, usize),
}

/// The verbs of a format, in order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Format {
    pub(crate) verbs: Vec<Verb>,
    /// How many arguments are taken, counted as Go counts those that are left over.
    pub(crate) taken: usize,
    /// Whether an argument is named by its number: then nothing is said of those left over.
    pub(crate) numbered: bool,
    /// Whether an argument's number is none.
    pub(crate) bad_number: Option<(usize, usize)>,
}

/// Reads a format as `fmt.Sprintf` does.
pub(crate) fn parse(format: &str) -> Format {
    let mut out = Format::default();
    let mut rest = format.char_indices().peekable();
    let mut next = 0;
    while let Some((start, c)) = rest.next() {
        if c != '%' {
            continue;
        }
        while rest.next_if(|(_, c)| "#0+- ".contains(*c)).is_some() {}
        // A width, a precision, and a number before the verb; each may be a star, which takes an argument.
        let mut number = String::new();
        while let Some((_, c)) =
            rest.next_if(|(_, c)| c.is_ascii_digit() || matches!(c, '.' | '*' | '['))
        {
            match c {
                '*' => next += 1,
                '[' => {
                    number.clear();
                    while let Some((_, c)) = rest.next_if(|(_, c)| c.is_ascii_digit()) {
                        number.push(c);
                    }
                    let closed = rest.next_if(|(_, c)| *c == ']').is_some();
                    out.numbered = true;
                    match number.parse::<usize>().ok().filter(|n| closed && *n > 0) {
                        Some(n) => next = n - 1,
                        None => out.bad_number = Some((start, start + 1)),
                    }
                }
                _ => {}
            }
        }
        let Some((at, letter)) = rest.next() else {
            out.verbs.push(Verb {
                letter: None,
                argument: next,
                span: (start, format.len()),
            });
            break;
        };
        let end = at + letter.len_utf8();
        if letter == '%' {
            continue;
        }
        out.verbs.push(Verb {
            letter: Some(letter),
            argument: next,
            span: (start, end),
        });
        next += 1;
        out.taken = out.taken.max(next);
    }
    out
}

/// What a verb prints of a type as this transform has it; `None` when it is what one expects.
///
/// Numbers of objects are doubles in functions, so that `%d` does not print them.
pub(crate) fn garbles(letter: char, kind: Kind, whole: bool) -> Option<String> {
    let (go, sample) = match kind {
        Kind::String => ("string", "text"),
        Kind::Boolean => ("bool", "true"),
        Kind::Integer if whole => ("int64", "8"),
        Kind::Integer | Kind::Number => ("float64", "8"),
        // Printed element by element.
        Kind::Array | Kind::Object => return None,
    };
    let right = match letter {
        'v' | 'T' => true,
        's' => kind == Kind::String,
        'q' => kind == Kind::String || go == "int64",
        'x' | 'X' => kind != Kind::Boolean,
        't' => kind == Kind::Boolean,
        'd' | 'c' | 'o' | 'O' | 'U' => go == "int64",
        'b' => matches!(go, "int64" | "float64"),
        'e' | 'E' | 'f' | 'F' | 'g' | 'G' => go == "float64",
        _ => false,
    };
    (!right).then(|| format!("%!{letter}({go}={sample})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_are_found_with_their_arguments() {
        let check = |format: &str, letters: &str, arguments: &[usize], taken: usize| {
            let found = parse(format);
            let read: String = found.verbs.iter().filter_map(|verb| verb.letter).collect();
            let at: Vec<usize> = found.verbs.iter().map(|verb| verb.argument).collect();
            assert_eq!(
                (read.as_str(), at.as_slice(), found.taken),
                (letters, arguments, taken),
                "{format}"
            );
        };
        check("%s-%d", "sd", &[0, 1], 2);
        check("100%% of %v", "v", &[0], 1);
        check("%-10s|%05.2f", "sf", &[0, 1], 2);
        check("%[2]s %[1]s", "ss", &[1, 0], 2);
        check("%*d", "d", &[1], 2);
        check("%", "", &[0], 0);
        check("plain", "", &[], 0);
        check("{\"a\": \"%s\"}", "s", &[0], 1);
        assert!(parse("%[x]s").bad_number.is_some());
    }

    #[test]
    fn what_go_cannot_print_is_known() {
        assert_eq!(
            garbles('d', Kind::String, false).as_deref(),
            Some("%!d(string=text)")
        );
        assert_eq!(
            garbles('d', Kind::Integer, false).as_deref(),
            Some("%!d(float64=8)")
        );
        assert_eq!(garbles('d', Kind::Integer, true), None);
        assert_eq!(garbles('s', Kind::String, false), None);
        assert_eq!(garbles('v', Kind::Boolean, false), None);
    }
}
