//! Does an object read, change, write, compare and refuse as it should?

use prost::Message as _;
use serde_json::json;

use crate::{Error, Limits, Object, Value, ValueRef};

fn object(json: serde_json::Value) -> Object {
    Object::from_json(json).unwrap()
}

fn reread(object: &Object) -> Object {
    Object::from_wire(object.encode_to_vec(), Limits::default()).unwrap()
}

fn sample() -> Object {
    object(json!({
        "apiVersion": "v1", "kind": "Thing",
        "metadata": {"name": "a", "labels": {"x": "1", "y": null}},
        "spec": {"size": 3, "ratio": 0.5, "on": true, "zones": ["a", {"b": [1, 2]}]},
        "empty": {}, "none": []
    }))
}

#[test]
fn what_was_written_is_read_again() {
    let wire = reread(&sample());
    assert_eq!(wire, sample());
    assert_eq!(wire.to_json(), sample().to_json());
    assert_eq!(wire.canonical_hash(), sample().canonical_hash());
    let zones = wire
        .get_path(&["spec", "zones"])
        .unwrap()
        .as_list()
        .unwrap();
    assert_eq!(zones.len(), 2);
    assert_eq!(
        wire.get_path(&["spec", "size"]),
        Some(ValueRef::Double(3.0))
    );
    assert_eq!(
        wire.get_path(&["metadata", "labels", "y"]),
        Some(ValueRef::Null)
    );
    assert_eq!(wire.get_path(&["metadata", "labels", "z"]), None);
    assert_eq!(wire.get_path(&["kind", "z"]), None);
}

#[test]
fn a_change_touches_its_path_only_and_clones_stay_as_they_were() {
    let wire = reread(&sample());
    let mut changed = wire.clone();
    changed.object_mut("spec").insert("size", 3);
    // What is known of the length is forgotten when something below changes.
    assert_eq!(reread(&changed), wire);
    changed.object_mut("spec").insert("size", 4);
    changed
        .get_mut("metadata")
        .and_then(Value::as_object_mut)
        .unwrap()
        .remove("labels");
    *changed
        .object_mut("spec")
        .entry("zones")
        .make_list()
        .get_mut(1)
        .unwrap() = "b".into();
    changed
        .object_mut("new")
        .object_mut("deep")
        .insert("x", "y");
    let expected = object(json!({
        "apiVersion": "v1", "kind": "Thing",
        "metadata": {"name": "a"},
        "spec": {"size": 4, "ratio": 0.5, "on": true, "zones": ["a", "b"]},
        "empty": {}, "none": [], "new": {"deep": {"x": "y"}}
    }));
    assert_eq!(changed, expected);
    assert_eq!(reread(&changed), expected);
    assert_eq!(wire, sample());
}

#[test]
fn order_and_the_kind_of_number_do_not_count() {
    let a: Object = [("a", Value::Int(1)), ("b", Value::Double(2.5))]
        .into_iter()
        .collect();
    let b: Object = [("b", Value::Double(2.5)), ("a", Value::Double(1.0))]
        .into_iter()
        .collect();
    assert_eq!(a, b);
    assert_eq!(reread(&a), reread(&b));
    assert_eq!(reread(&a).canonical_hash(), b.canonical_hash());
    let exact = Value::Int(9_007_199_254_740_993);
    assert_ne!(exact, Value::Double(9_007_199_254_740_992.0));
}

#[test]
fn doubles_survive_exactly() {
    for bits in [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        -0.0,
        f64::MIN_POSITIVE,
        0.1,
        1e300,
    ] {
        let written: Object = [("x", bits)].into_iter().collect();
        let Some(ValueRef::Double(read)) = reread(&written)
            .get("x")
            .map(ValueRef::to_owned)
            .as_ref()
            .map(Value::as_ref)
        else {
            panic!("no double");
        };
        assert_eq!(read.to_bits(), bits.to_bits());
    }
}

#[test]
fn whole_doubles_are_integers_in_json() {
    let wire = reread(&object(json!({"a": 3, "b": 0.5, "c": 1e20, "d": -7})));
    assert_eq!(
        wire.to_json().to_string(),
        r#"{"a":3,"b":0.5,"c":1e+20,"d":-7}"#.replace("1e+20", &json!(1e20).to_string())
    );
}

