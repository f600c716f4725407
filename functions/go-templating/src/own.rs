//! The functions that only this function has.

use std::rc::Rc;

use purlin_template::{
    Call, Elements, Function, List, Map, Members, Native, Param, Text, Value, decode_base64, json,
    time_value,
};

use crate::yaml::{Dialect, Node, read, to_yaml};
use crate::{EXTRA_RESOURCES, NAME};

type Made = Result<Value, String>;

pub(crate) static FUNCTIONS: &[Function] = &[
    function("randomChoice", &[], Some(Param::Text), |call, args| {
        let count = u64::try_from(args.len()).unwrap_or(u64::MAX);
        if count == 0 {
            return Err("there is nothing to choose from".to_owned());
        }
        let choice = usize::try_from(call.random() % count).unwrap_or_default();
        Ok(args.get(choice).cloned().unwrap_or_default())
    }),
    function("toYaml", &[Param::Any], None, |_, args| {
        to_yaml(arg(args, 0)).map(Value::from)
    }),
    function("fromYaml", &[Param::Text], None, from_yaml),
    function(
        "getResourceCondition",
        &[Param::Text, Param::Map],
        None,
        |_, args| Ok(condition(arg(args, 0), arg(args, 1))),
    ),
    function(
        "setResourceNameAnnotation",
        &[Param::Text],
        None,
        |_, args| {
            let name = String::from_utf8_lossy(&arg(args, 0).shown()).into_owned();
            Ok(format!("{NAME}: {name}").into())
        },
    ),
    function(
        "getComposedResource",
        &[Param::Map, Param::Text],
        None,
        |_, args| Ok(map(at(args, &["observed", "resources"], "resource"))),
    ),
    function("getCompositeResource", &[Param::Map], None, |_, args| {
        Ok(map(walk(
            arg(args, 0),
            &["observed", "composite", "resource"],
        )))
    }),
    function(
        "getComposedConnectionDetails",
        &[Param::Map, Param::Text],
        None,
        |_, args| {
            Ok(map(at(
                args,
                &["observed", "resources"],
                "connectionDetails",
            )))
        },
    ),
    function(
        "getExtraResources",
        &[Param::Map, Param::Text],
        None,
        |_, args| {
            Ok(list(match at(args, &["requiredResources"], "items") {
                Value::Nil => at(args, &["extraResources"], "items"),
                found => found,
            }))
        },
    ),
    function(
        "getExtraResourcesFromContext",
        &[Param::Map, Param::Text],
        None,
        |_, args| Ok(list(at(args, &["context", EXTRA_RESOURCES], "items"))),
    ),
    function(
        "getCredentialData",
        &[Param::Map, Param::Text],
        None,
        |_, args| {
            let Value::Map(data) = walk(&at(args, &["credentials"], "credentialData"), &["data"])
            else {
                return Ok(Value::Map(Map::nil_of(Members::Bytes)));
            };
            let bytes = |value: &Value| match value {
                Value::Text(text) => {
                    let bytes = decode_base64(text).0.into_iter();
                    let items =
                        bytes.map(|byte| Value::Int(byte.into(), purlin_template::Whole::Uint8));
                    Value::List(List::of(Elements::Bytes, items.collect()))
                }
                other => other.clone(),
            };
            let entries = data.entries();
            let entries = entries
                .iter()
                .map(|(key, value)| (key.clone(), bytes(value)));
            Ok(Value::Map(Map::of(Members::Bytes, entries.collect())))
        },
    ),
    function("include", &[Param::Text, Param::Any], None, |call, args| {
        let name = String::from_utf8_lossy(&arg(args, 0).shown()).into_owned();
        call.render(&name, arg(args, 1).clone()).map(Value::from)
    }),
];

const fn function(
    name: &'static str,
    params: &'static [Param],
    rest: Option<Param>,
    call: fn(&mut dyn Call, &[Value]) -> Made,
) -> Function {
    Function {
        name,
        params,
        rest,
        call,
    }
}

const NOTHING: &Value = &Value::Nil;

fn arg(args: &[Value], index: usize) -> &Value {
    args.get(index).unwrap_or(NOTHING)
}

fn walk(value: &Value, path: &[&str]) -> Value {
    path.iter().fold(value.clone(), |value, key| match value {
        Value::Map(map) => map.get(key.as_bytes()).unwrap_or(Value::Nil),
        _ => Value::Nil,
    })
}

/// What is under the name given second, below a path of the request given first.
fn at(args: &[Value], path: &[&str], member: &str) -> Value {
    let name = arg(args, 1).shown();
    let found = match walk(arg(args, 0), path) {
        Value::Map(map) => map.get(&name).unwrap_or(Value::Nil),
        _ => Value::Nil,
    };
    walk(&found, &[member])
}

