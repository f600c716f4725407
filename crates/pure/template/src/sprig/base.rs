//! Base64 and base32 as Go decodes them, to the byte at which it stops.

/// `base64.StdEncoding.Decode`: what could be decoded, and the position of the first byte that could not.
pub fn decode_base64(text: &[u8]) -> (Vec<u8>, Option<usize>) {
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let mut at = 0;
    let newline = |at: usize| matches!(text.get(at), Some(b'\n' | b'\r'));
    loop {
        let mut quad = [0u8; 4];
        let mut length = 0;
        let mut last = false;
        while length < 4 {
            let Some(byte) = text.get(at).copied() else {
                return (out, (length > 0).then(|| at.saturating_sub(length)));
            };
            at += 1;
            if let Some(value) = value64(byte) {
                if let Some(slot) = quad.get_mut(length) {
                    *slot = value;
                }
                length += 1;
                continue;
            }
            if matches!(byte, b'\n' | b'\r') {
                continue;
            }
            if byte != b'=' || length < 2 {
                return (out, Some(at - 1));
            }
            if length == 2 {
                while newline(at) {
                    at += 1;
                }
                match text.get(at) {
                    None => return (out, Some(text.len())),
                    Some(b'=') => at += 1,
                    Some(_) => return (out, Some(at - 1)),
                }
            }
            while newline(at) {
                at += 1;
            }
            last = true;
            break;
        }
        let [a, b, c, d] = quad;
        let three = [a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d];
        out.extend_from_slice(three.get(..length - 1).unwrap_or_default());
        if last {
            return (out, (at < text.len()).then_some(at));
        }
    }
}

fn value64(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// `base32.StdEncoding.EncodeToString`.
pub(super) fn encode_base32(text: &[u8]) -> String {
    let mut out = String::new();
    for chunk in text.chunks(5) {
        let mut bits = 0u64;
        for index in 0..5 {
            bits = bits << 8 | u64::from(chunk.get(index).copied().unwrap_or(0));
        }
        let digits = (chunk.len() * 8).div_ceil(5);
        for index in 0..8 {
            if index < digits {
                let digit = usize::try_from(bits >> (35 - 5 * index) & 31).unwrap_or(0);
                out.push(char::from(ALPHABET.get(digit).copied().unwrap_or(b'A')));
            } else {
                out.push('=');
            }
        }
    }
    out
}

/// `base32.StdEncoding.DecodeString`.
pub(super) fn decode_base32(text: &[u8]) -> Result<Vec<u8>, String> {
    let text: Vec<u8> = (text.iter().copied())
        .filter(|b| !matches!(b, b'\n' | b'\r'))
        .collect();
    let corrupt = |at: usize| Err(format!("illegal base32 data at input byte {at}"));
    let mut out = Vec::with_capacity(text.len() / 8 * 5 + 5);
    for (chunk_index, chunk) in text.chunks(8).enumerate() {
        let start = chunk_index * 8;
        let mut bits = 0u64;
        let mut length = 8;
        for (index, byte) in chunk.iter().enumerate() {
            if *byte == b'=' && index >= 2 && start + 8 >= text.len() {
                if chunk.len() < 8 {
                    return corrupt(text.len());
                }
                if let Some(bad) = (index..8).find(|at| chunk.get(*at) != Some(&b'=')) {
                    return corrupt(start + bad);
                }
                if matches!(index, 3 | 6) {
                    return corrupt(start + index);
                }
                length = index;
                break;
            }
            match ALPHABET.iter().position(|known| known == byte) {
                Some(value) => bits |= (value as u64) << (35 - 5 * index),
                None => return corrupt(start + index),
            }
        }
        if length == 8 && chunk.len() < 8 {
            return corrupt(start);
        }
        let made = bits.to_be_bytes();
        out.extend_from_slice(made.get(3..3 + length * 5 / 8).unwrap_or_default());
    }
    Ok(out)
}
