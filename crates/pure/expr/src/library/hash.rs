//! Hashes, and choices that a seed makes: the same seed gives the same choice for ever.

use sha2::{Digest, Sha256};

use super::{Asked, Function, global, int, make_text, text};
use crate::outcome::Raise;
use crate::value::Val;

pub(super) static FUNCTIONS: &[Function] = &[
    global("hash.sha256", 1, |asked, args| {
        let given = text(&args[0])?;
        asked.meter.read(given.len())?;
        Ok(Val::Bytes(sha256(given.as_bytes()).as_slice().into()))
    })
    .not_in_rules(),
    global("hash.fnv64a", 1, |asked, args| {
        let given = text(&args[0])?;
        asked.meter.read(given.len())?;
        let hash = given.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, b| {
            (hash ^ u64::from(b)).wrapping_mul(0x100_0000_01b3)
        });
        Ok(Val::Bytes(hash.to_be_bytes().as_slice().into()))
    })
    .not_in_rules(),
    global("random.seededString", 2, seeded_string).not_in_rules(),
    global("random.seededInt", 3, seeded_int).not_in_rules(),
];

fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

const LETTERS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
/// Longest text that a seed makes.
const LONGEST: i64 = 1024;

/// Lower case letters and digits, chosen by the hash of the seed, four bytes for each.
fn seeded_string<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let (length, seed) = (int(&args[0])?, text(&args[1])?);
    if !(1..=LONGEST).contains(&length) {
        return Err(Raise::argument(format!(
            "the length is from 1 to {LONGEST}, not {length}"
        )));
    }
    asked.meter.read(seed.len())?;
    let hash = sha256(seed.as_bytes());
    let made = hash
        .chunks(4)
        .cycle()
        .take(usize::try_from(length).unwrap_or(0));
    let made = made.map(|four| {
        let number = four.iter().fold(0_u32, |all, b| all << 8 | u32::from(*b));
        char::from(LETTERS[(number % 36) as usize])
    });
    make_text(asked, made.collect())
}

/// A number from the first to the one before the second.
fn seeded_int<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let (from, to, seed) = (int(&args[0])?, int(&args[1])?, text(&args[2])?);
    if from >= to {
        return Err(Raise::argument(format!("{from} is not less than {to}")));
    }
    asked.meter.read(seed.len())?;
    let hash = sha256(seed.as_bytes());
    let number = hash[..8]
        .iter()
        .fold(0_u64, |all, b| all << 8 | u64::from(*b));
    let picked = number % to.abs_diff(from);
    Ok(Val::Int(from.wrapping_add_unsigned(picked)))
}
