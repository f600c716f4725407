//! Does any text make the reader panic, hang or forget its limits, or the writer write what it cannot read?

#![no_main]

use libfuzzer_sys::fuzz_target;
use purlin_yaml::{Limits, load, load_with, to_string};

fuzz_target!(|text: &str| {
    let limits = Limits {
        nodes: 20_000,
        ..Limits::default()
    };
    let (documents, _) = load_with("fuzz.yaml", text, &limits);
    for document in documents {
        for path in ["", "a", "[0]", "a[0].b"] {
            let place = document.places.nearest(path);
            assert!(place.line as usize <= text.matches(['\n', '\r']).count() + 2);
            for offset in [0, 1, 7, text.len()] {
                drop(document.places.within(path, offset));
                drop(document.places.range(path, offset, offset + 3));
            }
        }
        let written = to_string(&document.value);
        let (again, found) = load("written.yaml", &written);
        assert!(!found.has_errors(), "{written}\n{found:?}");
        assert_eq!(again[0].value, document.value, "{written}");
    }
});
