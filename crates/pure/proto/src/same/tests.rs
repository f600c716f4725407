//! Tests of `same`: what is the same, and what is not?

use prost::Message as _;
use prost::bytes::Bytes;
use purlin_object::{Object, Value};

use super::{Field, Fields, Is, Kind, is_same_request, tag_of_request};
use crate::v1::{
    CredentialData, Credentials, RequestMeta, Resource, Resources, RunFunctionRequest, Schema,
    State, credentials::Source,
};

fn object(seed: usize, keys: usize) -> Object {
    let field = |at: usize| -> (String, Value) {
        let value = match (seed + at) % 5 {
            0 => Value::from(format!("text {at}")),
            1 => Value::Double(f64::from(u32::try_from(at).unwrap()) + 0.5),
            2 => Value::List((0..2).map(|item| object(item, keys / 4)).collect()),
            3 => Value::Null,
            _ if keys > 2 => object(seed + 1, keys / 4).into(),
            _ => Value::Bool(at.is_multiple_of(2)),
        };
        (format!("key-{at}"), value)
    };
    (0..keys).map(field).collect()
}

fn resource(seed: usize) -> Resource {
    let detail = |key: &str| (key.to_owned(), Bytes::from(format!("{key} {seed}")));
    Resource {
        resource: Some(object(seed, 4 + seed % 9)),
        connection_details: ["user", "password", "host"].map(detail).into(),
        ready: 1,
    }
}

/// A request with several entries in every map that there is.
fn full() -> RunFunctionRequest {
    let name = |at: usize| format!("name-{at}");
    let state = |count: usize| State {
        composite: Some(resource(count)),
        resources: (0..count).map(|at| (name(at), resource(at))).collect(),
    };
    let found = |at: usize| Resources {
        items: vec![resource(at), resource(at + 1)],
    };
    let credentials = |at: usize| Credentials {
        source: Some(Source::CredentialData(CredentialData {
            data: ["a", "b", "c"]
                .map(|key| (key.to_owned(), Bytes::from(name(at))))
                .into(),
        })),
    };
    RunFunctionRequest {
        meta: Some(RequestMeta {
            tag: "tag".to_owned(),
            ..RequestMeta::default()
        }),
        observed: Some(state(30)),
        desired: Some(state(5)),
        input: Some(object(3, 26)),
        context: Some(object(1, 6)),
        extra_resources: (0..3).map(|at| (name(at), found(at))).collect(),
        required_resources: (0..3).map(|at| (name(at), found(at + 7))).collect(),
        credentials: (0..3).map(|at| (name(at), credentials(at))).collect(),
        required_schemas: (0..3)
            .map(|at| {
                let openapi_v3 = Some(object(at, 5));
                (name(at), Schema { openapi_v3 })
            })
            .collect(),
    }
}

/// Numbers that look like chance.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

fn put(tag: u64, bytes: &[u8], out: &mut Vec<u8>) {
    prost::encoding::encode_varint(tag, out);
    prost::encoding::encode_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn fields(kind: Kind, bytes: &[u8]) -> Vec<Field<'_>> {
    let mut fields = Fields { kind, rest: bytes };
    let next = || (!fields.rest.is_empty()).then(|| fields.take().expect("a message"));
    std::iter::from_fn(next).collect()
}

/// The same message, the entries of each of its maps in another order.
fn shuffled(kind: Kind, bytes: &[u8], chance: &mut Chance) -> Vec<u8> {
    if kind == Kind::Plain {
        return bytes.to_vec();
    }
    let mut fields: Vec<(u64, bool, Vec<u8>)> = fields(kind, bytes)
        .iter()
        .map(|field| {
            let is_entry = matches!(kind.field(field.tag >> 3), Is::Entry(_));
            let value = match field.kind {
                Some(kind) => shuffled(kind, field.value, chance),
                None => field.value.to_vec(),
            };
            let mut encoded = Vec::new();
            match (is_entry, field.kind) {
                (true, _) => {
                    let mut body = Vec::new();
                    put(0x0A, field.key, &mut body);
                    put(0x12, &value, &mut body);
                    put(field.tag, &body, &mut encoded);
                }
                (false, Some(_)) => put(field.tag, &value, &mut encoded),
                (false, None) => encoded = value,
            }
            (field.tag, is_entry, encoded)
        })
        .collect();
    for at in 1..fields.len() {
        let other = chance.below(at + 1);
        if fields[at].1 && fields[other].1 && fields[at].0 == fields[other].0 {
            fields.swap(at, other);
        }
    }
    fields.into_iter().flat_map(|(_, _, bytes)| bytes).collect()
}

