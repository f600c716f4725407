//! What may the first argument of a function be?

use super::types::Ty;

/// What the first argument of a function may be, roughly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Scalar,
    String,
    Bytes,
    List,
    Map,
    Optional,
    Time,
    Special(&'static str),
}

/// The class of a type.
pub(super) fn class(ty: &Ty<'_>) -> Class {
    match ty {
        Ty::String => Class::String,
        Ty::Bytes => Class::Bytes,
        Ty::List(_) => Class::List,
        Ty::Map(_) | Ty::Object(_) => Class::Map,
        Ty::Optional(_) => Class::Optional,
        Ty::Duration | Ty::Timestamp => Class::Time,
        Ty::Special(name) => Class::Special(name),
        Ty::Dyn | Ty::Null | Ty::Bool | Ty::Int | Ty::UInt | Ty::Double | Ty::Type => Class::Scalar,
    }
}

const QUANTITY: Class = Class::Special("kubernetes.Quantity");
const SEMVER: Class = Class::Special("kubernetes.Semver");

/// What the first argument of a function may be, where that is restricted.
#[expect(clippy::match_same_arms, reason = "grouped by family")]
pub(super) fn receiver(function: &str, member: bool) -> Option<&'static [Class]> {
    Some(match function {
        "size" => &[Class::String, Class::Bytes, Class::List, Class::Map],
        "indexOf" | "lastIndexOf" | "reverse" => &[Class::String, Class::List],
        "contains" | "startsWith" | "endsWith" | "charAt" | "lowerAscii" | "upperAscii"
        | "replace" | "split" | "substring" | "trim" | "format" | "matches" | "find"
        | "findAll" | "strings.quote" | "quantity" | "isQuantity" | "url" | "isURL" | "cidr"
        | "isCIDR" | "isIP" | "semver" | "isSemver" => &[Class::String],
        "ip" if member => &[Class::Special("net.CIDR")],
        "ip" => &[Class::String],
        "join" | "slice" | "flatten" | "distinct" | "sort" | "isSorted" | "sum" | "min" | "max"
        | "includes" | "sets.contains" | "sets.equivalent" | "sets.intersects" => &[Class::List],
        "hasValue" | "value" | "or" | "orValue" => &[Class::Optional],
        "getFullYear" | "getMonth" | "getDate" | "getDayOfMonth" | "getDayOfWeek"
        | "getDayOfYear" | "getHours" | "getMinutes" | "getSeconds" | "getMilliseconds" => {
            &[Class::Time]
        }
        "family"
        | "isUnspecified"
        | "isLoopback"
        | "isLinkLocalMulticast"
        | "isLinkLocalUnicast"
        | "isGlobalUnicast" => &[Class::Special("net.IP")],
        "containsIP" | "containsCIDR" | "masked" | "prefixLength" => &[Class::Special("net.CIDR")],
        "sign" | "isInteger" | "asInteger" | "asApproximateFloat" | "add" | "sub" => &[QUANTITY],
        "isGreaterThan" | "isLessThan" | "compareTo" => &[QUANTITY, SEMVER],
        "major" | "minor" | "patch" => &[SEMVER],
        "getScheme" | "getHost" | "getHostname" | "getPort" | "getEscapedPath" | "getQuery" => {
            &[Class::Special("kubernetes.URL")]
        }
        "validate" => &[Class::Special("kubernetes.NamedFormat")],
        _ => return None,
    })
}
