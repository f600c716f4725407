//! Named formats of texts, as the Kubernetes format library defines them: `format.dns1123Label().validate(x)` gives an
//! optional list of what is wrong.

use std::rc::Rc;

use super::{Asked, Function, global, member, text};
use crate::list::List;
use crate::outcome::Raise;
use crate::special::Special;
use crate::value::Val;

pub(super) static FUNCTIONS: &[Function] = &[
    global("format.named", 1, named),
    member("validate", 1, validate),
    global("format.dns1123Label", 0, |_, _| Ok(made("dns1123Label"))),
    global("format.dns1123Subdomain", 0, |_, _| {
        Ok(made("dns1123Subdomain"))
    }),
    global("format.dns1035Label", 0, |_, _| Ok(made("dns1035Label"))),
    global("format.qualifiedName", 0, |_, _| Ok(made("qualifiedName"))),
    global("format.dns1123LabelPrefix", 0, |_, _| {
        Ok(made("dns1123LabelPrefix"))
    }),
    global("format.dns1123SubdomainPrefix", 0, |_, _| {
        Ok(made("dns1123SubdomainPrefix"))
    }),
    global("format.dns1035LabelPrefix", 0, |_, _| {
        Ok(made("dns1035LabelPrefix"))
    }),
    global("format.labelValue", 0, |_, _| Ok(made("labelValue"))),
    global("format.uri", 0, |_, _| Ok(made("uri"))),
    global("format.uuid", 0, |_, _| Ok(made("uuid"))),
    global("format.byte", 0, |_, _| Ok(made("byte"))),
    global("format.date", 0, |_, _| Ok(made("date"))),
    global("format.datetime", 0, |_, _| Ok(made("datetime"))),
];

/// The names that `format.named` knows.
pub(crate) static NAMES: &[&str] = &[
    "dns1123Label",
    "dns1123Subdomain",
    "dns1035Label",
    "qualifiedName",
    "dns1123LabelPrefix",
    "dns1123SubdomainPrefix",
    "dns1035LabelPrefix",
    "labelValue",
    "uri",
    "uuid",
    "byte",
    "date",
    "datetime",
];

fn made<'a>(name: &'static str) -> Val<'a> {
    Val::Special(Rc::new(Special::Format(name)))
}

fn named<'a>(_: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let name = text(&args[0])?;
    Ok(Val::Optional(
        NAMES
            .iter()
            .find(|known| **known == name)
            .map(|known| Rc::new(made(known))),
    ))
}

fn validate<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let Val::Special(special) = &args[0] else {
        return Err(Raise::Types);
    };
    let Special::Format(name) = special.as_ref() else {
        return Err(Raise::Types);
    };
    let given = text(&args[1])?;
    asked.meter.read(given.len())?;
    Ok(Val::Optional(wrong(name, given).map(|message| {
        Rc::new(Val::List(List::owned(vec![Val::text(message)])))
    })))
}

/// What is wrong with `text`, if anything.
fn wrong(format: &str, text: &str) -> Option<String> {
    let fits = match format {
        "dns1123Label" => label(text, false),
        "dns1123LabelPrefix" => label(&prefix(text), false),
        "dns1035Label" => label(text, true),
        "dns1035LabelPrefix" => label(&prefix(text), true),
        "dns1123Subdomain" => subdomain(text),
        "dns1123SubdomainPrefix" => subdomain(&prefix(text)),
        "labelValue" => text.is_empty() || name_part(text),
        "qualifiedName" => match text.split_once('/') {
            Some((domain, name)) => subdomain(domain) && name_part(name),
            None => name_part(text),
        },
        "uri" => super::url::is_url(text),
        // The others are formats of schemas.
        other => purlin_schema::matches_format(other, text).unwrap_or(true),
    };
    (!fits).then(|| format!("does not have the form {format}"))
}

/// A name that something is added to: a dash at its end is no mistake.
fn prefix(text: &str) -> String {
    match text.strip_suffix('-') {
        Some(rest) if !rest.is_empty() => {
            let mut masked: String = rest.to_owned();
            masked.pop();
            masked.push('a');
            masked
        }
        _ => text.to_owned(),
    }
}

fn label(text: &str, letter_first: bool) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let bytes = text.as_bytes();
    (1..=63).contains(&bytes.len())
        && bytes.iter().all(|b| inner(*b))
        && bytes
            .first()
            .is_some_and(|b| *b != b'-' && (!letter_first || b.is_ascii_lowercase()))
        && bytes.last().is_some_and(|b| *b != b'-')
}

fn subdomain(text: &str) -> bool {
    text.len() <= 253
        && text.split('.').all(|part| {
            let bytes = part.as_bytes();
            !bytes.is_empty()
                && bytes
                    .iter()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-')
                && bytes[0] != b'-'
                && bytes[bytes.len() - 1] != b'-'
        })
}

fn name_part(text: &str) -> bool {
    let bytes = text.as_bytes();
    (1..=63).contains(&bytes.len())
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b))
        && bytes[0].is_ascii_alphanumeric()
        && bytes[bytes.len() - 1].is_ascii_alphanumeric()
}
