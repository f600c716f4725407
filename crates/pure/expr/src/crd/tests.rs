#![expect(
    clippy::needless_pass_by_value,
    reason = "literals are what these are given"
)]

use purlin_schema::Schema;
use serde_json::{Value as Json, json};

use super::Rules;

fn schema(spec: Json) -> Schema {
    Schema::parse(&json!({"type": "object", "properties": {"spec": spec}})).unwrap()
}

/// Whether a rule about a spec of a few fields compiles.
fn compiles(rule: &str) -> bool {
    let spec = json!({
        "type": "object",
        "properties": {
            "a": {"type": "integer"}, "n": {"type": "number"}, "s": {"type": "string"}, "b": {"type": "boolean"},
            "l": {"type": "array", "items": {"type": "integer"}}, "m": {"type": "object", "additionalProperties": {"type": "string"}},
            "q": {"x-kubernetes-int-or-string": true}, "t": {"type": "string", "format": "date-time"},
            "x-y": {"type": "integer"}, "o": {"type": "object", "properties": {"p": {"type": "string"}}},
            "u": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            "v": {"x-kubernetes-preserve-unknown-fields": true},
            "w": {"type": "array", "items": {"x-kubernetes-preserve-unknown-fields": true}},
        },
        "x-kubernetes-validations": [{"rule": rule}],
    });
    let (rules, errors) = Rules::compile(&schema(spec), "s");
    for error in &errors {
        assert_eq!(
            error.path,
            "s.properties[spec].x-kubernetes-validations[0].rule"
        );
    }
    assert_eq!(rules.is_empty(), !errors.is_empty());
    errors.is_empty()
}

#[test]
fn rules_of_the_right_types_compile() {
    for rule in [
        "self.a > 0",
        "self.a > 1.5",
        "self.s == 'x' && self.b",
        "self.l.all(x, x > 0)",
        "self.m.all(k, self.m[k] == k)",
        "self.q == 1 || self.q == 'x'",
        "self.t > timestamp('2020-01-01T00:00:00Z')",
        "has(self.o) && self.o.p.size() < 3",
        "self.?s.orValue('d') == 'd'",
        "self.x__dash__y == 1",
        "[1, 1].distinct() == [1]",
        "self.l.sum() < 10",
        "size(self.l) == 1 && self.s.matches('^a')",
        "self.a == oldSelf.a",
        "dyn(self.s) == null",
        "self.?s.optMap(x, x + '!').value() == 'a'",
        "ip('::1').family() == 6",
        "type(self.a) == int",
        "cidr('10.0.0.1/8').masked().ip() == ip('10.0.0.0')",
        "format.named('uuid').value().validate(self.s).hasValue()",
        "self.m.transformMap(k, v, v + k).size() == 0",
        "!format.dns1123Label().validate('abc').hasValue()",
        "has(self.u) && !has(self.o)",
        "self.l.map(x, x * 2).exists(x, x == 4)",
    ] {
        assert!(compiles(rule), "{rule}");
    }
}

#[test]
fn rules_of_the_wrong_types_do_not() {
    for rule in [
        "self.a >",
        "self.nope == 1",
        "self.a",
        "self.a == 's'",
        "unknownfn(self.a)",
        "self.a + 's' == 'x'",
        "this.a == 1",
        "self.s == null",
        "self.a == 1.0",
        "authorizer.path('/x').check('get').allowed()",
        "math.greatest(1, 2) == 2",
        "base64.encode(b'a') == 'YQ=='",
        "cel.bind(x, 1, x == 1)",
        "'abc'.reverse() == 'cba'",
        "self.u.x == 1",
        "has(self.v)",
        "has(self.w)",
        "self.all(x, true)",
        "self.a.startsWith('x')",
        "self.l['x'] == 1",
        "[1, 'a'].size() == 2",
        "self.o.q == 'x'",
        "self.metadata.name == 'x'",
        "self.x-y == 1",
    ] {
        assert!(!compiles(rule), "{rule}");
    }
}

