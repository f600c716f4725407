use purlin_object::{List, Object, Value};

use super::{Arg, TooLong, default_text, sprintf};

fn check(format: &str, args: &[Arg<'_>], expect: &str) {
    let text = sprintf(format, args).map(|text| String::from_utf8_lossy(&text).into_owned());
    assert_eq!(text.as_deref(), Ok(expect), "{format}");
}

#[test]
fn verbs_that_fit_and_verbs_that_do_not() {
    let text = Arg::Text(b"thing");
    for (format, arg, expect) in [
        ("cool%s", text, "coolthing"),
        ("the largest %d", Arg::Int(8), "the largest 8"),
        ("%d", Arg::Float(8.0), "%!d(float64=8)"),
        ("%s", Arg::Float(1e6), "%!s(float64=1e+06)"),
        ("%v", Arg::Float(123_456_789_012.0), "1.23456789012e+11"),
        ("%.0f", Arg::Float(1e6), "1000000"),
        ("%.0f", Arg::Int(8), "%!f(int64=8)"),
        ("%s", Arg::Nil, "%!s(<nil>)"),
        ("%v", Arg::Nil, "<nil>"),
        ("%T", Arg::Nil, "<nil>"),
        ("%T", Arg::Float(1.0), "float64"),
        ("%t", Arg::Bool(true), "true"),
        ("%d", Arg::Bool(true), "%!d(bool=true)"),
        ("%q", text, "\"thing\""),
        ("%x", text, "7468696e67"),
        ("% X", Arg::Text(b"ab"), "61 62"),
        ("%#x", Arg::Text(b"ab"), "0x6162"),
        ("%q", Arg::Int(65), "'A'"),
        ("%c", Arg::Int(0x1f600), "\u{1f600}"),
        ("%U", Arg::Int(65), "U+0041"),
        ("%b", Arg::Int(5), "101"),
        ("%#o", Arg::Int(8), "010"),
        ("%O", Arg::Int(8), "0o10"),
        ("%w", text, "%!w(string=thing)"),
    ] {
        check(format, &[arg], expect);
    }
}

#[test]
fn width_precision_and_flags() {
    let text = Arg::Text("grün".as_bytes());
    for (format, arg, expect) in [
        ("%8s|", text, "    grün|"),
        ("%-8s|", text, "grün    |"),
        ("%.3s", text, "grü"),
        ("%05d", Arg::Int(-42), "-0042"),
        ("%+d", Arg::Int(42), "+42"),
        ("%.3d", Arg::Int(7), "007"),
        ("%5.1f", Arg::Float(2.25), "  2.2"),
        ("%+.2f", Arg::Float(2.0), "+2.00"),
        ("%07.2f", Arg::Float(-2.5), "-002.50"),
        ("%+v", Arg::Float(2.0), "2"),
        ("%#v", text, "\"grün\""),
        ("%#v", Arg::Nil, "<nil>"),
        ("%#g", Arg::Float(1.0), "1.00000"),
        ("%e", Arg::Float(12.5), "1.250000e+01"),
        ("%05d", Arg::Float(7.0), "%!d(float64=00007)"),
    ] {
        check(format, &[arg], expect);
    }
}

#[test]
fn indexes_missing_and_surplus_arguments() {
    let (a, b) = (Arg::Text(b"a"), Arg::Text(b"b"));
    check("%s-%s", &[a], "a-%!s(MISSING)");
    check("plain", &[a], "plain%!(EXTRA string=a)");
    check("plain", &[a, Arg::Nil], "plain%!(EXTRA string=a, <nil>)");
    check("100%%", &[a], "100%%!(EXTRA string=a)");
    check("100%", &[a], "100%!(NOVERB)%!(EXTRA string=a)");
    check("%[2]s %[1]s", &[a, b], "b a");
    check("%[3]s", &[a, b], "%!s(BADINDEX)");
    check("%[x]s", &[a], "%!s(BADINDEX)");
    check("%*d|", &[Arg::Int(4), Arg::Int(7)], "   7|");
    check("%*d", &[a, Arg::Int(7)], "%!(BADWIDTH)7");
    check("%.*f", &[Arg::Int(1), Arg::Float(2.0)], "2.0");
    check("%!", &[a], "%!!(string=a)");
    check("%é", &[a], "%!é(string=a)");
}

#[test]
fn lists_and_maps_are_printed_element_by_element_with_sorted_keys() {
    let map: Object = [
        ("b".to_owned(), Value::Int(2)),
        ("a".to_owned(), Value::String("x".to_owned())),
    ]
    .into_iter()
    .collect();
    let list: List = [
        Value::String("a".to_owned()),
        Value::Null,
        Value::Double(1.5),
    ]
    .into_iter()
    .collect();
    let (map, list) = (Value::Object(map), Value::List(list));
    let (map, list) = (Arg::from(map.as_ref()), Arg::from(list.as_ref()));
    check("%v", &[map], "map[a:x b:2]");
    check("%s", &[list], "[a <nil> %!s(float64=1.5)]");
    check(
        "%d",
        &[map],
        "map[%!d(string=a):%!d(string=x) %!d(string=b):2]",
    );
    check(
        "%#v",
        &[list],
        "[]interface {}{\"a\", interface {}(nil), 1.5}",
    );
    check("%T", &[map], "map[string]interface {}");
    check("%5s", &[list], "[    a <nil> %!s(float64=  1.5)]");
    assert_eq!(default_text(list), b"[a <nil> 1.5]");
}

#[test]
fn a_huge_width_is_an_error_and_not_a_huge_allocation() {
    let text = Arg::Text(b"a");
    assert_eq!(sprintf("%5000000s", &[text]), Err(TooLong));
    assert_eq!(sprintf(&"%1000000[1]s".repeat(9), &[text]), Err(TooLong));
    let list: List = (0..10_000).map(Value::Int).collect();
    let list = Value::List(list);
    assert_eq!(sprintf("%1000000d", &[list.as_ref().into()]), Err(TooLong));
    check("%99999999999s", &[text], "%!(NOVERB)%!(EXTRA string=a)");
}

/// Rust's own formatting panics for a precision above 65,535.
#[test]
fn a_precision_may_be_a_million() {
    for (format, arg, start, length) in [
        ("%.1000000f", Arg::Float(-1.5), "-1.5000", 1_000_003),
        ("%.70000e", Arg::Float(1.5), "1.5000", 70_006),
        ("%.70000g", Arg::Float(1.5), "1.5", 3),
        ("%#.70000g", Arg::Float(1.5), "1.5000", 70_001),
        ("%.70000x", Arg::Float(1.5), "0x1.8000", 70_008),
        ("%.70000d", Arg::Int(7), "00000", 70_000),
        ("%.70000U", Arg::Int(65), "U+00000", 70_002),
    ] {
        let text = sprintf(format, &[arg]).expect("it is short enough");
        assert!(text.starts_with(start.as_bytes()), "{format}");
        assert_eq!(text.len(), length, "{format}");
    }
}