#[test]
fn the_order_of_maps_does_not_count() {
    let full = full();
    let bytes = full.encode_to_vec();
    let mut chance = Chance(7);
    for _ in 0..10 {
        let other = shuffled(Kind::Request, &bytes, &mut chance);
        assert_ne!(bytes, other);
        assert_eq!(RunFunctionRequest::decode(&*other).unwrap(), full);
        assert!(is_same_request(&bytes, &other));
        assert!(is_same_request(&other, &bytes));
        let third = shuffled(Kind::Request, &bytes, &mut chance);
        assert!(is_same_request(&third, &other));
    }
}

#[test]
fn everything_else_counts() {
    let full = full();
    let bytes = full.encode_to_vec();
    let mut chance = Chance(11);
    let mut read = 0;
    for _ in 0..150 {
        let mut other = shuffled(Kind::Request, &bytes, &mut chance);
        let place = chance.below(other.len());
        other[place] ^= 1 << chance.below(8);
        // A bit of the layout may make it unreadable, or another way to write the same.
        match RunFunctionRequest::decode(&*other) {
            Ok(request) if request == full => {}
            Ok(_) => {
                read += 1;
                assert!(!is_same_request(&bytes, &other), "{place}");
            }
            Err(_) => assert!(!is_same_request(&bytes, &other), "{place}"),
        }
    }
    assert!(read > 40, "{read}");
}

/// The values of two fields exchanged that have the same number, somewhere: two items of a list, or the values of two keys. The
/// lengths of all messages stay as they are.
fn exchanged(kind: Kind, bytes: &[u8], chance: &mut Chance) -> Option<Vec<u8>> {
    let fields = fields(kind, bytes);
    let inner: Vec<_> = (fields.iter().enumerate())
        .filter(|(_, field)| !matches!(field.kind, None | Some(Kind::Plain)))
        .collect();
    let mut values: Vec<Vec<u8>> = fields.iter().map(|field| field.value.to_vec()).collect();
    let (at, field) = *inner.get(chance.below(inner.len().max(1)))?;
    let deeper = exchanged(field.kind?, field.value, chance);
    if let Some(deeper) = deeper {
        values[at] = deeper;
    } else {
        let others: Vec<usize> = (0..fields.len())
            .filter(|&other| fields[other].tag == field.tag && values[other] != values[at])
            .collect();
        let other = *others.get(chance.below(others.len().max(1)))?;
        values.swap(at, other);
    }
    let mut encoded = Vec::new();
    for (field, value) in fields.iter().zip(&values) {
        match (kind.field(field.tag >> 3), field.kind) {
            (Is::Entry(_), Some(_)) => {
                let mut body = Vec::new();
                put(0x0A, field.key, &mut body);
                put(0x12, value, &mut body);
                put(field.tag, &body, &mut encoded);
            }
            (Is::One(_), Some(_)) => put(field.tag, value, &mut encoded),
            (_, None) => encoded.extend_from_slice(value),
        }
    }
    Some(encoded)
}

#[test]
fn a_value_belongs_to_its_key_and_an_item_to_its_place() {
    let full = full();
    let bytes = full.encode_to_vec();
    let mut chance = Chance(5);
    let mut same_length = 0;
    for _ in 0..150 {
        let Some(other) = exchanged(Kind::Request, &bytes, &mut chance) else {
            continue;
        };
        let other = shuffled(Kind::Request, &other, &mut chance);
        same_length += usize::from(other.len() == bytes.len());
        assert_ne!(RunFunctionRequest::decode(&*other).unwrap(), full);
        assert!(!is_same_request(&bytes, &other));
        assert!(!is_same_request(&other, &bytes));
    }
    assert!(same_length > 40, "{same_length}");
}

