//! `include.comparisons`: the same question about another time.
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::filter::shown;
use crate::{DateRange, Metric, MetricValue, QueryError};

/// With what the range is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compare {
    /// Which time.
    pub mode: CompareMode,
    /// Whether it is moved so that it begins on the same day of the week.
    pub match_day_of_week: bool,
}

/// Which time a range is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompareMode {
    /// `previous_period`: as many days, or as much time, right before.
    PreviousPeriod,
    /// `year_over_year`: the same dates of the year before.
    YearOverYear,
    /// `custom`: `date_range`.
    Custom(DateRange),
}

const KEYS: &str = "mode, date_range, match_day_of_week";
const MODES: &str = "one of \"previous_period\", \"year_over_year\", \"custom\"";

impl CompareMode {
    /// The name in queries.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PreviousPeriod => "previous_period",
            Self::YearOverYear => "year_over_year",
            Self::Custom(_) => "custom",
        }
    }
}

impl Compare {
    pub(crate) fn from_value(value: &Value, field: &str) -> Result<Self, QueryError> {
        let Value::Object(map) = value else {
            return Err(QueryError::invalid(field, shown(value), format!("an object with {KEYS}")));
        };
        if let Some(key) = map.keys().find(|key| !KEYS.split(", ").any(|known| known == key.as_str())) {
            return Err(QueryError::UnknownKey { field: format!("{field}.{key}"), allowed: KEYS.to_owned() });
        }
        let mode_field = format!("{field}.mode");
        let range_field = format!("{field}.date_range");
        let mode = map.get("mode").filter(|v| !v.is_null());
        let mode = mode.ok_or_else(|| QueryError::Missing { field: mode_field.clone(), allowed: MODES.to_owned() })?;
        let range = map.get("date_range").filter(|v| !v.is_null());
        let mode = match mode.as_str() {
            Some("custom") => {
                let allowed = "[from, to] with two dates or two date-times";
                let range =
                    range.ok_or_else(|| QueryError::Missing { field: range_field.clone(), allowed: allowed.to_owned() })?;
                match DateRange::from_value_at(range, &range_field)? {
                    range @ DateRange::Between(..) => CompareMode::Custom(range),
                    _ => return Err(QueryError::invalid(range_field, shown(range), allowed)),
                }
            }
            Some(name @ ("previous_period" | "year_over_year")) => {
                if let Some(range) = range {
                    return Err(QueryError::invalid(range_field, shown(range), "it goes with mode \"custom\" only"));
                }
                if name == "previous_period" { CompareMode::PreviousPeriod } else { CompareMode::YearOverYear }
            }
            _ => return Err(QueryError::invalid(mode_field, shown(mode), MODES)),
        };
        let match_day_of_week = match map.get("match_day_of_week") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(matched)) => *matched,
            Some(other) => {
                return Err(QueryError::invalid(format!("{field}.match_day_of_week"), shown(other), "true or false"));
            }
        };
        Ok(Self { mode, match_day_of_week })
    }
}

impl Serialize for Compare {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("mode", self.mode.name())?;
        if let CompareMode::Custom(range) = &self.mode {
            map.serialize_entry("date_range", range)?;
        }
        if self.match_day_of_week {
            map.serialize_entry("match_day_of_week", &true)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Compare {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::from_value(&value, "include.comparisons").map_err(serde::de::Error::custom)
    }
}

/// How much more a metric is here than there, as Plausible tells it: in whole per cent, from nothing to something 100;
/// of shares in points.
#[must_use]
pub fn change(metric: Metric, here: &MetricValue, there: &MetricValue) -> Option<f64> {
    if let (MetricValue::Money { currency: a, .. }, MetricValue::Money { currency: b, .. }) = (here, there)
        && a != b
    {
        return None;
    }
    let (new, old) = (here.number()?, there.number()?);
    match metric {
        Metric::BounceRate => (old > 0.0).then_some(new - old),
        Metric::ConversionRate | Metric::GroupConversionRate | Metric::Percentage => Some(((new - old) * 100.0).round() / 100.0),
        _ if old == 0.0 => Some(if new > 0.0 { 100.0 } else { 0.0 }),
        _ => Some(((new - old) / old.abs() * 100.0).round()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_per_cents_and_of_shares_points() {
        use MetricValue::{Decimal, Money, None as Nothing, Whole};
        assert_eq!(change(Metric::Visitors, &Whole(15), &Whole(10)), Some(50.0));
        assert_eq!(change(Metric::Visitors, &Whole(0), &Whole(10)), Some(-100.0));
        assert_eq!(change(Metric::Visitors, &Whole(3), &Whole(0)), Some(100.0));
        assert_eq!(change(Metric::Visitors, &Whole(0), &Whole(0)), Some(0.0));
        assert_eq!(change(Metric::BounceRate, &Whole(40), &Whole(50)), Some(-10.0));
        assert_eq!(change(Metric::BounceRate, &Whole(40), &Whole(0)), None);
        assert_eq!(change(Metric::ConversionRate, &Decimal(2.5), &Decimal(1.25)), Some(1.25));
        assert_eq!(change(Metric::Avg, &Nothing, &Decimal(1.0)), None);
        let money = |value, currency: &str| Money { value, currency: currency.to_owned() };
        assert_eq!(change(Metric::TotalRevenue, &money(30.0, "EUR"), &money(20.0, "EUR")), Some(50.0));
        assert_eq!(change(Metric::TotalRevenue, &money(30.0, "EUR"), &money(20.0, "USD")), None);
    }
}
