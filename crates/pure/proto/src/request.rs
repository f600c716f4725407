//! How is a request read without looking at more of it than its outline? By hand where requests are large.
//!
//! prost hands a Struct over entry by entry, which makes a list of entries of every object that nobody may ever look at. Here an
//! object is taken in one piece. Whatever is not laid out as every protobuf library writes it is left to prost, from the
//! start, so that there is one judge of what is right and one text for what is wrong.

use prost::bytes::{Buf as _, Bytes};
use prost::encoding::{DecodeContext, decode_key};
use prost::{DecodeError, Message};
use purlin_object::{Limits, Object};

use crate::v1::{Resource, Resources, RunFunctionRequest, State};

/// The first byte of a field that has a length: `1 << 3 | 2` and so on.
const FIRST: u8 = 0x0A;
const SECOND: u8 = 0x12;
const THIRD: u8 = 0x1A;
const FOURTH: u8 = 0x22;
const FIFTH: u8 = 0x2A;
const SIXTH: u8 = 0x32;
const EIGHTH: u8 = 0x42;
/// `Resource.ready`: field 3, varint.
const READY: u8 = 0x18;

/// Reads a request; its objects and connection details share the bytes of `frame`.
///
/// # Errors
/// The bytes are no request.
pub fn decode_request(frame: Bytes) -> Result<RunFunctionRequest, DecodeError> {
    match request(&frame) {
        Some(request) => Ok(request),
        None => RunFunctionRequest::decode(frame),
    }
}

fn request(frame: &Bytes) -> Option<RunFunctionRequest> {
    let mut request = RunFunctionRequest::default();
    let mut rest: &[u8] = frame;
    while let Some(&tag) = rest.first() {
        match tag {
            SECOND => once(&mut request.observed, state(frame, take(&mut rest, tag)?)?)?,
            THIRD => once(&mut request.desired, state(frame, take(&mut rest, tag)?)?)?,
            FOURTH => once(&mut request.input, object(frame, take(&mut rest, tag)?)?)?,
            FIFTH => once(&mut request.context, object(frame, take(&mut rest, tag)?)?)?,
            SIXTH => {
                let (name, found) = entry(take(&mut rest, tag)?)?;
                let found = resources(frame, found)?;
                request.extra_resources.insert(name, found);
            }
            EIGHTH => {
                let (name, found) = entry(take(&mut rest, tag)?)?;
                let found = resources(frame, found)?;
                request.required_resources.insert(name, found);
            }
            _ => {
                let mut buf = frame.slice_ref(rest);
                let (tag, wire_type) = decode_key(&mut buf).ok()?;
                request
                    .merge_field(tag, wire_type, &mut buf, DecodeContext::default())
                    .ok()?;
                rest = rest.get(rest.len() - buf.remaining()..)?;
            }
        }
    }
    Some(request)
}

/// Sets a field that is not set yet. What is sent twice has to be merged, which is for prost.
fn once<T>(field: &mut Option<T>, value: T) -> Option<()> {
    match field.replace(value) {
        None => Some(()),
        Some(_) => None,
    }
}

fn state(frame: &Bytes, bytes: &[u8]) -> Option<State> {
    let mut rest = bytes;
    let mut composite = None;
    let mut all = Vec::new();
    while let Some(&tag) = rest.first() {
        match tag {
            FIRST => once(&mut composite, resource(frame, take(&mut rest, tag)?)?)?,
            SECOND => {
                let (name, held) = entry(take(&mut rest, tag)?)?;
                all.push((name, resource(frame, held)?));
            }
            _ => return None,
        }
    }
    Some(State {
        composite,
        // Of a name that is there twice the last counts, here and in protobuf.
        resources: all.into_iter().collect(),
    })
}

fn resources(frame: &Bytes, bytes: &[u8]) -> Option<Resources> {
    let mut rest = bytes;
    let mut items = Vec::new();
    while !rest.is_empty() {
        items.push(resource(frame, take(&mut rest, FIRST)?)?);
    }
    Some(Resources { items })
}

fn resource(frame: &Bytes, bytes: &[u8]) -> Option<Resource> {
    let mut rest = bytes;
    let mut held = Resource::default();
    while let Some(&tag) = rest.first() {
        match tag {
            FIRST => once(&mut held.resource, object(frame, take(&mut rest, tag)?)?)?,
            SECOND => {
                let (key, value) = entry(take(&mut rest, tag)?)?;
                let value = frame.slice_ref(value);
                held.connection_details.insert(key, value);
            }
            READY => {
                // A number above 127 is none of ours.
                let ready = *rest.get(1)?;
                if ready >= 0x80 {
                    return None;
                }
                held.ready = ready.into();
                rest = rest.get(2..)?;
            }
            _ => return None,
        }
    }
    Some(held)
}

fn object(frame: &Bytes, bytes: &[u8]) -> Option<Object> {
    Object::from_wire(frame.slice_ref(bytes), Limits::default()).ok()
}

/// The key and the value of a map entry, when it has nothing else. One that is empty may be left out.
fn entry(bytes: &[u8]) -> Option<(String, &[u8])> {
    let mut rest = bytes;
    let key = take(&mut rest, FIRST).unwrap_or_default();
    let value = take(&mut rest, SECOND).unwrap_or_default();
    let key = std::str::from_utf8(key).ok()?;
    rest.is_empty().then(|| (key.to_owned(), value))
}

