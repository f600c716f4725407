//! Functions of moments and lengths of time.

use super::{Asked, Function, global, member, text};
use crate::bridge;
use crate::outcome::Raise;
use crate::time::{self, Civil};
use crate::value::Val;

pub(super) static FUNCTIONS: &[Function] = &[
    global("timestamp", 1, timestamp),
    global("duration", 1, duration),
    member("getFullYear", 0, |_, a| part(a, "getFullYear", |c| c.year)).up_to(1),
    member("getMonth", 0, |_, a| part(a, "getMonth", |c| c.month - 1)).up_to(1),
    member("getDate", 0, |_, a| part(a, "getDate", |c| c.day)).up_to(1),
    member("getDayOfMonth", 0, |_, a| {
        part(a, "getDayOfMonth", |c| c.day - 1)
    })
    .up_to(1),
    member("getDayOfWeek", 0, |_, a| {
        part(a, "getDayOfWeek", |c| c.weekday)
    })
    .up_to(1),
    member("getDayOfYear", 0, |_, a| {
        part(a, "getDayOfYear", |c| c.day_of_year)
    })
    .up_to(1),
    member("getHours", 0, |_, a| {
        clock(a, "getHours", 3_600_000_000_000, |c| c.hour)
    })
    .up_to(1),
    member("getMinutes", 0, |_, a| {
        clock(a, "getMinutes", 60_000_000_000, |c| c.minute)
    })
    .up_to(1),
    member("getSeconds", 0, |_, a| {
        clock(a, "getSeconds", 1_000_000_000, |c| c.second)
    })
    .up_to(1),
    member("getMilliseconds", 0, |_, a| {
        clock(a, "getMilliseconds", 1_000_000, |c| c.nano / 1_000_000)
    })
    .up_to(1),
];

fn timestamp<'a>(_: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    match &args[0] {
        Val::Timestamp(_) => Ok(args[0].clone()),
        Val::Int(seconds) => time::timestamp(i128::from(*seconds) * 1_000_000_000),
        Val::String(text) => time::parse_timestamp(text.as_str())
            .map(Val::Timestamp)
            .ok_or_else(|| {
                Raise::argument(format!(
                    "{:?} is not a moment like 2024-01-31T12:00:00Z",
                    text.as_str()
                ))
            }),
        _ => Err(Raise::Types),
    }
}

fn duration<'a>(_: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    match &args[0] {
        Val::Duration(_) => Ok(args[0].clone()),
        Val::String(text) => time::parse_duration(text.as_str())
            .map(Val::Duration)
            .ok_or_else(|| {
                Raise::argument(format!(
                    "{:?} is not a length of time like 1h30m",
                    text.as_str()
                ))
            }),
        _ => Err(Raise::Types),
    }
}

fn part<'a>(args: &[Val<'a>], name: &str, pick: fn(Civil) -> i64) -> Result<Val<'a>, Raise> {
    let Val::Timestamp(nanos) = &args[0] else {
        return Err(Raise::Types);
    };
    let offset = match args.get(1) {
        None => 0,
        Some(zone) => {
            let zone = text(zone)?;
            match time::parse_offset(zone) {
                Some(offset) => offset,
                // A named zone needs the tables of the other interpreter.
                None => return bridge::zoned(name, *nanos, zone).map(Val::Int),
            }
        }
    };
    Ok(Val::Int(pick(time::civil(*nanos, offset))))
}

fn clock<'a>(
    args: &[Val<'a>],
    name: &str,
    unit: i64,
    pick: fn(Civil) -> i64,
) -> Result<Val<'a>, Raise> {
    match args {
        [Val::Duration(nanos)] => Ok(Val::Int(nanos / unit)),
        args => part(args, name, pick),
    }
}
