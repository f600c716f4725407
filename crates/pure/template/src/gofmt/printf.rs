//! What does Go's `Sprintf` make of this format and these values?
//!
//! Follows the documentation of Go's package `fmt` for the types a request can hold: nil, bool, int64, float64, string,
//! `[]interface {}` and `map[string]interface {}`. A wrong verb, a missing or a surplus argument is written into the
//! text as Go does (`%!d(float64=8)`), because Compositions in use depend on it. Text is bytes here: decoded base64
//! need not be UTF-8. The output is bounded.

use purlin_object::{ListRef, ObjectRef, ValueRef};

use super::arg::Arg;
use super::arg::{Mapping, Sequence};
use super::scalar::Spec;

/// The longest text a format may give.
const MAX_OUTPUT: usize = 1 << 20;
/// Widths and precisions above this are not read, as in Go.
const MAX_NUMBER: usize = 1_000_000;

/// The text would be longer than a mebibyte.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the formatted text is longer than {MAX_OUTPUT} bytes")]
pub struct TooLong;

/// `fmt.Sprintf(format, args...)`.
pub fn sprintf(format: &str, args: &[Arg<'_>]) -> Result<Vec<u8>, TooLong> {
    let mut printer = Printer {
        format: format.as_bytes(),
        at: 0,
        args,
        next: 0,
        reordered: false,
        good_index: true,
        out: Vec::with_capacity(format.len() + 16),
    };
    printer.run(format)?;
    if printer.out.len() > MAX_OUTPUT {
        return Err(TooLong);
    }
    Ok(printer.out)
}

/// The text of one value as `%v` prints it.
pub fn default_text(arg: Arg<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    print(&mut out, &Spec::default(), 'v', arg);
    out
}

struct Printer<'f, 'a> {
    format: &'f [u8],
    at: usize,
    args: &'f [Arg<'a>],
    next: usize,
    reordered: bool,
    good_index: bool,
    out: Vec<u8>,
}

impl Printer<'_, '_> {
    fn run(&mut self, text: &str) -> Result<(), TooLong> {
        while self.at < self.format.len() {
            if self.out.len() > MAX_OUTPUT {
                return Err(TooLong);
            }
            self.good_index = true;
            let rest = self.format.get(self.at..).unwrap_or_default();
            let literal = rest.iter().position(|b| *b == b'%').unwrap_or(rest.len());
            self.out
                .extend_from_slice(rest.get(..literal).unwrap_or_default());
            self.at += literal;
            if self.at >= self.format.len() {
                break;
            }
            self.at += 1;
            self.directive(text)?;
        }
        if !self.reordered && self.next < self.args.len() {
            self.surplus();
        }
        Ok(())
    }

    fn peek(&self) -> Option<u8> {
        self.format.get(self.at).copied()
    }

    fn directive(&mut self, text: &str) -> Result<(), TooLong> {
        let mut spec = Spec::default();
        while let Some(flag) = self.peek() {
            match flag {
                b'#' => spec.sharp = true,
                b'0' => spec.zero = true,
                b'+' => spec.plus = true,
                b'-' => spec.minus = true,
                b' ' => spec.space = true,
                _ => break,
            }
            self.at += 1;
        }
        let mut after_index = self.argument_index();
        self.width(&mut spec, &mut after_index);
        self.precision(&mut spec, &mut after_index);
        if !after_index {
            self.argument_index();
        }
        let Some(verb) = text.get(self.at..).and_then(|rest| rest.chars().next()) else {
            self.out.extend_from_slice(b"%!(NOVERB)");
            return Ok(());
        };
        self.at += verb.len_utf8();
        if spec.width.is_some_and(|width| width > MAX_OUTPUT)
            || spec
                .precision
                .is_some_and(|precision| precision > MAX_OUTPUT)
        {
            return Err(TooLong);
        }
        self.verb(spec, verb);
        Ok(())
    }

    fn verb(&mut self, mut spec: Spec, verb: char) {
        if verb == '%' {
            self.out.push(b'%');
        } else if !self.good_index {
            self.complain(verb, "BADINDEX");
        } else if let Some(arg) = self.args.get(self.next) {
            if matches!(verb, 'v' | 'w') {
                spec.go_syntax = std::mem::take(&mut spec.sharp);
                spec.plus = false;
            }
            print(&mut self.out, &spec, verb, *arg);
            self.next += 1;
        } else {
            self.complain(verb, "MISSING");
        }
    }

    fn complain(&mut self, verb: char, what: &str) {
        self.out
            .extend_from_slice(format!("%!{verb}({what})").as_bytes());
    }

