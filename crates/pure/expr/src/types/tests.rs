//! Types of expressions over a schema: what passes, and what is told where.

#![expect(clippy::too_many_lines, reason = "tables are long")]

use purlin_schema::Schema;
use serde_json::json;

use super::{Env, Ty, Wanted, check_text};
use crate::Program;

fn schema() -> Schema {
    Schema::parse(&json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
        "region": {"type": "string", "enum": ["eu-central-1", "us-east-1"]},
        "name": {"type": "string", "maxLength": 5, "pattern": "^[a-z]+$"},
        "size": {"type": "integer", "minimum": 1, "maximum": 9},
        "ratio": {"type": "number"},
        "on": {"type": "boolean"},
        "port": {"x-kubernetes-int-or-string": true},
        "when": {"type": "string", "format": "date-time"},
        "zones": {"type": "array", "items": {"type": "string", "enum": ["a", "b", "c"]}, "minItems": 1, "maxItems": 3},
        "sizes": {"type": "array", "items": {"type": "integer"}},
        "tags": {"type": "object", "additionalProperties": {"type": "string"}},
        "open": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
        "bare": {"type": "object"},
        "rules": {"type": "array", "items": {"type": "object", "required": ["port"], "properties": {
            "port": {"type": "integer"}, "from-cidr": {"type": "string"}, "kind": {"type": "string", "enum": ["in", "out"]}}}},
        "place": {"type": "object", "properties": {"zone": {"type": "string", "enum": ["x", "y"]}, "size": {"type": "string"}}},
    }}}}))
    .unwrap()
}

/// What is told about an expression that fills the field at `field` of the spec; `*` is no field, `$` a text.
fn told(source: &str, field: &str) -> String {
    let schema = schema();
    let spec = &schema.properties["spec"];
    let mut env = Env::new();
    env.set("xr", Ty::whole(&schema));
    env.set("any", Ty::Dyn);
    let beside = Ty::beside([("connection", Ty::map(Ty::Bytes))], Ty::whole(&schema));
    env.set("db", beside);
    let wanted = match field {
        "*" => Wanted::Anything,
        "$" => Wanted::Text,
        "?" => Wanted::Value(Ty::Bool),
        field => Wanted::Field(&spec.properties[field]),
    };
    let program = Program::parse(source).unwrap();
    let problems = program.check(&env, &wanted).problems;
    let told = problems.iter().map(|problem| {
        let mark = match problem.severity {
            purlin_diag::Severity::Error => "",
            purlin_diag::Severity::Warning => "?",
            purlin_diag::Severity::Note => ".",
        };
        let part = source.get(problem.start..problem.end).unwrap();
        format!("{mark}{} `{part}`", problem.code)
    });
    told.collect::<Vec<_>>().join("; ")
}

