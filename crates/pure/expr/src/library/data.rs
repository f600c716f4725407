//! JSON as text, and maps put together: what a composition needs beside the language.

use serde_json::Value as Json;

use super::{Asked, Function, global, make_text, member, text};
use crate::key::Key;
use crate::list::List;
use crate::map::Map;
use crate::outcome::Raise;
use crate::value::{NotData, Val};

pub(super) static FUNCTIONS: &[Function] = &[
    global("json.marshal", 1, marshal).not_in_rules(),
    global("json.unmarshal", 1, unmarshal).not_in_rules(),
    member("merge", 1, merge).not_in_rules(),
    member("deepMerge", 1, deep_merge).not_in_rules(),
    global("jsonpatch.escapeKey", 1, escape_key).not_in_rules(),
];

fn marshal<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    asked.meter.weigh(&args[0])?;
    let json = args[0].to_json().map_err(|why| match why {
        NotData::Form(why) => Raise::argument(why),
        NotData::Waits(root) => Raise::argument(format!("`{root}` is not there yet")),
    })?;
    make_text(asked, json.to_string())
}

fn unmarshal<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let given = text(&args[0])?;
    // A value takes far more room than its text: `[0,0,…]` about twenty times as much.
    asked.meter.make(given.len() * 24)?;
    let json: Json = serde_json::from_str(given)
        .map_err(|why| Raise::argument(format!("the text is not JSON: {why}")))?;
    Ok(owned(json))
}

/// JSON that nobody else keeps.
fn owned<'a>(json: Json) -> Val<'a> {
    match json {
        Json::String(text) => Val::text(text),
        Json::Array(items) => Val::List(List::owned(items.into_iter().map(owned).collect())),
        Json::Object(map) => Val::map(map.into_iter().map(|(key, value)| (key, owned(value)))),
        Json::Null => Val::Null,
        Json::Bool(b) => Val::Bool(b),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(i), _) => Val::Int(i),
            (None, Some(u)) => Val::UInt(u),
            (None, None) => Val::Double(number.as_f64().unwrap_or(f64::NAN)),
        },
    }
}

type Entries<'a> = Vec<(Key<'a>, Val<'a>)>;

fn both<'a>(args: &[Val<'a>]) -> Result<(Entries<'a>, Entries<'a>), Raise> {
    let (Val::Map(a), Val::Map(b)) = (&args[0], &args[1]) else {
        return Err(Raise::Types);
    };
    match (a.entries(), b.entries()) {
        (Some(a), Some(b)) => Ok((a, b)),
        _ => Err(Raise::Types),
    }
}

fn merge<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let (a, mut b) = both(args)?;
    asked.meter.values((a.len() + b.len()) * 2)?;
    // Of equal keys the first one is kept.
    b.extend(a);
    Ok(Val::Map(Map::owned(b)))
}

fn deep_merge<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let (a, b) = both(args)?;
    asked.meter.values((a.len() + b.len()) * 2)?;
    let under = Map::owned(a.clone());
    let mut merged = Vec::with_capacity(a.len() + b.len());
    for (key, value) in b {
        let value = match (under.get(&key), value) {
            (Some(below @ Val::Map(_)), value @ Val::Map(_)) => deep_merge(asked, &[below, value])?,
            (_, value) => value,
        };
        merged.push((key, value));
    }
    merged.extend(a);
    Ok(Val::Map(Map::owned(merged)))
}

fn escape_key<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let made = text(&args[0])?.replace('~', "~0").replace('/', "~1");
    make_text(asked, made)
}
