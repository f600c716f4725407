//! What do moments and lengths of time look like as text, and which calendar day is a moment?
//!
//! Only UTC and fixed offsets: named time zones need tables and go through `bridge`.

use crate::outcome::Raise;
use crate::value::Val;

const NANOS: i128 = 1_000_000_000;
const DAY: i64 = 86_400;
/// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z in seconds.
const RANGE: std::ops::RangeInclusive<i128> = -62_135_596_800..=253_402_300_799;

/// A moment, if it is between the years 1 and 9999.
pub(crate) fn timestamp<'a>(nanos: i128) -> Result<Val<'a>, Raise> {
    if RANGE.contains(&nanos.div_euclid(NANOS)) {
        Ok(Val::Timestamp(nanos))
    } else {
        Err(Raise::arithmetic(
            "the moment is outside of the years 1 to 9999",
        ))
    }
}

/// A moment taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    /// From 1.
    pub(crate) month: i64,
    /// From 1.
    pub(crate) day: i64,
    pub(crate) hour: i64,
    pub(crate) minute: i64,
    pub(crate) second: i64,
    pub(crate) nano: i64,
    /// From Sunday.
    pub(crate) weekday: i64,
    /// From 0.
    pub(crate) day_of_year: i64,
}

/// Takes a moment apart, `offset` seconds east of UTC.
#[expect(
    clippy::cast_possible_truncation,
    reason = "timestamps are within the years 1 to 9999"
)]
pub(crate) fn civil(nanos: i128, offset: i64) -> Civil {
    let seconds = nanos.div_euclid(NANOS) as i64 + offset;
    let days = seconds.div_euclid(DAY);
    let rest = seconds.rem_euclid(DAY);
    let (year, month, day) = date_of(days);
    Civil {
        year,
        month,
        day,
        hour: rest / 3600,
        minute: rest / 60 % 60,
        second: rest % 60,
        nano: nanos.rem_euclid(NANOS) as i64,
        weekday: (days + 4).rem_euclid(7),
        day_of_year: days - days_of(year, 1, 1),
    }
}

/// Days since 1970-01-01 of a date of the Gregorian calendar, counting years from March so that leap days come last.
pub(crate) fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    (era * 400 + year + i64::from(month <= 2), month, day)
}

/// A moment as RFC 3339, UTC, without digits of the fraction that are zero.
pub(crate) fn timestamp_text(nanos: i128) -> String {
    let c = civil(nanos, 0);
    let fraction = fraction_text(c.nano);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{fraction}Z",
        c.year, c.month, c.day, c.hour, c.minute, c.second
    )
}

fn fraction_text(nano: i64) -> String {
    if nano == 0 {
        return String::new();
    }
    format!(".{nano:09}").trim_end_matches('0').to_owned()
}

/// A length of time in seconds, as CEL writes it: `90s`, `0.5s`.
pub(crate) fn duration_text(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let all = nanos.unsigned_abs();
    let fraction = fraction_text(i64::try_from(all % 1_000_000_000).unwrap_or(0));
    format!("{sign}{}{fraction}s", all / 1_000_000_000)
}

/// Reads RFC 3339.
pub(crate) fn parse_timestamp(text: &str) -> Option<i128> {
    let bytes = text.as_bytes();
    let digits = |from: usize, count: usize| -> Option<i64> {
        bytes
            .get(from..from + count)?
            .iter()
            .try_fold(0_i64, |sum, b| {
                b.is_ascii_digit().then(|| sum * 10 + i64::from(b - b'0'))
            })
    };
    let mark = |at: usize, marks: &[u8]| bytes.get(at).filter(|b| marks.contains(b));
    let (year, month, day) = (digits(0, 4)?, digits(5, 2)?, digits(8, 2)?);
    let (hour, minute, second) = (digits(11, 2)?, digits(14, 2)?, digits(17, 2)?);
    for (at, marks) in [
        (4, b"-".as_slice()),
        (7, b"-"),
        (10, b"Tt"),
        (13, b":"),
        (16, b":"),
    ] {
        mark(at, marks)?;
    }
    let month_days = days_of(if month == 12 { year + 1 } else { year }, month % 12 + 1, 1)
        - days_of(year, month, 1);
    if !(1..=12).contains(&month)
        || !(1..=month_days).contains(&day)
        || hour > 23
        || minute > 59
        || second > 59
    {
        return None;
    }
    let mut at = 19;
    let mut nano = 0_i128;
    if mark(at, b".").is_some() {
        let count = bytes[at + 1..]
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count();
        if count == 0 {
            return None;
        }
        for place in 0..9 {
            let digit = if place < count {
                digits(at + 1 + place, 1)?
            } else {
                0
            };
            nano = nano * 10 + i128::from(digit);
        }
        at += 1 + count;
    }
    let offset = match bytes.get(at..)? {
        b"Z" | b"z" => 0,
        zone => parse_offset(std::str::from_utf8(zone).ok()?)?,
    };
    let seconds = days_of(year, month, day) * DAY + hour * 3600 + minute * 60 + second - offset;
    let nanos = i128::from(seconds) * NANOS + nano;
    RANGE.contains(&nanos.div_euclid(NANOS)).then_some(nanos)
}

