//! URLs, as the Kubernetes URL library defines them: absolute, or a path that begins with a slash.

use std::rc::Rc;

use super::{Asked, Function, global, member, text};
use crate::list::List;
use crate::outcome::Raise;
use crate::special::Special;
use crate::value::Val;

pub(super) static FUNCTIONS: &[Function] = &[
    global("url", 1, |_, a| {
        Ok(Val::Special(Rc::new(Special::Url(parse(text(&a[0])?)?))))
    }),
    global("isURL", 1, |_, a| {
        Ok(Val::Bool(parse(text(&a[0])?).is_ok()))
    }),
    member("getScheme", 0, |k, a| part(k, a, |u| u.scheme.clone())),
    member("getHost", 0, |k, a| part(k, a, |u| u.host.clone())),
    member("getHostname", 0, |k, a| part(k, a, |u| u.split_host().0)),
    member("getPort", 0, |k, a| part(k, a, |u| u.split_host().1)),
    member("getEscapedPath", 0, |k, a| part(k, a, |u| escape(&u.path))),
    member("getQuery", 0, query),
];

/// A URL taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    scheme: String,
    host: String,
    path: String,
    query: String,
}

impl Url {
    /// Host and port, the brackets of an IPv6 address removed.
    fn split_host(&self) -> (String, String) {
        let port_at = self
            .host
            .rfind(':')
            .filter(|at| self.host.rfind(']').is_none_or(|end| end < *at));
        let (host, port) = match port_at {
            Some(at) => self.host.split_at(at),
            None => (self.host.as_str(), ""),
        };
        let port = port.trim_start_matches(':');
        (
            host.trim_start_matches('[')
                .trim_end_matches(']')
                .to_owned(),
            port.to_owned(),
        )
    }

    pub(crate) fn show(&self) -> String {
        let authority = if self.scheme.is_empty() {
            String::new()
        } else {
            format!("{}://{}", self.scheme, self.host)
        };
        let query = if self.query.is_empty() {
            String::new()
        } else {
            format!("?{}", self.query)
        };
        format!("{authority}{}{query}", escape(&self.path))
    }
}

fn parse(text: &str) -> Result<Url, Raise> {
    pieces(text).ok_or_else(|| Raise::argument(format!("{text:?} is not an absolute URL")))
}

fn pieces(text: &str) -> Option<Url> {
    if text == "*" {
        return Some(Url {
            scheme: String::new(),
            host: String::new(),
            path: text.to_owned(),
            query: String::new(),
        });
    }
    if text.chars().any(|c| c.is_ascii_control()) {
        return None;
    }
    // A fragment is taken off, and is no part of what is read.
    let text = text.split_once('#').map_or(text, |(text, _)| text);
    let (main, query) = text.split_once('?').unwrap_or((text, ""));
    if main.starts_with('/') {
        return Some(Url {
            scheme: String::new(),
            host: String::new(),
            path: checked(main)?,
            query: query.to_owned(),
        });
    }
    let (scheme, rest) = main.split_once(':')?;
    let valid = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    if !valid {
        return None;
    }
    let (host, path) = match rest.strip_prefix("//") {
        Some(rest) => match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        },
        None if rest.starts_with('/') => ("", rest),
        // Go takes an opaque part such as `mailto:a` as absolute too.
        None => ("", ""),
    };
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    if host.contains([' ', '<', '>', '"', '\\', '^', '`', '{', '|', '}']) {
        return None;
    }
    let url = Url {
        scheme: scheme.to_ascii_lowercase(),
        host: host.to_owned(),
        path: checked(path)?,
        query: query.to_owned(),
    };
    url.split_host()
        .1
        .bytes()
        .all(|b| b.is_ascii_digit())
        .then_some(url)
}

/// The path, if its percent signs are followed by two hexadecimal digits.
fn checked(path: &str) -> Option<String> {
    let bytes = path.as_bytes();
    let fine = bytes.iter().enumerate().all(|(at, b)| {
        *b != b'%'
            || bytes
                .get(at + 1..at + 3)
                .is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))
    });
    fine.then(|| path.to_owned())
}

/// The path as it is sent: as it was written if that is sound, else escaped anew.
fn escape(path: &str) -> String {
    let sound = |b: u8| b.is_ascii_alphanumeric() || b"-_.~!$&'()*+,;=:@/[]%".contains(&b);
    if path.bytes().all(sound) {
        return path.to_owned();
    }
    let mut made = String::with_capacity(path.len());
    for b in unescape(path, false).unwrap_or_default() {
        if b.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@".contains(&b) {
            made.push(char::from(b));
        } else {
            made.push('%');
            made.extend(
                [b >> 4, b & 15].map(|half| char::from(b"0123456789ABCDEF"[usize::from(half)])),
            );
        }
    }
    made
}

/// The bytes that percent signs stand for; `None` when one is followed by something else. A plus is a space in a query.
fn unescape(text: &str, query: bool) -> Option<Vec<u8>> {
    let bytes = text.as_bytes();
    let mut made = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(b) = bytes.get(at) {
        match b {
            b'%' => {
                let hex = text.get(at + 1..at + 3)?;
                made.push(
                    hex.bytes()
                        .all(|b| b.is_ascii_hexdigit())
                        .then(|| u8::from_str_radix(hex, 16).ok())??,
                );
                at += 2;
            }
            b'+' if query => made.push(b' '),
            b => made.push(*b),
        }
        at += 1;
    }
    Some(made)
}

/// A part of a query as text.
fn word(text: &str) -> Option<String> {
    unescape(text, true).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn of<'v>(value: &'v Val<'_>) -> Result<&'v Url, Raise> {
    match value {
        Val::Special(special) => match special.as_ref() {
            Special::Url(url) => Ok(url),
            _ => Err(Raise::Types),
        },
        _ => Err(Raise::Types),
    }
}

fn part<'a>(
    asked: &mut Asked<'_>,
    args: &[Val<'a>],
    pick: fn(&Url) -> String,
) -> Result<Val<'a>, Raise> {
    let made = pick(of(&args[0])?);
    super::make_text(asked, made)
}

fn query<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let url = of(&args[0])?;
    asked.meter.make(url.query.len() * 2)?;
    let mut values: std::collections::BTreeMap<String, Vec<Val<'a>>> =
        std::collections::BTreeMap::new();
    for pair in url.query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        // What is not well formed is left out, as Go does.
        let (false, Some(key), Some(value)) = (pair.contains(';'), word(key), word(value)) else {
            continue;
        };
        values.entry(key).or_default().push(Val::text(value));
    }
    Ok(Val::map(values.into_iter().map(|(key, values)| {
        (key, Val::List(List::owned(values)))
    })))
}

pub(super) fn is_url(text: &str) -> bool {
    pieces(text).is_some()
}
