//! What text does a `string` transform make?

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use purlin_object::Value;
use regex::bytes::Regex;
use sha1::Digest as _;

use purlin_template::gofmt::{self, Arg, TextCase, sprintf};

use super::Data;
use crate::fault::Fault;

/// A compiled `string` transform.
#[derive(Debug)]
pub(crate) enum StringOp {
    Format(String),
    Case(TextCase),
    ToBase64,
    FromBase64,
    ToJson,
    ToSha1,
    ToSha256,
    ToSha512,
    ToAdler32,
    TrimPrefix(String),
    TrimSuffix(String),
    Regexp {
        /// As it is written.
        pattern: String,
        regexp: Regex,
        group: usize,
    },
    Join(String),
    Replace {
        search: String,
        replace: String,
    },
}

/// Like Go's `StdEncoding`: padding is required, and the bits behind the last byte may be anything.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

/// The longest text a transform may make.
const MAX_TEXT: usize = 1 << 20;

impl StringOp {
    pub(super) fn apply<'a>(&self, data: &Data<'_>) -> Result<Data<'a>, Fault> {
        let text = self
            .text(data)
            .map_err(|message| Fault::of(data.arg(), message))?;
        Ok(Data::of_text(text))
    }

    fn text(&self, data: &Data<'_>) -> Result<Vec<u8>, String> {
        Ok(match self {
            Self::Format(format) => {
                sprintf(format, &[data.arg()]).map_err(|error| error.to_string())?
            }
            Self::Case(case) => gofmt::change_case(&data.text(), *case).into_bytes(),
            Self::ToBase64 => BASE64.encode(data.text()).into_bytes(),
            Self::FromBase64 => from_base64(&data.text())?,
            Self::ToJson => gofmt::json_text(data.arg())?,
            Self::ToSha1 => hex(&sha1::Sha1::digest(hashed(data)?)),
            Self::ToSha256 => hex(&sha2::Sha256::digest(hashed(data)?)),
            Self::ToSha512 => hex(&sha2::Sha512::digest(hashed(data)?)),
            Self::ToAdler32 => adler32(&hashed(data)?).to_string().into_bytes(),
            Self::TrimPrefix(prefix) => {
                let text = data.text();
                text.strip_prefix(prefix.as_bytes())
                    .unwrap_or(&text)
                    .to_vec()
            }
            Self::TrimSuffix(suffix) => {
                let text = data.text();
                text.strip_suffix(suffix.as_bytes())
                    .unwrap_or(&text)
                    .to_vec()
            }
            Self::Regexp {
                pattern,
                regexp,
                group,
            } => group_of(pattern, regexp, *group, &data.text())?,
            Self::Join(separator) => join(data, separator)?,
            Self::Replace { search, replace } => replaced(&data.text(), search, replace)?,
        })
    }
}

fn from_base64(text: &[u8]) -> Result<Vec<u8>, String> {
    let text: Vec<u8> = text
        .iter()
        .copied()
        .filter(|byte| !matches!(byte, b'\r' | b'\n'))
        .collect();
    BASE64
        .decode(text)
        .map_err(|error| format!("the value is not valid base64: {error}"))
}

/// What is hashed: the bytes of a text, the JSON of anything else.
fn hashed(data: &Data<'_>) -> Result<Vec<u8>, String> {
    match data.arg() {
        Arg::Text(text) => Ok(text.to_vec()),
        other => gofmt::json_text(other),
    }
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            out.extend(char::from_digit(digit.into(), 16));
        }
    }
    out.into_bytes()
}

/// The checksum of RFC 1950.
fn adler32(bytes: &[u8]) -> u32 {
    const MODULUS: u32 = 65_521;
    let (mut a, mut b) = (1u32, 0u32);
    for byte in bytes {
        a = (a + u32::from(*byte)) % MODULUS;
        b = (b + a) % MODULUS;
    }
    (b << 16) | a
}

fn group_of(pattern: &str, regexp: &Regex, group: usize, text: &[u8]) -> Result<Vec<u8>, String> {
    let found = regexp
        .captures(text)
        .ok_or_else(|| format!("the regular expression `{pattern}` does not match"))?;
    if group >= found.len() {
        return Err(format!(
            "the regular expression `{pattern}` has {} groups, there is no group {group}",
            found.len() - 1
        ));
    }
    Ok(found
        .get(group)
        .map(|m| m.as_bytes().to_vec())
        .unwrap_or_default())
}

/// Joins the items of a list. Upstream cuts one byte of the last separator and not all of it; texts in use depend on
/// that, so it is the same here.
fn join(data: &Data<'_>, separator: &str) -> Result<Vec<u8>, String> {
    let Arg::List(list) = data.arg() else {
        return Err("join needs a list".to_owned());
    };
    let mut out = Vec::new();
    for item in list {
        out.extend_from_slice(&Data::Borrowed(item).text());
        out.extend_from_slice(separator.as_bytes());
    }
    if !separator.is_empty() {
        out.pop();
    }
    Ok(out)
}

fn replaced(text: &[u8], search: &str, replace: &str) -> Result<Vec<u8>, String> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    // Only a combining patch has nothing to search for: its transforms are not checked. Go finds it around every character.
    if search.is_empty() {
        if text.len().saturating_mul(replace.len() + 1) > MAX_TEXT {
            return Err(format!(
                "the text after replacing is longer than {MAX_TEXT} bytes"
            ));
        }
        let text = String::from_utf8_lossy(text);
        let around = |c: char| [replace.to_owned(), c.to_string()];
        let out: String = text.chars().flat_map(around).collect();
        return Ok((out + replace).into_bytes());
    }
    let search = search.as_bytes();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix(search) {
            out.extend_from_slice(replace.as_bytes());
            rest = after;
        } else if let Some((first, after)) = rest.split_first() {
            out.push(*first);
            rest = after;
        }
        if out.len() > MAX_TEXT {
            return Err(format!(
                "the text after replacing is longer than {MAX_TEXT} bytes"
            ));
        }
    }
    Ok(out)
}

/// Makes a text value; for the modules beside.
pub(super) fn text(text: String) -> Data<'static> {
    Data::Owned(Value::String(text))
}
