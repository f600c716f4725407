//! Which values come out of transforms, and do they fit where they go?

use purlin_diag::Diagnostic;
use purlin_schema::{Kind, Schema};
use serde_json::Value;

use crate::format::{self, garbles};
use crate::{Report, below};

/// The type of a value; `None` when it is not known.
pub(crate) type Type = Option<Kind>;

/// The type a schema asks for.
pub(crate) fn of(schema: &Schema) -> Type {
    if schema.int_or_string {
        return None;
    }
    schema.kind
}

/// Whether a value of one type may stand where the other is asked for.
pub(crate) fn fits(from: Type, to: Type) -> bool {
    match (from, to) {
        (Some(from), Some(to)) => {
            // Whole doubles are written as integers.
            let number = |kind| matches!(kind, Kind::Integer | Kind::Number);
            from == to || number(from) && number(to)
        }
        _ => true,
    }
}

/// A type in words.
pub(crate) fn word(kind: Kind) -> &'static str {
    crate::reach::article(kind)
}

/// What is known of a value on its way.
#[derive(Debug, Clone, Default)]
pub(crate) struct Flow {
    pub(crate) kind: Type,
    /// All the values it can be, each with the field of the input that says so, when one does.
    pub(crate) values: Option<Vec<(Value, Option<String>)>>,
    /// Whether a transform made it an `int64` of Go.
    whole: bool,
}

impl Flow {
    /// A value that a field of this schema holds.
    pub(crate) fn from(schema: &Schema) -> Self {
        let listed = schema.allowed.as_ref();
        Self {
            kind: of(schema),
            values: listed.map(|all| all.iter().map(|one| (one.clone(), None)).collect()),
            whole: false,
        }
    }

    /// Any value of a type.
    pub(crate) fn typed(kind: Type) -> Self {
        Self {
            kind,
            ..Self::default()
        }
    }

    fn listed(values: Vec<(Value, Option<String>)>) -> Self {
        let kind = common(values.iter().map(|(value, _)| value));
        Self {
            kind,
            values: Some(values),
            whole: false,
        }
    }

    fn texts(&self) -> Option<Vec<&str>> {
        let values = self.values.as_ref()?;
        values.iter().map(|(value, _)| value.as_str()).collect()
    }
}

/// What comes out of `transforms`, which stand at `at`; what cannot work is told.
pub(crate) fn through(
    transforms: &Value,
    mut flow: Flow,
    at: &str,
    report: &mut Report<'_>,
) -> Flow {
    for (index, transform) in transforms.as_array().into_iter().flatten().enumerate() {
        let at = format!("{at}[{index}]");
        let Some(name) = transform["type"].as_str() else {
            return Flow::default();
        };
        let config = &transform[name];
        let config_at = below(&at, name);
        flow = match name {
            "math" => {
                takes(flow.kind, &[Kind::Integer, Kind::Number], name, &at, report);
                Flow::typed(flow.kind)
            }
            "map" => {
                takes(flow.kind, &[Kind::String], name, &at, report);
                map(config, &flow, &config_at, report)
            }
            "match" => {
                takes(flow.kind, &[Kind::String], name, &at, report);
                matching(config, &flow, &config_at, report)
            }
            "string" => {
                string(config, &flow, &at, report);
                Flow::typed(Some(Kind::String))
            }
            "convert" => convert(config, &flow, &at, report),
            _ => Flow::default(),
        };
    }
    flow
}

fn takes(kind: Type, allowed: &[Kind], name: &str, at: &str, report: &mut Report<'_>) {
    let Some(kind) = kind.filter(|kind| !allowed.contains(kind)) else {
        return;
    };
    let takes: Vec<&str> = allowed.iter().map(|kind| word(*kind)).collect();
    let message = format!(
        "the transform {name} takes {}, and gets {}",
        takes.join(" or "),
        word(kind)
    );
    let finding = Diagnostic::error("check/transform-type", message);
    report.at(
        &format!("{at}.type"),
        finding.help("put a `convert` transform before it"),
    );
}