#[test]
fn what_is_made_to_be_slow_is_not_the_same() {
    // Lists in lists, each with a text before it: the difference is at the end of all of them.
    let deep = |levels: usize, text: usize, last: [&str; 2]| {
        let pair = last.map(|key| (key, true)).into_iter();
        let mut value = Value::from(pair.collect::<Object>());
        for _ in 0..levels {
            value = Value::List([Value::from("x".repeat(text)), value].into_iter().collect());
        }
        let request = RunFunctionRequest {
            context: Some(Object::from_iter([("deep", value)])),
            ..RunFunctionRequest::default()
        };
        request.encode_to_vec()
    };
    let is_same = |levels, text| {
        let [one, other] = [["a", "b"], ["b", "a"]].map(|last| deep(levels, text, last));
        is_same_request(&one, &other)
    };
    assert!(is_same(20, 100));
    assert!(is_same(50, 100));
    // Too much to compare, and too deep.
    assert!(!is_same(90, 100));
    assert!(!is_same(400, 0));
    // Too many to put in order; those of a list are in order.
    let wide = |members: usize, items: usize, last: [&str; 2]| {
        let mut all: Object = (0..members).map(|at| (at.to_string(), true)).collect();
        let pair = last.map(|key| (key, true)).into_iter();
        let items = (0..items).map(|_| Value::Bool(true));
        let list = items.chain([pair.collect::<Object>().into()]).collect();
        all.insert("list", Value::List(list));
        let request = RunFunctionRequest {
            context: Some(all),
            ..RunFunctionRequest::default()
        };
        request.encode_to_vec()
    };
    let is_same = |members, items| {
        let [one, other] = [["a", "b"], ["b", "a"]].map(|last| wide(members, items, last));
        is_same_request(&one, &other)
    };
    assert!(is_same(10_000, 100_000));
    assert!(!is_same(20_000, 1));
}

#[test]
fn bytes_that_are_no_request_end_somewhere() {
    let bytes = full().encode_to_vec();
    let mut chance = Chance(3);
    for _ in 0..100 {
        let mut other = shuffled(Kind::Request, &bytes, &mut chance);
        for _ in 0..=chance.below(20) {
            let place = chance.below(other.len());
            other[place] = u8::try_from(chance.below(256)).unwrap();
        }
        other.truncate(chance.below(2 * other.len()));
        // What is the same says the same, or is as wrong.
        let third = shuffled(Kind::Request, &bytes, &mut chance);
        let third = &third[..other.len()];
        for (a, b) in [(&*other, &*bytes), (&bytes, &other), (&other, third)] {
            if is_same_request(a, b) {
                let read = |bytes| RunFunctionRequest::decode(bytes).ok();
                assert_eq!(read(a), read(b));
            }
        }
        assert!(is_same_request(&other, &other));
    }
}

#[test]
fn lists_have_an_order_and_of_equal_keys_the_last_counts() {
    let with = |list: [&str; 2]| RunFunctionRequest {
        context: Some(Object::from_iter([("l", list.map(str::to_owned).to_vec())])),
        ..RunFunctionRequest::default()
    };
    let (one, other) = (with(["a", "b"]), with(["b", "a"]));
    assert!(!is_same_request(
        &one.encode_to_vec(),
        &other.encode_to_vec()
    ));
    let entry = |value: &str| {
        let one = Object::from_iter([("k", value)]);
        one.encode_to_vec()
    };
    let twice = |first: &str, second: &str| {
        let mut request = Vec::new();
        put(0x22, &[entry(first), entry(second)].concat(), &mut request);
        request
    };
    assert!(is_same_request(&twice("a", "b"), &twice("a", "b")));
    assert!(!is_same_request(&twice("a", "b"), &twice("b", "a")));
    // Found in two ways: with few fields, and with many.
    let many = |first: &str, second: &str| {
        let more: Vec<u8> = (0..40)
            .flat_map(|at| Object::from_iter([(format!("k{at}"), 1)]).encode_to_vec())
            .collect();
        let mut request = Vec::new();
        put(
            0x22,
            &[entry(first), more, entry(second)].concat(),
            &mut request,
        );
        request
    };
    assert!(!is_same_request(&many("a", "b"), &many("b", "a")));
}

#[test]
fn the_tag_is_found_where_it_is() {
    assert_eq!(tag_of_request(&full().encode_to_vec()), Some(&b"tag"[..]));
    let mut request = full();
    request.meta.as_mut().unwrap().tag.clear();
    assert_eq!(tag_of_request(&request.encode_to_vec()), None);
    request.meta = None;
    assert_eq!(tag_of_request(&request.encode_to_vec()), None);
    for bytes in [&b""[..], b"\x0A", b"\x0A\x05\x0A\x05a", b"\x0A\xFF"] {
        assert_eq!(tag_of_request(bytes), None);
    }
}
