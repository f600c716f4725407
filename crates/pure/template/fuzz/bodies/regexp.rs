//! The first line as an expression, over the rest.

use purlin_template::regexp::compile;

pub(crate) fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (pattern, subject) = text.split_once('\n').unwrap_or((&text, "aé\u{0}b\n"));
    let Ok(regex) = compile(pattern) else { return };
    let subject = subject.as_bytes();
    let mut at = 0;
    for found in regex.find_iter(subject).take(1000) {
        assert!(
            at <= found.start() && found.end() <= subject.len(),
            "{pattern}"
        );
        at = found.start();
    }
    drop(regex.captures(subject));
}
