//! Sprig's functions of texts.

use super::{MAX_TEXT, Made, arg, bytes, f, int, rest, strslice, strval, text, too_long};
use crate::gofmt;
use crate::library::{Function, Param};
use crate::value::{List, Map, Members, Text as Bytes, Value};

use Param::{Any, Int, Text};

pub(super) static FUNCTIONS: &[Function] = &[
    f("hello", &[], |_, _| Ok("Hello!".into())),
    f("abbrev", &[Int, Text], |_, a| {
        let width = int(a, 0);
        if width < 4 {
            return Ok(arg(a, 1).clone());
        }
        Ok(abbreviate(bytes(a, 1), 0, width).unwrap_or_default().into())
    }),
    f("abbrevboth", &[Int, Int, Text], |_, a| {
        let (left, right) = (int(a, 0), int(a, 1));
        if right < 4 || left > 0 && right < 7 {
            return Ok(arg(a, 2).clone());
        }
        Ok(abbreviate(bytes(a, 2), left, right)
            .unwrap_or_default()
            .into())
    }),
    f("trunc", &[Int, Text], |_, a| {
        let text = bytes(a, 1);
        let cut = usize::try_from(int(a, 0).unsigned_abs()).unwrap_or(usize::MAX);
        let kept = if int(a, 0) < 0 {
            text.len().checked_sub(cut).and_then(|at| text.get(at..))
        } else {
            text.get(..cut)
        };
        Ok(Value::text(kept.unwrap_or(text)))
    }),
    f("substr", &[Int, Int, Text], |_, a| {
        let text = bytes(a, 2);
        let (start, end) = (usize::try_from(int(a, 0)), usize::try_from(int(a, 1)));
        let part = match (start, end) {
            (Err(_), Ok(end)) => text.get(..end),
            (Ok(start), Ok(end)) if end <= text.len() => text.get(start..end),
            (Ok(start), _) => text.get(start..),
            (Err(_), Err(_)) => None,
        };
        part.map(Value::text)
            .ok_or_else(|| "slice bounds out of range".to_owned())
    }),
    f("trim", &[Text], |_, a| Ok(text(a, 0).trim().into())),
    f("trimAll", &[Text, Text], trim_all),
    f("trimall", &[Text, Text], trim_all),
    f("trimPrefix", &[Text, Text], |_, a| {
        let text = bytes(a, 1);
        Ok(Value::text(text.strip_prefix(bytes(a, 0)).unwrap_or(text)))
    }),
    f("trimSuffix", &[Text, Text], |_, a| {
        let text = bytes(a, 1);
        Ok(Value::text(text.strip_suffix(bytes(a, 0)).unwrap_or(text)))
    }),
    f("repeat", &[Int, Text], |_, a| {
        let count = usize::try_from(int(a, 0)).map_err(|_| "strings: negative Repeat count")?;
        let text = bytes(a, 1);
        if text.len().saturating_mul(count) > MAX_TEXT {
            return too_long();
        }
        Ok(text.repeat(count).into())
    }),
    f("nospace", &[Text], |_, a| {
        let kept: String = text(a, 0).chars().filter(|c| !c.is_whitespace()).collect();
        Ok(kept.into())
    }),
    f("wrap", &[Int, Text], |_, a| {
        Ok(wrap(bytes(a, 1), int(a, 0), b"\n", false).into())
    }),
    f("wrapWith", &[Int, Text, Text], |_, a| {
        let line = if bytes(a, 1).is_empty() {
            b"\n"
        } else {
            bytes(a, 1)
        };
        Ok(wrap(bytes(a, 2), int(a, 0), line, true).into())
    }),
    f("contains", &[Text, Text], |_, a| {
        Ok(find(bytes(a, 1), bytes(a, 0)).is_some().into())
    }),
    f("hasPrefix", &[Text, Text], |_, a| {
        Ok(bytes(a, 1).starts_with(bytes(a, 0)).into())
    }),
    f("hasSuffix", &[Text, Text], |_, a| {
        Ok(bytes(a, 1).ends_with(bytes(a, 0)).into())
    }),
    rest("quote", &[], Any, |_, a| {
        let quoted = a.iter().filter(|v| !v.is_nil());
        let quoted: Vec<_> = quoted.map(|v| gofmt::quote(&strval(v), false)).collect();
        Ok(quoted.join(" ").into())
    }),
    rest("squote", &[], Any, |_, a| {
        let quoted = a.iter().filter(|v| !v.is_nil());
        let quoted: Vec<_> = quoted
            .map(|v| [b"'", v.shown().as_slice(), b"'"].concat())
            .collect();
        Ok(quoted.join(&b' ').into())
    }),
    rest("cat", &[], Any, |_, a| {
        let shown: Vec<_> = a.iter().filter(|v| !v.is_nil()).map(Value::shown).collect();
        Ok(shown.join(&b' ').into())
    }),
    f("indent", &[Int, Text], |_, a| {
        indent(int(a, 0), bytes(a, 1), b"")
    }),
    f("nindent", &[Int, Text], |_, a| {
        indent(int(a, 0), bytes(a, 1), b"\n")
    }),
    f("replace", &[Text, Text, Text], |_, a| {
        let (old, new, text) = (bytes(a, 0), bytes(a, 1), bytes(a, 2));
        if old.is_empty() {
            let text = String::from_utf8_lossy(text);
            if text.len().saturating_mul(new.len() + 1) > MAX_TEXT {
                return too_long();
            }
            return Ok(text.replace("", &String::from_utf8_lossy(new)).into());
        }
        let mut out = Vec::with_capacity(text.len());
        let mut left = text;
        while let Some(at) = find(left, old) {
            out.extend_from_slice(left.get(..at).unwrap_or_default());
            out.extend_from_slice(new);
            left = left.get(at + old.len()..).unwrap_or_default();
            if out.len() > MAX_TEXT {
                return too_long();
            }
        }
        out.extend_from_slice(left);
        Ok(out.into())
    }),
    f("plural", &[Text, Text, Int], |_, a| {
        Ok(arg(a, usize::from(int(a, 2) != 1)).clone())
    }),
    f("toString", &[Any], |_, a| {
        Ok(Value::Text(strval(arg(a, 0))))
    }),
    f("toStrings", &[Any], |_, a| {
        Ok(Value::List(List::texts(strslice(arg(a, 0)))))
    }),
    f("join", &[Text, Any], |_, a| {
        let parts = strslice(arg(a, 1));
        let length: usize = parts
            .iter()
            .map(|part| part.len() + bytes(a, 0).len())
            .sum();
        if length > MAX_TEXT {
            return too_long();
        }
        Ok(parts.join(bytes(a, 0)).into())
    }),
    f("sortAlpha", &[Any], |_, a| {
        let mut parts = match arg(a, 0) {
            list @ Value::List(_) => strslice(list),
            other => vec![strval(other)],
        };
        parts.sort();
        Ok(Value::List(List::texts(parts)))
    }),
    f("split", &[Text, Text], |_, a| {
        Ok(numbered(split(bytes(a, 1), bytes(a, 0), None)))
    }),
    f("splitn", &[Text, Int, Text], |_, a| {
        Ok(numbered(split(
            bytes(a, 2),
            bytes(a, 0),
            usize::try_from(int(a, 1)).ok(),
        )))
    }),
    f("splitList", &[Text, Text], |_, a| {
        Ok(Value::List(List::texts(split(
            bytes(a, 1),
            bytes(a, 0),
            None,
        ))))
    }),
    f("base", &[Text], |_, a| Ok(path_base(&text(a, 0)).into())),
    f("osBase", &[Text], |_, a| Ok(path_base(&text(a, 0)).into())),
    f("dir", &[Text], |_, a| Ok(path_dir(&text(a, 0)).into())),
    f("osDir", &[Text], |_, a| Ok(path_dir(&text(a, 0)).into())),
    f("clean", &[Text], |_, a| Ok(path_clean(&text(a, 0)).into())),
    f(
        "osClean",
        &[Text],
        |_, a| Ok(path_clean(&text(a, 0)).into()),
    ),
    f("ext", &[Text], |_, a| Ok(path_ext(&text(a, 0)).into())),
    f("osExt", &[Text], |_, a| Ok(path_ext(&text(a, 0)).into())),
    f("isAbs", &[Text], |_, a| {
        Ok(bytes(a, 0).starts_with(b"/").into())
    }),
    f("osIsAbs", &[Text], |_, a| {
        Ok(bytes(a, 0).starts_with(b"/").into())
    }),
    f("fail", &[Text], |_, a| Err(text(a, 0).into_owned())),
];

