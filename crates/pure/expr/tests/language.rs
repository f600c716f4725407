//! What expressions give, one line each: the value, `~path` for what they wait for, `!code` for how they fail.

#![expect(
    clippy::unwrap_used,
    clippy::too_many_lines,
    reason = "a test may, and its tables are long"
)]

use purlin_expr::{Bindings, Limits, Outcome, Program};
use purlin_object::{Object, ValueRef};
use serde_json::json;

fn give(source: &str) -> String {
    let program = match Program::parse(source) {
        Ok(program) => program,
        Err(problems) => {
            return problems
                .iter()
                .map(|p| format!("!{}@{}..{}", p.code, p.start, p.end))
                .collect::<Vec<_>>()
                .join(" ");
        }
    };
    let xr = json!({
        "spec": {"region": "eu", "size": 3, "ratio": 2.5, "zones": ["a", "b"], "tags": {"x": "1", "y": "2"}, "none": null,
                 "big": 5_000_000_000_i64},
        "metadata": {"name": "net", "labels": {"app.kubernetes.io/name": "checkout"}},
    });
    let object = Object::from_json(json!({
        "spec": {"replicas": 2.0, "half": 0.5},
        "status": {"subnets": [{"id": "s-1"}, {}], "ready": true},
    }))
    .unwrap();
    let mut bindings = Bindings::new();
    bindings.json("xr", &xr);
    bindings.data("plain", ValueRef::Object(object.as_ref()));
    bindings.tracked("vpc", ValueRef::Object(object.as_ref()));
    bindings.absent("db");
    match program.eval(&bindings) {
        Outcome::Ok(value) => value.to_json().map_or_else(
            |_| format!("<{}>", value.type_name()),
            |json| json.to_string(),
        ),
        Outcome::Pending(pending) => format!("~{pending}"),
        Outcome::Fault(fault) => format!("!{}@{}..{}", fault.kind.code(), fault.start, fault.end),
    }
}