/// A map: what its source may be and has no entry, and entries that are never looked up.
fn map(config: &Value, flow: &Flow, at: &str, report: &mut Report<'_>) -> Flow {
    let Some(map) = config.as_object() else {
        return Flow::default();
    };
    let known = flow.texts();
    if let Some(known) = &known {
        missing_keys(map, known, at, report);
    }
    let reached = map.iter().filter(|(key, _)| {
        let known = known.as_ref();
        known.is_none_or(|known| known.contains(&key.as_str()))
    });
    let mut values: Vec<_> = reached
        .map(|(key, value)| (value.clone(), Some(below(at, key))))
        .collect();
    if values.is_empty() {
        let all = map.iter();
        values = all
            .map(|(key, value)| (value.clone(), Some(below(at, key))))
            .collect();
    }
    Flow::listed(values)
}

fn missing_keys(
    map: &serde_json::Map<String, Value>,
    allowed: &[&str],
    at: &str,
    report: &mut Report<'_>,
) {
    let missing: Vec<&str> = allowed
        .iter()
        .copied()
        .filter(|one| !map.contains_key(*one))
        .collect();
    if !missing.is_empty() {
        let message = format!(
            "the map has no entry for {}, which the field may be",
            missing.join(", ")
        );
        let finding = Diagnostic::warning("check/map-misses-value", message);
        report.key(
            at,
            finding.help("a value without an entry stops the pipeline"),
        );
    }
    for key in map.keys().filter(|key| !allowed.contains(&key.as_str())) {
        let message = format!("the field is never {key:?}");
        let near = purlin_diag::nearest(key, missing.iter().copied());
        let code = "check/map-dead-entry";
        // An entry too many does no harm, unless it was to be another.
        let (finding, help) = match near {
            Some(near) => (
                Diagnostic::warning(code, message),
                format!("did you mean `{near}`?"),
            ),
            None => (
                Diagnostic::note(code, message),
                format!("it is one of {}", allowed.join(", ")),
            ),
        };
        report.key(&below(at, key), finding.help(help));
    }
}

/// A match: patterns that nothing reaches, and what comes out.
fn matching(config: &Value, flow: &Flow, at: &str, report: &mut Report<'_>) -> Flow {
    let known = flow.texts();
    let mut seen: Vec<&str> = Vec::new();
    let mut values = Vec::new();
    let patterns = config["patterns"].as_array();
    for (index, pattern) in patterns.into_iter().flatten().enumerate() {
        let at = format!("{at}.patterns[{index}]");
        values.push((pattern["result"].clone(), Some(format!("{at}.result"))));
        let Some(literal) = pattern["literal"]
            .as_str()
            .filter(|_| pattern["type"] != "regexp")
        else {
            continue;
        };
        let literal_at = format!("{at}.literal");
        if seen.contains(&literal) {
            let message = format!("an earlier pattern matches {literal:?} already");
            let finding = Diagnostic::warning("check/unreachable", message);
            report.at(&literal_at, finding.help("remove one of the two patterns"));
        } else if let Some(known) = &known
            && !known.contains(&literal)
        {
            let message = format!("the field is never {literal:?}");
            let near = purlin_diag::nearest(literal, known.iter().copied());
            let finding = match near {
                Some(near) => Diagnostic::warning("check/unreachable", message)
                    .help(format!("did you mean `{near}`?")),
                None => Diagnostic::note("check/unreachable", message)
                    .help(format!("it is one of {}", known.join(", "))),
            };
            report.at(&literal_at, finding);
        }
        seen.push(literal);
    }
    if let Some(word) = config["fallbackTo"].as_str()
        && !matches!(word, "Value" | "Input")
    {
        let message = format!("`{word}` is unknown here, and does what `Value` does");
        let finding = Diagnostic::warning("check/unknown-word", message);
        let help = "it is one of Value, Input";
        report.at(&format!("{at}.fallbackTo"), finding.help(help));
    }
    if config["fallbackTo"] == "Input" {
        if let Some(all) = &flow.values {
            values.extend(all.iter().cloned());
        } else {
            let kind = common(values.iter().map(|(value, _)| value));
            let same = kind == flow.kind || values.is_empty();
            return Flow::typed(flow.kind.filter(|_| same));
        }
    } else if !config["fallbackValue"].is_null() {
        let at = format!("{at}.fallbackValue");
        values.push((config["fallbackValue"].clone(), Some(at)));
    }
    Flow::listed(values)
}

