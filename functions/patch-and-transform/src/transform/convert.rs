//! What is this value as another type?

use purlin_object::{Object, Quantity, Value};

use super::{Data, string};
use crate::fault::Fault;
use purlin_template::gofmt::{self, Arg, Precision};

/// A compiled `convert` transform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Convert {
    pub(crate) to: Kind,
    pub(crate) format: Format,
}

/// The types a value can be converted to; `int` is another name of `int64`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    String,
    Bool,
    Int64,
    Float64,
    Object,
    Array,
}

/// How a text is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    None,
    Quantity,
    Json,
}

impl Kind {
    /// Reads the name used in inputs.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "string" => Self::String,
            "bool" => Self::Bool,
            "int" | "int64" => Self::Int64,
            "float64" => Self::Float64,
            "object" => Self::Object,
            "array" => Self::Array,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Bool => "bool",
            Self::Int64 => "int64",
            Self::Float64 => "float64",
            Self::Object => "object",
            Self::Array => "array",
        }
    }
}

impl Format {
    /// Reads the name used in inputs.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "none" => Self::None,
            "quantity" => Self::Quantity,
            "json" => Self::Json,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Quantity => "quantity",
            Self::Json => "json",
        }
    }
}

impl Convert {
    pub(super) fn apply(self, data: Data<'_>) -> Result<Data<'_>, Fault> {
        let arg = data.arg();
        let from = match arg {
            Arg::Text(_) => Kind::String,
            Arg::Bool(_) => Kind::Bool,
            Arg::Int(_) => Kind::Int64,
            Arg::Float(_) => Kind::Float64,
            other => {
                return Err(Fault::of(
                    other,
                    "convert takes a string, a number or a boolean; to make a list or an object a string, use a string transform",
                ));
            }
        };
        if from == self.to {
            return Ok(data);
        }
        let converted = match (arg, self.format) {
            (Arg::Text(text), format) => {
                let text = String::from_utf8_lossy(text);
                self.text(&text, format)
                    .map_err(|message| Fault::of(arg, message))?
            }
            (Arg::Bool(value), Format::None) => self.boolean(value),
            (Arg::Int(value), Format::None) => self.integer(value),
            (Arg::Float(value), Format::None) => self.float(value),
            _ => None,
        };
        converted.ok_or_else(|| {
            let (from, to) = (from.name(), self.to.name());
            let format = self.format.name();
            let message =
                format!("there is no conversion from {from} to {to} with the format {format}");
            Fault::of(arg, message)
        })
    }

    fn text(self, text: &str, format: Format) -> Result<Option<Data<'static>>, String> {
        let wrong = |what: &str| format!("the string is not {what}");
        let value = match (self.to, format) {
            (Kind::Int64, Format::None) => {
                Value::Int(text.parse().map_err(|_| wrong("a whole number"))?)
            }
            (Kind::Float64, Format::None) => {
                Value::Double(gofmt::parse_float(text).ok_or_else(|| wrong("a number"))?)
            }
            (Kind::Float64, Format::Quantity) => {
                let quantity = Quantity::parse(text)
                    .map_err(|error| format!("{}: {error}", wrong("a quantity")))?;
                Value::Double(quantity.to_f64())
            }
            (Kind::Bool, Format::None) => Value::Bool(match text {
                "1" | "t" | "T" | "TRUE" | "true" | "True" => true,
                "0" | "f" | "F" | "FALSE" | "false" | "False" => false,
                _ => return Err(wrong("true or false")),
            }),
            (Kind::Object | Kind::Array, Format::Json) => {
                let json: serde_json::Value = serde_json::from_str(text)
                    .map_err(|error| format!("{}: {error}", wrong("JSON")))?;
                let fits = match self.to {
                    Kind::Object => json.is_object() || json.is_null(),
                    _ => json.is_array() || json.is_null(),
                };
                if !fits {
                    return Err(wrong(&format!("a JSON {}", self.to.name())));
                }
                doubles(json)
            }
            _ => return Ok(None),
        };
        Ok(Some(Data::Owned(value)))
    }

    fn boolean(self, value: bool) -> Option<Data<'static>> {
        Some(Data::Owned(match self.to {
            Kind::String => Value::String(value.to_string()),
            Kind::Int64 => Value::Int(value.into()),
            Kind::Float64 => Value::Double(u8::from(value).into()),
            _ => return None,
        }))
    }

    #[expect(clippy::cast_precision_loss, reason = "as Go converts")]
    fn integer(self, value: i64) -> Option<Data<'static>> {
        Some(match self.to {
            Kind::String => string::text(value.to_string()),
            Kind::Float64 => Data::Owned(Value::Double(value as f64)),
            Kind::Bool => Data::Owned(Value::Bool(value == 1)),
            _ => return None,
        })
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::float_cmp,
        reason = "as Go converts and compares"
    )]
    fn float(self, value: f64) -> Option<Data<'static>> {
        Some(match self.to {
            Kind::String => string::text(gofmt::format_float(value, 'f', Precision::Shortest)),
            Kind::Int64 => Data::Owned(Value::Int(value as i64)),
            Kind::Bool => Data::Owned(Value::Bool(value == 1.0)),
            _ => return None,
        })
    }
}

/// A JSON value whose numbers are all doubles, as Go decodes them into `any`.
fn doubles(json: serde_json::Value) -> Value {
    match json {
        serde_json::Value::Number(number) => Value::Double(number.as_f64().unwrap_or_default()),
        serde_json::Value::Array(items) => Value::List(items.into_iter().map(doubles).collect()),
        serde_json::Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(key, value)| (key, doubles(value)))
                .collect::<Object>(),
        ),
        other => Value::from_json(other),
    }
}
