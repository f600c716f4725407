//! How does Go write this floating-point number?
//!
//! The formats `e f g` of `strconv.FormatFloat` (with the shortest or a given precision), `b` and `x`, which Rust
//! writes differently: at least two exponent digits, and `%g` with an exponent from 1e6 on and below 1e-4.

/// No double has more digits than this behind its point, in either notation; the rest are zeros. Rust's formatting
/// panics for a precision above 65,535, and Go's takes a million.
const EXACT: usize = 1100;

/// The decimal digits of a finite, positive number: `0.d1d2d3… × 10^point`.
struct Digits {
    digits: Vec<u8>,
    point: i32,
}

impl Digits {
    fn read(text: &str) -> Self {
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let mut digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
        let exponent: i32 = exponent.parse().unwrap_or(0);
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        let point = if digits.is_empty() { 0 } else { exponent + 1 };
        Self { digits, point }
    }

    /// The fewest digits that read back as the same number.
    fn shortest(value: f64) -> Self {
        Self::read(&format!("{value:e}"))
    }

    /// Rounded to `count` significant digits, at least one.
    fn rounded(value: f64, count: usize) -> Self {
        Self::read(&format!("{value:.*e}", count.clamp(1, EXACT) - 1))
    }
}

/// The precision of a format: a number of digits, or as few as needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// As few as read back as the same number.
    Shortest,
    /// That many.
    Digits(usize),
}

/// `strconv.FormatFloat(value, verb, precision, 64)`; `verb` is one of `e E f F g G b x X`.
pub fn format(value: f64, verb: char, precision: Precision) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let mut out = String::new();
    if value.is_sign_negative() {
        out.push('-');
    }
    let value = value.abs();
    match verb {
        'e' | 'E' => exponent(&mut out, value, verb, precision),
        'g' | 'G' => general(&mut out, value, verb, precision),
        'b' => binary(&mut out, value),
        'x' | 'X' => hexadecimal(&mut out, value, verb, precision),
        _ => fixed(&mut out, value, precision),
    }
    out
}

fn fixed(out: &mut String, value: f64, precision: Precision) {
    match precision {
        // Rust writes the shortest digits without an exponent, as Go does for `f` and -1.
        Precision::Shortest => push!(out, "{value}"),
        Precision::Digits(count) => {
            push!(out, "{value:.*}", count.min(EXACT));
            out.extend(zeros(count));
        }
    }
}

/// The zeros behind the exact digits.
fn zeros(count: usize) -> std::iter::RepeatN<char> {
    std::iter::repeat_n('0', count.saturating_sub(EXACT))
}

fn exponent(out: &mut String, value: f64, verb: char, precision: Precision) {
    let (text, zeros) = match precision {
        Precision::Shortest => (format!("{value:e}"), zeros(0)),
        Precision::Digits(count) => (format!("{value:.*e}", count.min(EXACT)), zeros(count)),
    };
    let (mantissa, power) = text.split_once('e').unwrap_or((&text, "0"));
    out.push_str(mantissa);
    out.extend(zeros);
    push_power(out, verb, power.parse().unwrap_or(0));
}

fn push_power(out: &mut String, letter: char, power: i32) {
    let sign = if power < 0 { '-' } else { '+' };
    push!(out, "{letter}{sign}{:02}", power.unsigned_abs());
}

fn general(out: &mut String, value: f64, verb: char, precision: Precision) {
    let (number, mut limit) = match precision {
        Precision::Shortest => (Digits::shortest(value), 6),
        Precision::Digits(count) => {
            let count = count.max(1);
            (
                Digits::rounded(value, count),
                i32::try_from(count).unwrap_or(i32::MAX),
            )
        }
    };
    let length = i32::try_from(number.digits.len()).unwrap_or(i32::MAX);
    if precision != Precision::Shortest && limit > length && length >= number.point {
        limit = length;
    }
    let power = number.point - 1;
    let text = |range: &[u8]| String::from_utf8_lossy(range).into_owned();
    if power < -4 || power >= limit {
        let (first, rest) = number.digits.split_at(1.min(number.digits.len()));
        out.push_str(&text(first));
        if !rest.is_empty() {
            out.push('.');
            out.push_str(&text(rest));
        }
        push_power(out, if verb == 'G' { 'E' } else { 'e' }, power);
        return;
    }
    if number.point <= 0 {
        out.push('0');
        if !number.digits.is_empty() {
            out.push('.');
            out.extend(std::iter::repeat_n(
                '0',
                number.point.unsigned_abs() as usize,
            ));
            out.push_str(&text(&number.digits));
        }
        return;
    }
    let point = number.point.unsigned_abs() as usize;
    if number.digits.len() <= point {
        out.push_str(&text(&number.digits));
        out.extend(std::iter::repeat_n('0', point - number.digits.len()));
    } else {
        let (whole, part) = number.digits.split_at(point);
        out.push_str(&text(whole));
        out.push('.');
        out.push_str(&text(part));
    }
}

/// The mantissa and the power of two of a positive finite number, `mantissa × 2^power`.
fn split(value: f64) -> (u64, i32) {
    let bits = value.to_bits();
    let fraction = bits & ((1 << 52) - 1);
    let exponent = i32::try_from((bits >> 52) & 0x7ff).unwrap_or(0);
    if exponent == 0 {
        (fraction, -1074)
    } else {
        (fraction | (1 << 52), exponent - 1075)
    }
}

fn binary(out: &mut String, value: f64) {
    let (mantissa, power) = split(value);
    push!(out, "{mantissa}p{power:+}");
}

