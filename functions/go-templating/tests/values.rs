//! Do values come out of templates as they do of Go's?
#![allow(missing_docs, reason = "a test")]

use purlin_function::protojson::{request_from_json, response_to_json};
use purlin_function::{Function as _, RunFunctionRequest};
use serde_json::{Value, json};

const HEAD: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  annotations:\n    \
    gotemplating.fn.crossplane.io/composition-resource-name: r\n";

/// The data of the config map that a template renders, or the message.
fn data(body: &str) -> Result<Value, String> {
    use prost::Message as _;
    let request = request_from_json(json!({
        "input": {"source": "Inline", "inline": {"template": format!("{HEAD}{body}")}},
        "observed": {"composite": {"resource": {"apiVersion": "v1", "kind": "X", "metadata": {"name": "x"},
            "spec": {"big": 4_611_686_018_427_387_904_u64, "huge": 1e20, "account": 123_456_789_012_u64}}}},
    }))
    .expect("a request");
    // As it comes over the wire, where all numbers are doubles.
    let request =
        RunFunctionRequest::decode(request.encode_to_vec().as_slice()).expect("a request");
    let function = function_go_templating::GoTemplating::new(function_go_templating::Options {
        now: Some(std::sync::Arc::new(|| 1_700_000_000_000_000_000)),
        ..Default::default()
    });
    let response = response_to_json(&function.run(&request));
    match response["results"][0]["message"].as_str() {
        Some(message) => Err(message.to_owned()),
        None => Ok(response["desired"]["resources"]["r"]["resource"]["data"].clone()),
    }
}

#[track_caller]
fn prints(expression: &str, expected: &str) {
    let body = format!("data:\n  v: {{{{ {expression} | toString | toJson }}}}\n");
    assert_eq!(data(&body), Ok(json!({"v": expected})), "{expression}");
}

#[test]
fn large_numbers_are_their_shortest_digits() {
    prints(".observed.composite.resource.spec.account", "123456789012");
    prints(
        ".observed.composite.resource.spec.big",
        "4611686018427388000",
    );
    prints(".observed.composite.resource.spec.huge", "1e+20");
    prints("add 1e21 2", "-9223372036854775806");
    prints("min 1 1e300", "-9223372036854775808");
}

#[test]
fn times_that_are_none_are_now_and_durations_overflow() {
    prints("date \"2006-01-02\" \"no time\"", "2023-11-14");
    prints("date \"2006-01-02\" (semver \"1.2.3\")", "2023-11-14");
    prints("htmlDate nil", "2023-11-14");
    prints("duration (int64 9223372036854775807)", "-1s");
    prints("duration \"18446744073709551616\"", "-1s");
    prints("ceil \"1_000\"", "1000");
}

#[test]
fn years_that_are_not_said_are_0_and_zones_that_are_none_are_utc() {
    prints(
        "toDate \"15:04\" \"15:04\" | toJson",
        "\"0000-01-01T15:04:00Z\"",
    );
    prints("dateInZone \"15:04\" 60 \"eu-west-1\"", "00:01");
}

/// What Go prints for the same.
#[test]
fn times_are_shown_in_zones_as_go_shows_them() {
    for (zone, seconds, expected) in [
        (
            "Europe/Berlin",
            1_750_000_000_i64,
            "2025-06-15T17:06:40+02:00 +0200 CEST",
        ),
        (
            "Europe/Berlin",
            1_764_000_000,
            "2025-11-24T17:00:00+01:00 +0100 CET",
        ),
        (
            "Europe/Berlin",
            -3_000_000_000,
            "1874-12-07T19:33:28+00:53 +0053 LMT",
        ),
        (
            "America/New_York",
            4_000_000_000,
            "2096-10-02T03:06:40-04:00 -0400 EDT",
        ),
        (
            "America/New_York",
            -3_000_000_000,
            "1874-12-07T13:43:58-04:56 -0456 LMT",
        ),
        (
            "America/Sao_Paulo",
            0,
            "1969-12-31T21:00:00-03:00 -0300 -03",
        ),
        (
            "Asia/Kathmandu",
            1_764_000_000,
            "2025-11-24T21:45:00+05:45 +0545 +0545",
        ),
        (
            "Europe/London",
            1_764_000_000,
            "2025-11-24T16:00:00Z +0000 GMT",
        ),
        ("Europe/London", 0, "1970-01-01T01:00:00+01:00 +0100 BST"),
        ("EST", 1_764_000_000, "2025-11-24T11:00:00-05:00 -0500 EST"),
        ("Local", 0, "1970-01-01T00:00:00Z +0000 UTC"),
        // On Linux the names are those of files.
        ("europe/berlin", 0, "1970-01-01T00:00:00Z +0000 UTC"),
        ("", 0, "1970-01-01T00:00:00Z +0000 UTC"),
    ] {
        let layout = "2006-01-02T15:04:05Z07:00 -0700 MST";
        prints(
            &format!("dateInZone {layout:?} (int64 {seconds}) {zone:?}"),
            expected,
        );
    }
    prints("htmlDateInZone 1750028400 \"Asia/Tokyo\"", "2025-06-16");
}

