//! Do two encoded requests say the same? Yes also when their maps are written in another order, as Go does each time.
//!
//! A walk over both at once, which makes nothing and decodes nothing: every map entry has to have one with the same key and
//! the same content in the other request, everything else has to be the same bytes. What is laid out in an unusual way is
//! not the same unless its bytes are, so a yes is always right and a no costs no more than an answer.

/// Fields of a message that are matched without an allocation.
const FEW: usize = 24;

/// How deep messages may be inside one another: that of objects, each level of which is an object and a value.
const DEPTH: usize = 300;

/// What some bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Nothing that has a map inside.
    Plain,
    Request,
    State,
    Resource,
    Resources,
    Credentials,
    CredentialData,
    Schema,
    Struct,
    Value,
    List,
}

/// What a field is.
#[derive(Debug, Clone, Copy)]
enum Is {
    /// One of these.
    One(Kind),
    /// An entry of a map to these.
    Entry(Kind),
}

impl Kind {
    /// What the field with this number, and a length, is.
    fn field(self, number: u64) -> Is {
        use Is::{Entry, One};
        match (self, number) {
            (Self::Request, 2 | 3) => One(Self::State),
            (Self::Request, 4 | 5) | (Self::Resource | Self::Schema, 1) | (Self::Value, 5) => {
                One(Self::Struct)
            }
            (Self::Request, 6 | 8) => Entry(Self::Resources),
            (Self::Request, 7) => Entry(Self::Credentials),
            (Self::Request, 9) => Entry(Self::Schema),
            (Self::State | Self::Resources, 1) => One(Self::Resource),
            (Self::State, 2) => Entry(Self::Resource),
            (Self::Resource, 2) | (Self::CredentialData, 1) => Entry(Self::Plain),
            (Self::Credentials, 1) => One(Self::CredentialData),
            (Self::Struct, 1) => Entry(Self::Value),
            (Self::Value, 6) => One(Self::List),
            (Self::List, 1) => One(Self::Value),
            _ => One(Self::Plain),
        }
    }
}

/// Whether two encoded requests are equal but for the order of entries in their maps.
pub fn is_same_request(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && same(Kind::Request, a, b, DEPTH).is_some()
}

/// The tag that a caller gave a request, when it comes first, as it does, and is not empty.
pub fn tag_of_request(request: &[u8]) -> Option<&[u8]> {
    const FIRST: u8 = 0x0A;
    let mut rest = request;
    let mut inner: &[u8] = &[];
    for _ in 0..2 {
        if rest.split_off_first() != Some(&FIRST) {
            return None;
        }
        inner = delimited(&mut rest)?;
        rest = inner;
    }
    (!inner.is_empty()).then_some(inner)
}

/// A field of a message: what it is known by, and the rest.
#[derive(Debug, Clone, Copy, Default)]
struct Field<'a> {
    /// Its number and wire type.
    tag: u64,
    /// The key, if it is an entry of a map.
    key: &'a [u8],
    /// The value of the entry, or of the field.
    value: &'a [u8],
    kind: Option<Kind>,
}

/// The fields of a message, as they come.
struct Fields<'a> {
    kind: Kind,
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// The next one, when there is one; none when the bytes are no message.
    #[inline]
    fn take(&mut self) -> Option<Field<'a>> {
        let before = self.rest;
        let tag = varint(&mut self.rest)?;
        let mut field = Field {
            tag,
            ..Field::default()
        };
        match tag & 7 {
            2 => {
                let value = delimited(&mut self.rest)?;
                field.value = value;
                field.kind = match self.kind.field(tag >> 3) {
                    Is::One(kind) => Some(kind),
                    Is::Entry(kind) => {
                        (field.key, field.value) = entry(value)?;
                        Some(kind)
                    }
                };
                return Some(field);
            }
            0 => drop(varint(&mut self.rest)?),
            1 => self.rest = self.rest.get(8..)?,
            5 => self.rest = self.rest.get(4..)?,
            _ => return None,
        }
        field.value = before.get(..before.len() - self.rest.len())?;
        Some(field)
    }
}