fn check(cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter(|(source, expect)| give(source) != *expect)
        .map(|(source, expect)| format!("{source}\n  gives  {}\n  expect {expect}", give(source)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn data_is_read_by_paths() {
    check(&[
        ("xr.spec.region", r#""eu""#),
        (
            "xr.metadata.labels['app.kubernetes.io/name']",
            r#""checkout""#,
        ),
        (
            "xr.metadata.labels.`app.kubernetes.io/name`",
            r#""checkout""#,
        ),
        ("xr.spec.zones[1]", r#""b""#),
        ("xr.spec.zones[-1]", "!expr/out-of-range@0..17"),
        ("xr.spec.zones[2]", "!expr/out-of-range@0..16"),
        ("xr.spec.regoin", "!expr/no-such-key@0..14"),
        ("xr.spec.?regoin.orValue('x')", r#""x""#),
        ("xr.?nope.deeper.hasValue()", "false"),
        ("xr.spec.zones[?5].orValue('z')", r#""z""#),
        ("has(xr.spec.size) && !has(xr.spec.nope)", "true"),
        ("'x' in xr.spec.tags && !('z' in xr.spec.tags)", "true"),
        ("'b' in xr.spec.zones", "true"),
        ("nobody.x", "!expr/no-such-variable@0..6"),
        ("xr.spec.region.x", "!expr/types@0..16"),
        ("xr.spec.none == null", "true"),
    ]);
}

#[test]
fn numbers_of_objects_are_whole_when_they_look_whole() {
    check(&[
        ("plain.spec.replicas + 1", "3"),
        ("plain.spec.half + 1", "1.5"),
        ("plain.spec.replicas * 1.5", "3"),
        ("type(plain.spec.replicas) == int", "true"),
        ("xr.spec.size + 1", "4"),
        ("xr.spec.big * 2", "10000000000"),
        ("9223372036854775807 + 1", "!expr/arithmetic@0..23"),
        ("1 / 0", "!expr/arithmetic@0..5"),
        ("7 / 2", "3"),
        ("-7 % 3", "-1"),
        ("7.0 / 2.0", "3.5"),
        ("1 == 1.0 && 1u == 1 && 1 < 1.5 && 2u > 1.5", "true"),
        ("9007199254740993 == 9007199254740992.0", "true"),
        ("-(-5)", "5"),
        ("1u - 2u", "!expr/arithmetic@0..7"),
        ("'a' + 1", "!expr/types@0..7"),
    ]);
}

#[test]
fn what_is_missing_under_a_tracked_variable_is_waited_for() {
    check(&[
        ("vpc.status.ready", "true"),
        ("vpc.status.id", "~vpc.status.id"),
        ("vpc.status.atProvider.id", "~vpc.status.atProvider"),
        ("vpc.status.subnets[7]", "~vpc.status.subnets[7]"),
        ("vpc.status['id']", "~vpc.status.id"),
        ("vpc.status[xr.spec.region]", "~vpc.status.eu"),
        ("vpc.status.subnets.map(s, s.id)", "~vpc[…].id"),
        (
            "vpc.status.subnets.filter(s, has(s.id)).map(s, s.id)",
            r#"["s-1"]"#,
        ),
        ("has(vpc.status.id)", "false"),
        ("vpc.status.?id.orValue('none')", r#""none""#),
        ("db.status.id", "~db.status"),
        ("db", "~db"),
        ("[db]", "<list>"),
        ("size(db)", "~db"),
        ("db.map(k, k)", "~db"),
        ("has(db.status)", "false"),
        ("db.?status.?id.orValue('x')", r#""x""#),
        ("xr.spec.?region.orValue(db.status.id)", r#""eu""#),
        ("false && db.status.ok", "false"),
        ("db.status.ok || true", "~db.status"),
        ("true || db.status.ok", "true"),
        ("xr.spec.zones.all(z, db.status.ok)", "~db.status"),
        ("'a' + vpc.status.id", "~vpc.status.id"),
    ]);
}

#[test]
fn logic_absorbs_failures_but_never_running_out() {
    check(&[
        ("1 / 0 == 1 || true", "true"),
        ("false && xr.nope", "false"),
        ("xr.nope && false", "false"),
        ("xr.nope && true", "!expr/no-such-key@0..7"),
        ("xr.spec.zones.exists(z, z == 'b' || z.nope)", "true"),
        (
            "lists.range(1000000).all(x, x >= 0) || true",
            "!expr/too-large@6..20",
        ),
        (
            "lists.range(9000).all(x, lists.range(100).all(y, y >= 0)) || true",
            "!expr/too-expensive@49..50",
        ),
        ("1 && true", "!expr/types@0..1"),
        ("true ? 1 : xr.nope", "1"),
        ("'x' ? 1 : 2", "!expr/types@0..3"),
    ]);
}

#[test]
fn comprehensions_have_variables_of_their_own() {
    check(&[
        ("[1, 2, 3].map(x, x * 2)", "[2,4,6]"),
        ("[1, 2, 3].map(x, x > 1, x * 2)", "[4,6]"),
        ("[1, 2, 3].filter(x, x != 2)", "[1,3]"),
        ("[1, 2].map(xr, xr + 1)", "[2,3]"),
        ("[[1, 2], [3]].map(l, l.map(x, x + size(l)))", "[[3,4],[4]]"),
        ("xr.spec.tags.map(k, k + xr.spec.tags[k])", r#"["x1","y2"]"#),
        (
            "xr.spec.tags.transformMap(k, v, k + v)",
            r#"{"x":"x1","y":"y2"}"#,
        ),
        (
            "xr.spec.tags.transformMapEntry(k, v, {v: k})",
            r#"{"1":"x","2":"y"}"#,
        ),
        (
            "['a', 'b'].transformList(i, v, i > 0, v + string(i))",
            r#"["b1"]"#,
        ),
        ("{'a': 1}.exists(k, v, k == 'a' && v == 1)", "true"),
        ("[1, 2, 2].exists_one(x, x == 2)", "false"),
        ("[3, 1, 2].sortBy(x, -x)", "[3,2,1]"),
        ("cel.bind(x, xr.spec.size, x * x)", "9"),
        ("optional.of(2).optMap(x, x + 1).value()", "3"),
        ("xr.?spec.?nope.optMap(x, x + 1).hasValue()", "false"),
        ("[1].map(1, 2)", "!expr/macro@4..13"),
        ("[1].map(x)", "!expr/macro@4..10"),
        ("[1].all(x, x)", "!expr/types@11..12"),
    ]);
}

#[test]
fn texts_lists_and_times_have_their_functions() {
    check(&[
        ("'Hello'.lowerAscii() + 'x'.upperAscii()", r#""helloX""#),
        ("'a,b,c'.split(',').join('-')", r#""a-b-c""#),
        ("'a,b,c'.split(',', 2)", r#"["a","b,c"]"#),
        (
            "'über'.substring(1, 3) + 'tacocat'.substring(4)",
            r#""becat""#,
        ),
        ("'tacocat'.indexOf('c') + 'tacocat'.lastIndexOf('c')", "6"),
        ("'abc'.charAt(1) + 'abc'.replace('b', 'x')", r#""baxc""#),
        (
            "'%s is %d and %.2f, %x'.format(['a', 3, 1.5, 255])",
            r#""a is 3 and 1.50, ff""#,
        ),
        (
            "'x'.matches('^[a-z]+$') && !'X'.matches('^[a-z]+$')",
            "true",
        ),
        ("'x'.matches('(')", "!expr/regex@12..15"),
        ("'x'.matches('(' + xr.spec.region)", "!expr/argument@0..33"),
        (
            "'a1b22'.findAll('[0-9]+') + ['a1b22'.find('[0-9]+')]",
            r#"["1","22","1"]"#,
        ),
        ("size('héé') + 'ab'.size() + size([1]) + size({})", "6"),
        (
            "[3, 1, 2].sort() + [1, 1].distinct() + [[1], [2]].flatten()",
            "[1,2,3,1,1,2]",
        ),
        ("[1, 2, 3].slice(1, 3).reverse()", "[3,2]"),
        ("[1, 2, 3].sum() + [1.5].sum() > 7.0", "true"),
        ("[2, 1].min() + [2, 1].max()", "3"),
        ("lists.range(3).isSorted()", "true"),
        ("math.greatest(1, 2, 3) + math.least([4, 5])", "7"),
        ("math.ceil(1.2)", "2"),
        (
            "int('42') + int(1.9) + int(timestamp('1970-01-01T00:01:00Z'))",
            "103",
        ),
        ("string(1.0) + string(true) + string(5u)", r#""1true5""#),
        ("double('1.5')", "1.5"),
        ("int('x')", "!expr/argument@0..8"),
        ("bool('true')", "true"),
        ("string(duration('1h30m'))", r#""5400s""#),
        (
            "timestamp('2024-03-01T00:00:00Z') - duration('24h') == timestamp('2024-02-29T00:00:00Z')",
            "true",
        ),
        ("timestamp('2024-03-01T23:30:00Z').getHours('+02:00')", "1"),
        (
            "timestamp('2024-07-01T12:00:00Z').getHours('Europe/Berlin')",
            "14",
        ),
        (
            "timestamp('2024-07-01T12:00:00Z').getHours('Nowhere/Town')",
            "!expr/argument@0..58",
        ),
        ("duration('90m').getHours()", "1"),
        (
            "base64.encode(b'hi') + string(base64.decode('aGk='))",
            r#""aGk=hi""#,
        ),
        ("strings.quote('a\"b')", r#""\"a\\\"b\"""#),
        (
            "sets.contains([1, 2], [1]) && sets.equivalent([1, 1], [1])",
            "true",
        ),
        (
            "cidr('10.0.0.0/8').containsIP('10.1.1.1') && ip('::1').family() == 6",
            "true",
        ),
        (
            "quantity('1.5Gi').isGreaterThan(quantity('1500M')) && isQuantity('5m')",
            "true",
        ),
        (
            "url('https://[::1]:80/p q?a=1&a=2').getQuery()['a'].join(',')",
            r#""1,2""#,
        ),
        ("semver('1.2.3').isLessThan(semver('1.10.0'))", "true"),
        ("format.dns1123Label().validate('Abc').hasValue()", "true"),
        ("'abc'.nope()", "!expr/no-such-function@6..12"),
        ("[{'a': 1}, {'a': 1}].distinct()", r#"[{"a":1}]"#),
        ("{'a': 1, 'a': 2}", "!expr/argument@0..16"),
        (
            "{'a': 1, ?'b': xr.?nope, ?'c': optional.of(2)}",
            r#"{"a":1,"c":2}"#,
        ),
        ("[1, ?xr.?nope, ?optional.of(3)]", "[1,3]"),
    ]);
}

#[test]
fn mistakes_of_form_are_told_with_their_place() {
    check(&[
        ("", "!expr/empty@0..0"),
        ("1 +", "!expr/syntax@3..3"),
        ("a b", "!expr/syntax@2..3"),
        ("'abc", "!expr/open-string@0..4"),
        ("startsWith('a')", "!expr/no-such-function@0..15"),
        ("'a'.contains()", "!expr/no-such-function@4..14"),
        ("'ü€' + nobody", "!expr/no-such-variable@10..16"),
        ("'ü€'.nope()", "!expr/no-such-function@8..14"),
        ("Msg{a: 1}", "!expr/no-message@3..4"),
    ]);
}

#[test]
fn memory_is_bounded() {
    let mut source = "['aaaaaaaa']".to_owned();
    for _ in 0..30 {
        source.push_str(".map(a, a + a)");
    }
    assert!(give(&source).starts_with("!expr/too-"), "{}", give(&source));
    let source = format!(
        "'{0}'.replace('a', '{0}').replace('a', '{0}').replace('a', '{0}').replace('a', '{0}')",
        "a".repeat(200)
    );
    assert!(give(&source).starts_with("!expr/too-"), "{}", give(&source));
}

#[test]
fn time_is_bounded() {
    let ten = "[0,1,2,3,4,5,6,7,8,9]";
    let source = (0..7).fold("true".to_owned(), |body, i| {
        format!("{ten}.all(x{i}, {body})")
    });
    assert!(
        give(&source).starts_with("!expr/too-expensive"),
        "{}",
        give(&source)
    );
    let program = Program::parse("1 + 1").unwrap();
    let (_, used) = program.eval_within(&Bindings::new(), Limits::default());
    assert_eq!(used, 3);
}

#[test]
fn what_is_read_is_known_before() {
    let reads = |source: &str| {
        let program = Program::parse(source).unwrap();
        program
            .reads()
            .iter()
            .map(|r| format!("{r}{}", if r.optional { "?" } else { "" }))
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        reads("vpc.status.id + xr.spec.name"),
        "vpc.status.id xr.spec.name"
    );
    assert_eq!(reads("vpcs.filter(vpcs, vpcs.ok)"), "vpcs");
    assert_eq!(reads("a.map(x, x + b[x].c[0]['k'])"), "a b[…].c[0].k");
    assert_eq!(reads("has(a.b) && a.?c.d.hasValue()"), "a.b? a.c.d?");
    assert_eq!(reads("a[b.c].d"), "a[…].d b.c");
    assert_eq!(reads("cel.bind(x, a.b, x.y + c)"), "a.b c");
    assert_eq!(reads("f.g(h)".replace("f.g", "math.abs").as_str()), "h");
    assert_eq!(reads("[a, {'k': b}, c ? d : e]"), "a b c d e");
    assert_eq!(reads("x.exists(x, x == y)"), "x y");
}

#[test]
fn every_bounded_source_parses_on_a_small_stack() {
    // The limits admit these; they must not overflow the stack of a test thread (2 MiB).
    let sources = [
        (0..150).map(|_| "1").collect::<Vec<_>>().join("+"),
        format!("a{}", "[0]".repeat(79)),
        format!("'a'{}", ".trim()".repeat(70)),
        format!("a{}", ".b".repeat(155)),
        format!("{}1{}", "(".repeat(40), ")".repeat(40)),
        format!("{}1{}", "[".repeat(40), "]".repeat(40)),
        format!("{}1", "true ? 1 : ".repeat(150)),
        format!("{}1", "-".repeat(150)),
        (0..40).fold("1".to_owned(), |inner, _| format!("(1 + 1 + {inner})")),
        (0..30).fold("1".to_owned(), |inner, i| format!("[1].map(x{i}, {inner})")),
        (0..30).fold("1".to_owned(), |inner, _| format!("{{'a': {inner}}}")),
    ];
    for source in sources {
        drop(give(&source));
    }
}

#[test]
fn what_is_done_without_is_told() {
    let data =
        Object::from_json(json!({"status": {"list": [1], "a": {"b": 1}}})).expect("an object");
    let mut bindings = Bindings::new();
    bindings.tracked("r", ValueRef::Object(data.as_ref()));
    bindings.absent("gone");
    bindings.off("off");
    let pending = || purlin_expr::Pending {
        root: "r".to_owned(),
        path: "r.x".to_owned(),
    };
    bindings.set(
        "made",
        purlin_expr::Binding::Without(purlin_expr::Val::Int(1), pending()),
    );
    for (source, missed) in [
        ("has(r.status.a)", None),
        ("has(r.status.no)", Some("r.status.no")),
        ("r.?status.?no.orValue(1)", Some("r.status.no")),
        ("r.status.?a.?b.orValue(1)", None),
        ("r.?status.?a.?no.hasValue()", Some("r.status.a.no")),
        ("r.status[?'no'].hasValue()", Some("r.status.no")),
        ("r.status.list[?3].hasValue()", Some("r.status.list[3]")),
        ("'no' in r.status", Some("r.status")),
        ("'a' in r.status", None),
        ("gone.?x.hasValue()", Some("gone.x")),
        ("off.?x.hasValue()", None),
        ("has(off.x)", None),
        ("{'a': 1}.?b.hasValue()", None),
        ("made + 1", Some("r.x")),
    ] {
        let program = Program::compile(source).expect(source);
        let evaluation = program.evaluate(&bindings, Limits::default());
        assert!(matches!(evaluation.outcome, Outcome::Ok(_)), "{source}");
        let told = evaluation.missed.map(|missed| missed.path);
        assert_eq!(told.as_deref(), missed, "{source}");
    }
    // What is known not to come is waited for all the same when it is needed.
    let program = Program::compile("off.x").expect("it compiles");
    assert!(matches!(program.eval(&bindings), Outcome::Pending(_)));
}