fn check(cases: &[(&str, &str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter(|(source, field, expect)| told(source, field) != *expect)
        .map(|(source, field, expect)| {
            let told = told(source, field);
            format!("{source} -> {field}\n  told   {told}\n  expect {expect}")
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_may_be_right_passes() {
    let fine = [
        ("xr.spec.region", "region"),
        ("xr.spec.name + '-x'", "region"),
        ("xr.spec.size + 1", "size"),
        ("xr.spec.size * 1.5", "size"),
        ("math.ceil(xr.spec.size / 2)", "size"),
        ("xr.spec.ratio + xr.spec.size", "ratio"),
        ("xr.spec.port", "size"),
        ("xr.spec.port", "name"),
        ("xr.spec.size", "port"),
        ("xr.metadata.name", "name"),
        ("xr.metadata.labels['a/b']", "name"),
        ("xr.metadata.annotations[?'a/b'].orValue('none')", "name"),
        ("xr.spec.?size.orValue(3)", "size"),
        ("xr.spec.?size", "size"),
        ("xr.spec.open.anything.at[3].all", "size"),
        ("xr.spec.bare.whatever", "size"),
        ("any.whatever + 1", "size"),
        ("any", "rules"),
        ("null", "size"),
        ("xr.spec.on ? 3 : null", "size"),
        ("timestamp(xr.spec.when) + duration('1h')", "when"),
        ("b'abc'", "name"),
        ("['a', 'b']", "zones"),
        ("['a', ?xr.spec.?name]", "zones"),
        ("xr.spec.zones.map(z, z)", "zones"),
        ("xr.spec.zones.filter(z, z != 'a') + ['b']", "zones"),
        ("xr.spec.sizes.map(s, {'port': s})", "rules"),
        (
            "[{'port': 1, 'from-cidr': '10.0.0.0/8', 'kind': 'in'}]",
            "rules",
        ),
        ("xr.spec.rules.map(r, r.port)", "sizes"),
        ("xr.spec.rules", "rules"),
        ("xr.spec.tags.transformMap(k, v, v + k)", "tags"),
        ("{'a': 'b', xr.spec.name: 'c'}", "tags"),
        ("xr.spec.tags", "tags"),
        ("xr.spec.tags.map(k, k)", "zones"),
        ("xr.spec.tags.exists(k, v, k == 'a' && v == 'b')", "on"),
        ("xr.spec.zones.exists(z, z == 'a')", "on"),
        ("has(xr.spec.size) && xr.spec.size > 3", "on"),
        ("'a' in xr.spec.tags", "on"),
        ("cel.bind(x, xr.spec.size, x + 1)", "size"),
        ("cel.bind(x, {'a': 1}, x.a)", "size"),
        ("cel.bind(x, {'a': 1}, x.?b.orValue(2))", "size"),
        ("cel.bind(x, {'a': 1}, has(x.b))", "on"),
        ("xr.spec.?size.optMap(s, s * 2)", "size"),
        ("xr.spec.name == ''", "on"),
        ("xr.spec.region == 'eu-central-1'", "on"),
        ("xr.spec.region == null", "on"),
        ("xr.spec.region in ['eu-central-1', any]", "on"),
        ("type(xr.spec.size) == int", "on"),
        ("quantity('1Gi').isGreaterThan(quantity('1Mi'))", "on"),
        ("cidr('10.0.0.0/8').containsIP('10.1.2.3')", "on"),
        ("string(xr.spec.size)", "name"),
        ("int(xr.spec.name)", "size"),
        ("dyn('x')", "size"),
        ("db.connection.password", "name"),
        ("db.connection['password']", "name"),
        ("[1, 'a', true]", "*"),
        ("{'a': 1, 'b': 'x'}", "*"),
        ("xr.spec.size", "$"),
        ("xr.spec.?name", "$"),
        ("xr.spec.on && any", "?"),
        ("xr.spec.?on.orValue(false)", "?"),
        ("xr.spec.sizes.sum() + xr.spec.sizes.max()", "size"),
        ("'%s-%d'.format([xr.spec.name, xr.spec.size])", "name"),
        ("xr.spec.zones.join(',').split(',').sort()[0]", "name"),
        ("xr.spec.ratio < 3 && xr.spec.size < 2.5", "on"),
        ("xr.spec.name.substring(xr.spec.ratio)", "name"),
    ];
    let fine = fine.into_iter();
    let cases: Vec<(&str, &str, &str)> = fine.map(|(source, field)| (source, field, "")).collect();
    check(&cases);
}

#[test]
fn a_mistake_is_told_once_where_it_is() {
    check(&[
        (
            "xr.spec.regoin",
            "region",
            "expr/no-such-field `xr.spec.regoin`",
        ),
        (
            "xr.spec.regoin.a.b + 1 == 2",
            "on",
            "expr/no-such-field `xr.spec.regoin`",
        ),
        (
            "has(xr.spec.regoin)",
            "on",
            "expr/no-such-field `has(xr.spec.regoin)`",
        ),
        (
            "xr.spec['regoin']",
            "region",
            "expr/no-such-field `xr.spec['regoin']`",
        ),
        (
            "xr.spec.?regoin.orValue('x')",
            "*",
            "expr/no-such-field `xr.spec.?regoin`",
        ),
        (
            "xr.metadata.nam",
            "name",
            "expr/no-such-field `xr.metadata.nam`",
        ),
        ("xrr.spec", "*", "expr/no-such-variable `xrr`"),
        ("xr.spec.size.x", "*", "expr/types `xr.spec.size.x`"),
        ("db.status", "*", "expr/no-such-field `db.status`"),
        ("db.conection", "*", "expr/no-such-field `db.conection`"),
        (
            "cel.bind(x, {'a': 1}, x.b)",
            "size",
            "expr/no-such-field `x.b`",
        ),
        (
            "xr.spec.rules.map(r, r.from)",
            "*",
            "expr/no-such-field `r.from`",
        ),
        (
            "xr.spec.name + xr.spec.size",
            "name",
            "expr/types `xr.spec.name + xr.spec.size`",
        ),
        ("xr.spec.name - 1", "*", "expr/types `xr.spec.name - 1`"),
        ("xr.spec.?size + 1", "*", "expr/types `xr.spec.?size + 1`"),
        (
            "xr.spec.size.startsWith('x')",
            "*",
            "expr/types `xr.spec.size.startsWith('x')`",
        ),
        (
            "xr.spec.?zones.map(z, z)",
            "*",
            "expr/types `xr.spec.?zones`",
        ),
        ("xr.spec.size.map(z, z)", "*", "expr/types `xr.spec.size`"),
        ("xr.spec.size && true", "*", "expr/types `xr.spec.size`"),
        ("xr.spec.name ? 1 : 2", "*", "expr/types `xr.spec.name`"),
        (
            "xr.spec.on < xr.spec.size",
            "*",
            "expr/types `xr.spec.on < xr.spec.size`",
        ),
        ("xr.spec.zones['a']", "*", "expr/types `xr.spec.zones['a']`"),
        (
            "xr.spec.nix + xr.spec.nox",
            "*",
            "expr/no-such-field `xr.spec.nix`; expr/no-such-field `xr.spec.nox`",
        ),
    ]);
}

#[test]
fn values_are_held_against_the_field_they_fill() {
    check(&[
        ("xr.spec.name", "size", "expr/types `xr.spec.name`"),
        ("xr.spec.size", "name", "expr/types `xr.spec.size`"),
        ("xr.spec.zones", "name", "expr/types `xr.spec.zones`"),
        ("xr.spec.zones", "sizes", "expr/types `xr.spec.zones`"),
        ("xr.spec.name", "zones", "expr/types `xr.spec.name`"),
        ("xr.spec.tags", "size", "expr/types `xr.spec.tags`"),
        ("xr.spec.on", "port", "expr/types `xr.spec.on`"),
        ("xr.spec.on ? 'x' : 3", "size", "expr/types `'x'`"),
        (
            "xr.spec.on ? xr.spec.name : 3",
            "size",
            "expr/types `xr.spec.name`",
        ),
        ("xr.spec.?size.orValue('x')", "size", "expr/types `'x'`"),
        (
            "xr.spec.?name.orValue(3)",
            "size",
            "expr/types `xr.spec.?name`",
        ),
        ("xr.spec.?name", "size", "expr/types `xr.spec.?name`"),
        ("'eu'", "region", "expr/enum `'eu'`"),
        ("'toolong'", "name", "expr/value `'toolong'`"),
        ("'A'", "name", "expr/value `'A'`"),
        ("10", "size", "expr/value `10`"),
        ("1.5", "size", "expr/types `1.5`"),
        ("'tomorrow'", "when", "expr/value `'tomorrow'`"),
        (
            "xr.spec.place.zone",
            "region",
            "expr/types `xr.spec.place.zone`",
        ),
        ("['a', 'd', 3]", "zones", "expr/enum `'d'`; expr/types `3`"),
        (
            "['a', 'a', 'a', 'a']",
            "zones",
            "expr/value `['a', 'a', 'a', 'a']`",
        ),
        ("[]", "zones", "expr/value `[]`"),
        (
            "xr.spec.sizes.map(s, string(s))",
            "sizes",
            "expr/types `string(s)`",
        ),
        (
            "xr.spec.sizes.map(s, {'prot': s})",
            "rules",
            "expr/no-such-field `'prot'`",
        ),
        (
            "[{'kind': 'in'}]",
            "rules",
            "expr/missing-field `{'kind': 'in'}`",
        ),
        (
            "[{'port': '80', 'kind': 'inn'}]",
            "rules",
            "expr/types `'80'`; expr/enum `'inn'`",
        ),
        (
            "cel.bind(x, 1, {'zone': 'z', 'size': x})",
            "place",
            "expr/enum `'z'`; expr/types `x`",
        ),
        ("{'zone': 'x', ?'size': 'x'}", "place", "expr/types `'x'`"),
        (
            "{'zone': 'x', 'zone': 'y'}",
            "place",
            "expr/duplicate-key `'zone'`",
        ),
        ("xr.spec", "place", "expr/types `xr.spec`"),
        (
            "xr.spec.tags.transformMap(k, v, v.size())",
            "tags",
            "expr/types `v.size()`",
        ),
        ("{'a': 1}", "tags", "expr/types `1`"),
        ("xr.spec.place", "tags", ""),
        (
            "{1: 'a'}.transformMap(k, v, v)",
            "tags",
            "expr/types `{1: 'a'}.transformMap(k, v, v)`",
        ),
        ("xr.spec.zones", "$", "expr/types `xr.spec.zones`"),
        ("xr.spec.?on", "?", "expr/types `xr.spec.?on`"),
        ("xr.spec.size", "?", "expr/types `xr.spec.size`"),
    ]);
}

#[test]
fn what_is_always_so_is_worth_telling() {
    check(&[
        ("xr.spec.region == 'eu'", "on", "?expr/always `'eu'`"),
        ("xr.spec.region != 'eu'", "on", "?expr/always `'eu'`"),
        (
            "xr.spec.region in ['us-east-1', 'eu']",
            "on",
            "?expr/always `'eu'`",
        ),
        ("'d' in xr.spec.zones", "on", "?expr/always `'d'`"),
        (
            "3 in xr.spec.zones",
            "on",
            "?expr/always `3 in xr.spec.zones`",
        ),
        (
            "xr.spec.size == '3'",
            "on",
            "?expr/always `xr.spec.size == '3'`",
        ),
        (
            "xr.spec.?name == 'x'",
            "on",
            "?expr/always `xr.spec.?name == 'x'`",
        ),
    ]);
}

#[test]
fn texts_of_a_form_of_their_own_are_read() {
    check(&[
        ("duration('1x')", "*", "expr/literal `'1x'`"),
        ("timestamp('today')", "*", "expr/literal `'today'`"),
        ("quantity('1 Gi')", "*", "expr/literal `'1 Gi'`"),
        ("cidr('10.0.0.0/40')", "*", "expr/literal `'10.0.0.0/40'`"),
        ("ip('10.0.0')", "*", "expr/literal `'10.0.0'`"),
        ("semver('1.2')", "*", "expr/literal `'1.2'`"),
        ("int('x') + 1", "*", "expr/literal `'x'`"),
        ("isQuantity('x')", "*", ""),
    ]);
}

#[test]
fn help_names_what_was_meant() {
    let schema = schema();
    let mut env = Env::new();
    env.set("xr", Ty::whole(&schema));
    for (source, help) in [
        ("xr.spec.regoin", "did you mean `region`?"),
        (
            "xr.spec.rules[0].from - 1",
            "did you mean `[\"from-cidr\"]`? A name with a dash stands in brackets",
        ),
        (
            "xr.spec.region == 'eu-centarl-1'",
            "did you mean `eu-central-1`?",
        ),
        (
            "xr.spec.name + xr.spec.size",
            "make a text of it with string(…)",
        ),
        (
            "xr.spec.?size + 1",
            "give the optional a default with `.orValue(…)`",
        ),
        ("xx.spec", "did you mean `xr`?"),
        (
            "xr.spec.name.split(1)",
            "it is string.split(string) or string.split(string, int)",
        ),
    ] {
        let program = Program::parse(source).unwrap();
        let problems = program.check(&env, &Wanted::Anything).problems;
        assert_eq!(problems[0].help.as_deref(), Some(help), "{source}");
    }
}

#[test]
fn texts_with_expressions_are_texts() {
    let schema = schema();
    let spec = &schema.properties["spec"].properties;
    let mut env = Env::new();
    env.set("xr", Ty::whole(&schema));
    let told = |text: &str, field: &str| {
        let checked = check_text(text, &env, &Wanted::Field(&spec[field]));
        let problems = checked.problems.iter();
        let problems =
            problems.map(|p| format!("{} `{}`", p.code, text.get(p.start..p.end).unwrap()));
        (
            checked.ty.to_string(),
            problems.collect::<Vec<_>>().join("; "),
        )
    };
    let pair = |ty: &str, problems: &str| (ty.to_owned(), problems.to_owned());
    assert_eq!(told("${xr.spec.size}", "size"), pair("int", ""));
    assert_eq!(told("a-${xr.spec.size}", "name"), pair("string", ""));
    assert_eq!(
        told("a-${xr.spec.size}", "size"),
        pair("string", "expr/types `a-${xr.spec.size}`")
    );
    assert_eq!(
        told("a-${xr.spec.zones}-${xr.spec.nope}", "name"),
        pair(
            "string",
            "expr/types `xr.spec.zones`; expr/no-such-field `xr.spec.nope`"
        )
    );
    assert_eq!(
        told("${xr.spec.zones +}", "zones"),
        pair("any type", "expr/syntax ``")
    );
}
