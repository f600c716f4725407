//! Functions of texts. Positions count characters, as CEL does.

use super::{Asked, Function, count, global, int, make_text, member, text};
use crate::list::List;
use crate::outcome::Raise;
use crate::value::Val;

pub(super) static FUNCTIONS: &[Function] = &[
    member("contains", 1, contains),
    member("startsWith", 1, starts_with),
    member("endsWith", 1, ends_with),
    member("charAt", 1, char_at),
    member("indexOf", 1, index_of).up_to(2),
    member("lastIndexOf", 1, last_index_of).up_to(2),
    member("lowerAscii", 0, lower),
    member("upperAscii", 0, upper),
    member("replace", 2, replace).up_to(3),
    member("split", 1, split).up_to(2),
    member("substring", 1, substring).up_to(2),
    member("trim", 0, trim),
    member("join", 0, join).up_to(1),
    member("format", 1, format),
    member("reverse", 0, reverse),
    global("strings.quote", 1, quote),
];

fn contains<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let (whole, part) = (text(&args[0])?, text(&args[1])?);
    asked.meter.read(whole.len())?;
    Ok(Val::Bool(whole.contains(part)))
}

fn starts_with<'a>(_: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    Ok(Val::Bool(text(&args[0])?.starts_with(text(&args[1])?)))
}

fn ends_with<'a>(_: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    Ok(Val::Bool(text(&args[0])?.ends_with(text(&args[1])?)))
}

fn position(index: i64, len: usize) -> Result<usize, Raise> {
    usize::try_from(index)
        .ok()
        .filter(|at| *at <= len)
        .ok_or_else(|| {
            Raise::range(format!(
                "position {index} is outside of a text of {len} characters"
            ))
        })
}

fn char_at<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let chars = characters(asked, &args[0])?;
    let at = position(int(&args[1])?, chars.len())?;
    Ok(Val::text(
        chars.get(at).map(char::to_string).unwrap_or_default(),
    ))
}

fn characters(asked: &mut Asked<'_>, value: &Val<'_>) -> Result<Vec<char>, Raise> {
    let text = text(value)?;
    asked.meter.make(text.len() * 4)?;
    Ok(text.chars().collect())
}

fn index_of<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    if let Val::List(_) = &args[0] {
        return super::lists::index_of(asked, args);
    }
    let (whole, part) = (characters(asked, &args[0])?, characters(asked, &args[1])?);
    let from = match args.get(2) {
        Some(from) => position(int(from)?, whole.len())?,
        None => 0,
    };
    asked
        .meter
        .spend((whole.len() * part.len().max(1)) as u64 / 10)?;
    if part.is_empty() {
        return Ok(Val::Int(count(from)));
    }
    let found = whole[from..]
        .windows(part.len())
        .position(|window| window == part);
    Ok(Val::Int(found.map_or(-1, |at| count(at + from))))
}

fn last_index_of<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    if let Val::List(_) = &args[0] {
        return super::lists::last_index_of(asked, args);
    }
    let (whole, part) = (characters(asked, &args[0])?, characters(asked, &args[1])?);
    let from = match args.get(2) {
        Some(from) => position(int(from)?, whole.len())?,
        None => whole.len(),
    };
    asked
        .meter
        .spend((whole.len() * part.len().max(1)) as u64 / 10)?;
    if part.is_empty() {
        return Ok(Val::Int(count(from)));
    }
    let found = whole
        .windows(part.len())
        .enumerate()
        .rfind(|(at, window)| *at <= from && *window == part);
    Ok(Val::Int(found.map_or(-1, |(at, _)| count(at))))
}

fn lower<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let made = text(&args[0])?.to_ascii_lowercase();
    make_text(asked, made)
}

fn upper<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let made = text(&args[0])?.to_ascii_uppercase();
    make_text(asked, made)
}

fn replace<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let (whole, from, to) = (text(&args[0])?, text(&args[1])?, text(&args[2])?);
    let times = match args.get(3) {
        Some(times) => usize::try_from(int(times)?).unwrap_or(usize::MAX),
        None => usize::MAX,
    };
    asked.meter.read(whole.len())?;
    let hits = whole.matches(from).take(times).count();
    asked
        .meter
        .make(whole.len() + hits.saturating_mul(to.len()))?;
    Ok(Val::text(whole.replacen(from, to, times)))
}

