//! How the time of an invocation is divided between reading and publishing.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The longest that Lambda lets a function run.
const LONGEST: Duration = Duration::from_secs(900);

/// Time that is kept at the very end, to log what could not be published and to answer.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// The least that is kept for publishing, however narrow the margin: a first connection to SNS,
/// and another attempt if the first was refused.
const LEAST_MARGIN: Duration = Duration::from_secs(3);

/// The least that an attempt gets where there is that much time: a first connection to a far
/// Region must not be cut short only to be begun again.
const LEAST_ATTEMPT: Duration = Duration::from_secs(1);

/// How long one run may read and publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Time to read, from now.
    pub read: Duration,
    /// Time until publishing must be over, from now.
    pub publish: Duration,
    /// The longest that one attempt at a request may take: a quarter of the time to read, so that
    /// a connection that hangs leaves room for other attempts.
    pub attempt: Duration,
}

impl Budget {
    /// Divides what is left until the deadline, which Lambda gives in milliseconds since the
    /// epoch, and of which `margin` is kept for publishing. At least a tenth of what is left goes
    /// to reading, however wide the margin.
    ///
    /// A deadline in the past, which is what `cargo lambda watch` gives, counts as none.
    pub fn new(deadline_ms: u64, now: SystemTime, margin: Duration) -> Budget {
        let deadline = UNIX_EPOCH.checked_add(Duration::from_millis(deadline_ms));
        let left = deadline
            .and_then(|deadline| deadline.duration_since(now).ok())
            .filter(|left| !left.is_zero())
            .map_or(LONGEST, |left| left.min(LONGEST));
        let read = left.saturating_sub(margin.max(LEAST_MARGIN)).max(left / 10);
        let publish = left.saturating_sub(LAST_WORDS).max(read);
        Budget { read, publish, attempt: (read / 4).max(LEAST_ATTEMPT).min(read) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARGIN: Duration = Duration::from_secs(10);

    fn budget(left_ms: i64) -> Budget {
        let now_ms = 1_800_000_000_000_i64;
        let now = UNIX_EPOCH + Duration::from_millis(now_ms.unsigned_abs());
        Budget::new((now_ms + left_ms).unsigned_abs(), now, MARGIN)
    }

    #[test]
    fn the_margin_is_kept_for_publishing() {
        assert_eq!(budget(60_000).read, Duration::from_secs(50));
        assert_eq!(budget(60_000).publish, Duration::from_millis(59_500));
        assert_eq!(budget(12_000).read, Duration::from_secs(2));
    }

    #[test]
    fn no_margin_at_all_still_leaves_time_to_publish() {
        let now = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let budget = Budget::new(1_800_000_060_000, now, Duration::ZERO);
        assert_eq!((budget.read, budget.publish), (Duration::from_secs(57), Duration::from_millis(59_500)));
    }

    #[test]
    fn a_margin_wider_than_what_is_left_still_leaves_time_to_read() {
        assert_eq!(budget(5_000).read, Duration::from_millis(500));
        assert_eq!(budget(5_000).publish, Duration::from_millis(4_500));
    }

    #[test]
    fn a_relative_or_past_deadline_ends_no_run() {
        let now = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        for deadline_ms in [0, 600_000, 1_799_999_999_000] {
            assert_eq!(Budget::new(deadline_ms, now, MARGIN).read, Duration::from_secs(890), "{deadline_ms}");
        }
        assert_eq!(Budget::new(u64::MAX, now, MARGIN).read, Duration::from_secs(890));
    }
}
