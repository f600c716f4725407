//! Sprig's random functions. The execution's seed decides: the same seed gives the same.

use super::{MAX_TEXT, Made, f, int, text, too_long};
use crate::library::{Call, Function, Param};
use crate::value::Value;

use Param::{Int, Text};

pub(super) static FUNCTIONS: &[Function] = &[
    f("randAlphaNum", &[Int], |call, a| {
        random(
            call,
            a,
            b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
        )
    }),
    f("randAlpha", &[Int], |call, a| {
        random(
            call,
            a,
            b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
        )
    }),
    f("randNumeric", &[Int], |call, a| {
        random(call, a, b"0123456789")
    }),
    f("randAscii", &[Int], |call, a| {
        let printable: Vec<u8> = (b' '..=b'~').collect();
        random(call, a, &printable)
    }),
    f("randInt", &[Int, Int], |call, a| {
        let (low, high) = (int(a, 0), int(a, 1));
        let width = high.checked_sub(low).filter(|width| *width > 0);
        let width = width.ok_or("invalid argument to Intn")?.unsigned_abs();
        Ok(Value::int(
            low.wrapping_add((call.random() % width).cast_signed()),
        ))
    }),
    f("randBytes", &[Int], |call, a| {
        use base64::Engine as _;
        let length = bounded(int(a, 0))?;
        let made: Vec<u8> = (0..length)
            .map(|_| call.random().to_le_bytes()[0])
            .collect();
        Ok(base64::engine::general_purpose::STANDARD
            .encode(made)
            .into())
    }),
    f("uuidv4", &[], |call, _| {
        let (high, low) = (call.random(), call.random());
        let high = high & !0xf000 | 0x4000;
        let low = low & !(0b11 << 62) | 0b10 << 62;
        Ok(format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            high >> 32,
            high >> 16 & 0xffff,
            high & 0xffff,
            low >> 48,
            low & 0xffff_ffff_ffff
        )
        .into())
    }),
    f("shuffle", &[Text], |call, a| {
        let mut letters: Vec<char> = text(a, 0).chars().collect();
        for index in (1..letters.len()).rev() {
            let other = below(call, index + 1);
            letters.swap(index, other);
        }
        Ok(letters.into_iter().collect::<String>().into())
    }),
];

fn below(call: &mut dyn Call, limit: usize) -> usize {
    usize::try_from(call.random() % (limit as u64)).unwrap_or_default()
}

fn bounded(length: i64) -> Result<usize, String> {
    match usize::try_from(length) {
        Ok(length) if length <= MAX_TEXT / 16 => Ok(length),
        Ok(_) => too_long(),
        Err(_) => Err("negative length".to_owned()),
    }
}

fn random(call: &mut dyn Call, a: &[Value], letters: &[u8]) -> Made {
    let length = bounded(int(a, 0))?;
    let made: Vec<u8> = (0..length)
        .filter_map(|_| letters.get(below(call, letters.len())).copied())
        .collect();
    Ok(made.into())
}
