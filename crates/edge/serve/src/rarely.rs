//! When is it time to say something again that may happen a thousand times a second?

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long it is kept quiet after something was said.
const QUIET: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub(crate) struct Rarely(Mutex<Said>);

#[derive(Debug, Default)]
struct Said {
    last: Option<Instant>,
    unsaid: u64,
}

impl Rarely {
    /// Whether to say it now, and how many times it was not said since the last time.
    pub(crate) fn due(&self) -> Option<u64> {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if said
            .last
            .is_some_and(|last| now.duration_since(last) < QUIET)
        {
            said.unsaid += 1;
            return None;
        }
        said.last = Some(now);
        Some(std::mem::take(&mut said.unsaid))
    }
}

#[cfg(test)]
mod tests {
    use super::{QUIET, Rarely};

    #[tokio::test(start_paused = true)]
    async fn it_is_said_once_in_a_while_with_a_count_of_the_rest() {
        let rarely = Rarely::default();
        assert_eq!(rarely.due(), Some(0));
        assert_eq!((rarely.due(), rarely.due()), (None, None));
        tokio::time::advance(QUIET).await;
        assert_eq!(rarely.due(), Some(2));
        assert_eq!(rarely.due(), None);
    }
}