fn violations(spec: Json, object: Json, old: Option<Json>) -> Vec<String> {
    let (rules, errors) = Rules::compile(&schema(spec), "");
    assert_eq!(errors, []);
    let old = old.map(|old| json!({"spec": old}));
    let found = rules.check(&json!({"spec": object}), old.as_ref());
    found
        .iter()
        .map(|v| format!("{}{}", v.error, if v.ratcheted { " (kept)" } else { "" }))
        .collect()
}

#[test]
fn a_broken_rule_names_its_field_and_its_message() {
    let spec = |rule: Json| json!({"type": "object", "properties": {"a": {"type": "integer"}, "s": {"type": "string"}}, "x-kubernetes-validations": [rule]});
    let check = |rule: Json, object: Json| violations(spec(rule), object, None).join("|");
    assert_eq!(check(json!({"rule": "self.a < 5"}), json!({"a": 3})), "");
    assert_eq!(
        check(json!({"rule": "self.a < 5"}), json!({"a": 7})),
        "spec: Invalid value: \"object\": failed rule: self.a < 5"
    );
    assert_eq!(
        check(
            json!({"rule": "self.a < 5", "messageExpression": "'a is ' + string(self.a)", "fieldPath": ".a"}),
            json!({"a": 7})
        ),
        "spec.a: Invalid value: \"object\": a is 7"
    );
    assert_eq!(
        check(
            json!({"rule": "self.a < 5", "messageExpression": "self.s.substring(5)", "message": "fixed", "reason": "FieldValueForbidden"}),
            json!({"a": 7, "s": "x"})
        ),
        "spec: Forbidden: fixed"
    );
    assert_eq!(
        check(json!({"rule": "self.s == 'x'"}), json!({"a": 7}))
            .split(" in the rule")
            .next()
            .unwrap(),
        "spec: Invalid value: \"object\": there is no `s` here; if it may be missing, write `.?s` with `.orValue(…)`"
    );
}

#[test]
fn rules_about_changes_wait_for_a_value_before() {
    let spec = json!({"type": "object", "properties": {"a": {"type": "integer", "x-kubernetes-validations": [{"rule": "self >= oldSelf"}]}}});
    assert_eq!(
        violations(spec.clone(), json!({"a": 1}), None),
        Vec::<String>::new()
    );
    assert_eq!(
        violations(spec.clone(), json!({"a": 1}), Some(json!({}))),
        Vec::<String>::new()
    );
    assert_eq!(
        violations(spec.clone(), json!({"a": 1}), Some(json!({"a": 2}))),
        ["spec.a: Invalid value: 1: failed rule: self >= oldSelf"]
    );
    assert_eq!(
        violations(spec, json!({"a": 3}), Some(json!({"a": 2}))),
        Vec::<String>::new()
    );
    let optional = json!({"type": "object", "properties": {"a": {"type": "integer"}}, "x-kubernetes-validations": [
        {"rule": "oldSelf.hasValue() ? self.a > oldSelf.value().a : self.a == 1", "optionalOldSelf": true}]});
    assert_eq!(
        violations(optional.clone(), json!({"a": 1}), None),
        Vec::<String>::new()
    );
    assert_eq!(violations(optional, json!({"a": 2}), None).len(), 1);
}

#[test]
fn what_was_wrong_before_and_did_not_change_is_kept() {
    let spec = json!({"type": "object", "properties": {
        "l": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"], "items": {"type": "object",
            "properties": {"k": {"type": "string"}, "v": {"type": "integer"}}, "required": ["k"],
            "x-kubernetes-validations": [{"rule": "self.v < 5"}]}},
        "m": {"type": "object", "additionalProperties": {"type": "string", "x-kubernetes-validations": [{"rule": "self.startsWith('a')"}]}}}});
    let old = json!({"l": [{"k": "x", "v": 9}, {"k": "y", "v": 9}], "m": {"p": "z"}});
    let new = json!({"l": [{"k": "y", "v": 8}, {"k": "x", "v": 9}], "m": {"p": "z", "q": "z"}});
    assert_eq!(
        violations(spec, new, Some(old)),
        [
            "spec.l[0]: Invalid value: \"object\": failed rule: self.v < 5",
            "spec.l[1]: Invalid value: \"object\": failed rule: self.v < 5 (kept)",
            "spec.m[p]: Invalid value: \"z\": failed rule: self.startsWith('a') (kept)",
            "spec.m[q]: Invalid value: \"z\": failed rule: self.startsWith('a')",
        ]
    );
}

