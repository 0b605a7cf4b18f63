//! The realtime answer and the frames of the live feed.
use headwater_core::Minute;
use serde::{Deserialize, Serialize};

use crate::DateTime;

/// `GET /api/v1/sites/{site}/realtime`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Realtime {
    /// Distinct visitors of the last 5 minutes.
    pub visitors: u64,
    /// Events of the last 5 minutes, page views among them.
    pub events: u64,
    /// The last 60 minutes, oldest first; the last one is the current minute.
    pub minutes: Vec<RealtimeMinute>,
}

/// One minute of [`Realtime`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RealtimeMinute {
    /// Its start, written `2026-11-22T10:00:00Z`.
    #[serde(with = "utc")]
    pub time: Minute,
    /// Page views.
    pub pageviews: u64,
    /// Distinct visitors of this minute.
    pub visitors: u64,
}

/// A frame of `GET /api/v1/sites/{site}/live`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, try_from = "AnyFrame")]
pub enum LiveFrame {
    /// What changed.
    Changes {
        /// To be handed back as `?since=` after a broken connection.
        cursor: String,
        /// The minutes that changed, oldest first.
        minutes: Vec<LiveMinute>,
    },
    /// The cursor handed in is too old: ask for everything again.
    Reset {
        /// Always true.
        reset: bool,
    },
}

/// A frame as it is read: the fields of both.
#[derive(Deserialize)]
struct AnyFrame {
    cursor: Option<String>,
    #[serde(default)]
    minutes: Vec<LiveMinute>,
    #[serde(default)]
    reset: bool,
}

impl TryFrom<AnyFrame> for LiveFrame {
    type Error = &'static str;

    fn try_from(read: AnyFrame) -> Result<Self, Self::Error> {
        match read {
            AnyFrame { cursor: Some(cursor), minutes, .. } => Ok(Self::Changes { cursor, minutes }),
            AnyFrame { reset: true, .. } => Ok(Self::Reset { reset: true }),
            _ => Err("a frame has a cursor, or says that it is reset"),
        }
    }
}

/// A minute that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveMinute {
    /// Its start, written `2026-11-22T10:00:00Z`.
    #[serde(with = "utc")]
    pub minute: Minute,
    /// The rows that changed.
    pub changes: Vec<Change>,
}

/// A row's values in a minute: absolute, so that telling them twice does no harm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// As in queries; empty for the total.
    pub dimension: String,
    /// The dimension's value; empty for the total.
    pub value: String,
    /// Page views.
    pub pageviews: u64,
    /// Events, page views among them.
    pub events: u64,
    /// Distinct visitors of the minute.
    pub visitors: u64,
}

/// Minutes in JSON: RFC 3339 in UTC.
mod utc {
    use super::{DateTime, Minute};
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(minute: &Minute, serializer: S) -> Result<S::Ok, S::Error> {
        let at = DateTime::from_unix(i64::from(minute.0) * 60);
        serializer.collect_str(&format_args!("{}T{:02}:{:02}:00Z", at.date, at.hour, at.minute))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Minute, D::Error> {
        let text = String::deserialize(deserializer)?;
        let at = DateTime::parse(&text).and_then(|(at, offset)| {
            let seconds = at.to_unix() - offset?;
            u32::try_from(seconds.div_euclid(60)).ok()
        });
        at.map(Minute).ok_or_else(|| serde::de::Error::custom("a time is written 2026-11-22T10:00:00Z"))
    }
}
