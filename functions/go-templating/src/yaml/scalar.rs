//! Which type does a scalar have, by the rules of the two readers?

use granit_parser::{ScalarStyle, Tag};

use super::read::{Dialect, MERGE, Node};

/// Refuses the escapes that libyaml does not know: halves of a pair, which only JSON has, and a slash.
pub(super) fn escapes(quoted: &str) -> Result<(), String> {
    let mut chars = quoted.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            continue;
        }
        match chars.next() {
            Some('/') => return Err("found unknown escape character".to_owned()),
            Some('u') => {
                let digits: String = chars.clone().take(4).collect();
                if u32::from_str_radix(&digits, 16).is_ok_and(|c| char::from_u32(c).is_none()) {
                    return Err("found invalid Unicode character escape code".to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// A scalar as its reader types it.
///
/// # Errors
/// A tag that the text does not fit.
pub(super) fn scalar(
    text: &str,
    style: ScalarStyle,
    tag: Option<&Tag>,
    dialect: Dialect,
) -> Result<Node, String> {
    // For yaml.v3, `!` alone is no tag at all.
    let no_tag = |tag: &&Tag| {
        dialect == Dialect::V3 && text.is_empty() && matches!(tag.parts(), ("!", "") | ("", "!"))
    };
    let tag = tag.filter(|tag| !no_tag(tag));
    let wanted = tag.and_then(|tag| tag.suffix_in_namespace("tag:yaml.org,2002:"));
    let wanted = wanted.as_deref();
    if wanted == Some("binary") {
        return match purlin_template::decode_base64(text.as_bytes()) {
            (bytes, None) => Ok(Node::Text(String::from_utf8_lossy(&bytes).into_owned())),
            _ => Err("!!binary value contains invalid base64 data".to_owned()),
        };
    }
    let is_text = match wanted {
        Some("str") => true,
        Some("timestamp") => dialect == Dialect::Kubernetes,
        Some(_) => false,
        None => style != ScalarStyle::Plain || tag.is_some(),
    };
    if is_text {
        return Ok(Node::Text(text.to_owned()));
    }
    if text == "<<" && wanted.is_none() {
        return Ok(Node::Text(MERGE.to_owned()));
    }
    let node = match dialect {
        Dialect::Kubernetes => kubernetes(text)?,
        Dialect::V3 => version_3(text),
    };
    let node = match (wanted, node) {
        #[expect(clippy::cast_precision_loss, reason = "what the tag asks for")]
        (Some("float"), Node::Int(value)) => Node::Float(value as f64),
        (_, node) => node,
    };
    let fits = match wanted {
        Some("int") => matches!(node, Node::Int(_)),
        Some("float") => matches!(node, Node::Float(_)),
        Some("bool") => matches!(node, Node::Bool(_)),
        Some("null") => matches!(node, Node::Null),
        Some("timestamp") => matches!(node, Node::Time(_)),
        Some("seq" | "map") => false,
        _ => true,
    };
    if !fits {
        let tag = wanted.unwrap_or_default();
        return Err(format!("cannot decode `{text}` as a !!{tag}"));
    }
    Ok(node)
}

pub(super) fn kubernetes(text: &str) -> Result<Node, String> {
    let Some(value) = purlin_yaml::plain_value(text) else {
        // A number that no double holds is text; what is no number at all is written as `.inf` or `.nan`.
        if text.bytes().any(|b| b.is_ascii_digit()) {
            return Ok(Node::Text(text.to_owned()));
        }
        return Err(format!("`{text}` is a number that JSON cannot hold"));
    };
    Ok(match value {
        serde_json::Value::Bool(value) => Node::Bool(value),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(value) => Node::Int(value),
            None => Node::Float(number.as_f64().unwrap_or_default()),
        },
        serde_json::Value::String(text) => Node::Text(text),
        // A plain scalar is never a list or a map.
        serde_json::Value::Null | serde_json::Value::Array(_) | serde_json::Value::Object(_) => {
            Node::Null
        }
    })
}

/// The types yaml.v3 finds in plain text.
pub(super) fn version_3(text: &str) -> Node {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Node::Null,
        "true" | "True" | "TRUE" => return Node::Bool(true),
        "false" | "False" | "FALSE" => return Node::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Node::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
            return Node::Float(f64::INFINITY);
        }
        "-.inf" | "-.Inf" | "-.INF" => return Node::Float(f64::NEG_INFINITY),
        // Booleans of YAML 1.1 are text.
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "n" | "N" | "no" | "No" | "NO"
        | "off" | "Off" | "OFF" => return Node::Text(text.to_owned()),
        _ => {}
    }
    if let Some(time) = timestamp(text) {
        return Node::Time(time);
    }
    kubernetes(text).unwrap_or_else(|_| Node::Text(text.to_owned()))
}

/// A date, or a date and a time.
fn timestamp(text: &str) -> Option<i128> {
    let year = text.bytes().take_while(u8::is_ascii_digit).count();
    if year != 4 || text.as_bytes().get(4) != Some(&b'-') {
        return None;
    }
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (text.get(..at)?, text.get(at + 1..)?),
        None => (text, "00:00:00Z"),
    };
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || month.len() > 2 || day.len() > 2 {
        return None;
    }
    let zone = time.find(['Z', '+', '-']).unwrap_or(time.len());
    let (clock, zone) = (time.get(..zone)?.trim_end(), time.get(zone..)?);
    if zone.is_empty() && !text.contains(' ') {
        return None;
    }
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let mut parts = clock.split(':');
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next()?);
    let digits = |part: &str| {
        !part.is_empty() && part.len() <= 2 && part.bytes().all(|b| b.is_ascii_digit())
    };
    if parts.next().is_some() || ![month, day, hour, minute, second].into_iter().all(digits) {
        return None;
    }
    let point = if fraction.is_empty() { "" } else { "." };
    let zone = if zone.is_empty() { "Z" } else { zone };
    let plain = format!(
        "{year}-{month:0>2}-{day:0>2}T{hour:0>2}:{minute:0>2}:{second:0>2}{point}{fraction}{zone}"
    );
    purlin_template::parse_time("2006-01-02T15:04:05Z07:00", &plain)
}