/// `Some` when two messages of a kind are the same.
fn same(kind: Kind, a: &[u8], b: &[u8], depth: usize) -> Option<()> {
    if a == b {
        return Some(());
    }
    if kind == Kind::Plain || a.len() != b.len() {
        return None;
    }
    let depth = depth.checked_sub(1)?;
    let (mut these, mut those) = (Fields { kind, rest: a }, Fields { kind, rest: b });
    // Of several values of which only one can be set, the last counts, so their order has a meaning. There is just one.
    if matches!(kind, Kind::Value | Kind::Credentials) {
        same_field(&these.take()?, &those.take()?, depth)?;
        return (these.rest.is_empty() && those.rest.is_empty()).then_some(());
    }
    let mut few = [Field::default(); FEW];
    let mut count = 0;
    while !those.rest.is_empty() {
        let field = those.take()?;
        let Some(room) = few.get_mut(count) else {
            return same_of_many(kind, a, b, depth);
        };
        *room = field;
        count += 1;
    }
    let others = few.get(..count)?;
    let mut taken = 0_u32;
    let mut all = 0;
    while !these.rest.is_empty() {
        let field = these.take()?;
        // The first of this name that is not taken yet: so those of the same name keep their order, in which the last counts.
        let begin = usize::try_from(taken.trailing_ones()).unwrap_or_default();
        let mut open = others.iter().enumerate().skip(begin);
        let (place, other) = open.find(|(place, other)| {
            taken >> place & 1 == 0 && other.tag == field.tag && other.key == field.key
        })?;
        taken |= 1 << place;
        same_field(&field, other, depth)?;
        all += 1;
    }
    (all == count).then_some(())
}

fn same_field(a: &Field<'_>, b: &Field<'_>, depth: usize) -> Option<()> {
    if a.tag != b.tag {
        return None;
    }
    match a.kind {
        Some(kind) => same(kind, a.value, b.value, depth),
        None => (a.value == b.value).then_some(()),
    }
}

/// The same with many fields, which are put in the order of their keys.
fn same_of_many(kind: Kind, a: &[u8], b: &[u8], depth: usize) -> Option<()> {
    let sorted = |bytes| {
        let mut fields = Fields { kind, rest: bytes };
        let mut all = Vec::new();
        while !fields.rest.is_empty() {
            all.push(fields.take()?);
        }
        // Those of the same name keep their order.
        all.sort_by(|a: &Field<'_>, b| (a.tag, a.key).cmp(&(b.tag, b.key)));
        Some(all)
    };
    let (a, b) = (sorted(a)?, sorted(b)?);
    let all = a.len() == b.len()
        && (a.iter().zip(&b)).all(|(a, b)| a.key == b.key && same_field(a, b, depth).is_some());
    all.then_some(())
}

/// The key and the value of a map entry that is written as all of them are.
#[inline]
fn entry(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    const KEY: u8 = 0x0A;
    const VALUE: u8 = 0x12;
    let mut rest = bytes;
    let tagged = |rest: &mut &[u8], tag: u8| (rest.split_off_first() == Some(&tag)).then_some(());
    tagged(&mut rest, KEY)?;
    let key = delimited(&mut rest)?;
    tagged(&mut rest, VALUE)?;
    let value = delimited(&mut rest)?;
    rest.is_empty().then_some((key, value))
}

/// Takes a length, and as many bytes, from the front.
#[inline]
fn delimited<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(varint(rest)?).ok()?;
    let (taken, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(taken)
}

#[inline]
fn varint(rest: &mut &[u8]) -> Option<u64> {
    match **rest {
        [first @ 0..0x80, ref after @ ..] => {
            *rest = after;
            Some(first.into())
        }
        [first, second @ 0..0x80, ref after @ ..] => {
            *rest = after;
            Some(u64::from(first & 0x7F) | u64::from(second) << 7)
        }
        _ => prost::encoding::decode_varint(rest).ok(),
    }
}

#[cfg(test)]
mod tests {
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
        let bytes = full().encode_to_vec();
        let mut chance = Chance(7);
        for _ in 0..10 {
            let other = shuffled(Kind::Request, &bytes, &mut chance);
            assert_ne!(bytes, other);
            assert_eq!(RunFunctionRequest::decode(&*other).unwrap(), full());
            assert!(is_same_request(&bytes, &other));
            assert!(is_same_request(&other, &bytes));
            let third = shuffled(Kind::Request, &bytes, &mut chance);
            assert!(is_same_request(&third, &other));
        }
    }

    #[test]
    fn everything_else_counts() {
        let bytes = full().encode_to_vec();
        let mut chance = Chance(11);
        let mut read = 0;
        for _ in 0..400 {
            let mut other = shuffled(Kind::Request, &bytes, &mut chance);
            let place = chance.below(other.len());
            other[place] ^= 1 << chance.below(8);
            // A bit of the layout may make it unreadable, or another way to write the same.
            match RunFunctionRequest::decode(&*other) {
                Ok(request) if request == full() => {}
                Ok(_) => {
                    read += 1;
                    assert!(!is_same_request(&bytes, &other), "{place}");
                }
                Err(_) => assert!(!is_same_request(&bytes, &other), "{place}"),
            }
        }
        assert!(read > 100, "{read}");
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
}
