//! Does every object survive, and does no byte sequence do harm?

use std::path::Path;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use prost::Message as _;

use crate::{Limits, List, Object, Value, ValueRef};

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        any::<f64>().prop_map(Value::Double),
        prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(-0.0)].prop_map(Value::Double),
        "[a-zé\u{1F600}]{0,12}".prop_map(Value::String),
    ];
    leaf.prop_recursive(5, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(|values| Value::List(values.into_iter().collect())),
            btree_map("[a-z.é]{0,4}", inner, 0..6)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

fn objects() -> impl Strategy<Value = Object> {
    btree_map("[a-dé]{0,3}", values(), 0..30).prop_map(|entries| entries.into_iter().collect())
}

/// What the wire makes of a value: integers become doubles.
fn as_on_the_wire(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Int(_) => Value::Double(value.as_f64().unwrap()),
        ValueRef::List(list) => Value::List(list.iter().map(as_on_the_wire).collect::<List>()),
        ValueRef::Object(object) => Value::Object(
            object
                .iter()
                .map(|(key, value)| (key, as_on_the_wire(value)))
                .collect(),
        ),
        other => other.to_owned(),
    }
}

/// The same content as `prost-types` has it: another implementation of the same messages.
fn foreign(value: ValueRef<'_>) -> prost_types::Value {
    use prost_types::value::Kind;
    let kind = match value {
        ValueRef::Null => Kind::NullValue(0),
        ValueRef::Bool(bit) => Kind::BoolValue(bit),
        ValueRef::Int(_) | ValueRef::Double(_) => Kind::NumberValue(value.as_f64().unwrap()),
        ValueRef::String(text) => Kind::StringValue(text.to_owned()),
        ValueRef::List(list) => Kind::ListValue(prost_types::ListValue {
            values: list.iter().map(foreign).collect(),
        }),
        ValueRef::Object(object) => Kind::StructValue(foreign_struct(&object.to_owned())),
    };
    prost_types::Value { kind: Some(kind) }
}

fn foreign_struct(object: &Object) -> prost_types::Struct {
    let fields = object
        .iter()
        .map(|(key, value)| (key.to_owned(), foreign(value)));
    prost_types::Struct {
        fields: fields.collect(),
    }
}

/// What a fuzz target and the corpus check: harmless bytes, or an object that works.
fn harmless(bytes: &[u8]) {
    let read = Object::from_wire(bytes.to_vec(), Limits::default());
    assert_eq!(read.is_ok(), Object::decode(bytes).is_ok());
    let Ok(mut object) = read else { return };
    let again = Object::from_wire(object.encode_to_vec(), Limits::default()).unwrap();
    assert_eq!(object, again);
    assert_eq!(object.canonical_hash(), again.canonical_hash());
    drop(object.to_json());
    object.object_mut("a").insert("b", 1);
    let changed = Object::from_wire(object.encode_to_vec(), Limits::default()).unwrap();
    assert_eq!(object, changed);
}

#[test]
fn the_fuzz_corpus_does_no_harm() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/object");
    #[expect(clippy::disallowed_methods, reason = "a test may read its corpus")]
    let cases: Vec<_> = std::fs::read_dir(corpus)
        .unwrap()
        .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
        .collect();
    assert!(cases.len() >= 10);
    for case in cases {
        harmless(&case);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_object_survives_a_round_trip(object in objects()) {
        let expected = as_on_the_wire(ValueRef::Object(object.as_ref()));
        let read = Object::from_wire(object.encode_to_vec(), Limits::default()).unwrap();
        prop_assert_eq!(&Value::Object(read.clone()), &expected);
        prop_assert_eq!(object.encoded_len(), object.encode_to_vec().len());
        // And so do its bytes, when nothing changed.
        prop_assert_eq!(read.encode_to_vec(), object.encode_to_vec());
        prop_assert_eq!(Object::decode(&object.encode_to_vec()[..]).unwrap(), read);
    }

    #[test]
    fn other_implementations_read_and_write_the_same(object in objects()) {
        let foreign = foreign_struct(&object);
        let theirs = Object::decode(&foreign.encode_to_vec()[..]).unwrap();
        let ours = Object::decode(&object.encode_to_vec()[..]).unwrap();
        prop_assert_eq!(&theirs, &ours);
        prop_assert_eq!(theirs.canonical_hash(), ours.canonical_hash());
        let back = prost_types::Struct::decode(&object.encode_to_vec()[..]).unwrap();
        prop_assert_eq!(Object::decode(&back.encode_to_vec()[..]).unwrap(), ours);
    }

    #[test]
    fn order_does_not_count(object in objects()) {
        let mut entries: Vec<(String, Value)> =
            object.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        entries.reverse();
        let reversed: Object = entries.into_iter().collect();
        prop_assert_eq!(&reversed, &object);
        prop_assert_eq!(reversed.canonical_hash(), object.canonical_hash());
    }

    #[test]
    fn different_objects_differ(a in objects(), b in objects()) {
        prop_assert_eq!(a == b, a.canonical_hash() == b.canonical_hash());
    }

    #[test]
    fn a_change_is_seen_and_nothing_else_changes(object in objects(), key in "[a-dé]{0,3}", value in values()) {
        let mut changed = Object::decode(&object.encode_to_vec()[..]).unwrap();
        changed.insert(key.clone(), value.clone());
        let read = Object::decode(&changed.encode_to_vec()[..]).unwrap();
        prop_assert_eq!(read.get(&key).unwrap().to_owned(), as_on_the_wire(value.as_ref()));
        for (other, value) in object.iter().filter(|(other, _)| *other != key) {
            prop_assert_eq!(read.get(other).unwrap().to_owned(), as_on_the_wire(value));
        }
        changed.remove(&key);
        prop_assert!(!changed.contains_key(&key));
    }

    #[test]
    fn random_bytes_do_no_harm(bytes in vec(any::<u8>(), 0..200)) {
        harmless(&bytes);
    }

    #[test]
    fn damaged_bytes_do_no_harm(object in objects(), place: prop::sample::Index, byte: u8, cut: prop::sample::Index) {
        let mut bytes = object.encode_to_vec();
        if !bytes.is_empty() {
            let place = place.index(bytes.len());
            bytes[place] = byte;
            harmless(&bytes);
            bytes.truncate(cut.index(bytes.len()));
            harmless(&bytes);
        }
    }
}