#[test]
fn lists_of_nothing_are_null_where_they_are_in_go() {
    for expression in [
        "regexFindAll \"x\" \"abc\" -1",
        "rest (list)",
        "initial (list)",
        "concat (list)",
    ] {
        prints(&format!("{expression} | toJson"), "null");
        prints(expression, "[]");
    }
    prints("without (list 1) 1 | toJson", "[]");
}

#[test]
fn types_have_the_names_they_have_in_go() {
    prints(
        "typeOf (getResourceCondition \"Ready\" (dict))",
        "v2.Condition",
    );
    prints(
        "typeOf (getCredentialData . \"none\")",
        "map[string][]uint8",
    );
}

#[test]
fn maps_with_keys_of_several_types_have_gos_order() {
    let map = "fromYaml \"k: 1\\n2: b\\nnull: c\\n2024-01-01: d\\n1: a\"";
    prints(
        map,
        "map[<nil>:c k:1 1:a 2:b 2024-01-01 00:00:00 +0000 UTC:d]",
    );
    prints(
        &format!("{map} | toYaml"),
        "1: a\n2: b\nnull: c\nk: 1\n2024-01-01T00:00:00Z: d\n",
    );
    prints("toYaml \"\\n   a\\nb\"", "|4-\n       a\n    b\n");
    prints("toYaml \"\\n\"", "|4+\n");
    prints("fromYaml \"k: !\" | toJson", "{\"k\":null}");
    prints("toYaml \"AB\\r\\n\"", "\"AB\\r\\n\"\n");
}

#[test]
fn regular_expressions_are_those_of_go() {
    prints("regexReplaceAll \"x*\" \"aéb\" \"-\"", "-a-é-b-");
    prints("regexFind \"a{,2}\" \"aa{,2}\"", "a{,2}");
    prints(
        "regexReplaceAll \"(?<x>a)|\\\\101\" \"aA\" \"[${x}]\"",
        "[a][]",
    );
    let refused = data("data:\n  v: {{ mustRegexMatch \"a**\" \"a\" }}\n").expect_err("refused");
    assert!(
        refused.contains("invalid nested repetition operator: `**`"),
        "{refused}"
    );
}

#[test]
fn further_lines_of_a_quoted_text_may_stand_anywhere() {
    let body = "data:\n  v: {{ \"a\\nb\\n\\n c\" | squote }}\n  w: {{ print \"\\\"x\\ny\\\"\" }}\n";
    assert_eq!(data(body), Ok(json!({"v": "a b\nc", "w": "x y"})));
    let many = format!("data:\n  v: '{}'\n", "a\n".repeat(300));
    assert!(
        data(&many)
            .expect_err("too many")
            .contains("more than 256 lines")
    );
}

#[test]
fn yaml_is_read_as_libyaml_reads_it() {
    for (text, value) in [
        ("!!binary Zm9v", json!("foo")),
        ("1e400", json!("1e400")),
        ("yes", json!(true)),
        ("!", json!("")),
        ("\"\\u00e9\\\\/\"", json!("é\\/")),
    ] {
        assert_eq!(
            data(&format!("data:\n  v: {text}\n")),
            Ok(json!({"v": value})),
            "{text}"
        );
    }
    for (text, message) in [
        (
            "\"\\ud83d\\ude00\"",
            "found invalid Unicode character escape code",
        ),
        ("\"a\\/b\"", "found unknown escape character"),
        ("!!binary x", "!!binary value contains invalid base64 data"),
    ] {
        let refused = data(&format!("data:\n  v: {text}\n")).expect_err(text);
        assert!(refused.contains(message), "{refused}");
    }
    let refused = data("data:\n  v: {{ fromYaml \"{a: b}: 1\" }}\n").expect_err("a map as a key");
    assert!(refused.contains("invalid map key"), "{refused}");
}
