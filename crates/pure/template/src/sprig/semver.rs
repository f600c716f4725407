//! Sprig's semantic versions, with the leniency and the ranges of `Masterminds/semver`.

use std::cmp::Ordering;
use std::rc::Rc;

use super::{f, text};
use crate::library::{Function, Param};
use crate::value::{Native, Value, Whole};

use Param::Text;

pub(super) static FUNCTIONS: &[Function] = &[
    f("semver", &[Text], |_, a| {
        Ok(Value::Native(Rc::new(Version::parse(&text(a, 0))?)))
    }),
    f("semverCompare", &[Text, Text], |_, a| {
        let range = Range::parse(&text(a, 0))?;
        let version = Version::parse(&text(a, 1))?;
        Ok(range.holds(&version).into())
    }),
];

#[derive(Debug, Clone)]
struct Version {
    numbers: [u64; 3],
    /// How many numbers are written.
    written: usize,
    pre: String,
    build: String,
    original: String,
}

fn bad() -> String {
    "Invalid Semantic Version".to_owned()
}

impl Version {
    fn parse(text: &str) -> Result<Self, String> {
        let body = text.strip_prefix('v').unwrap_or(text);
        let (body, build) = match body.split_once('+') {
            Some((body, build)) => (body, Some(build)),
            None => (body, None),
        };
        let (body, pre) = match body.split_once('-') {
            Some((body, pre)) => (body, Some(pre)),
            None => (body, None),
        };
        let identifiers = |text: &str| {
            text.split('.').all(|part| {
                !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            })
        };
        if pre.is_some_and(|pre| !identifiers(pre)) || build.is_some_and(|b| !identifiers(b)) {
            return Err(bad());
        }
        if pre.is_some_and(|pre| {
            pre.split('.').any(|part| {
                part.len() > 1 && part.starts_with('0') && part.bytes().all(|b| b.is_ascii_digit())
            })
        }) {
            return Err("Version segment starts with 0".to_owned());
        }
        let mut numbers = [0; 3];
        let mut written = 0;
        for part in body.split('.') {
            if part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
                return Err(bad());
            }
            let slot = numbers.get_mut(written).ok_or_else(bad)?;
            *slot = part.parse().map_err(|_| bad())?;
            written += 1;
        }
        Ok(Self {
            numbers,
            written,
            pre: pre.unwrap_or_default().to_owned(),
            build: build.unwrap_or_default().to_owned(),
            original: text.to_owned(),
        })
    }

    fn compare(&self, other: &Self) -> Ordering {
        self.numbers.cmp(&other.numbers).then_with(|| {
            match (self.pre.is_empty(), other.pre.is_empty()) {
                (true, true) => Ordering::Equal,
                (true, false) => Ordering::Greater,
                (false, true) => Ordering::Less,
                (false, false) => compare_pre(&self.pre, &other.pre),
            }
        })
    }

    fn bumped(&self, index: usize) -> Self {
        let mut numbers = [0; 3];
        for (at, (to, from)) in numbers.iter_mut().zip(self.numbers).enumerate() {
            *to = match at.cmp(&index) {
                Ordering::Less => from,
                Ordering::Equal => from.saturating_add(1),
                Ordering::Greater => 0,
            };
        }
        let mut next = Self {
            numbers,
            written: 3,
            pre: String::new(),
            build: String::new(),
            original: String::new(),
        };
        next.original = next.text();
        next
    }
}

fn compare_pre(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) => match (a.parse::<u64>(), b.parse::<u64>()) {
                (Ok(a), Ok(b)) => a.cmp(&b),
                (Ok(_), Err(_)) => Ordering::Less,
                (Err(_), Ok(_)) => Ordering::Greater,
                (Err(_), Err(_)) => a.cmp(b),
            },
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

impl Native for Version {
    fn go_type(&self) -> &'static str {
        "*semver.Version"
    }

    fn member(&self, name: &str, args: &[Value]) -> Option<Result<Value, String>> {
        let [major, minor, patch] = self.numbers;
        let number = |n: u64| Value::Int(i64::try_from(n).unwrap_or(i64::MAX), Whole::Uint64);
        let native = |version: Self| Value::Native(Rc::new(version));
        let value = match name {
            "Major" => number(major),
            "Minor" => number(minor),
            "Patch" => number(patch),
            "Prerelease" => self.pre.as_str().into(),
            "Metadata" => self.build.as_str().into(),
            "Original" => self.original.as_str().into(),
            "String" => self.text().into(),
            "IncMajor" => native(self.bumped(0)),
            "IncMinor" => native(self.bumped(1)),
            "IncPatch" if self.pre.is_empty() => native(self.bumped(2)),
            "IncPatch" => {
                let mut next = self.clone();
                next.pre.clear();
                next.build.clear();
                next.original = next.text();
                native(next)
            }
            "Compare" | "Equal" | "LessThan" | "GreaterThan" => {
                let [Value::Native(other)] = args else {
                    return Some(Err("wants one version".to_owned()));
                };
                let other = match Self::parse(&other.text()) {
                    Ok(other) => other,
                    Err(error) => return Some(Err(error)),
                };
                let order = self.compare(&other);
                match name {
                    "Compare" => Value::int(order as i64),
                    "Equal" => (order == Ordering::Equal).into(),
                    "LessThan" => (order == Ordering::Less).into(),
                    _ => (order == Ordering::Greater).into(),
                }
            }
            _ => return None,
        };
        Some(Ok(value))
    }

    fn text(&self) -> String {
        let [major, minor, patch] = self.numbers;
        let mut out = format!("{major}.{minor}.{patch}");
        if !self.pre.is_empty() {
            push!(out, "-{}", self.pre);
        }
        if !self.build.is_empty() {
            push!(out, "+{}", self.build);
        }
        out
    }

    fn json(&self) -> String {
        let mut out = String::new();
        crate::gofmt::json_string(&mut out, self.text().as_bytes());
        out
    }
}

