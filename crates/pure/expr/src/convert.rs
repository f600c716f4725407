//! How do numbers and bytes look as text?

/// A number as CEL's `string()` writes it: shortest digits that read back the same; an exponent for the very large and
/// the very small.
pub(crate) fn double_text(d: f64) -> String {
    if d.is_nan() {
        return "NaN".to_owned();
    }
    if d.is_infinite() {
        return if d > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let size = d.abs();
    if size != 0.0 && !(1e-4..1e21).contains(&size) {
        // Go writes at least two digits of exponent, with a sign.
        let text = format!("{d:e}");
        if let Some((digits, exponent)) = text.split_once('e') {
            let (sign, number) = match exponent.strip_prefix('-') {
                Some(number) => ('-', number),
                None => ('+', exponent),
            };
            return format!("{digits}e{sign}{number:0>2}");
        }
        return text;
    }
    format!("{d}")
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Standard base64 with padding.
pub(crate) fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = chunk
            .iter()
            .enumerate()
            .fold(0_u32, |bits, (at, b)| bits | u32::from(*b) << (16 - 8 * at));
        for place in 0..4 {
            if place <= chunk.len() {
                text.push(char::from(
                    ALPHABET[(bits >> (18 - 6 * place) & 63) as usize],
                ));
            } else {
                text.push('=');
            }
        }
    }
    text
}

/// Reads standard base64; padding may be missing.
pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    for chunk in text.as_bytes().chunks(4) {
        if chunk.len() == 1 {
            return None;
        }
        let mut bits = 0_u32;
        for (place, b) in chunk.iter().enumerate() {
            let digit = ALPHABET.iter().position(|a| a == b)?;
            bits |= u32::try_from(digit).ok()? << (18 - 6 * place);
        }
        bytes.extend_from_slice(&bits.to_be_bytes()[1..chunk.len()]);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_look_like_themselves() {
        for (d, text) in [
            (3.0, "3"),
            (0.1, "0.1"),
            (1e21, "1e+21"),
            (1.5e-7, "1.5e-07"),
            (-0.0, "-0"),
            (123_456_789.0, "123456789"),
        ] {
            assert_eq!(double_text(d), text);
        }
    }

    #[test]
    fn base64_reads_back() {
        for text in ["", "a", "ab", "abc", "hello"] {
            assert_eq!(
                from_base64(&base64(text.as_bytes())).unwrap(),
                text.as_bytes()
            );
        }
        assert_eq!(base64(b"hello"), "aGVsbG8=");
        assert_eq!(from_base64("a"), None);
        assert_eq!(from_base64("a_b-"), None);
    }
}
