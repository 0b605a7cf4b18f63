//! Dimensions: by what is broken down and filtered.
use core::fmt;

pub use headwater_core::VisitDimension as VisitProperty;
use serde::{Deserialize, Serialize};

/// A dimension of the contract.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dimension {
    /// `event:name`.
    Name,
    /// `event:page`.
    Page,
    /// `event:hostname`.
    Hostname,
    /// `event:goal`.
    Goal,
    /// `event:currency`: of the event's value; our own.
    Currency,
    /// `event:props:*`, with the property's name.
    Prop(String),
    /// A property of the visit.
    Visit(VisitProperty),
    /// `visit:exit_page`.
    ExitPage,
    /// `time` and `time:*`.
    Time(TimeDimension),
}

/// How time is parted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimeDimension {
    /// `time`: what suits the range.
    Auto,
    /// `time:minute`.
    Minute,
    /// `time:hour`.
    Hour,
    /// `time:day`.
    Day,
    /// `time:week`, from Monday.
    Week,
    /// `time:month`.
    Month,
}

impl TimeDimension {
    /// The name in queries.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "time",
            Self::Minute => "time:minute",
            Self::Hour => "time:hour",
            Self::Day => "time:day",
            Self::Week => "time:week",
            Self::Month => "time:month",
        }
    }
}

impl Dimension {
    /// The names that can be asked for, for messages; `event:props:` is followed by the property's name.
    pub const NAMES: &'static [&'static str] = &[
        "event:page",
        "event:name",
        "event:goal",
        "event:hostname",
        "event:currency",
        "event:props:*",
        "visit:source",
        "visit:referrer",
        "visit:channel",
        "visit:utm_source",
        "visit:utm_medium",
        "visit:utm_campaign",
        "visit:utm_content",
        "visit:utm_term",
        "visit:country",
        "visit:region",
        "visit:city",
        "visit:device",
        "visit:browser",
        "visit:browser_version",
        "visit:os",
        "visit:os_version",
        "visit:language",
        "visit:screen",
        "visit:entry_page",
        "visit:exit_page",
        "time",
        "time:minute",
        "time:hour",
        "time:day",
        "time:week",
        "time:month",
    ];

    /// The dimension of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "event:name" => Self::Name,
            "event:page" => Self::Page,
            "event:hostname" => Self::Hostname,
            "event:goal" => Self::Goal,
            "event:currency" => Self::Currency,
            "visit:exit_page" => Self::ExitPage,
            "time" => Self::Time(TimeDimension::Auto),
            "time:minute" => Self::Time(TimeDimension::Minute),
            "time:hour" => Self::Time(TimeDimension::Hour),
            "time:day" => Self::Time(TimeDimension::Day),
            "time:week" => Self::Time(TimeDimension::Week),
            "time:month" => Self::Time(TimeDimension::Month),
            _ => match name.strip_prefix("event:props:") {
                Some("") => return None,
                Some(key) => Self::Prop(key.to_owned()),
                None => Self::Visit(*VisitProperty::ALL.iter().find(|d| d.name() == name)?),
            },
        })
    }

    /// Whether it is a property of single events, so that it chooses event tuples and not visits.
    #[must_use]
    pub const fn is_event(&self) -> bool {
        matches!(self, Self::Name | Self::Page | Self::Hostname | Self::Goal | Self::Currency | Self::Prop(_))
    }

    /// Whether it has rows of values that [buckets](crate::Buckets) can tell.
    #[must_use]
    pub const fn has_rows(&self) -> bool {
        matches!(self, Self::Name | Self::Page | Self::Hostname | Self::Visit(_) | Self::Prop(_))
    }

    /// How time is parted, if this is a time dimension.
    #[must_use]
    pub const fn time(&self) -> Option<TimeDimension> {
        match self {
            Self::Time(time) => Some(*time),
            _ => None,
        }
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "event:name",
            Self::Page => "event:page",
            Self::Hostname => "event:hostname",
            Self::Goal => "event:goal",
            Self::Currency => "event:currency",
            Self::ExitPage => "visit:exit_page",
            Self::Visit(property) => property.name(),
            Self::Time(time) => time.name(),
            Self::Prop(key) => return write!(f, "event:props:{key}"),
        })
    }
}

impl Serialize for Dimension {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Dimension {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::from_name(&name).ok_or_else(|| serde::de::Error::custom(format_args!("{name:?} is no dimension")))
    }
}