/// Takes a field with this tag and a length from the front.
fn take<'a>(rest: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    let (&first, mut after) = rest.split_first()?;
    if first != tag {
        return None;
    }
    let length = prost::encoding::decode_varint(&mut after).ok()?;
    let (taken, after) = after.split_at_checked(usize::try_from(length).ok()?)?;
    *rest = after;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use prost::bytes::Bytes;
    use purlin_object::Object;

    use super::{decode_request, request};
    use crate::v1::{
        Capability, CredentialData, Credentials, RequestMeta, Resource, Resources,
        RunFunctionRequest, Schema, State, credentials::Source,
    };

    fn object(name: &str) -> Object {
        Object::from_iter([("name", name), ("text", "é")])
    }

    fn resource(name: &str) -> Resource {
        Resource {
            resource: Some(object(name)),
            connection_details: [("key".to_owned(), Bytes::from_static(b"\xFF"))].into(),
            ready: 2,
        }
    }

    fn state() -> State {
        State {
            composite: Some(resource("composite")),
            resources: [
                ("a".to_owned(), resource("a")),
                ("b".to_owned(), Resource::default()),
            ]
            .into(),
        }
    }

    fn full() -> RunFunctionRequest {
        let found = Resources {
            items: vec![resource("x"), Resource::default()],
        };
        let data = [("k".to_owned(), Bytes::from_static(b"v"))].into();
        RunFunctionRequest {
            meta: Some(RequestMeta {
                tag: "tag".to_owned(),
                capabilities: vec![Capability::Conditions.into()],
            }),
            observed: Some(state()),
            desired: Some(state()),
            input: Some(object("input")),
            context: Some(object("context")),
            extra_resources: [("e".to_owned(), found.clone())].into(),
            credentials: [(
                "c".to_owned(),
                Credentials {
                    source: Some(Source::CredentialData(CredentialData { data })),
                },
            )]
            .into(),
            required_resources: [
                ("r".to_owned(), found),
                ("none".to_owned(), Resources::default()),
            ]
            .into(),
            required_schemas: [(
                "s".to_owned(),
                Schema {
                    openapi_v3: Some(object("schema")),
                },
            )]
            .into(),
        }
    }

    #[test]
    fn every_field_is_read_as_prost_reads_it() {
        let bytes = Bytes::from(full().encode_to_vec());
        assert_eq!(request(&bytes), Some(full()));
        assert_eq!(RunFunctionRequest::decode(bytes), Ok(full()));
        assert_eq!(request(&Bytes::new()), Some(RunFunctionRequest::default()));
    }

    /// Guards the speed: copying what nobody reads would cost as much as all else together.
    #[test]
    fn objects_and_details_lie_where_the_request_lies() {
        let bytes = Bytes::from(full().encode_to_vec());
        let range = bytes.as_ptr_range();
        let within = |part: &Bytes| {
            let part = part.as_ptr_range();
            range.start <= part.start && part.end <= range.end
        };
        let read = decode_request(bytes.clone()).unwrap();
        for state in [read.observed.unwrap(), read.desired.unwrap()] {
            let resources = state.resources.into_values().chain(state.composite);
            for resource in resources {
                let object = resource.resource.unwrap_or_default().to_wire();
                assert!(object.is_empty() || within(&object));
                assert!(resource.connection_details.values().all(within));
            }
        }
        assert!(within(&read.input.unwrap().to_wire()));
        let found = read
            .required_resources
            .into_values()
            .flat_map(|found| found.items);
        assert!(
            found
                .filter_map(|it| it.resource)
                .all(|it| within(&it.to_wire()))
        );
    }

    #[test]
    fn what_is_unusual_is_left_to_prost() {
        // A state in two parts, which protobuf merges.
        let mut bytes = full().encode_to_vec();
        let more = RunFunctionRequest {
            desired: Some(State {
                resources: [("c".to_owned(), resource("c"))].into(),
                ..State::default()
            }),
            ..RunFunctionRequest::default()
        };
        bytes.extend(more.encode_to_vec());
        let bytes = Bytes::from(bytes);
        assert_eq!(request(&bytes), None);
        let read = decode_request(bytes).unwrap();
        assert_eq!(read.desired.unwrap().resources.len(), 3);
    }

    #[test]
    fn no_cut_or_flipped_byte_makes_a_difference_to_prost() {
        let good = full().encode_to_vec();
        let same = |bytes: Vec<u8>| {
            let bytes = Bytes::from(bytes);
            let ours = decode_request(bytes.clone()).map_err(|error| error.to_string());
            let theirs = RunFunctionRequest::decode(bytes).map_err(|error| error.to_string());
            assert_eq!(ours, theirs);
        };
        for at in 0..good.len() {
            same(good.get(..at).unwrap().to_vec());
            for bit in [0x01, 0x08, 0x80] {
                let mut bad = good.clone();
                *bad.get_mut(at).unwrap() ^= bit;
                same(bad);
            }
        }
    }
}
