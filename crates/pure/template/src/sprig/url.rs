//! Sprig's `urlParse` and `urlJoin`.

use super::{Made, arg, f, text};
use crate::library::{Call, Function, Param};
use crate::value::{Map, Value};

pub(super) static FUNCTIONS: &[Function] = &[
    f("urlParse", &[Param::Text], parse_url),
    f("urlJoin", &[Param::Map], join_url),
];

fn percent_decode(text: &str) -> Result<String, String> {
    let mut out = Vec::with_capacity(text.len());
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if *byte == b'%' {
            let digits = text.get(at + 1..at + 3);
            let code = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
            let Some(code) = code else {
                let shown: String = text.get(at..).unwrap_or("%").chars().take(3).collect();
                return Err(format!("invalid URL escape {shown:?}"));
            };
            out.push(code);
            at += 3;
        } else {
            out.push(*byte);
            at += 1;
        }
    }
    Ok(String::from_utf8_lossy(&out).into_owned())
}

fn parse_url(_: &mut dyn Call, a: &[Value]) -> Made {
    let url = text(a, 0);
    let fail = |why: String| format!("unable to parse url: \"parse \\\"{url}\\\": {why}\"");
    if url.bytes().any(|b| b < b' ' || b == 0x7f) {
        return Err(fail("net/url: invalid control character in URL".to_owned()));
    }
    let (rest, fragment) = url.split_once('#').unwrap_or((&url, ""));
    let fragment = percent_decode(fragment).map_err(fail)?;
    let (scheme, rest) = scheme(rest).map_err(fail)?;
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (mut host, mut user, mut opaque, mut path) = ("", "", "", rest);
    if !scheme.is_empty() && !rest.starts_with('/') {
        (opaque, path) = (rest, "");
    } else if let Some(after) = rest.strip_prefix("//")
        && (!scheme.is_empty() || !rest.starts_with("///"))
    {
        let end = after.find('/').unwrap_or(after.len());
        let (authority, tail) = after.split_at(end);
        path = tail;
        (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        check_host(host).map_err(fail)?;
    } else if let Some(colon) = rest.find(':')
        && scheme.is_empty()
        && !rest.get(..colon).unwrap_or_default().contains('/')
    {
        return Err(fail(
            "first path segment in URL cannot contain colon".to_owned(),
        ));
    }
    let host = percent_decode(host).map_err(fail)?;
    let path = percent_decode(path).map_err(fail)?;
    let hostname = match host.strip_prefix('[') {
        Some(inside) => inside.split(']').next().unwrap_or_default().to_owned(),
        None => host.split(':').next().unwrap_or_default().to_owned(),
    };
    Ok(Value::map([
        ("scheme", scheme.to_ascii_lowercase().into()),
        ("host", host.clone().into()),
        ("hostname", hostname.into()),
        ("path", path.into()),
        ("query", query.into()),
        ("opaque", opaque.into()),
        ("fragment", fragment.into()),
        ("userinfo", user.into()),
    ]))
}

fn scheme(url: &str) -> Result<(&str, &str), String> {
    for (at, c) in url.char_indices() {
        match c {
            'a'..='z' | 'A'..='Z' => {}
            '0'..='9' | '+' | '-' | '.' if at > 0 => {}
            ':' if at == 0 => return Err("missing protocol scheme".to_owned()),
            ':' => {
                let (scheme, rest) = url.split_at(at);
                return Ok((scheme, rest.get(1..).unwrap_or_default()));
            }
            _ => break,
        }
    }
    Ok(("", url))
}

fn check_host(host: &str) -> Result<(), String> {
    let after = match host.strip_prefix('[') {
        Some(inside) => match inside.split_once(']') {
            Some((_, after)) => after,
            None => return Err("missing ']' in host".to_owned()),
        },
        None => host
            .find(':')
            .and_then(|at| host.get(at..))
            .unwrap_or_default(),
    };
    if !after.is_empty()
        && !after
            .strip_prefix(':')
            .is_some_and(|port| port.bytes().all(|b| b.is_ascii_digit()))
    {
        return Err(format!("invalid port {after:?} after host"));
    }
    match host.chars().find(|c| {
        matches!(
            c,
            ' ' | '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}'
        )
    }) {
        Some(c) => Err(format!("invalid character {c:?} in host name")),
        None => Ok(()),
    }
}

fn join_url(_: &mut dyn Call, a: &[Value]) -> Made {
    let empty = Map::new(std::collections::BTreeMap::new());
    let map = match arg(a, 0) {
        Value::Map(map) => map,
        _ => &empty,
    };
    let part = |name: &str| match map.get(name.as_bytes()) {
        None => Ok(String::new()),
        Some(Value::Text(text)) => Ok(String::from_utf8_lossy(&text).into_owned()),
        Some(other) => Err(format!(
            "unable to parse {name} key, must be of type string, but {} found",
            other.kind()
        )),
    };
    let (scheme, host, path) = (part("scheme")?, part("host")?, part("path")?);
    let (query, opaque, fragment) = (part("query")?, part("opaque")?, part("fragment")?);
    let user = part("userinfo")?;
    let mut out = String::new();
    if !scheme.is_empty() {
        push!(out, "{scheme}:");
    }
    if opaque.is_empty() {
        if !scheme.is_empty() || !host.is_empty() || !user.is_empty() {
            if !host.is_empty() || !path.is_empty() || !user.is_empty() {
                out.push_str("//");
            }
            if !user.is_empty() {
                push!(out, "{user}@");
            }
            out.push_str(&escape(&host, b"!$&'()*+,;=:[]<>\""));
        }
        if !path.is_empty() && !path.starts_with('/') && !host.is_empty() {
            out.push('/');
        }
        out.push_str(&escape(&path, b"/$&+,:;=@!*'()"));
    } else {
        out.push_str(&opaque);
    }
    if !query.is_empty() {
        push!(out, "?{query}");
    }
    if !fragment.is_empty() {
        push!(out, "#{}", escape(&fragment, b"/$&+,:;=@?!*'()"));
    }
    Ok(out.into())
}

fn escape(text: &str, kept: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) || kept.contains(&byte) {
            out.push(char::from(byte));
        } else {
            push!(out, "%{byte:02X}");
        }
    }
    out
}
