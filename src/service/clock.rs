//! The shell's clocks, in one place: what is measured here is never decided upon by the fold.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "ticks and latencies go by the shell's clock")]
pub fn wall_ms() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
}

/// Now, for measuring how long something takes.
#[expect(clippy::disallowed_methods, reason = "waits are measured by the shell's clock")]
pub fn instant() -> Instant {
    Instant::now()
}