#[test]
fn sets_have_no_order_and_lists_have() {
    let spec = |kind: &str| {
        json!({"type": "object", "properties": {"s": {"type": "array", "x-kubernetes-list-type": kind,
        "items": {"type": "string"}, "x-kubernetes-validations": [{"rule": "self == ['b', 'a']"}]}}})
    };
    assert_eq!(
        violations(spec("set"), json!({"s": ["a", "b"]}), None),
        Vec::<String>::new()
    );
    assert_eq!(
        violations(spec("atomic"), json!({"s": ["a", "b"]}), None).len(),
        1
    );
}

#[test]
fn names_that_are_no_identifiers_are_escaped() {
    let spec = json!({"type": "object",
        "properties": {"namespace": {"type": "string"}, "a-b": {"type": "integer"}, "x__y": {"type": "integer"}, "x.y": {"type": "integer"}},
        "x-kubernetes-validations": [
            {"rule": "self.__namespace__ == 'n'"}, {"rule": "self.a__dash__b > 0"}, {"rule": "self.x__underscores__y > 0"},
            {"rule": "self.x__dot__y > 0"}]});
    assert_eq!(
        violations(
            spec,
            json!({"namespace": "n", "a-b": 1, "x__y": 1, "x.y": 1}),
            None
        ),
        Vec::<String>::new()
    );
}

#[test]
fn defaults_keep_the_rules() {
    let spec = |default: i64, rule: &str| {
        json!({"type": "object", "properties": {"a": {"type": "integer", "default": default,
        "x-kubernetes-validations": [{"rule": rule}]}}})
    };
    let errors = |spec: Json| {
        Rules::compile(&schema(spec), "s")
            .1
            .iter()
            .map(|e| e.path.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        errors(spec(3, "self > 5")),
        ["s.properties[spec].properties[a].default"]
    );
    assert_eq!(errors(spec(7, "self > 5")), Vec::<String>::new());
    assert_eq!(errors(spec(3, "self >= oldSelf")), Vec::<String>::new());
}

#[test]
fn an_element_without_a_past_cannot_be_compared_with_it() {
    let list = |kind: &str| {
        let spec = json!({"type": "object", "properties": {"l": {"type": "array", "x-kubernetes-list-type": kind,
            "x-kubernetes-list-map-keys": ["k"], "items": {"type": "object", "properties": {"k": {"type": "string"}}, "required": ["k"],
            "x-kubernetes-validations": [{"rule": "self == oldSelf"}]}}}});
        Rules::compile(&schema(spec), "").1.len()
    };
    assert_eq!((list("map"), list("atomic")), (0, 1));
}

#[test]
fn costly_rules_stop() {
    let spec = json!({"type": "object", "properties": {"l": {"type": "array", "items": {"type": "integer"}}},
        "x-kubernetes-validations": [{"rule": "self.l.all(x, self.l.all(y, self.l.all(z, x + y + z > 0)))"}]});
    let many: Vec<i64> = (1..300).collect();
    assert_eq!(violations(spec, json!({"l": many}), None).len(), 1);
}

#[test]
fn a_field_path_of_any_form_comes_to_an_end() {
    for path in [
        ".l[0]",
        "a",
        ".l[0].q",
        "[0]",
        ".",
        "..",
        "['",
        "['a",
        "]",
        ".a['",
        "",
        ".m['k'].q",
        "é",
        ".é['é'][",
    ] {
        let spec = json!({"type": "object", "properties": {"a": {"type": "integer"}},
            "x-kubernetes-validations": [{"rule": "self.a > 1", "fieldPath": path}]});
        assert_eq!(violations(spec, json!({"a": 0}), None).len(), 1, "{path}");
    }
}
