//! Is a string of a named format?
//!
//! The formats and how lenient they are follow k8s.io/kube-openapi (pkg/validation/strfmt): hyphens in the name do not
//! count, and a name nobody knows is ignored.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use regex::Regex;

use crate::names;

/// Whether the text is of the format; `None` when nobody knows the format.
pub fn matches(format: &str, text: &str) -> Option<bool> {
    let name: String = format.chars().filter(|c| *c != '-').collect();
    Some(match name.as_str() {
        "bsonobjectid" => text.len() == 24 && text.chars().all(|c| c.is_ascii_hexdigit()),
        "uri" => is_uri(text),
        "email" => is_email(text),
        "hostname" => is_hostname(text),
        "ipv4" => is_ipv4(text),
        "ipv6" => text.contains(':') && is_ipv6(text),
        "cidr" => is_cidr(text),
        "mac" => is_mac(text),
        "uuid" => is_uuid(text, None),
        "uuid3" => is_uuid(text, Some('3')),
        "uuid4" => is_uuid(text, Some('4')) && variant(text),
        "uuid5" => is_uuid(text, Some('5')) && variant(text),
        "isbn" => is_isbn10(text) || is_isbn13(text),
        "isbn10" => is_isbn10(text),
        "isbn13" => is_isbn13(text),
        "creditcard" => is_credit_card(text),
        "ssn" => fits(text, &SSN),
        "hexcolor" => fits(text, &HEX_COLOR),
        "rgbcolor" => fits(text, &RGB_COLOR),
        "byte" => is_base64(text),
        "password" => true,
        "date" => date(text),
        "datetime" => is_date_time(text),
        "duration" => is_duration(text),
        "k8sshortname" => names::is_dns_1123(text),
        "k8slongname" => names::is_dns_subdomain(text),
        _ => return None,
    })
}

/// Whether a schema may name this format without a warning.
pub fn is_known(format: &str) -> bool {
    const NUMBERS: [&str; 4] = ["int32", "int64", "float", "double"];
    NUMBERS.contains(&format) || matches(format, "").is_some()
}

macro_rules! regex {
    ($name:ident, $pattern:literal) => {
        static $name: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new($pattern).expect("the pattern is a constant that a test compiles")
        });
    };
}

regex!(SSN, r"^[0-9]{3}[- ]?[0-9]{2}[- ]?[0-9]{4}$");
regex!(HEX_COLOR, r"^#?(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})$");
regex!(
    RGB_COLOR,
    r"^rgb\([\t ]*(?:0|[1-9][0-9]?|1[0-9][0-9]|2[0-4][0-9]|25[0-5])[\t ]*,[\t ]*(?:0|[1-9][0-9]?|1[0-9][0-9]|2[0-4][0-9]|25[0-5])[\t ]*,[\t ]*(?:0|[1-9][0-9]?|1[0-9][0-9]|2[0-4][0-9]|25[0-5])[\t ]*\)$"
);
regex!(
    EMAIL,
    r#"^(?:[^<>@\x00-\x1f]*<)?(?:"[^"\x00-\x1f]+"|[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x{80}-\x{10ffff}-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x{80}-\x{10ffff}-]+)*)@(?:\[[0-9A-Fa-f.:IPv]+\]|[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x{80}-\x{10ffff}-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x{80}-\x{10ffff}-]+)*)>?$"#
);
regex!(
    HOSTNAME,
    r"^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,62}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,62}[a-zA-Z0-9])?)*\.?$"
);
regex!(
    DATE_TIME,
    r"^([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:[.][0-9]+)?(?:[Zz]|[+-][0-9]{2}:?[0-9]{2})$"
);
regex!(
    DURATION,
    r"^[+-]?(?:0|(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+)$"
);
regex!(
    LONG_DURATION,
    r"(?i)^\s*(?:[0-9]+\s*(?:ns|nanos?|nanoseconds?|us|µs|micros?|microseconds?|ms|millis?|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|wks?|weeks?)\s*)+$"
);
regex!(
    CREDIT_CARD,
    r"^(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35[0-9]{3})[0-9]{11})$"
);

fn fits(text: &str, regex: &Regex) -> bool {
    regex.is_match(text)
}

/// A URI with a scheme, or a path that begins with `/`.
fn is_uri(text: &str) -> bool {
    if text.is_empty() || text.chars().any(char::is_control) || !escapes_are_whole(text) {
        return false;
    }
    if text.starts_with('/') {
        return true;
    }
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let named = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    let authority = rest.strip_prefix("//").map(|rest| {
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        rest.get(..end).unwrap_or(rest)
    });
    named && !rest.is_empty() && !authority.is_some_and(|host| host.contains(' '))
}

