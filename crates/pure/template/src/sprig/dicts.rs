//! Sprig's functions of maps.

use super::{Made, arg, bytes, f, rest, strval};
use crate::library::{Call, Function, Param};
use crate::value::{List, MAX_DEPTH, Map, Value, deep_copy};

use Param::{Any, Map as MapType, Text};

pub(super) static FUNCTIONS: &[Function] = &[
    rest("dict", &[], Any, |_, a| {
        let map = Map::new(std::collections::BTreeMap::new());
        for pair in a.chunks(2) {
            let value = pair.get(1).cloned().unwrap_or_else(|| "".into());
            map.set(strval(arg(pair, 0)), value);
        }
        Ok(Value::Map(map))
    }),
    f("get", &[MapType, Text], |_, a| {
        Ok(map(a, 0)?.get(bytes(a, 1)).unwrap_or_else(|| "".into()))
    }),
    f("set", &[MapType, Text, Any], |_, a| {
        if map(a, 0)?.is_nil() {
            return Err("assignment to entry in nil map".to_owned());
        }
        map(a, 0)?.set(bytes(a, 1).into(), arg(a, 2).clone());
        Ok(arg(a, 0).clone())
    }),
    f("unset", &[MapType, Text], |_, a| {
        map(a, 0)?.unset(bytes(a, 1));
        Ok(arg(a, 0).clone())
    }),
    f("hasKey", &[MapType, Text], |_, a| {
        Ok(map(a, 0)?.entries().contains_key(bytes(a, 1)).into())
    }),
    rest("pluck", &[Text], MapType, |_, a| {
        let mut found = Vec::new();
        for index in 1..a.len() {
            found.extend(map(a, index)?.get(bytes(a, 0)));
        }
        Ok(Value::list(found))
    }),
    rest("keys", &[], MapType, |_, a| {
        let mut keys = Vec::new();
        for index in 0..a.len() {
            keys.extend(map(a, index)?.entries().keys().cloned());
        }
        Ok(Value::List(List::texts(keys)))
    }),
    f("values", &[MapType], |_, a| {
        let values = map(a, 0)?.entries().values().cloned().collect();
        Ok(Value::list(values))
    }),
    rest("pick", &[MapType], Text, |_, a| {
        let (from, picked) = (map(a, 0)?, Map::new(std::collections::BTreeMap::new()));
        for index in 1..a.len() {
            if let Some(value) = from.get(bytes(a, index)) {
                picked.set(bytes(a, index).into(), value);
            }
        }
        Ok(Value::Map(picked))
    }),
    rest("omit", &[MapType], Text, |_, a| {
        let left = Map::new(map(a, 0)?.entries().clone());
        for index in 1..a.len() {
            left.unset(bytes(a, index));
        }
        Ok(Value::Map(left))
    }),
    rest("merge", &[MapType], MapType, |_, a| merge_all(a, false)),
    rest("mustMerge", &[MapType], MapType, |_, a| merge_all(a, false)),
    rest("mergeOverwrite", &[MapType], MapType, |_, a| {
        merge_all(a, true)
    }),
    rest("mustMergeOverwrite", &[MapType], MapType, |_, a| {
        merge_all(a, true)
    }),
    f("deepCopy", &[Any], copy),
    f("mustDeepCopy", &[Any], copy),
    rest("dig", &[], Any, |_, a| {
        let [keys @ .., default, from] = a else {
            return Err("dig needs at least three arguments".to_owned());
        };
        if keys.is_empty() {
            return Err("dig needs at least three arguments".to_owned());
        }
        let mut value = from.clone();
        for key in keys {
            let (Value::Map(map), Value::Text(key)) = (&value, key) else {
                return Err(format!(
                    "dig goes through maps by texts, not through {} by {}",
                    value.go_type(),
                    key.go_type()
                ));
            };
            match map.get(key) {
                Some(next) => value = next,
                None => return Ok(default.clone()),
            }
        }
        Ok(value)
    }),
];

fn map(args: &[Value], index: usize) -> Result<&Map, String> {
    match arg(args, index) {
        Value::Map(map) => Ok(map),
        other => Err(format!("expected a map, got {}", other.go_type())),
    }
}

fn copy(_: &mut dyn Call, a: &[Value]) -> Made {
    if arg(a, 0).is_nil() {
        return Err("attempted to copy nil".to_owned());
    }
    deep_copy(arg(a, 0), 0)
}

fn merge_all(a: &[Value], overwrite: bool) -> Made {
    let target = match map(a, 0)? {
        nil if nil.is_nil() => Map::new(std::collections::BTreeMap::new()),
        target => target.clone(),
    };
    for index in 1..a.len() {
        merge(&target, map(a, index)?, overwrite, 0)?;
    }
    Ok(Value::Map(target))
}

/// `mergo.Merge`: what the target lacks, or has empty, comes from the source; maps are merged, and may be shared.
fn merge(target: &Map, source: &Map, overwrite: bool, depth: usize) -> Result<(), String> {
    if depth > MAX_DEPTH {
        return Err(format!(
            "the maps are nested deeper than {MAX_DEPTH} levels"
        ));
    }
    if target.is(source) {
        return Ok(());
    }
    let entries: Vec<_> = (source.entries().iter())
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    for (key, from) in entries {
        let held = target.get(&key);
        if from.is_nil() {
            if overwrite {
                target.set(key, from);
            }
            continue;
        }
        if let (Some(Value::Map(held)), Value::Map(from)) = (&held, &from) {
            merge(held, from, overwrite, depth + 1)?;
        }
        let filled = held.as_ref().is_some_and(Value::truth);
        let alike = matches!((&held, &from), (Some(Value::Map(_)), Value::Map(_)))
            || (!overwrite && matches!((&held, &from), (Some(Value::List(_)), Value::List(_))));
        if filled && alike {
            continue;
        }
        if overwrite || !filled {
            target.set(key, from);
        }
    }
    Ok(())
}
