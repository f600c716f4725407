//! Any text as a quantity, and as an instant.

use purlin_object::{Instant, Quantity};

pub(crate) fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(quantity) = Quantity::parse(text) {
        assert!(!quantity.to_f64().is_nan(), "{text}");
        assert_eq!(Quantity::parse(text), Ok(quantity), "{text}");
    }
    if let Some(instant) = Instant::parse(text) {
        assert_eq!(Instant::parse(text), Some(instant), "{text}");
    }
}