fn escapes_are_whole(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        let mut digits = after.chars();
        let mut hex = || digits.next().is_some_and(|c| c.is_ascii_hexdigit());
        hex() && hex()
    })
}

fn is_email(text: &str) -> bool {
    let bracketed = text.contains('<');
    fits(text, &EMAIL) && (bracketed == text.ends_with('>')) && (bracketed || !text.contains(' '))
}

fn is_hostname(text: &str) -> bool {
    text.len() < 254 && fits(text, &HOSTNAME)
}

/// Four numbers up to 255; leading zeros are let through, as Kubernetes does.
fn is_ipv4(text: &str) -> bool {
    ipv4(text).is_some()
}

fn ipv4(text: &str) -> Option<Ipv4Addr> {
    let parts: Vec<&str> = text.split('.').collect();
    let octet = |part: &&str| {
        let digits = !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
        digits.then(|| part.parse::<u8>().ok()).flatten()
    };
    let octets: Vec<u8> = parts.iter().filter_map(octet).collect();
    match (parts.len(), octets.as_slice()) {
        (4, [a, b, c, d]) => Some(Ipv4Addr::new(*a, *b, *c, *d)),
        _ => None,
    }
}

fn is_ipv6(text: &str) -> bool {
    text.parse::<Ipv6Addr>().is_ok()
}

fn is_cidr(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else {
        return false;
    };
    let digits =
        !length.is_empty() && length.len() <= 3 && length.chars().all(|c| c.is_ascii_digit());
    let Some(length) = digits.then(|| length.parse::<u16>().ok()).flatten() else {
        return false;
    };
    (is_ipv4(address) && length <= 32) || (is_ipv6(address) && length <= 128)
}

fn is_mac(text: &str) -> bool {
    let groups = |separator: char, width: usize, counts: &[usize]| {
        let parts: Vec<&str> = text.split(separator).collect();
        counts.contains(&parts.len())
            && parts
                .iter()
                .all(|part| part.len() == width && part.chars().all(|c| c.is_ascii_hexdigit()))
    };
    groups(':', 2, &[6, 8, 20]) || groups('-', 2, &[6, 8, 20]) || groups('.', 4, &[3, 4, 10])
}

fn is_uuid(text: &str, version: Option<char>) -> bool {
    let digits: Vec<char> = text.chars().filter(|c| *c != '-').collect();
    let parts: Vec<usize> = text.split('-').map(str::len).collect();
    let grouped = parts == [8, 4, 4, 4, 12] || parts == [32];
    grouped
        && digits.len() == 32
        && digits.iter().all(char::is_ascii_hexdigit)
        && version.is_none_or(|version| digits.get(12) == Some(&version))
}

fn variant(text: &str) -> bool {
    let digit = text.chars().filter(|c| *c != '-').nth(16);
    digit.is_some_and(|c| "89abAB".contains(c))
}

fn isbn_digits(text: &str) -> Vec<char> {
    text.chars().filter(|c| *c != '-' && *c != ' ').collect()
}

fn is_isbn10(text: &str) -> bool {
    let digits = isbn_digits(text);
    let value = |(index, c): (usize, &char)| match c {
        'X' if index == 9 => Some(10),
        c => c.to_digit(10),
    };
    let values: Option<Vec<u32>> = digits.iter().enumerate().map(value).collect();
    let Some(values) = values.filter(|values| values.len() == 10) else {
        return false;
    };
    let sum: u32 = values
        .iter()
        .zip(1..)
        .map(|(digit, weight): (&u32, u32)| digit * weight)
        .sum();
    sum.is_multiple_of(11)
}

fn is_isbn13(text: &str) -> bool {
    let values: Option<Vec<u32>> = isbn_digits(text).iter().map(|c| c.to_digit(10)).collect();
    let Some(values) = values.filter(|values| values.len() == 13) else {
        return false;
    };
    let weights = [1, 3].into_iter().cycle();
    let sum: u32 = values
        .iter()
        .zip(weights)
        .map(|(digit, weight)| digit * weight)
        .sum();
    sum.is_multiple_of(10)
}

fn is_credit_card(text: &str) -> bool {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let luhn: u32 = digits
        .chars()
        .rev()
        .enumerate()
        .map(|(index, c)| {
            let digit = c.to_digit(10).unwrap_or(0);
            let doubled = digit * 2;
            if index % 2 == 0 {
                digit
            } else {
                doubled / 10 + doubled % 10
            }
        })
        .sum();
    fits(&digits, &CREDIT_CARD) && luhn.is_multiple_of(10)
}