/// One comparison; `written` numbers count, the others are wild.
#[derive(Debug)]
struct Rule {
    operator: String,
    version: Version,
}

/// Alternatives of rules that hold together.
#[derive(Debug)]
struct Range(Vec<Vec<Rule>>);

impl Range {
    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("improper constraint: {text}");
        let mut alternatives = Vec::new();
        for alternative in text.split("||") {
            let mut rules = Vec::new();
            let spaced = alternative.replace(" - ", " \u{1} ");
            let words: Vec<&str> = (spaced.split([',', ' ']))
                .filter(|word| !word.is_empty())
                .collect();
            let mut at = 0;
            while let Some(word) = words.get(at) {
                at += 1;
                if words.get(at) == Some(&"\u{1}") {
                    let high = words.get(at + 1).ok_or_else(wrong)?;
                    rules.push(rule(">=", word).ok_or_else(wrong)?);
                    rules.push(rule("<=", high).ok_or_else(wrong)?);
                    at += 2;
                    continue;
                }
                let digits = word.find(|c: char| !"=!<>~^".contains(c));
                let (operator, version) = word.split_at(digits.unwrap_or(word.len()));
                // An operator may stand apart from its version.
                let version = if version.is_empty() {
                    at += 1;
                    *words.get(at - 1).ok_or_else(wrong)?
                } else {
                    version
                };
                rules.push(rule(operator, version).ok_or_else(wrong)?);
            }
            if rules.is_empty() {
                return Err(wrong());
            }
            alternatives.push(rules);
        }
        Ok(Self(alternatives))
    }

    fn holds(&self, version: &Version) -> bool {
        (self.0.iter()).any(|rules| rules.iter().all(|rule| rule.holds(version)))
    }
}

fn rule(operator: &str, text: &str) -> Option<Rule> {
    let operator = match operator {
        "" | "=" | "!=" | ">" | "<" | ">=" | "<=" | "~" | "^" => operator,
        "=>" => ">=",
        "=<" => "<=",
        "~>" => "~",
        _ => return None,
    };
    let body = text.strip_prefix('v').unwrap_or(text);
    let numbers: Vec<&str> = body.split('.').collect();
    let wild = numbers
        .iter()
        .position(|part| matches!(*part, "x" | "X" | "*"));
    let version = match wild {
        Some(0) => Version {
            written: 0,
            ..Version::parse("0").ok()?
        },
        Some(at) => Version::parse(&numbers.get(..at)?.join(".")).ok()?,
        None => Version::parse(body).ok()?,
    };
    Some(Rule {
        operator: operator.to_owned(),
        version,
    })
}

impl Rule {
    fn holds(&self, version: &Version) -> bool {
        let own = &self.version;
        // Versions before a release are no candidates unless the rule names one.
        let hidden = !version.pre.is_empty() && own.pre.is_empty();
        let order = version.compare(own);
        let prefix = |count: usize| {
            version
                .numbers
                .iter()
                .take(count)
                .eq(own.numbers.iter().take(count))
        };
        let partial = own.written < 3;
        match self.operator.as_str() {
            "!=" if partial => !hidden && !prefix(own.written),
            "!=" => !hidden && order != Ordering::Equal,
            _ if hidden => false,
            "" | "=" if partial => prefix(own.written),
            "" | "=" => order == Ordering::Equal,
            ">" if partial && own.written > 0 => !prefix(own.written) && order == Ordering::Greater,
            ">" => order == Ordering::Greater,
            "<" => order == Ordering::Less,
            ">=" => order != Ordering::Less,
            "<=" if partial => order == Ordering::Less || prefix(own.written),
            "<=" => order != Ordering::Greater,
            "~" => order != Ordering::Less && prefix(own.written.min(2)),
            "^" => {
                let [major, minor, _] = own.numbers;
                let fixed = match (major, minor, own.written) {
                    (1.., ..) | (0, _, 0 | 1) => own.written.min(1),
                    (0, 1.., _) | (0, 0, 2) => 2,
                    _ => 3,
                };
                order != Ordering::Less && prefix(fixed)
            }
            _ => false,
        }
    }
}