fn split<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let (whole, by) = (text(&args[0])?, text(&args[1])?);
    let limit = match args.get(2) {
        Some(limit) => usize::try_from(int(limit)?).unwrap_or(usize::MAX),
        None => usize::MAX,
    };
    asked.meter.make(whole.len())?;
    let parts: Vec<String> = if by.is_empty() {
        let chars: Vec<char> = whole.chars().collect();
        let single = chars.len().min(limit.saturating_sub(1));
        let mut parts: Vec<String> = chars[..single].iter().map(char::to_string).collect();
        if single < chars.len() && limit > 0 {
            parts.push(chars[single..].iter().collect());
        }
        parts
    } else {
        whole.splitn(limit, by).map(str::to_owned).collect()
    };
    asked.meter.values(parts.len())?;
    Ok(Val::List(List::owned(
        parts.into_iter().map(Val::text).collect(),
    )))
}

fn substring<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let chars = characters(asked, &args[0])?;
    let from = position(int(&args[1])?, chars.len())?;
    let to = match args.get(2) {
        Some(to) => position(int(to)?, chars.len())?,
        None => chars.len(),
    };
    if from > to {
        return Err(Raise::range(format!(
            "the part from {from} to {to} has its end before its start"
        )));
    }
    Ok(Val::text(chars[from..to].iter().collect::<String>()))
}

fn trim<'a>(_: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    Ok(Val::text(text(&args[0])?.trim().to_owned()))
}

fn join<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let Val::List(list) = &args[0] else {
        return Err(Raise::Types);
    };
    let between = match args.get(1) {
        Some(between) => text(between)?,
        None => "",
    };
    let mut made = String::new();
    for (at, item) in list.items().iter().enumerate() {
        let item = text(item)?;
        asked.meter.make(item.len() + between.len())?;
        if at > 0 {
            made.push_str(between);
        }
        made.push_str(item);
    }
    Ok(Val::text(made))
}

fn reverse<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    if let Val::List(list) = &args[0] {
        asked.meter.values(list.len())?;
        let mut items = list.items();
        items.reverse();
        return Ok(Val::List(List::owned(items)));
    }
    let made = characters(asked, &args[0])?.into_iter().rev().collect();
    make_text(asked, made)
}

fn quote<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let mut made = String::from("\"");
    for c in text(&args[0])?.chars() {
        match c {
            '\x07' => made.push_str("\\a"),
            '\x08' => made.push_str("\\b"),
            '\x0c' => made.push_str("\\f"),
            '\n' => made.push_str("\\n"),
            '\r' => made.push_str("\\r"),
            '\t' => made.push_str("\\t"),
            '\x0b' => made.push_str("\\v"),
            '\\' => made.push_str("\\\\"),
            '"' => made.push_str("\\\""),
            c => made.push(c),
        }
    }
    made.push('"');
    make_text(asked, made)
}

/// Longest precision of `%.nf`.
const PRECISION: usize = 100;

fn format<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let Val::List(values) = &args[1] else {
        return Err(Raise::Types);
    };
    let mut values = values.items().into_iter();
    let mut made = String::new();
    let mut chars = text(&args[0])?.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            made.push(c);
            continue;
        }
        let mut clause = chars.next();
        if clause == Some('%') {
            made.push('%');
            continue;
        }
        let mut precision = None;
        if clause == Some('.') {
            let mut digits = 0_usize;
            clause = chars.next();
            while let Some(digit) = clause.and_then(|c| c.to_digit(10)) {
                digits = digits.saturating_mul(10).saturating_add(digit as usize);
                clause = chars.next();
            }
            if digits > PRECISION {
                return Err(Raise::argument(format!(
                    "at most {PRECISION} digits can be asked for"
                )));
            }
            precision = Some(digits);
        }
        let Some(clause) = clause else {
            return Err(Raise::argument("the format ends inside of a `%` clause"));
        };
        let value = values
            .next()
            .ok_or_else(|| Raise::argument("there are more `%` clauses than values"))?;
        let part = clause_text(asked, clause, precision, &value)?;
        asked.meter.make(part.len())?;
        made.push_str(&part);
    }
    make_text(asked, made)
}