/// Base64 with the standard alphabet and padding; line breaks are let through.
fn is_base64(text: &str) -> bool {
    let body: Vec<char> = text.chars().filter(|c| *c != '\n' && *c != '\r').collect();
    let padding = body.iter().rev().take_while(|c| **c == '=').count();
    let data = &body[..body.len() - padding];
    body.len().is_multiple_of(4)
        && padding <= 2
        && data
            .iter()
            .all(|c| c.is_ascii_alphanumeric() || *c == '+' || *c == '/')
}

fn date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let number = |part: &str, width: usize| {
        let digits = part.len() == width && part.chars().all(|c| c.is_ascii_digit());
        digits.then(|| part.parse::<u32>().ok()).flatten()
    };
    let [year, month, day] = parts.as_slice() else {
        return false;
    };
    let (Some(year), Some(month), Some(day)) = (number(year, 4), number(month, 2), number(day, 2))
    else {
        return false;
    };
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    };
    (1..=days).contains(&day)
}

fn is_date_time(text: &str) -> bool {
    let Some(parts) = DATE_TIME.captures(text) else {
        return false;
    };
    let part = |index: usize| parts.get(index).map_or("", |found| found.as_str());
    let below = |index: usize, limit: u32| part(index).parse::<u32>().is_ok_and(|n| n < limit);
    date(part(1)) && below(2, 24) && below(3, 60) && below(4, 60)
}

fn is_duration(text: &str) -> bool {
    fits(text, &DURATION) || fits(text, &LONG_DURATION)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(format: &str, good: &[&str], bad: &[&str]) {
        for text in good {
            assert_eq!(matches(format, text), Some(true), "{format}: {text:?}");
        }
        for text in bad {
            assert_eq!(matches(format, text), Some(false), "{format}: {text:?}");
        }
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table, one format a line")]
    fn formats_are_as_lenient_as_a_real_server() {
        check(
            "date",
            &["2024-02-29"],
            &[
                "2023-02-29",
                "2024-1-1",
                "2024-01-01T00:00:00Z",
                "2024-13-01",
            ],
        );
        check(
            "date-time",
            &["2024-01-01T00:00:00Z", "2024-01-01T00:00:00.5+02:00"],
            &["2024-01-01", "2024-01-01T25:00:00Z"],
        );
        check(
            "email",
            &["a@b.example", "A <a@b.example>"],
            &["nope", "a b@c.example", "<a@b", "a@", ""],
        );
        check(
            "ipv4",
            &["10.0.0.1", "10.0.0.01"],
            &["256.1.1.1", "::1", "1.2.3"],
        );
        check("ipv6", &["::1", "fe80::1"], &["10.0.0.1", ":"]);
        check(
            "cidr",
            &["10.0.0.0/8", "10.0.0.1/8", "::/0"],
            &["10.0.0.0", "10.0.0.0/33", "10.0.0.0/"],
        );
        check(
            "uuid",
            &[
                "0e4c2d3a-1b2c-4d5e-8f90-123456789abc",
                "0E4C2D3A1B2C4D5E8F90123456789ABC",
            ],
            &["xyz"],
        );
        check(
            "uuid3",
            &["0e4c2d3a-1b2c-3d5e-8f90-123456789abc"],
            &["0e4c2d3a-1b2c-4d5e-8f90-123456789abc"],
        );
        check(
            "uri",
            &["https://example.com/a?b=c", "/relative", "urn:a:b"],
            &["no spaces allowed here", "", "http://a b/"],
        );
        check("hexcolor", &["#fff", "#ABCDEF", "fff"], &["#12"]);
        check(
            "rgbcolor",
            &["rgb(1, 2,3)", "rgb(255,255,255)"],
            &["rgb(256,0,0)", "rgb(1,2)"],
        );
        check(
            "isbn",
            &["978-3-16-148410-0", "0306406152"],
            &["123", "9783161484101"],
        );
        check("ssn", &["111-22-3333"], &["11122333"]);
        check(
            "mac",
            &["01:02:03:04:05:06", "0102.0304.0506"],
            &["01:02:03"],
        );
        check("byte", &["", "YQ==", "YWJj"], &["YQ", "a b="]);
        check("duration", &["1h30m", "5s", "0", "3 days"], &["5", "h", ""]);
        check(
            "hostname",
            &["a.example.com", "localhost"],
            &["-a", "a b", ""],
        );
        check(
            "creditcard",
            &["4111-1111-1111-1111"],
            &["4111111111111112"],
        );
        check("k8s-long-name", &["a.b-c"], &["A.b", "a_b"]);
        check("bsonobjectid", &["507f1f77bcf86cd799439011"], &["507f"]);
        assert_eq!(matches("made-up", "x"), None);
        assert!(is_known("int32") && !is_known("made-up"));
    }
}
