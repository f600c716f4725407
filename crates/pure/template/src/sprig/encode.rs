//! Sprig's encodings and hashes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::Digest as _;

use super::base::{decode_base32, decode_base64, encode_base32};
use super::{bytes, f};
use crate::library::{Call, Function, Param};
use crate::value::Value;

use Param::{Any, Text};

pub(super) static FUNCTIONS: &[Function] = &[
    f("b64enc", &[Text], |_, a| {
        Ok(STANDARD.encode(bytes(a, 0)).into())
    }),
    f("b64dec", &[Text], |_, a| {
        let (decoded, bad) = decode_base64(bytes(a, 0));
        Ok(match bad {
            Some(at) => format!("illegal base64 data at input byte {at}").into(),
            None => decoded.into(),
        })
    }),
    f("b32enc", &[Text], |_, a| {
        Ok(encode_base32(bytes(a, 0)).into())
    }),
    f("b32dec", &[Text], |_, a| {
        Ok(decode_base32(bytes(a, 0)).map_or_else(Value::from, Value::from))
    }),
    f("sha1sum", &[Text], |_, a| {
        Ok(hex(&sha1::Sha1::digest(bytes(a, 0))).into())
    }),
    f("sha256sum", &[Text], |_, a| {
        Ok(hex(&sha2::Sha256::digest(bytes(a, 0))).into())
    }),
    f("sha512sum", &[Text], |_, a| {
        Ok(hex(&sha2::Sha512::digest(bytes(a, 0))).into())
    }),
    f("adler32sum", &[Text], |_, a| {
        Ok(adler32(bytes(a, 0)).to_string().into())
    }),
    refused("bcrypt", &[Text], None),
    refused("htpasswd", &[Text, Text], None),
    refused("genPrivateKey", &[Text], None),
    refused("derivePassword", &[Any, Any, Any, Any, Any], None),
    refused("buildCustomCert", &[Text, Text], None),
    refused("genCA", &[Text, Any], None),
    refused("genCAWithKey", &[Text, Any, Text], None),
    refused("genSelfSignedCert", &[Any, Any, Any, Any], None),
    refused("genSelfSignedCertWithKey", &[Any, Any, Any, Any, Any], None),
    refused("genSignedCert", &[Any, Any, Any, Any, Any], None),
    refused(
        "genSignedCertWithKey",
        &[Any, Any, Any, Any, Any, Any],
        None,
    ),
    refused("encryptAES", &[Text, Text], None),
    refused("decryptAES", &[Text, Text], None),
    refused("getHostByName", &[Text], None),
];

const fn refused(name: &'static str, params: &'static [Param], more: Option<Param>) -> Function {
    Function {
        name,
        params,
        rest: more,
        call: refuse,
    }
}

fn refuse(_: &mut dyn Call, _: &[Value]) -> Result<Value, String> {
    Err(
        "this function is not available: make keys, passwords and lookups outside of templates"
            .to_owned(),
    )
}

pub(super) fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        push!(out, "{byte:02x}");
    }
    out
}

fn adler32(bytes: &[u8]) -> u32 {
    let (mut a, mut b) = (1u32, 0u32);
    for byte in bytes {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    b << 16 | a
}
