//! How the time of an invocation is divided between reading and publishing.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

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

/// The longest that one read waits for another.
const LONGEST_PATIENCE: Duration = Duration::from_secs(1);

/// The moments of an invocation at which something has to be over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Reading.
    pub cut: Instant,
    /// Publishing.
    pub end: Instant,
    /// One attempt at a request, this long after it was begun: a quarter of the time to read, so that
    /// a connection that hangs leaves room for other attempts.
    pub attempt: Duration,
    /// How long one read waits for another, which may hang: an eighth of the time to read, a second at most.
    pub patience: Duration,
}

impl Budget {
    /// Divides what is left, from `start` on, until the deadline, which Lambda gives in milliseconds
    /// since the epoch, and of which `margin` is kept for publishing. At least a tenth of what is left
    /// goes to reading, however wide the margin.
    ///
    /// A deadline in the past, which is what `cargo lambda watch` gives, counts as none.
    pub fn new(deadline_ms: u64, now: SystemTime, start: Instant, margin: Duration) -> Budget {
        let deadline = UNIX_EPOCH.checked_add(Duration::from_millis(deadline_ms));
        let left = deadline
            .and_then(|deadline| deadline.duration_since(now).ok())
            .filter(|left| !left.is_zero())
            .map_or(LONGEST, |left| left.min(LONGEST));
        let read = left.saturating_sub(margin.max(LEAST_MARGIN)).max(left / 10);
        let publish = left.saturating_sub(LAST_WORDS).max(read);
        Budget {
            cut: start + read,
            end: start + publish,
            attempt: (read / 4).max(LEAST_ATTEMPT).min(read),
            patience: (read / 8).min(LONGEST_PATIENCE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARGIN: Duration = Duration::from_secs(10);
    const NOW: Duration = Duration::from_secs(1_800_000_000);

    /// Time to read, time until publishing is over, and time for an attempt, in milliseconds.
    fn divided(deadline_ms: u64, margin: Duration) -> [u128; 3] {
        let start = Instant::now();
        let budget = Budget::new(deadline_ms, UNIX_EPOCH + NOW, start, margin);
        [budget.cut - start, budget.end - start, budget.attempt].map(|time| time.as_millis())
    }

    fn with_left(left_ms: u64) -> [u128; 3] {
        divided(NOW.as_millis() as u64 + left_ms, MARGIN)
    }

    #[test]
    fn the_margin_is_kept_for_publishing() {
        assert_eq!(with_left(60_000), [50_000, 59_500, 12_500]);
        assert_eq!(with_left(12_000), [2_000, 11_500, 1_000]);
    }

    #[test]
    fn patience_is_a_second_or_a_part_of_little_time() {
        let patience = |left_ms: u64| {
            let deadline = NOW.as_millis() as u64 + left_ms;
            Budget::new(deadline, UNIX_EPOCH + NOW, Instant::now(), MARGIN).patience.as_millis()
        };
        assert_eq!([60_000, 18_000, 12_000, 5_000].map(patience), [1_000, 1_000, 250, 62]);
    }

    #[test]
    fn no_margin_at_all_still_leaves_time_to_publish() {
        assert_eq!(divided(NOW.as_millis() as u64 + 60_000, Duration::ZERO), [57_000, 59_500, 14_250]);
    }

    #[test]
    fn a_margin_wider_than_what_is_left_still_leaves_time_to_read() {
        assert_eq!(with_left(5_000), [500, 4_500, 500]);
        assert_eq!(with_left(100), [10, 10, 10]);
    }

    #[test]
    fn a_relative_or_past_deadline_ends_no_run() {
        for deadline_ms in [0, 600_000, NOW.as_millis() as u64 - 1000, NOW.as_millis() as u64, u64::MAX] {
            assert_eq!(divided(deadline_ms, MARGIN), [890_000, 899_500, 222_500], "{deadline_ms}");
        }
    }
}
