//! Conversions, sizes and types: what the language itself defines.

use super::{Asked, Function, count, global, make_text, member};
use crate::convert;
use crate::outcome::Raise;
use crate::value::{Text, Val};

pub(super) static FUNCTIONS: &[Function] = &[
    global("size", 1, size),
    member("size", 0, size),
    global("type", 1, type_of),
    global("dyn", 1, dynamic),
    global("int", 1, int),
    global("uint", 1, uint),
    global("double", 1, double),
    global("string", 1, string),
    global("bool", 1, boolean),
    global("bytes", 1, bytes),
    global("base64.encode", 1, base64_encode).not_in_rules(),
    global("base64.decode", 1, base64_decode).not_in_rules(),
];

fn size<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let size = match &args[0] {
        Val::String(text) => {
            asked.meter.read(text.as_str().len())?;
            text.as_str().chars().count()
        }
        Val::Bytes(bytes) => bytes.len(),
        Val::List(list) => list.len(),
        Val::Map(map) => map.len().ok_or(Raise::Types)?,
        _ => return Err(Raise::Types),
    };
    Ok(Val::Int(count(size)))
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of the table")]
fn type_of<'a>(_: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    Ok(Val::Type(args[0].type_name()))
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of the table")]
fn dynamic<'a>(_: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    Ok(args[0].clone())
}

fn beyond(target: &str) -> Raise {
    Raise::arithmetic(format!("the number is beyond the range of {target}"))
}

#[expect(clippy::cast_possible_truncation, reason = "bounded just before")]
fn int<'a>(_: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    Ok(Val::Int(match &args[0] {
        Val::Int(i) => *i,
        Val::UInt(u) => i64::try_from(*u).map_err(|_| beyond("int"))?,
        Val::Double(d)
            if d.is_finite()
                && *d > -9_223_372_036_854_775_808.0
                && *d < 9_223_372_036_854_775_808.0 =>
        {
            *d as i64
        }
        Val::Double(_) => return Err(beyond("int")),
        Val::String(text) => number(text.as_str(), "int")?,
        Val::Duration(nanos) => *nanos,
        Val::Timestamp(nanos) => {
            i64::try_from(nanos.div_euclid(1_000_000_000)).map_err(|_| beyond("int"))?
        }
        _ => return Err(Raise::Types),
    }))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bounded just before"
)]
fn uint<'a>(_: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    Ok(Val::UInt(match &args[0] {
        Val::UInt(u) => *u,
        Val::Int(i) => u64::try_from(*i).map_err(|_| beyond("uint"))?,
        Val::Double(d) if *d >= 0.0 && *d < 18_446_744_073_709_551_616.0 => *d as u64,
        Val::Double(_) => return Err(beyond("uint")),
        Val::String(text) => number(text.as_str(), "uint")?,
        _ => return Err(Raise::Types),
    }))
}

fn number<T: std::str::FromStr>(text: &str, target: &str) -> Result<T, Raise> {
    text.parse()
        .map_err(|_| Raise::argument(format!("{text:?} is not a number of type {target}")))
}

#[expect(clippy::cast_precision_loss, reason = "what CEL's double() does")]
fn double<'a>(_: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    Ok(Val::Double(match &args[0] {
        Val::Double(d) => *d,
        Val::Int(i) => *i as f64,
        Val::UInt(u) => *u as f64,
        Val::String(text) => number(text.as_str(), "double")?,
        _ => return Err(Raise::Types),
    }))
}

fn string<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let made = match &args[0] {
        Val::String(text) => return Ok(Val::String(text.clone())),
        Val::Bytes(bytes) => std::str::from_utf8(bytes)
            .map_err(|_| Raise::argument("the bytes are not UTF-8"))?
            .to_owned(),
        Val::Null | Val::List(_) | Val::Map(_) | Val::Type(_) | Val::Optional(_) => {
            return Err(Raise::Types);
        }
        other => other.plain().map_err(|_| Raise::Types)?,
    };
    make_text(asked, made)
}

fn boolean<'a>(_: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    Ok(Val::Bool(match &args[0] {
        Val::Bool(b) => *b,
        Val::String(text) => match text.as_str() {
            "true" | "True" | "TRUE" | "t" | "1" => true,
            "false" | "False" | "FALSE" | "f" | "0" => false,
            other => {
                return Err(Raise::argument(format!(
                    "{other:?} is neither true nor false"
                )));
            }
        },
        _ => return Err(Raise::Types),
    }))
}

fn bytes<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    match &args[0] {
        Val::Bytes(_) => Ok(args[0].clone()),
        Val::String(text) => {
            asked.meter.make(text.as_str().len())?;
            Ok(Val::Bytes(text.as_str().as_bytes().into()))
        }
        _ => Err(Raise::Types),
    }
}

fn base64_encode<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let made = match &args[0] {
        Val::Bytes(bytes) => convert::base64(bytes),
        // Texts are meant too: connection details and user data are texts here.
        Val::String(text) => convert::base64(text.as_str().as_bytes()),
        _ => return Err(Raise::Types),
    };
    make_text(asked, made)
}

fn base64_decode<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let Val::String(Text::Borrowed(_) | Text::Shared(_)) = &args[0] else {
        return Err(Raise::Types);
    };
    let text = super::text(&args[0])?;
    asked.meter.make(text.len())?;
    let bytes =
        convert::from_base64(text).ok_or_else(|| Raise::argument("the text is not base64"))?;
    Ok(Val::Bytes(bytes.into()))
}