/// A string transform: what Go prints of this type, and whether there is anything to join.
fn string(config: &Value, flow: &Flow, at: &str, report: &mut Report<'_>) {
    match config["type"].as_str() {
        Some("Join") => takes(flow.kind, &[Kind::Array], "Join", at, report),
        Some("Format") => {
            if let Some(fmt) = config["fmt"].as_str() {
                let at = format!("{at}.string.fmt");
                formatted(fmt, std::slice::from_ref(flow), &at, report);
            }
        }
        Some("Convert") => string_convert(config, at, report),
        Some("Regexp") => regexp_group(&config["regexp"], at, report),
        _ => {}
    }
}

/// A group that the expression does not have matches nothing, ever.
fn regexp_group(config: &Value, at: &str, report: &mut Report<'_>) {
    let (Some(pattern), Some(group)) = (config["match"].as_str(), config["group"].as_u64()) else {
        return;
    };
    let Ok(groups) = purlin_schema::Pattern::new(pattern).map(|one| one.groups()) else {
        return;
    };
    if group > groups as u64 {
        let message =
            format!("the expression has {groups} groups, and the group {group} is asked for");
        let finding = Diagnostic::error("check/regexp-group", message);
        let help = "the group 0 is the whole match";
        report.at(&format!("{at}.string.regexp.group"), finding.help(help));
    }
}

/// Upstream finds an unknown conversion when it runs.
fn string_convert(config: &Value, at: &str, report: &mut Report<'_>) {
    const KNOWN: [&str; 9] = [
        "ToUpper",
        "ToLower",
        "ToBase64",
        "FromBase64",
        "ToJson",
        "ToSha1",
        "ToSha256",
        "ToSha512",
        "ToAdler32",
    ];
    let Some(name) = config["convert"].as_str() else {
        return;
    };
    if KNOWN.contains(&name) {
        return;
    }
    let message = format!("there is no string conversion `{name}`");
    let finding = Diagnostic::error("check/transform-word", message);
    let help = match purlin_diag::nearest(name, KNOWN) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("it is one of {}", KNOWN.join(", ")),
    };
    report.at(&format!("{at}.string.convert"), finding.help(help));
}

/// Checks the verbs of a format against what they print.
pub(crate) fn formatted(fmt: &str, arguments: &[Flow], at: &str, report: &mut Report<'_>) {
    let format = format::parse(fmt);
    if let Some(part) = format.bad_number {
        let finding = Diagnostic::error("check/format", "the number of an argument is no number");
        report.part(at, part, finding.help("write it like %[1]s"));
        return;
    }
    for verb in &format.verbs {
        let Some(letter) = verb.letter else {
            let finding = Diagnostic::error("check/format", "a percent sign without a verb");
            report.part(at, verb.span, finding.help("write %% for a percent sign"));
            continue;
        };
        let Some(argument) = arguments.get(verb.argument) else {
            let message = format!(
                "the format wants {} values, and there {} {}",
                format.taken,
                if arguments.len() == 1 { "is" } else { "are" },
                arguments.len()
            );
            let finding = Diagnostic::error("check/format", message);
            let help = format!(
                "Go prints %!{letter}(BADINDEX) or (MISSING) there; remove the verb, or add a value"
            );
            report.part(at, verb.span, finding.help(help));
            continue;
        };
        let Some(kind) = argument.kind else { continue };
        if let Some(garbage) = garbles(letter, kind, argument.whole) {
            let message = format!("%{letter} does not print {}", word(kind));
            let finding = Diagnostic::warning("check/format", message);
            let help = if matches!(kind, Kind::Integer | Kind::Number) {
                format!(
                    "Go prints {garbage}, because numbers are doubles here; write %v, or convert it before"
                )
            } else {
                format!("Go prints something like {garbage}; write %v, or convert it before")
            };
            report.part(at, verb.span, finding.help(help));
        }
    }
    if format.taken < arguments.len() && !format.numbered {
        let message = format!(
            "the format prints {} of {} values",
            format.taken,
            arguments.len()
        );
        let finding = Diagnostic::error("check/format", message);
        let help = "Go adds %!(EXTRA …) for the others; add verbs like %s";
        report.at(at, finding.help(help));
    }
}

