//! How long buckets are kept.
use headwater_core::{Grain, Minute};
use headwater_query::Span;
use serde::{Deserialize, Serialize};

/// Days that the buckets of each grain are kept, `None` for ever. Retention only deletes: coarser buckets stand alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// Minutes, samples included.
    pub minutes: Option<u32>,
    /// Hours.
    pub hours: Option<u32>,
    /// The samples of hours, which answer filters.
    pub hour_samples: Option<u32>,
    /// Days.
    pub days: Option<u32>,
    /// The samples of days.
    pub day_samples: Option<u32>,
}

impl Default for Retention {
    fn default() -> Self {
        Self { minutes: Some(2), hours: Some(90), hour_samples: Some(9), days: None, day_samples: None }
    }
}

impl Retention {
    /// The field that makes no sense, and what would.
    ///
    /// # Errors
    /// A period below one day, or samples kept longer than their buckets.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        let longer = |samples: Option<u32>, buckets: Option<u32>| match (samples, buckets) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(samples), Some(buckets)) => samples > buckets,
        };
        let fields = [
            ("retention.minutes", self.minutes),
            ("retention.hours", self.hours),
            ("retention.hour_samples", self.hour_samples),
            ("retention.days", self.days),
            ("retention.day_samples", self.day_samples),
        ];
        if let Some((field, _)) = fields.into_iter().find(|(_, days)| *days == Some(0)) {
            return Err((field, "at least 1 day, or null for ever"));
        }
        if longer(self.hour_samples, self.hours) {
            return Err(("retention.hour_samples", "at most as long as retention.hours"));
        }
        if longer(self.day_samples, self.days) {
            return Err(("retention.day_samples", "at most as long as retention.days"));
        }
        Ok(())
    }

    /// How many days the buckets of a grain and their samples are kept.
    #[must_use]
    pub const fn days(&self, grain: Grain) -> (Option<u32>, Option<u32>) {
        match grain {
            Grain::Minute => (self.minutes, self.minutes),
            Grain::Hour => (self.hours, self.hour_samples),
            Grain::Day => (self.days, self.day_samples),
        }
    }

    /// Whether a bucket is still kept at `now`, and whether its sample is.
    #[must_use]
    pub fn keeps(&self, grain: Grain, span: Span, now: Minute) -> (bool, bool) {
        let kept = |days: Option<u32>| days.is_none_or(|days| span.end.0.saturating_add(days.saturating_mul(24 * 60)) > now.0);
        let (buckets, samples) = self.days(grain);
        (kept(buckets), kept(samples))
    }
}