#[expect(clippy::unnecessary_wraps, reason = "the type that all functions have")]
fn trim_all(_: &mut dyn crate::library::Call, a: &[Value]) -> Made {
    let cut = text(a, 0).into_owned();
    Ok(text(a, 1).trim_matches(|c| cut.contains(c)).into())
}

pub(super) fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    if part.is_empty() {
        return Some(0);
    }
    text.windows(part.len()).position(|window| window == part)
}

/// `goutils.AbbreviateFull`; nothing where it fails.
fn abbreviate(text: &[u8], offset: i64, width: i64) -> Option<Vec<u8>> {
    let width = usize::try_from(width).ok().filter(|width| *width >= 4)?;
    if text.len() <= width {
        return Some(text.to_vec());
    }
    let room = width - 3;
    let mut offset = usize::try_from(offset).unwrap_or(0).min(text.len());
    if text.len() - offset < room {
        offset = text.len() - room;
    }
    if offset <= 4 {
        return Some([text.get(..room)?, b"..."].concat());
    }
    if width < 7 {
        return None;
    }
    let tail = if offset + room < text.len() {
        abbreviate(text.get(offset..)?, 0, i64::try_from(room).ok()?).unwrap_or_default()
    } else {
        text.get(text.len() - room..)?.to_vec()
    };
    Some([b"...", tail.as_slice()].concat())
}

