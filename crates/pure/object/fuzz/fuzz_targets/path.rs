//! Any text: an error, or a path that reads, expands, and is read again where it was written.
//!
//! `cargo +nightly fuzz run path` in `crates/pure/object`. The corpus is replayed by the unit tests.

#![no_main]

use libfuzzer_sys::fuzz_target;
use purlin_object::{Object, Path, Value, ValueRef};

fuzz_target!(|text: &str| {
    let Ok(path) = Path::parse(text) else { return };
    let mut object = Object::new();
    object.object_mut("spec").insert("list", vec![Value::Null, Value::Object(Object::new())]);
    drop(path.get(object.as_ref()));
    drop(path.expand(object.as_ref()));
    if path.set(&mut object, Value::Int(7)).is_ok() && !path.segments().is_empty() {
        assert_eq!(path.get(object.as_ref()), Ok(ValueRef::Int(7)));
    }
});
