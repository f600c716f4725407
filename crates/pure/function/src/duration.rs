//! How long is this Go duration (`1h30m`, `-5s`, `1.5s`)?

use prost_types::Duration;

/// Reads what Go's `time.ParseDuration` reads: numbers with the units ns, us, ms, s, m and h, at most 292 years.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let negative = text.starts_with('-');
    let mut rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    if rest == "0" {
        return Some(Duration::default());
    }
    if rest.is_empty() {
        return None;
    }
    let mut nanos: i128 = 0;
    while !rest.is_empty() {
        let (amount, after) = one(rest)?;
        nanos = nanos.checked_add(amount)?;
        rest = after;
    }
    if nanos > i128::from(i64::MAX) + i128::from(negative) {
        return None;
    }
    let nanos = if negative { -nanos } else { nanos };
    Some(Duration {
        seconds: i64::try_from(nanos / 1_000_000_000).ok()?,
        nanos: i32::try_from(nanos % 1_000_000_000).ok()?,
    })
}

/// One number with its unit, in nanoseconds, and the text behind it.
fn one(text: &str) -> Option<(i128, &str)> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let (whole, rest) = text.split_at(digits(text));
    let (part, rest) = match rest.strip_prefix('.') {
        Some(after) => after.split_at(digits(after)),
        None => ("", rest),
    };
    if whole.is_empty() && part.is_empty() {
        return None;
    }
    let end = rest
        .find(|c: char| c == '.' || c.is_ascii_digit())
        .unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(end);
    let unit: i128 = match unit {
        "ns" => 1,
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    };
    let number = |digits: &str| -> Option<i128> {
        let digits = if digits.is_empty() { "0" } else { digits };
        // One more than an i64 holds: the least duration is written with it, behind a minus.
        let number = digits.parse::<u64>().ok()?;
        (number <= 1 << 63).then(|| i128::from(number))
    };
    // What is behind the 18th digit is less than a nanosecond.
    let part = part.get(..part.len().min(18)).unwrap_or_default();
    let scale = 10i128.checked_pow(u32::try_from(part.len()).ok()?)?;
    let amount = number(whole)?.checked_mul(unit)? + number(part)?.checked_mul(unit)? / scale;
    Some((amount, rest))
}

#[cfg(test)]
mod tests {
    use prost_types::Duration;

    use super::parse_duration;

    #[test]
    fn durations_are_read_as_go_reads_them() {
        for (text, seconds, nanos) in [
            ("0", 0, 0),
            ("0s", 0, 0),
            ("5m", 300, 0),
            ("1h30m", 5400, 0),
            ("-5s", -5, 0),
            ("+1.5s", 1, 500_000_000),
            ("-1.5s", -1, -500_000_000),
            (".5m", 30, 0),
            ("100us", 0, 100_000),
            ("5m0s", 300, 0),
            ("-9223372036854775808ns", -9_223_372_036, -854_775_808),
        ] {
            assert_eq!(
                parse_duration(text),
                Some(Duration { seconds, nanos }),
                "{text}"
            );
        }
        for text in [
            "",
            "5",
            "1d",
            "s",
            ".s",
            "9999999h",
            "1h-5m",
            "5 s",
            "-",
            "9223372036854775808ns",
            "18446744073709551615ns",
        ] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }
}