/// `goutils.WrapCustom`.
fn wrap(text: &[u8], width: i64, line: &[u8], long_words: bool) -> Vec<u8> {
    let width = usize::try_from(width).unwrap_or(1).max(1);
    let mut out = Vec::with_capacity(text.len() + 16);
    let mut at = 0;
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    while text.len() - at > width {
        if text.get(at) == Some(&b' ') {
            at += 1;
            continue;
        }
        let space = part(at, at + width + 1).iter().rposition(|b| *b == b' ');
        if let Some(space) = space {
            out.extend_from_slice(part(at, at + space));
            out.extend_from_slice(line);
            at += space + 1;
        } else if long_words {
            out.extend_from_slice(part(at, at + width));
            out.extend_from_slice(line);
            at += width;
        } else {
            let end = at + width;
            let Some(space) = part(end, text.len()).iter().position(|b| *b == b' ') else {
                out.extend_from_slice(part(at, text.len()));
                return out;
            };
            out.extend_from_slice(part(at, end + space));
            out.extend_from_slice(line);
            at = end + space + 1;
        }
    }
    out.extend_from_slice(part(at, text.len()));
    out
}

fn indent(spaces: i64, text: &[u8], before: &[u8]) -> Made {
    let spaces = usize::try_from(spaces).map_err(|_| "strings: negative Repeat count")?;
    let lines = text.split(|b| *b == b'\n').count() - 1 + 1;
    if spaces.saturating_mul(lines) + text.len() > MAX_TEXT {
        return too_long();
    }
    let pad = vec![b' '; spaces];
    let mut out = before.to_vec();
    for (index, line) in text.split(|b| *b == b'\n').enumerate() {
        if index > 0 {
            out.push(b'\n');
        }
        out.extend_from_slice(&pad);
        out.extend_from_slice(line);
    }
    Ok(out.into())
}

/// `strings.SplitN`; without a count all parts.
fn split(text: &[u8], separator: &[u8], count: Option<usize>) -> Vec<Vec<u8>> {
    let count = count.unwrap_or(usize::MAX);
    if count == 0 {
        return Vec::new();
    }
    let mut parts = Vec::new();
    let mut left = text;
    if separator.is_empty() {
        while !left.is_empty() && parts.len() + 1 < count {
            let length = gofmt::runes(left).next().map_or(1, |(_, length)| length);
            let (first, others) = left.split_at(length.min(left.len()));
            parts.push(first.to_vec());
            left = others;
        }
        if !left.is_empty() {
            parts.push(left.to_vec());
        }
        return parts;
    }
    while parts.len() + 1 < count {
        let Some(at) = find(left, separator) else {
            break;
        };
        parts.push(left.get(..at).unwrap_or_default().to_vec());
        left = left.get(at + separator.len()..).unwrap_or_default();
    }
    parts.push(left.to_vec());
    parts
}

/// Parts as `_0`, `_1` and so on.
fn numbered(parts: Vec<Vec<u8>>) -> Value {
    let entries = parts
        .into_iter()
        .enumerate()
        .map(|(index, part)| (Bytes::from(format!("_{index}").as_bytes()), part.into()));
    Value::Map(Map::of(Members::Texts, entries.collect()))
}

fn path_base(path: &str) -> String {
    if path.is_empty() {
        return ".".to_owned();
    }
    let path = path.trim_end_matches('/');
    let last = path.rsplit('/').next().unwrap_or_default();
    if last.is_empty() { "/" } else { last }.to_owned()
}

fn path_dir(path: &str) -> String {
    let end = path.rfind('/').map_or(0, |at| at + 1);
    path_clean(path.get(..end).unwrap_or_default())
}

fn path_ext(path: &str) -> String {
    let last = path.rsplit('/').next().unwrap_or_default();
    let at = last.rfind('.').unwrap_or(last.len());
    last.get(at..).unwrap_or_default().to_owned()
}

fn path_clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}