fn hexadecimal(out: &mut String, value: f64, verb: char, precision: Precision) {
    let (mut mantissa, mut power) = split(value);
    if mantissa == 0 {
        power = 0;
    } else {
        // One digit before the point, 60 bits behind it.
        let shift = mantissa.leading_zeros().saturating_sub(3);
        mantissa <<= shift;
        power += 60 - i32::try_from(shift).unwrap_or(0);
    }
    if let Precision::Digits(count) = precision
        && count < 15
    {
        let drop = u32::try_from((15 - count) * 4).unwrap_or(0);
        let rest = mantissa & ((1 << drop) - 1);
        let half = 1u64 << (drop - 1);
        mantissa >>= drop;
        if rest > half || (rest == half && mantissa & 1 == 1) {
            mantissa += 1;
        }
        mantissa <<= drop;
        if mantissa >> 61 != 0 {
            mantissa >>= 1;
            power += 1;
        }
    }
    let mut digits = format!("{:015x}", mantissa & ((1 << 60) - 1));
    match precision {
        Precision::Shortest => digits.truncate(digits.trim_end_matches('0').len()),
        Precision::Digits(count) => {
            digits.truncate(count);
            digits.extend(std::iter::repeat_n('0', count.saturating_sub(15)));
        }
    }
    let point = if digits.is_empty() { "" } else { "." };
    let text = format!("0x{}{point}{digits}", mantissa >> 60);
    let (text, letter) = if verb == 'X' {
        (text.to_uppercase(), 'P')
    } else {
        (text, 'p')
    };
    out.push_str(&text);
    push_power(out, letter, power);
}

/// `strconv.ParseFloat(text, 64)`: decimal, hexadecimal with `p`, infinities and NaN; `None` when it is no number or too large.
pub fn parse(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let negative = text.starts_with('-');
    let value = if unsigned.starts_with("0x") || unsigned.starts_with("0X") {
        parse_hexadecimal(unsigned.get(2..)?)?
    } else if unsigned.eq_ignore_ascii_case("inf") || unsigned.eq_ignore_ascii_case("infinity") {
        f64::INFINITY
    } else if unsigned.eq_ignore_ascii_case("nan") && unsigned.len() == text.len() {
        return Some(f64::NAN);
    } else if unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        unsigned
            .parse()
            .ok()
            .filter(|value: &f64| value.is_finite())?
    } else {
        return None;
    };
    Some(if negative { -value } else { value })
}

/// The part behind `0x`, up to 30 digits, with its exponent of two.
fn parse_hexadecimal(text: &str) -> Option<f64> {
    let (mantissa, power) = text.split_once(['p', 'P'])?;
    let mut power: i32 = power.parse().ok()?;
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: String = [whole, part].concat();
    if digits.len() > 30 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let number = u128::from_str_radix(&digits, 16).ok()?;
    power = power.checked_sub(i32::try_from(part.len()).ok()? * 4)?;
    #[expect(clippy::cast_precision_loss, reason = "rounds to the nearest double")]
    let mut value = number as f64;
    // In steps, so that neither a very small nor a very large power of two is rounded on its own.
    while power != 0 && value != 0.0 && value.is_finite() {
        let step = power.clamp(-1000, 1000);
        value *= 2f64.powi(step);
        power -= step;
    }
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::{Precision, format, parse};

    #[test]
    fn general_format_switches_to_an_exponent_where_go_does() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (8.0, "8"),
            (100_000.0, "100000"),
            (1_000_000.0, "1e+06"),
            (1_234_567.0, "1.234567e+06"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (123_456_789_012.0, "1.23456789012e+11"),
            (-2.5, "-2.5"),
            (1e300, "1e+300"),
        ] {
            assert_eq!(format(value, 'g', Precision::Shortest), text);
        }
        assert_eq!(format(1234.5, 'g', Precision::Digits(3)), "1.23e+03");
        assert_eq!(format(100.0, 'g', Precision::Digits(3)), "100");
        assert_eq!(format(1234.5, 'G', Precision::Digits(0)), "1E+03");
    }

    #[test]
    fn the_other_formats_look_like_go() {
        assert_eq!(format(8.0, 'e', Precision::Digits(6)), "8.000000e+00");
        assert_eq!(format(1e-7, 'e', Precision::Shortest), "1e-07");
        assert_eq!(format(2.675, 'f', Precision::Digits(2)), "2.67");
        assert_eq!(
            format(8.0, 'b', Precision::Shortest),
            "4503599627370496p-49"
        );
        assert_eq!(format(8.0, 'x', Precision::Shortest), "0x1p+03");
        assert_eq!(format(1.5, 'X', Precision::Digits(3)), "0X1.800P+00");
        assert_eq!(format(1.999, 'x', Precision::Digits(0)), "0x1p+01");
        assert_eq!(format(0.0, 'x', Precision::Shortest), "0x0p+00");
        assert_eq!(format(f64::INFINITY, 'g', Precision::Shortest), "+Inf");
    }

    #[test]
    fn numbers_are_read_as_go_reads_them() {
        for (text, value) in [
            ("1000", 1000.0),
            ("-1.5e3", -1500.0),
            ("+.5", 0.5),
            ("1.", 1.0),
            ("0x1.8p1", 3.0),
            ("-0X10P-4", -1.0),
            ("Inf", f64::INFINITY),
            ("-infinity", f64::NEG_INFINITY),
        ] {
            assert_eq!(parse(text), Some(value), "{text}");
        }
        for text in [
            "", "e5", ".", "1e400", "1 ", " 1", "1_000", "0x1", "+nan", "--1", "0xp1",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert!(parse("NaN").is_some_and(f64::is_nan));
    }
}
