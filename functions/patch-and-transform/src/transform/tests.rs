use purlin_object::Value;
use serde_json::{Value as Json, json};

use super::{
    Convert, Data, Fallback, Format, Kind, Map, Match, Math, Op, Pattern, StringOp, TextCase,
    apply, regexp,
};

fn run(op: Op, input: Value) -> Result<Json, String> {
    apply(&[op], Data::Owned(input))
        .map(|data| data.into_value().to_json())
        .map_err(|fault| fault.sentence(false))
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

#[track_caller]
fn string(op: StringOp, input: Value, expect: &str) {
    assert_eq!(run(Op::String(op), input), Ok(json!(expect)));
}

#[test]
fn numbers_are_multiplied_and_clamped() {
    let math = |math, input| run(Op::Math(math), input);
    assert_eq!(math(Math::Multiply(2), Value::Int(3)), Ok(json!(6)));
    assert_eq!(math(Math::Multiply(2), Value::Double(1.5)), Ok(json!(3)));
    assert_eq!(math(Math::ClampMin(2), Value::Int(1)), Ok(json!(2)));
    assert_eq!(math(Math::ClampMin(2), Value::Int(3)), Ok(json!(3)));
    assert_eq!(math(Math::ClampMax(2), Value::Double(2.9)), Ok(json!(2.9)));
    assert_eq!(math(Math::ClampMax(2), Value::Double(3.0)), Ok(json!(2)));
    assert_eq!(
        math(Math::ClampMin(0), Value::Double(-0.5)),
        Ok(json!(-0.5))
    );
    assert!(math(Math::Multiply(2), text("ola")).is_err());
}

#[test]
fn keys_are_mapped() {
    let map = || {
        Op::Map(Map {
            pairs: [
                ("a".to_owned(), Value::from_json(json!({"b": [1]}))),
                ("n".to_owned(), Value::Null),
            ]
            .into(),
        })
    };
    assert_eq!(run(map(), text("a")), Ok(json!({"b": [1]})));
    assert!(run(map(), text("n")).is_err());
    assert!(run(map(), text("ola")).is_err());
    assert!(run(map(), Value::Int(5)).is_err());
}

#[test]
fn the_first_pattern_that_matches_wins() {
    let matching = |fallback| {
        Op::Match(Match {
            patterns: vec![
                (Pattern::Literal("foo".to_owned()), Value::Int(1)),
                (
                    Pattern::Regexp(regexp::compile("^foo.*$").expect("a regexp")),
                    Value::Null,
                ),
            ],
            fallback,
        })
    };
    let value = || Fallback::Value(text("bar"));
    assert_eq!(run(matching(value()), text("foo")), Ok(json!(1)));
    assert_eq!(run(matching(value()), text("foobar")), Ok(Json::Null));
    assert_eq!(run(matching(value()), text("x")), Ok(json!("bar")));
    assert_eq!(run(matching(Fallback::Input), text("x")), Ok(json!("x")));
    assert!(run(matching(Fallback::Both), text("x")).is_err());
    assert!(run(matching(value()), Value::Int(5)).is_err());
}

#[test]
fn texts_are_formatted_trimmed_and_replaced() {
    string(
        StringOp::Format("verycool%s".to_owned()),
        text("thing"),
        "verycoolthing",
    );
    string(
        StringOp::Case(TextCase::Upper),
        text("crossplane"),
        "CROSSPLANE",
    );
    string(StringOp::Case(TextCase::Upper), text("straße"), "STRAßE");
    string(
        StringOp::Case(TextCase::Lower),
        text("CrossPlane"),
        "crossplane",
    );
    string(StringOp::Case(TextCase::Upper), Value::Double(1e6), "1E+06");
    for input in ["https://crossplane.io", "crossplane.io"] {
        string(
            StringOp::TrimPrefix("https://".to_owned()),
            text(input),
            "crossplane.io",
        );
    }
    for input in ["my-string-test", "my-string"] {
        string(
            StringOp::TrimSuffix("-test".to_owned()),
            text(input),
            "my-string",
        );
    }
    for (search, replace, expect) in [
        ("Cr", "B", "Bossplane"),
        ("xx", "zz", "Crossplane"),
        ("ss", "", "Croplane"),
        ("", "-", "-C-r-o-s-s-p-l-a-n-e-"),
    ] {
        let op = StringOp::Replace {
            search: search.to_owned(),
            replace: replace.to_owned(),
        };
        string(op, text("Crossplane"), expect);
    }
}

#[test]
fn lists_are_joined_and_keep_all_but_one_byte_of_the_last_separator() {
    let list = |json: Json| Value::from_json(json);
    let join = |separator: &str| StringOp::Join(separator.to_owned());
    string(join(","), list(json!(["cross", "plane"])), "cross,plane");
    string(join(""), list(json!(["cross", "plane"])), "crossplane");
    string(
        join("-"),
        list(json!(["cross", "plane", 42])),
        "cross-plane-42",
    );
    string(join(", "), list(json!(["a", "b"])), "a, b,");
    string(join(","), list(json!([])), "");
    assert!(run(Op::String(join(",")), text("a")).is_err());
}

#[test]
fn texts_are_encoded_and_hashed() {
    string(StringOp::ToBase64, text("CrossPlane"), "Q3Jvc3NQbGFuZQ==");
    string(
        StringOp::FromBase64,
        text("Q3Jvc3NQ\r\nbGFuZQ=="),
        "CrossPlane",
    );
    assert!(
        run(
            Op::String(StringOp::FromBase64),
            text("ThisStringIsNotBase64")
        )
        .is_err()
    );
    string(StringOp::FromBase64, text("/w=="), "\u{fffd}");
    string(
        StringOp::ToJson,
        Value::from_json(json!({"foo": "<bar>", "a": [1, null, true]})),
        r#"{"a":[1,null,true],"foo":"\u003cbar\u003e"}"#,
    );
    string(StringOp::ToJson, Value::Double(1e-7), "1e-7");
    string(StringOp::ToJson, Value::Double(1e21), "1e+21");
    string(StringOp::ToJson, Value::Double(1_234_567.0), "1234567");
    string(
        StringOp::ToSha1,
        text("Crossplane"),
        "3b683dc8ff44122b331a5e4f253dd69d90726d75",
    );
    string(
        StringOp::ToSha256,
        text("Crossplane"),
        "19c8a7c24ed0067f606815b59e5b82d92935ff69deed04171457a55018e31224",
    );
    let sha512 = "d404559f602eab6fd602ac7680dacbfaadd13630335e951f097af3900e9de176\
                  b6db28512f2e000b9d04fba5133e8b1c6e8df59db3a8ab9d60be4b97cc9e81db";
    string(StringOp::ToSha512, Value::Double(1234.0), sha512);
    string(StringOp::ToSha512, text("1234"), sha512);
    string(StringOp::ToAdler32, text("Crossplane"), "373097499");
    string(
        StringOp::ToAdler32,
        text("⡌⠁⠧⠑ ⠼⠁⠒  ⡍⠜⠇⠑⠹⠰⠎ ⡣⠕⠌"),
        "4110427190",
    );
    let both = [
        Op::String(StringOp::FromBase64),
        Op::String(StringOp::ToBase64),
    ];
    let again = apply(&both, Data::Owned(text("/w=="))).expect("transforms");
    assert_eq!(again.into_value(), text("/w=="));
}

#[test]
fn a_group_of_a_regular_expression_is_cut_out() {
    let group = |pattern: &str, group| {
        Op::String(StringOp::Regexp {
            pattern: pattern.to_owned(),
            regexp: regexp::compile(pattern).expect("a regexp"),
            group,
        })
    };
    assert_eq!(run(group("[0-9]", 0), text("my-1-string")), Ok(json!("1")));
    assert_eq!(
        run(group("my-([0-9]+)-string", 1), text("my-1-string")),
        Ok(json!("1"))
    );
    assert!(run(group("my-([0-9]+)-string", 2), text("my-1-string")).is_err());
    assert!(run(group("x", 0), text("my-1-string")).is_err());
    assert_eq!(run(group("(x)?my", 1), text("my")), Ok(json!("")));
}

#[test]
fn types_are_converted_by_the_table() {
    let convert = |to, format, input| run(Op::Convert(Convert { to, format }), input);
    for (to, format, input, expect) in [
        (Kind::Bool, Format::None, text("true"), json!(true)),
        (Kind::Float64, Format::None, text("1000"), json!(1000)),
        (Kind::Float64, Format::Quantity, text("1000m"), json!(1)),
        (
            Kind::Object,
            Format::Json,
            text(r#"{"foo":"bar"}"#),
            json!({"foo": "bar"}),
        ),
        (
            Kind::Array,
            Format::Json,
            text(r#"["foo", 1]"#),
            json!(["foo", 1]),
        ),
        (Kind::Object, Format::Json, text("null"), Json::Null),
        (Kind::Int64, Format::Json, Value::Int(1), json!(1)),
        (Kind::Int64, Format::None, Value::Double(-1.9), json!(-1)),
        (Kind::Int64, Format::None, text("+5"), json!(5)),
        (
            Kind::String,
            Format::None,
            Value::Double(1e21),
            json!("1000000000000000000000"),
        ),
        (Kind::String, Format::None, Value::Int(100), json!("100")),
        (Kind::String, Format::None, Value::Bool(true), json!("true")),
        (Kind::Int64, Format::None, Value::Bool(true), json!(1)),
        (Kind::Bool, Format::None, Value::Double(1.0), json!(true)),
    ] {
        assert_eq!(convert(to, format, input), Ok(expect));
    }
    for (to, format, input) in [
        (Kind::Float64, Format::Quantity, text("1000 blabla")),
        (Kind::Object, Format::None, text("{}")),
        (Kind::Object, Format::Json, text("[]")),
        (Kind::String, Format::Quantity, Value::Int(100)),
        (Kind::Int64, Format::None, text("10.0")),
        (Kind::Int64, Format::None, text(" 1")),
        (Kind::Array, Format::None, Value::from_json(json!([1]))),
        (Kind::String, Format::None, Value::Null),
    ] {
        assert!(convert(to, format, input).is_err());
    }
}
