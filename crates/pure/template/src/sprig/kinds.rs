//! Sprig's defaults, types and JSON.

use super::{Made, arg, bytes, f, rest, text};
use crate::json::{self, Style};
use crate::library::{Call, Function, Param};
use crate::value::{Value, deep_equal};

use Param::{Any, Bool, Text};

pub(super) static FUNCTIONS: &[Function] = &[
    rest("default", &[Any], Any, |_, a| {
        let given = arg(a, 1);
        Ok(if given.truth() { given } else { arg(a, 0) }.clone())
    }),
    f("empty", &[Any], |_, a| Ok((!arg(a, 0).truth()).into())),
    rest("coalesce", &[], Any, |_, a| {
        Ok(a.iter()
            .find(|value| value.truth())
            .cloned()
            .unwrap_or(Value::Nil))
    }),
    rest("all", &[], Any, |_, a| {
        Ok(a.iter().all(Value::truth).into())
    }),
    rest("any", &[], Any, |_, a| {
        Ok(a.iter().any(Value::truth).into())
    }),
    f("ternary", &[Any, Any, Bool], |_, a| {
        Ok(arg(a, usize::from(!arg(a, 2).truth())).clone())
    }),
    f("typeOf", &[Any], |_, a| Ok(arg(a, 0).go_type().into())),
    f("typeIs", &[Text, Any], |_, a| {
        Ok((text(a, 0) == arg(a, 1).go_type()).into())
    }),
    f("typeIsLike", &[Text, Any], |_, a| {
        let name = arg(a, 1).go_type();
        Ok((text(a, 0) == name || format!("*{}", text(a, 0)) == name).into())
    }),
    f("kindOf", &[Any], |_, a| Ok(arg(a, 0).kind().into())),
    f("kindIs", &[Text, Any], |_, a| {
        Ok((text(a, 0) == arg(a, 1).kind()).into())
    }),
    f("deepEqual", &[Any, Any], |_, a| {
        Ok(deep_equal(arg(a, 0), arg(a, 1), 0).into())
    }),
    f("fromJson", &[Text], |_, a| {
        Ok(json::read(bytes(a, 0)).unwrap_or(Value::Nil))
    }),
    f("mustFromJson", &[Text], |_, a| json::read(bytes(a, 0))),
    f("toJson", &[Any], |_, a| {
        Ok(write(a, PLAIN).unwrap_or_else(|_| "".into()))
    }),
    f("mustToJson", &[Any], |_, a| write(a, PLAIN)),
    f("toPrettyJson", &[Any], |_, a| {
        Ok(write(a, PRETTY).unwrap_or_else(|_| "".into()))
    }),
    f("mustToPrettyJson", &[Any], |_, a| write(a, PRETTY)),
    f("toRawJson", &[Any], raw),
    f("mustToRawJson", &[Any], raw),
];

const PLAIN: Style = Style {
    pretty: false,
    raw: false,
};
const PRETTY: Style = Style {
    pretty: true,
    raw: false,
};

fn write(a: &[Value], style: Style) -> Made {
    json::write(arg(a, 0), style).map(Value::from)
}

fn raw(_: &mut dyn Call, a: &[Value]) -> Made {
    let raw = Style {
        pretty: false,
        raw: true,
    };
    write(a, raw)
}