#[test]
fn many_keys_are_found_replaced_and_removed() {
    let mut large: Object = (0..500).map(|i| (format!("k{i}"), i)).collect();
    for i in (0..500).step_by(3) {
        large.insert(format!("k{i}"), -i);
    }
    assert_eq!(large.remove("k250"), Some(Value::Int(250)));
    assert_eq!(large.remove("k250"), None);
    let wire = reread(&large);
    assert_eq!(wire.len(), 499);
    assert_eq!(wire.get("k3"), Some(ValueRef::Double(-3.0)));
    assert_eq!(wire.get("k499"), Some(ValueRef::Double(499.0)));
    let keys: Vec<&str> = wire.keys().take(3).collect();
    assert_eq!(keys, ["k0", "k1", "k2"]);
}

/// An entry with a raw key and a raw value payload.
fn entry(key: &str, payload: &[u8]) -> Vec<u8> {
    let mut body = vec![0x0A, u8::try_from(key.len()).unwrap()];
    body.extend(key.as_bytes());
    body.extend([0x12, u8::try_from(payload.len()).unwrap()]);
    body.extend(payload);
    let mut out = vec![0x0A, u8::try_from(body.len()).unwrap()];
    out.extend(body);
    out
}

#[test]
fn what_protobuf_allows_is_read_by_its_rules() {
    let check = |bytes: Vec<u8>, expected: serde_json::Value| {
        let expected = object(expected);
        let read = Object::from_wire(bytes.clone(), Limits::default()).unwrap();
        assert_eq!(read, expected, "{bytes:?}");
        assert_eq!(Object::decode(&bytes[..]).unwrap(), expected, "{bytes:?}");
        assert_eq!(reread(&read), expected, "{bytes:?}");
    };
    let one = [0x20, 1];
    let two = [0x1A, 1, b'2'];
    check(
        [entry("a", &one), entry("a", &two)].concat(),
        json!({"a": "2"}),
    );
    check(
        entry("a", &[one.as_slice(), &two].concat()),
        json!({"a": "2"}),
    );
    check(entry("a", &[]), json!({"a": null}));
    check(vec![0x0A, 0], json!({"": null}));
    check(vec![0x0A, 4, 0x12, 2, 0x20, 1], json!({"": true}));
    check(
        vec![0x0A, 7, 0x12, 2, 0x20, 1, 0x0A, 1, b'k'],
        json!({"k": true}),
    );
    check(
        [vec![0x12, 1, 0], entry("a", &one)].concat(),
        json!({"a": true}),
    );
    check(entry("a", &[0x20, 1, 0x38, 5]), json!({"a": true}));
    let inner = [&[0x2A, 9][..], &entry("x", &one)].concat();
    let twice = [inner.clone(), [&[0x2A, 10][..], &entry("y", &two)].concat()].concat();
    check(entry("a", &inner), json!({"a": {"x": true}}));
    check(entry("a", &twice), json!({"a": {"x": true, "y": "2"}}));
}

#[test]
fn what_is_no_object_is_refused() {
    let check = |bytes: &[u8], error: Error| {
        assert_eq!(
            Object::from_wire(bytes.to_vec(), Limits::default()),
            Err(error),
            "{bytes:?}"
        );
        assert!(Object::decode(bytes).is_err(), "{bytes:?}");
    };
    check(&[0x0A], Error::Malformed("cut off"));
    check(&[0x0A, 5, 0x0A], Error::Malformed("cut off"));
    check(&[0x08, 1], Error::Malformed("wrong wire type"));
    check(
        &[0x0A, 3, 0x0A, 1, 0xFF],
        Error::Malformed("text is not UTF-8"),
    );
    check(
        &entry("a", &[0x1A, 1, 0xFF]),
        Error::Malformed("text is not UTF-8"),
    );
    check(&entry("a", &[0x11, 1]), Error::Malformed("cut off"));
    check(&entry("a", &[0x10, 1]), Error::Malformed("wrong wire type"));
    check(
        &entry("a", &[0x2A, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F]),
        Error::Malformed("cut off"),
    );
}

#[test]
fn limits_hold() {
    let mut deep = Value::Bool(true);
    for _ in 0..40 {
        deep = Value::Object([("a", deep)].into_iter().collect());
    }
    let bytes = deep.as_object().unwrap().encode_to_vec();
    let limits = |depth, bytes, values| Limits {
        bytes,
        depth,
        values,
    };
    let read = |limits| Object::from_wire(bytes.clone(), limits).map(|_| ());
    assert_eq!(read(limits(40, 1 << 20, 100)), Ok(()));
    assert_eq!(read(limits(39, 1 << 20, 100)), Err(Error::TooDeep(39)));
    assert_eq!(read(limits(40, 100, 100)), Err(Error::TooLarge(100)));
    assert_eq!(read(limits(40, 1 << 20, 39)), Err(Error::TooMany(39)));
}