/// Seconds east of UTC of `+01:30`, `-08:00`, and of `UTC`.
pub(crate) fn parse_offset(zone: &str) -> Option<i64> {
    if zone == "UTC" || zone == "Z" {
        return Some(0);
    }
    let (sign, rest) = match zone.as_bytes().first()? {
        b'+' => (1, zone.get(1..)?),
        b'-' => (-1, zone.get(1..)?),
        b'0'..=b'9' => (1, zone),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    if hours.len() != 2 || minutes.len() != 2 {
        return None;
    }
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60))
}

/// Reads a length of time: numbers with units from `ns` to `h`, for example `1h30m` or `-1.5s`.
pub(crate) fn parse_duration(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut sum = 0_i128;
    while !rest.is_empty() {
        let number_end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let (number, tail) = rest.split_at(number_end);
        let unit_end = tail
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        let scale: i128 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => NANOS,
            "m" => 60 * NANOS,
            "h" => 3_600 * NANOS,
            _ => return None,
        };
        let (units, fraction) = number.split_once('.').unwrap_or((number, ""));
        if units.is_empty() && fraction.is_empty() || units.len() > 18 {
            return None;
        }
        let whole: i128 = if units.is_empty() {
            0
        } else {
            units.parse().ok()?
        };
        sum += whole * scale;
        let mut place = scale;
        for digit in fraction.bytes() {
            if !digit.is_ascii_digit() {
                return None;
            }
            place /= 10;
            sum += i128::from(digit - b'0') * place;
        }
        rest = tail;
    }
    i64::try_from(if negative { -sum } else { sum }).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_read_and_write_the_same() {
        for text in [
            "1970-01-01T00:00:00Z",
            "2024-02-29T23:59:59.123Z",
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59Z",
        ] {
            assert_eq!(timestamp_text(parse_timestamp(text).unwrap()), text);
        }
        assert_eq!(
            timestamp_text(parse_timestamp("2024-01-01T01:30:00+01:30").unwrap()),
            "2024-01-01T00:00:00Z"
        );
        for text in [
            "2023-02-29T00:00:00Z",
            "2024-01-01",
            "2024-01-01T24:00:00Z",
            "2024-01-01T00:00:00",
            "2024-1-01T00:00:00Z",
            "é024-01-01T00:00:00Z",
        ] {
            assert_eq!(parse_timestamp(text), None, "{text}");
        }
    }

    #[test]
    fn lengths_of_time_add_up() {
        assert_eq!(
            parse_duration("1h30m").map(duration_text).as_deref(),
            Some("5400s")
        );
        assert_eq!(
            parse_duration("-1.5s").map(duration_text).as_deref(),
            Some("-1.5s")
        );
        assert_eq!(parse_duration("1.5h"), Some(5_400_000_000_000));
        for text in ["", "5", "1x", "s", "-", ".s", "1h-1m", "1000000000h"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }

    #[test]
    fn a_day_has_its_weekday() {
        let c = civil(parse_timestamp("2026-11-21T12:00:00Z").unwrap(), 0);
        assert_eq!((c.weekday, c.day_of_year), (6, 324));
    }
}
