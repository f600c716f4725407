//! Any text as a Go duration: nothing, or the same again when it is written in nanoseconds.

use purlin_function::parse_duration;

pub(crate) fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let Some(duration) = parse_duration(text) else {
        return;
    };
    assert!(duration.nanos.abs() < 1_000_000_000, "{text}");
    let nanos = i128::from(duration.seconds) * 1_000_000_000 + i128::from(duration.nanos);
    assert_eq!(
        parse_duration(&format!("{nanos}ns")),
        Some(duration),
        "{text}"
    );
}
