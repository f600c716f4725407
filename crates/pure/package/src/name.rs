//! Names that Crossplane makes out of a package's reference.

/// The name of a package's revision, and of its file: `name` and the start of `hash`, as one DNS label.
pub fn friendly_id(name: &str, hash: &str) -> String {
    dns_label(&format!("{}-{}", cut(name, 50), cut(hash, 12)))
}

/// A DNS label of whatever is given: separators become `-`, what does not fit is left out, and nothing is read beyond the
/// 63rd byte.
pub fn dns_label(text: &str) -> String {
    const LAST: usize = 62;
    let mut label = String::new();
    for (at, c) in text.char_indices().take_while(|(at, _)| *at <= LAST) {
        if c.is_ascii_lowercase() || c.is_ascii_digit() {
            label.push(c);
        } else if matches!(c, '.' | '/' | ':' | '-') && at != 0 && at != LAST {
            label.push('-');
        }
    }
    label.trim_matches('-').to_owned()
}

fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at));
    text.get(..end.unwrap_or(0)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{dns_label, friendly_id};

    #[test]
    fn labels_keep_what_fits() {
        let check = |given: &str, wanted: &str| assert_eq!(dns_label(given), wanted);
        check("acme/function-purlin", "acme-function-purlin");
        check("Acme/fn_x:v1.0", "cme-fnx-v1-0");
        check("-a-", "a");
        check(&"a".repeat(80), &"a".repeat(63));
        check("ünïcode", "ncode");
    }

    #[test]
    fn a_friendly_id_is_the_cut_name_and_the_start_of_the_hash() {
        assert_eq!(
            friendly_id("function-purlin", "0123456789abcdef"),
            "function-purlin-0123456789ab"
        );
        let long = friendly_id(&"n".repeat(70), "sha256:0123456789");
        assert_eq!(long, format!("{}-sha256-01234", "n".repeat(50)));
    }
}