    /// Reads an explicit index such as `[2]`; says whether there was a well-formed one.
    fn argument_index(&mut self) -> bool {
        if self.peek() != Some(b'[') {
            return false;
        }
        self.reordered = true;
        let rest = self.format.get(self.at..).unwrap_or_default();
        let close = rest.iter().position(|b| *b == b']');
        let (number, length) = match close {
            Some(close) if rest.len() >= 3 => {
                let inner = rest.get(1..close).unwrap_or_default();
                let number = (!inner.is_empty() && inner.iter().all(u8::is_ascii_digit))
                    .then(|| read_number(inner))
                    .flatten();
                (number, close + 1)
            }
            _ => (None, 1),
        };
        self.at += length;
        match number.and_then(|number| number.checked_sub(1)) {
            Some(index) if index < self.args.len() => {
                self.next = index;
                true
            }
            _ => {
                self.good_index = false;
                number.is_some()
            }
        }
    }

    fn width(&mut self, spec: &mut Spec, after_index: &mut bool) {
        if self.peek() == Some(b'*') {
            self.at += 1;
            match self.number_argument() {
                Some(number) => {
                    spec.minus |= number < 0;
                    spec.zero &= number >= 0;
                    spec.width = usize::try_from(number.unsigned_abs()).ok();
                }
                None => self.out.extend_from_slice(b"%!(BADWIDTH)"),
            }
            *after_index = false;
            return;
        }
        spec.width = self.number();
        if *after_index && spec.width.is_some() {
            self.good_index = false;
        }
    }

    fn precision(&mut self, spec: &mut Spec, after_index: &mut bool) {
        if self.peek() != Some(b'.') {
            return;
        }
        self.at += 1;
        if *after_index {
            self.good_index = false;
        }
        *after_index = self.argument_index();
        if self.peek() == Some(b'*') {
            self.at += 1;
            spec.precision = self
                .number_argument()
                .and_then(|number| usize::try_from(number).ok());
            if spec.precision.is_none() {
                self.out.extend_from_slice(b"%!(BADPREC)");
            }
            *after_index = false;
            return;
        }
        spec.precision = Some(self.number().unwrap_or(0));
    }

    /// The value of an argument that gives a width or a precision.
    fn number_argument(&mut self) -> Option<i64> {
        let arg = self.args.get(self.next)?;
        self.next += 1;
        let limit = i64::try_from(MAX_NUMBER).unwrap_or(i64::MAX);
        match arg {
            Arg::Int(number) | Arg::Whole(number, _) if (-limit..=limit).contains(number) => {
                Some(*number)
            }
            _ => None,
        }
    }

    fn number(&mut self) -> Option<usize> {
        let rest = self.format.get(self.at..).unwrap_or_default();
        let length = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        if length == 0 {
            return None;
        }
        let number = read_number(rest.get(..length).unwrap_or_default());
        // A number that is too large ends the format, as in Go.
        self.at = if number.is_some() {
            self.at + length
        } else {
            self.format.len()
        };
        number
    }

    fn surplus(&mut self) {
        self.out.extend_from_slice(b"%!(EXTRA ");
        let extra = self.args.get(self.next..).unwrap_or_default();
        for (index, arg) in extra.iter().enumerate() {
            if index > 0 {
                self.out.extend_from_slice(b", ");
            }
            if !matches!(arg, Arg::Nil) {
                self.out.extend_from_slice(arg.go_type().as_bytes());
                self.out.push(b'=');
            }
            print(&mut self.out, &Spec::default(), 'v', *arg);
        }
        self.out.push(b')');
    }
}

fn read_number(digits: &[u8]) -> Option<usize> {
    let mut number = 0usize;
    for digit in digits {
        if number > MAX_NUMBER {
            return None;
        }
        number = number * 10 + usize::from(digit - b'0');
    }
    Some(number)
}

/// Prints one argument.
fn print(out: &mut Vec<u8>, spec: &Spec, verb: char, arg: Arg<'_>) {
    match verb {
        'T' => return spec.text(out, arg.go_type().as_bytes()),
        // The address of a map or a list differs from run to run in Go; nobody can depend on it.
        'p' | 'w' => return bad_verb(out, spec, verb, arg),
        _ => {}
    }
    if let Arg::Nil = arg {
        if verb == 'v' {
            spec.pad(out, b"<nil>");
        } else {
            bad_verb(out, spec, verb, arg);
        }
        return;
    }
    element(out, spec, verb, arg);
}

/// Prints an argument, or an element of one: inside a list or a map nil is always `<nil>`.
fn element(out: &mut Vec<u8>, spec: &Spec, verb: char, arg: Arg<'_>) {
    let known = match arg {
        Arg::Nil => {
            let text: &[u8] = if spec.go_syntax {
                b"interface {}(nil)"
            } else {
                b"<nil>"
            };
            out.extend_from_slice(text);
            true
        }
        Arg::Bool(value) => spec.boolean(out, verb, value),
        Arg::Int(value) | Arg::Whole(value, _) => spec.integer(out, verb, value),
        Arg::Float(value) => spec.float(out, verb, value),
        Arg::Text(text) | Arg::Named(text, _) => spec.string(out, verb, text),
        Arg::Sequence(list) => {
            sequence_text(out, spec, verb, list);
            true
        }
        Arg::Mapping(map) => {
            mapping_text(out, spec, verb, map);
            true
        }
        Arg::List(list) => {
            list_text(out, spec, verb, list);
            true
        }
        Arg::Map(map) => {
            map_text(out, spec, verb, map);
            true
        }
    };
    if !known {
        bad_verb(out, spec, verb, arg);
    }
}

