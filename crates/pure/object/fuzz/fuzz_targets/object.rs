//! Any bytes: an error, or an object that can be read, changed, compared, hashed and written.
//!
//! `cargo +nightly fuzz run object` in `crates/pure/object`. The corpus is replayed by the unit tests.

#![no_main]

use libfuzzer_sys::fuzz_target;
use prost::Message as _;
use purlin_object::{Limits, Object};

fuzz_target!(|bytes: &[u8]| {
    let read = Object::from_wire(bytes.to_vec(), Limits::default());
    assert_eq!(read.is_ok(), Object::decode(bytes).is_ok());
    let Ok(mut object) = read else { return };
    let again = Object::from_wire(object.encode_to_vec(), Limits::default()).expect("own bytes");
    assert_eq!(object, again);
    assert_eq!(object.canonical_hash(), again.canonical_hash());
    drop(object.to_json());
    object.object_mut("a").insert("b", 1);
    let changed = Object::from_wire(object.encode_to_vec(), Limits::default()).expect("own bytes");
    assert_eq!(object, changed);
});
