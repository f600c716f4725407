//! What time is it, and what has nobody else? The only file of the engine that asks the machine.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

/// Now, as Kubernetes writes it: whole seconds in UTC.
pub(crate) fn now() -> String {
    jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string()
}

/// Now, with microseconds, as leases need it.
pub(crate) fn now_micro() -> String {
    jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%S.%6fZ")
        .to_string()
}

/// A word no other call in any process gets.
pub(crate) fn unique() -> String {
    format!("{:016x}", entropy())
}

/// Sixty-four unpredictable bits.
pub(crate) fn entropy() -> u64 {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let mut hasher = RandomState::new().build_hasher();
    hasher.write_u64(CALLS.fetch_add(1, Ordering::Relaxed));
    hasher.write_i128(jiff::Timestamp::now().as_nanosecond());
    hasher.finish()
}
