//! How long until a failed reconcile is tried again?

use std::time::Duration;

/// The wait after the `failures`-th failure in a row (from 1): doubling from `first`, never above `most`.
pub fn after(failures: u32, first: Duration, most: Duration) -> Duration {
    let doublings = failures.saturating_sub(1).min(20);
    first.saturating_mul(1 << doublings).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_most() {
        let wait = |n| after(n, Duration::from_millis(250), Duration::from_secs(30)).as_millis();
        assert_eq!(
            [wait(0), wait(1), wait(2), wait(3), wait(8), wait(400)],
            [250, 250, 500, 1000, 30_000, 30_000]
        );
    }
}