fn convert(config: &Value, flow: &Flow, at: &str, report: &mut Report<'_>) -> Flow {
    let to = match config["toType"].as_str() {
        Some("string") => Kind::String,
        Some("bool") => Kind::Boolean,
        Some("int" | "int64") => Kind::Integer,
        Some("float64") => Kind::Number,
        Some("object") => Kind::Object,
        Some("array") => Kind::Array,
        _ => return Flow::default(),
    };
    let out = Flow {
        kind: Some(to),
        values: None,
        whole: to == Kind::Integer,
    };
    let Some(from) = flow.kind else { return out };
    let format = config["format"].as_str().unwrap_or("none");
    let container = |kind| matches!(kind, Kind::Object | Kind::Array);
    let works = match (from, to, format) {
        (from, _, _) if container(from) => false,
        (from, to, _) if from == to => true,
        (Kind::String, Kind::Object | Kind::Array, format) => format == "json",
        (Kind::String, Kind::Number, format) => matches!(format, "none" | "quantity"),
        // A field of the type number may hold whole numbers, and one of the type integer doubles.
        (_, to, format) => !container(to) && format == "none",
    };
    let number = |kind| matches!(kind, Kind::Integer | Kind::Number);
    if works || number(from) && number(to) {
        if from == to && flow.values.is_some() {
            return Flow {
                whole: out.whole,
                ..flow.clone()
            };
        }
        converted_values(flow, to, format, &format!("{at}.convert.toType"), report);
        return out;
    }
    let message = if container(from) {
        format!(
            "convert takes a string, a number or a boolean, and gets {}",
            word(from)
        )
    } else {
        format!(
            "there is no conversion from {} to {} with the format {format}",
            word(from),
            word(to)
        )
    };
    let finding = Diagnostic::error("check/transform-type", message);
    let help = match (from, to) {
        (Kind::String, Kind::Object | Kind::Array) => "write `format: json`",
        (from, _) if container(from) => "use the string transform `Convert` with `ToJson`",
        _ => "leave the format away",
    };
    report.at(&format!("{at}.convert.toType"), finding.help(help));
    out
}

/// Values that are known and cannot be converted.
fn converted_values(flow: &Flow, to: Kind, format: &str, at: &str, report: &mut Report<'_>) {
    let Some(texts) = flow.texts().filter(|_| format == "none") else {
        return;
    };
    let reads = |text: &&str| match to {
        Kind::Integer => text.parse::<i64>().is_ok(),
        Kind::Boolean => matches!(
            *text,
            "1" | "t"
                | "T"
                | "TRUE"
                | "true"
                | "True"
                | "0"
                | "f"
                | "F"
                | "FALSE"
                | "false"
                | "False"
        ),
        _ => true,
    };
    if let Some(text) = texts.iter().find(|text| !reads(text)) {
        let message = format!("the value may be {text:?}, which is not {}", word(to));
        let finding = Diagnostic::warning("check/convert-value", message);
        report.at(
            at,
            finding.help("a value that cannot be converted stops the pipeline"),
        );
    }
}

/// The type that all of these values have.
fn common<'v>(values: impl Iterator<Item = &'v Value>) -> Type {
    let mut kinds = values.map(|value| match value {
        Value::String(_) => Some(Kind::String),
        Value::Bool(_) => Some(Kind::Boolean),
        Value::Number(number) if number.is_f64() => Some(Kind::Number),
        Value::Number(_) => Some(Kind::Integer),
        Value::Array(_) => Some(Kind::Array),
        Value::Object(_) => Some(Kind::Object),
        Value::Null => None,
    });
    let first = kinds.next()??;
    kinds.all(|kind| kind == Some(first)).then_some(first)
}