fn clause_text(
    asked: &mut Asked<'_>,
    clause: char,
    precision: Option<usize>,
    value: &Val<'_>,
) -> Result<String, Raise> {
    let wrong = || Raise::argument(format!("`%{clause}` does not take {}", value.type_name()));
    let signed = |negative: bool, digits: String| {
        if negative {
            format!("-{digits}")
        } else {
            digits
        }
    };
    Ok(match (clause, value) {
        ('s', value) => shown(asked, value)?,
        ('d', Val::Int(i)) => i.to_string(),
        ('d', Val::UInt(u)) => u.to_string(),
        ('d' | 'f' | 'e', Val::Double(d)) if !d.is_finite() => special_number(*d),
        ('d', Val::Double(d)) if d.fract() == 0.0 => format!("{d:.0}"),
        ('f', value) => format!(
            "{:.*}",
            precision.unwrap_or(6),
            as_double(value).ok_or_else(wrong)?
        ),
        ('e', value) => {
            let text = format!(
                "{:.*e}",
                precision.unwrap_or(6),
                as_double(value).ok_or_else(wrong)?
            );
            match text.split_once('e') {
                Some((digits, exponent)) => match exponent.strip_prefix('-') {
                    Some(number) => format!("{digits}e-{number:0>2}"),
                    None => format!("{digits}e+{exponent:0>2}"),
                },
                None => text,
            }
        }
        ('b', Val::Bool(b)) => u8::from(*b).to_string(),
        ('b', Val::Int(i)) => signed(*i < 0, format!("{:b}", i.unsigned_abs())),
        ('b', Val::UInt(u)) => format!("{u:b}"),
        ('o', Val::Int(i)) => signed(*i < 0, format!("{:o}", i.unsigned_abs())),
        ('o', Val::UInt(u)) => format!("{u:o}"),
        ('x', Val::Int(i)) => signed(*i < 0, format!("{:x}", i.unsigned_abs())),
        ('X', Val::Int(i)) => signed(*i < 0, format!("{:X}", i.unsigned_abs())),
        ('x', Val::UInt(u)) => format!("{u:x}"),
        ('X', Val::UInt(u)) => format!("{u:X}"),
        ('x', Val::String(text)) => hex(text.as_str().as_bytes()),
        ('X', Val::String(text)) => hex(text.as_str().as_bytes()).to_uppercase(),
        ('x', Val::Bytes(bytes)) => hex(bytes),
        ('X', Val::Bytes(bytes)) => hex(bytes).to_uppercase(),
        ('d' | 'b' | 'o' | 'x' | 'X', _) => return Err(wrong()),
        (other, _) => return Err(Raise::argument(format!("there is no `%{other}` clause"))),
    })
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    bytes
        .iter()
        .flat_map(|b| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]])
        .collect()
}

fn as_double(value: &Val<'_>) -> Option<f64> {
    match value {
        Val::Double(d) => Some(*d),
        Val::Int(i) => Some(crate::ops::to_double(*i)),
        Val::UInt(u) => Some(crate::ops::unsigned_to_double(*u)),
        _ => None,
    }
}

fn special_number(d: f64) -> String {
    if d.is_nan() {
        "NaN"
    } else if d > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
    .to_owned()
}

/// `%s`: any value, lists and maps included.
fn shown(asked: &mut Asked<'_>, value: &Val<'_>) -> Result<String, Raise> {
    let made = match value {
        Val::Null => "null".to_owned(),
        Val::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Val::Double(d) if d.is_nan() || d.is_infinite() => special_number(*d),
        Val::Type(name) => (*name).to_owned(),
        Val::List(list) => {
            let mut items = Vec::new();
            for item in list.items() {
                items.push(shown(asked, &item)?);
            }
            format!("[{}]", items.join(", "))
        }
        Val::Map(map) => {
            let mut entries = Vec::new();
            for (key, value) in map.entries().ok_or(Raise::Types)? {
                let key = shown(asked, &key.to_val())?;
                entries.push(format!("{key}: {}", shown(asked, &value)?));
            }
            entries.sort();
            format!("{{{}}}", entries.join(", "))
        }
        Val::Optional(_) => {
            return Err(Raise::argument(
                "`%s` does not take an optional: give it a default with `.orValue(…)`",
            ));
        }
        other => other.plain().map_err(|_| Raise::Types)?,
    };
    asked.meter.make(made.len() + 8)?;
    Ok(made)
}
