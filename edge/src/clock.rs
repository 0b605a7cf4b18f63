//! The clock of an edge, corrected by its collector's: the `Date` of each answer (RFC 9110, section 6.6.1). Until the first
//! answer the edge's own counts.
use headwater_core::Millis;

/// A difference up to this many milliseconds, beyond what the request's duration explains, is left alone: `Date` tells
/// whole seconds, and a clock that moves with every answer would put one visit's events out of order.
const TOLERANCE: u64 = 2_000;
/// An answer that took longer than this in milliseconds says too little.
const SLOW: u64 = 10_000;

/// How far the edge's clock is from the collector's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Correction {
    /// To be added to the edge's clock, in milliseconds.
    offset: i64,
}

impl Correction {
    /// The time by the collector's clock, where the edge's says `own`.
    #[must_use]
    pub const fn apply(self, own: Millis) -> Millis {
        own.offset(self.offset)
    }

    /// Takes up an answer's `Date`. `sent` and `answered` are by the edge's own clock.
    pub fn observe(&mut self, sent: Millis, answered: Millis, date: &str) {
        let Some(date) = parse(date) else { return };
        let took = answered.0.saturating_sub(sent.0);
        if answered < sent || took > SLOW {
            return;
        }
        // Somewhere between the two, and somewhere in the second that the date names.
        let own = sent.0 + took / 2;
        let theirs = date.0 + 500;
        let offset = theirs.cast_signed().saturating_sub(own.cast_signed());
        let unexplained = offset.abs_diff(self.offset);
        if unexplained > TOLERANCE + took / 2 {
            // Back to the edge's own clock if that is good enough.
            self.offset = if offset.unsigned_abs() > TOLERANCE + took / 2 { offset } else { 0 };
        }
    }
}

/// A date of HTTP in any of its three forms.
fn parse(date: &str) -> Option<Millis> {
    let since = httpdate::parse_http_date(date).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    u64::try_from(since.as_millis()).ok().map(Millis)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn date(at: Millis) -> String {
        httpdate::fmt_http_date(std::time::UNIX_EPOCH + std::time::Duration::from_millis(at.0))
    }

    proptest! {
        #[test]
        fn a_wrong_clock_is_set_right_and_a_right_one_left_alone(
            now in 1_600_000_000_000..1_900_000_000_000u64, wrong in -86_400_000..86_400_000i64, there in 0..900u64, back in 0..900u64,
        ) {
            let own = |at: u64| Millis(at).offset(wrong);
            let mut clock = Correction::default();
            clock.observe(own(now), own(now + there + back), &date(Millis(now + there)));
            let shown = clock.apply(own(now)).0;
            prop_assert!(shown.abs_diff(now) <= TOLERANCE + 1500, "{shown} instead of {now}");
            if wrong.unsigned_abs() < 1000 {
                prop_assert_eq!(clock, Correction::default());
            }
            // Further answers of the same clock change nothing.
            let first = clock;
            clock.observe(own(now + 60_000), own(now + 60_000 + there + back), &date(Millis(now + 60_000 + there)));
            prop_assert_eq!(clock, first);
        }
    }

    #[test]
    fn what_is_no_date_or_came_too_late_changes_nothing() {
        let mut clock = Correction::default();
        clock.observe(Millis(5_000_000), Millis(5_000_100), "yesterday");
        clock.observe(Millis(5_000_000), Millis(5_900_000), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(clock, Correction::default());
        clock.observe(Millis(5_000_000), Millis(5_000_000), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(clock.apply(Millis(5_000_000)), Millis(784_111_777_500));
        // And back, once the edge's clock was set.
        clock.observe(Millis(784_111_777_100), Millis(784_111_777_200), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(clock, Correction::default());
    }
}
