//! Any format over values of every kind. What is behind the first line is a value too.

use purlin_object::{List, Object, Value};
use purlin_template::gofmt::{Arg, parse_float, sprintf};

/// No text is longer than this, whatever its width and precision ask for.
const LONGEST: usize = 4 << 20;

pub(crate) fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (format, value) = text.split_once('\n').unwrap_or((&text, ""));
    let number = value.parse::<i64>().unwrap_or(i64::MIN);
    let float = parse_float(value).unwrap_or(f64::NEG_INFINITY);
    let list = [Value::Int(number), Value::from(value), Value::Null]
        .into_iter()
        .collect::<List>();
    let map: Object = [("k", value)].into_iter().collect();
    let args = [
        Arg::Text(value.as_bytes()),
        Arg::Int(number),
        Arg::Float(float),
        Arg::Nil,
        Arg::Bool(true),
        Arg::Whole(number, "int32"),
        Arg::Named(bytes, "Name"),
        Arg::Float(f64::NAN),
        Arg::List(list.as_ref()),
        Arg::Map(map.as_ref()),
    ];
    for from in 0..args.len() {
        if let Ok(text) = sprintf(format, args.get(from..).unwrap_or_default()) {
            assert!(text.len() <= LONGEST, "{format}");
        }
    }
}
