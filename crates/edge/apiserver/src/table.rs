//! Tables for people: columns and cells.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::custom::Column;
use crate::jsonpath;
use crate::kinds::columns;
use crate::registry::{Resource, Source};
use crate::server::Core;

/// How much of each object a row carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Include {
    None,
    Metadata,
    Object,
}

/// One column's head.
pub(crate) fn column(
    name: &str,
    holds: &str,
    format: &str,
    description: &str,
    priority: i64,
) -> Value {
    json!({"name": name, "type": holds, "format": format, "description": description, "priority": priority})
}

/// The table of some objects of one kind.
pub(crate) fn table(
    core: &Core,
    resource: &Resource,
    objects: &[&Value],
    include: Include,
) -> Value {
    let now = (core.clock)();
    let (heads, cells): (Vec<Value>, Cells<'_>) = match &resource.source {
        Source::Custom(custom) => {
            let mut heads = vec![column(
                "Name",
                "string",
                "name",
                "The name, unique among its kind.",
                0,
            )];
            if custom.columns.is_empty() {
                heads.push(column("Age", "date", "", "The time since creation.", 0));
            }
            let own = custom.columns.iter();
            heads.extend(
                own.map(|c| column(&c.name, &c.holds, &c.format, &c.description, c.priority)),
            );
            (
                heads,
                Box::new(move |object| custom_cells(&custom.columns, object, now)),
            )
        }
        Source::Builtin(builtin) => (
            columns::heads(builtin.which),
            Box::new(move |object| columns::cells(builtin.which, object, now)),
        ),
    };
    let rows: Vec<Value> = objects
        .iter()
        .map(|object| {
            let mut row = json!({"cells": cells(object)});
            match include {
                Include::None => {}
                Include::Metadata => row["object"] = crate::verbs::show::partial(object),
                Include::Object => row["object"] = (*object).clone(),
            }
            row
        })
        .collect();
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {},
        "columnDefinitions": heads, "rows": rows,
    })
}

type Cells<'a> = Box<dyn Fn(&Value) -> Vec<Value> + 'a>;

fn custom_cells(columns: &[Column], object: &Value, now: Timestamp) -> Vec<Value> {
    let mut cells = vec![object["metadata"]["name"].clone()];
    if columns.is_empty() {
        cells.push(age(&object["metadata"]["creationTimestamp"], now));
    }
    for column in columns {
        let found = jsonpath::find(object, &column.path);
        cells.push(
            found
                .first()
                .map_or(Value::Null, |value| cell(value, &column.holds, now)),
        );
    }
    cells
}

fn cell(value: &Value, holds: &str, now: Timestamp) -> Value {
    match (holds, value) {
        (_, Value::Null) => Value::Null,
        ("integer", Value::Number(number)) => number
            .as_i64()
            .map_or_else(|| truncated(number), Value::from),
        ("number", Value::Number(_))
        | ("boolean", Value::Bool(_))
        | ("string", Value::String(_)) => value.clone(),
        ("string", other) => other.to_string().into(),
        ("date", Value::String(_)) => age(value, now),
        _ => Value::Null,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a column of integers shows floats without their fraction"
)]
fn truncated(number: &serde_json::Number) -> Value {
    number.as_f64().map_or(Value::Null, |f| (f as i64).into())
}

/// How long ago a time was, as kubectl shows it.
pub(crate) fn age(time: &Value, now: Timestamp) -> Value {
    let Some(text) = time.as_str().filter(|t| !t.is_empty()) else {
        return "<unknown>".into();
    };
    let Ok(time) = text.parse::<Timestamp>() else {
        return "<invalid>".into();
    };
    duration(now.as_second() - time.as_second()).into()
}

/// A duration in the two largest units that matter.
pub(crate) fn duration(seconds: i64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let years = days / 365;
    let two = |major: i64, unit: char, minor: i64, small: char| {
        if minor == 0 {
            format!("{major}{unit}")
        } else {
            format!("{major}{unit}{minor}{small}")
        }
    };
    match seconds {
        i64::MIN..-1 => "<invalid>".into(),
        -1..0 => "0s".into(),
        0..120 => format!("{seconds}s"),
        120..600 => two(minutes, 'm', seconds % 60, 's'),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => two(hours, 'h', minutes % 60, 'm'),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => two(days, 'd', hours % 24, 'h'),
        691_200..63_072_000 => format!("{days}d"),
        63_072_000..252_288_000 => two(years, 'y', days % 365, 'd'),
        _ => format!("{years}y"),
    }
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn ages_shorten_as_they_grow() {
        for (seconds, text) in [
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (130, "2m10s"),
            (7200, "120m"),
            (11_000, "3h3m"),
            (86_400, "24h"),
            (180_000, "2d2h"),
            (864_000, "10d"),
            (-5, "<invalid>"),
        ] {
            assert_eq!(duration(seconds), text, "{seconds}");
        }
    }
}