/// Deeper than this nothing is printed: a map of a template may hold itself.
const MAX_DEPTH: u16 = 200;

fn sequence_text(out: &mut Vec<u8>, spec: &Spec, verb: char, list: &dyn Sequence) {
    let Some(spec) = spec.deeper(MAX_DEPTH) else {
        return out.extend_from_slice(b"...");
    };
    let between: &[u8] = if spec.go_syntax { b", " } else { b" " };
    if spec.go_syntax {
        out.extend_from_slice(list.go_type().as_bytes());
    }
    out.push(if spec.go_syntax { b'{' } else { b'[' });
    let mut first = true;
    list.each(&mut |item| {
        if out.len() > MAX_OUTPUT {
            return;
        }
        if !std::mem::take(&mut first) {
            out.extend_from_slice(between);
        }
        element(out, &spec, verb, item);
    });
    out.push(if spec.go_syntax { b'}' } else { b']' });
}

fn mapping_text(out: &mut Vec<u8>, spec: &Spec, verb: char, map: &dyn Mapping) {
    let Some(spec) = spec.deeper(MAX_DEPTH) else {
        return out.extend_from_slice(b"...");
    };
    let (open, between, close): (&str, &[u8], u8) = match (map.is_struct(), spec.go_syntax) {
        (true, _) => ("{", b" ", b'}'),
        (false, true) => ("{", b", ", b'}'),
        (false, false) => ("map[", b" ", b']'),
    };
    if spec.go_syntax {
        out.extend_from_slice(map.go_type().as_bytes());
    }
    out.extend_from_slice(open.as_bytes());
    let mut first = true;
    map.each(&mut |key, value| {
        if out.len() > MAX_OUTPUT {
            return;
        }
        if !std::mem::take(&mut first) {
            out.extend_from_slice(between);
        }
        if !map.is_struct() || spec.plus || spec.go_syntax {
            element(out, &spec, verb, key);
            out.push(b':');
        }
        element(out, &spec, verb, value);
    });
    out.push(close);
}

fn list_text(out: &mut Vec<u8>, spec: &Spec, verb: char, list: ListRef<'_>) {
    let (open, between, close): (&[u8], &[u8], u8) = if spec.go_syntax {
        (b"[]interface {}{", b", ", b'}')
    } else {
        (b"[", b" ", b']')
    };
    out.extend_from_slice(open);
    for (index, item) in list.iter().enumerate() {
        if is_padded_too_long(out, spec) {
            return;
        }
        if index > 0 {
            out.extend_from_slice(between);
        }
        element(out, spec, verb, item.into());
    }
    out.push(close);
}

/// A width counts for each item. What is too long is refused in the end, and is not to be made first.
fn is_padded_too_long(out: &[u8], spec: &Spec) -> bool {
    (spec.width.is_some() || spec.precision.is_some()) && out.len() > MAX_OUTPUT
}

fn map_text(out: &mut Vec<u8>, spec: &Spec, verb: char, map: ObjectRef<'_>) {
    let (open, between, close): (&[u8], &[u8], u8) = if spec.go_syntax {
        (b"map[string]interface {}{", b", ", b'}')
    } else {
        (b"map[", b" ", b']')
    };
    let mut members: Vec<(&str, ValueRef<'_>)> = map.iter().collect();
    members.sort_by_key(|(key, _)| *key);
    out.extend_from_slice(open);
    for (index, (key, value)) in members.into_iter().enumerate() {
        if is_padded_too_long(out, spec) {
            return;
        }
        if index > 0 {
            out.extend_from_slice(between);
        }
        element(out, spec, verb, Arg::Text(key.as_bytes()));
        out.push(b':');
        element(out, spec, verb, value.into());
    }
    out.push(close);
}

/// `%!verb(type=value)`: the verb does not fit the value.
fn bad_verb(out: &mut Vec<u8>, spec: &Spec, verb: char, arg: Arg<'_>) {
    out.extend_from_slice(format!("%!{verb}(").as_bytes());
    if let Arg::Nil = arg {
        out.extend_from_slice(b"<nil>");
    } else {
        out.extend_from_slice(arg.go_type().as_bytes());
        out.push(b'=');
        element(out, spec, 'v', arg);
    }
    out.push(b')');
}

#[cfg(test)]
#[path = "printf_tests.rs"]
mod tests;
