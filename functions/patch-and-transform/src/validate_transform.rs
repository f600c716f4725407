//! Does this transform make sense?

use crate::input::{Match, Math, Text, Transform};
use crate::transform::{Format, Kind, regexp};
use crate::validate::{GROUP, Scope};

/// Checks one transform.
pub(crate) fn transform(at: &mut Scope<'_>, transform: &Transform) {
    let missing = "the transform needs its settings under its own type";
    match transform.r#type.as_str() {
        "math" => match &transform.math {
            Some(settings) => math(&mut at.field("math"), settings),
            None => at.field("math").required(missing),
        },
        "map" => match &transform.map {
            Some(pairs) if pairs.is_empty() => {
                at.field("map")
                    .required("give at least one key and its value");
            }
            Some(_) => {}
            None => at.field("map").required(missing),
        },
        "match" => match &transform.r#match {
            Some(settings) => matching(&mut at.field("match"), settings),
            None => at.field("match").required(missing),
        },
        "string" => match &transform.string {
            Some(settings) => string(&mut at.field("string"), settings),
            None => at.field("string").required(missing),
        },
        "convert" => match &transform.convert {
            Some(settings) => {
                let mut at = at.field("convert");
                if Kind::parse(&settings.to_type).is_none() {
                    let known = [
                        "string", "bool", "int", "int64", "float64", "object", "array",
                    ];
                    at.field("toType").one_of(&settings.to_type, &known);
                }
                if let Some(format) = &settings.format
                    && Format::parse(format).is_none()
                {
                    at.field("format")
                        .one_of(format, &["none", "quantity", "json"]);
                }
            }
            None => at.field("convert").required(missing),
        },
        other => at
            .field("type")
            .one_of(other, &["map", "match", "math", "string", "convert"]),
    }
}

fn math(at: &mut Scope<'_>, math: &Math) {
    match math.r#type.as_str() {
        "Multiply" if math.multiply.is_none() => at.field("multiply").required("the factor"),
        "ClampMin" if math.clamp_min.is_none() => {
            at.field("clampMin").required("the smallest value");
        }
        "ClampMax" if math.clamp_max.is_none() => {
            at.field("clampMax").required("the largest value");
        }
        "Multiply" | "ClampMin" | "ClampMax" => {}
        other => at
            .field("type")
            .one_of(other, &["Multiply", "ClampMin", "ClampMax"]),
    }
}

fn matching(at: &mut Scope<'_>, settings: &Match) {
    if settings.patterns.is_empty() {
        at.field("patterns").required("give at least one pattern");
    }
    for (index, pattern) in settings.patterns.iter().enumerate() {
        let mut at = at.element("patterns", index);
        match pattern.r#type.as_str() {
            // A missing type is noticed when the pattern is tried, as upstream.
            "literal" | "" if pattern.literal.is_none() => {
                at.field("literal").required("the text to compare with");
            }
            "literal" | "" => {}
            "regexp" => match &pattern.regexp {
                None => at
                    .field("regexp")
                    .required("the regular expression to match"),
                Some(expression) => check_regexp(&mut at.field("regexp"), expression),
            },
            other => at.field("type").one_of(other, &["literal", "regexp"]),
        }
    }
}

fn check_regexp(at: &mut Scope<'_>, expression: &str) {
    if let Err(error) = regexp::compile(expression) {
        at.invalid(
            &format!("`{expression}` is no regular expression: {error}"),
            "the syntax is RE2",
        );
    }
}

fn string(at: &mut Scope<'_>, text: &Text) {
    match text.r#type.as_str() {
        "Format" if text.fmt.is_none() => at.field("fmt").required("the format, like %s-suffix"),
        "Convert" if text.convert.is_none() => at.field("convert").required("the conversion"),
        "TrimPrefix" | "TrimSuffix" if text.trim.is_none() => {
            at.field("trim").required("the text to cut off");
        }
        "Regexp" => match &text.regexp {
            None => at
                .field("regexp")
                .required("the regular expression, under `match`"),
            Some(settings) => {
                let mut at = at.field("regexp");
                if settings.r#match.is_empty() {
                    at.field("match").required("the regular expression");
                } else {
                    check_regexp(&mut at.field("match"), &settings.r#match);
                }
                if settings.group.is_some_and(|group| group < 0) {
                    at.field("group").push(
                        GROUP,
                        "is negative",
                        "groups count from 0, the whole match",
                    );
                }
            }
        },
        "Join" if text.join.is_none() => at
            .field("join")
            .required("the separator, as `join: {separator: …}`"),
        "Replace" => match &text.replace {
            None => at
                .field("replace")
                .required("what to search, and what to put there"),
            Some(replace) if replace.search.is_empty() => {
                at.field("replace.search").required("the text to replace");
            }
            Some(_) => {}
        },
        "Format" | "Convert" | "TrimPrefix" | "TrimSuffix" | "Join" => {}
        other => {
            let known = [
                "Format",
                "Convert",
                "TrimPrefix",
                "TrimSuffix",
                "Regexp",
                "Join",
                "Replace",
            ];
            at.field("type").one_of(other, &known);
        }
    }
}
