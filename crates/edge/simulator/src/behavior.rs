//! How is an object asked to behave, and what does it look like after some time?

use std::time::Duration;

use purlin_api::meta;
use serde_json::Value;

use crate::Options;

/// The annotation that says how an object behaves.
pub const ANNOTATION_BEHAVIOR: &str = "simulator.purlin.dev/behavior";
/// The annotation that says how long it takes, for example `5s`, `500ms` or `1m30s`.
pub const ANNOTATION_DELAY: &str = "simulator.purlin.dev/delay";

/// How an object behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behavior {
    /// Ready after a short while.
    Ready,
    /// Ready after a long while.
    Slow,
    /// Ready, not ready, ready again, and so on.
    Flapping,
    /// Never ready; every reconcile fails.
    Failing,
}

/// What an object looks like at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Creating,
    Available,
    Unavailable,
    Failed,
}

impl Behavior {
    /// What the object's annotation says; anything it does not know is ready.
    pub fn of(object: &Value) -> Self {
        match meta::annotation(object, ANNOTATION_BEHAVIOR) {
            "slow" => Self::Slow,
            "flapping" => Self::Flapping,
            "failing" => Self::Failing,
            _ => Self::Ready,
        }
    }
}

/// What an object looks like `elapsed` after it was first seen, and when that changes next.
///
/// One that was ready before (`was_ready`: the provider was restarted) does not start again.
pub(crate) fn phase(
    object: &Value,
    elapsed: Duration,
    was_ready: bool,
    options: &Options,
) -> (Phase, Option<Duration>) {
    let asked = duration(meta::annotation(object, ANNOTATION_DELAY));
    let until_ready = |usual: Duration| {
        let delay = asked.unwrap_or(usual);
        if was_ready || elapsed >= delay {
            (Phase::Available, None)
        } else {
            (Phase::Creating, Some(delay.saturating_sub(elapsed)))
        }
    };
    match Behavior::of(object) {
        Behavior::Ready => until_ready(options.delay),
        Behavior::Slow => until_ready(options.slow),
        Behavior::Failing => (Phase::Failed, None),
        Behavior::Flapping => {
            // The shortest period keeps a typing mistake from becoming a busy loop.
            let period = asked
                .unwrap_or(options.flap)
                .max(Duration::from_millis(100));
            let turns = elapsed.as_millis() / period.as_millis();
            let into = elapsed.as_millis() % period.as_millis();
            let left =
                period.saturating_sub(Duration::from_millis(u64::try_from(into).unwrap_or(0)));
            let phase = if turns.is_multiple_of(2) {
                Phase::Available
            } else {
                Phase::Unavailable
            };
            (phase, Some(left))
        }
    }
}

/// Reads a Go duration of hours, minutes, seconds and milliseconds.
fn duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(digits);
        let unit = after
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(unit);
        let seconds = match unit {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        let part = number.parse::<f64>().ok()? * seconds;
        total = total.checked_add(Duration::try_from_secs_f64(part).ok()?)?;
        rest = after;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[expect(clippy::needless_pass_by_value, reason = "cases read better so")]
    fn check(annotations: Value, millis: u64, was_ready: bool, expect: (Phase, Option<u64>)) {
        let object = json!({"metadata": {"annotations": annotations}});
        let (phase, wait) = phase(
            &object,
            Duration::from_millis(millis),
            was_ready,
            &Options::default(),
        );
        let wait = wait.map(|wait| u64::try_from(wait.as_millis()).unwrap());
        assert_eq!((phase, wait), expect, "{object} after {millis} ms");
    }

    #[test]
    fn annotations_steer() {
        check(json!({}), 0, false, (Phase::Creating, Some(300)));
        check(json!({}), 300, false, (Phase::Available, None));
        check(
            json!({ANNOTATION_DELAY: "2s"}),
            500,
            false,
            (Phase::Creating, Some(1500)),
        );
        check(
            json!({ANNOTATION_DELAY: "2s"}),
            500,
            true,
            (Phase::Available, None),
        );
        check(
            json!({ANNOTATION_BEHAVIOR: "slow"}),
            0,
            false,
            (Phase::Creating, Some(30_000)),
        );
        check(
            json!({ANNOTATION_BEHAVIOR: "failing"}),
            99_000,
            false,
            (Phase::Failed, None),
        );
        let flapping = json!({ANNOTATION_BEHAVIOR: "flapping", ANNOTATION_DELAY: "1s"});
        check(flapping.clone(), 200, false, (Phase::Available, Some(800)));
        check(flapping, 1200, true, (Phase::Unavailable, Some(800)));
    }

    #[test]
    fn durations_are_those_of_go() {
        assert_eq!(duration("1m30s"), Some(Duration::from_secs(90)));
        assert_eq!(duration("1.5s"), Some(Duration::from_millis(1500)));
        for bad in ["", "5", "x", "5y", "s"] {
            assert_eq!(duration(bad), None, "{bad}");
        }
    }
}