/// A map, or the nil of its type.
fn map(found: Value) -> Value {
    match found {
        found @ Value::Map(_) => found,
        _ => Value::Map(Map::nil()),
    }
}

/// A list, or the nil of its type.
fn list(found: Value) -> Value {
    match found {
        found @ Value::List(_) => found,
        _ => Value::List(List::nil()),
    }
}

fn from_yaml(_: &mut dyn Call, args: &[Value]) -> Made {
    let text = arg(args, 0).shown();
    let text = String::from_utf8(text).map_err(|_| "yaml: invalid UTF-8".to_owned())?;
    let documents = read(&text, Dialect::V3)
        .map_err(|(line, message)| format!("yaml: line {line}: {message}"))?;
    Ok(documents.first().map_or(Value::Nil, value))
}

fn value(node: &Node) -> Value {
    match node {
        Node::Null => Value::Nil,
        Node::Bool(value) => Value::Bool(*value),
        Node::Int(value) => Value::int(*value),
        Node::Float(value) => Value::Float(*value),
        Node::Text(text) => text.as_str().into(),
        Node::Time(nanos) => time_value(*nanos),
        Node::List(items) => Value::list(items.iter().map(value).collect()),
        Node::Map(entries) => {
            let texts: Option<std::collections::BTreeMap<Text, Value>> = (entries.iter())
                .map(|(key, held)| match key {
                    Node::Text(text) => Some((Text::from(text.as_bytes()), value(held))),
                    _ => None,
                })
                .collect();
            texts.map_or_else(
                || {
                    Value::Pairs(Rc::new(
                        entries.iter().map(|(k, v)| (value(k), value(v))).collect(),
                    ))
                },
                |entries| Value::Map(Map::new(entries)),
            )
        }
    }
}

/// A condition of a resource, as crossplane-runtime's type has it.
#[derive(Debug)]
struct Condition(Vec<(&'static str, Value)>);

fn condition(kind: &Value, object: &Value) -> Value {
    let object = match walk(object, &["resource"]) {
        Value::Nil => object.clone(),
        inner => inner,
    };
    let found = match walk(&object, &["status", "conditions"]) {
        Value::List(list) => (list.items().iter())
            .find(|item| {
                walk(item, &["type"]).shown() == kind.shown() && !walk(item, &["type"]).is_nil()
            })
            .cloned(),
        _ => None,
    };
    let field = |name: &str, missing: &str| match found.as_ref().map(|held| walk(held, &[name])) {
        Some(Value::Text(text)) => Value::Text(text),
        _ => missing.into(),
    };
    let status = if found.is_some() { "" } else { "Unknown" };
    let time = found
        .as_ref()
        .map(|held| walk(held, &["lastTransitionTime"]).shown())
        .and_then(|text| String::from_utf8(text).ok())
        .and_then(|text| purlin_template::parse_time("2006-01-02T15:04:05Z07:00", &text));
    let generation = match found
        .as_ref()
        .map(|held| walk(held, &["observedGeneration"]))
    {
        Some(Value::Int(number, _)) => number,
        _ => 0,
    };
    Value::Native(Rc::new(Condition(vec![
        ("Type", kind.clone()),
        ("Status", field("status", status)),
        (
            "LastTransitionTime",
            time_value(time.unwrap_or(-62_135_596_800_000_000_000)),
        ),
        ("Reason", field("reason", "")),
        ("Message", field("message", "")),
        ("ObservedGeneration", Value::int64(generation)),
    ])))
}

impl Native for Condition {
    fn go_type(&self) -> &'static str {
        "v2.Condition"
    }

    fn member(&self, name: &str, _: &[Value]) -> Option<Result<Value, String>> {
        let (_, value) = self.0.iter().find(|(held, _)| *held == name)?;
        Some(Ok(value.clone()))
    }

    fn text(&self) -> String {
        let shown = self.0.iter().map(|(_, value)| value.shown());
        let shown = shown.map(|text| String::from_utf8_lossy(&text).into_owned());
        format!("{{{}}}", shown.collect::<Vec<_>>().join(" "))
    }

    fn json(&self) -> String {
        let mut out = String::from("{");
        for (name, value) in &self.0 {
            let mut letters = name.chars();
            let first = letters.next().map(|c| c.to_ascii_lowercase());
            let name: String = first.into_iter().chain(letters).collect();
            let empty = matches!(value, Value::Text(text) if text.is_empty())
                || matches!(value, Value::Int(0, _));
            if empty && matches!(name.as_str(), "message" | "observedGeneration") {
                continue;
            }
            if out.len() > 1 {
                out.push(',');
            }
            let zero = name == "lastTransitionTime" && value.shown().starts_with(b"0001-");
            let text = json::write(value, json::Style::default()).unwrap_or_default();
            let text = if zero { "null" } else { &text };
            for part in ["\"", &name, "\":", text] {
                out.push_str(part);
            }
        }
        out.push('}');
        out
    }
}
