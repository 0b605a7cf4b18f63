//! Time as distinct types. A `Millis` becomes a `Minute` by [`Millis::minute`] and by nothing else; there is no
//! conversion back to a `Millis`, because the seconds are gone.
use serde::{Deserialize, Serialize};

/// A moment: milliseconds since 1970-01-01T00:00:00Z, leap seconds ignored as in Unix time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Millis(pub u64);

/// A UTC minute: whole minutes since 1970-01-01T00:00Z. The finest grain that is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Minute(pub u32);

impl Millis {
    /// The minute that holds this moment.
    #[must_use]
    pub const fn minute(self) -> Minute {
        let minute = self.0 / 60_000;
        Minute(if minute > u32::MAX as u64 { u32::MAX } else { minute as u32 })
    }

    /// This moment moved by `ms`, held at the ends of what can be written.
    #[must_use]
    pub const fn offset(self, ms: i64) -> Self {
        Self(self.0.saturating_add_signed(ms))
    }
}

impl Minute {
    /// This minute moved by `minutes`, held at the ends of what can be written.
    #[must_use]
    pub const fn offset(self, minutes: i32) -> Self {
        Self(self.0.saturating_add_signed(minutes))
    }
}

/// How long a bucket is. Hours and days follow the site's own clock, so an hour may repeat and a day may have 23.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grain {
    /// One UTC minute.
    Minute,
    /// One hour of the site's clock.
    Hour,
    /// One day of the site's clock.
    Day,
}

impl Grain {
    /// Every grain, finest first.
    pub const ALL: [Self; 3] = [Self::Minute, Self::Hour, Self::Day];

    /// The word for it, as in answers and settings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }
}
