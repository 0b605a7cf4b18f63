//! The answer of `POST /api/v2/query`.
use core::fmt;
use std::collections::BTreeMap;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::{DateRange, Query};

/// An answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The rows, in order.
    pub results: Vec<ResultRow>,
    /// What there is to know about them.
    pub meta: Meta,
    /// The question as it was understood: its range has become two moments.
    pub query: Query,
}

/// One row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResultRow {
    /// The values of the query's metrics, in their order.
    pub metrics: Vec<MetricValue>,
    /// The values of the query's dimensions, in their order.
    pub dimensions: Vec<String>,
    /// With `include.comparisons`: the same row of the other time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<ComparedRow>,
}

/// A row of the time that is compared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComparedRow {
    /// The values of the query's metrics there; those of nothing where there is no such row.
    pub metrics: Vec<MetricValue>,
    /// The row's values of the dimensions; of time, the label of the same place in the other time, if it has one.
    pub dimensions: Vec<Option<String>>,
    /// How much more the metrics are here, in per cent of what they are there; of metrics that are shares themselves, in
    /// points. `null` where there is nothing to compare with.
    pub change: Vec<Option<f64>>,
}

/// The value of a metric.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum MetricValue {
    /// A count, or a whole per cent or second.
    Whole(u64),
    /// A number with decimals.
    Decimal(f64),
    /// An amount of money.
    Money {
        /// The amount in units of the currency.
        value: f64,
        /// ISO 4217 code.
        currency: String,
    },
    /// There is none: the bounce rate of a page where no visit began, the mean of no values. Written `null`.
    None,
}

impl<'de> Deserialize<'de> for MetricValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

/// Tells values apart by what stands there; serde's own way to do so keeps a copy first, which every client would have to carry.
struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = MetricValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, an amount of money or null")
    }

    fn visit_u64<E>(self, number: u64) -> Result<MetricValue, E> {
        Ok(MetricValue::Whole(number))
    }

    fn visit_i64<E>(self, number: i64) -> Result<MetricValue, E> {
        Ok(u64::try_from(number).map_or(MetricValue::Decimal(number as f64), MetricValue::Whole))
    }

    fn visit_f64<E>(self, number: f64) -> Result<MetricValue, E> {
        Ok(MetricValue::Decimal(number))
    }

    fn visit_unit<E>(self) -> Result<MetricValue, E> {
        Ok(MetricValue::None)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<MetricValue, A::Error> {
        #[derive(Deserialize)]
        struct Money {
            value: f64,
            currency: String,
        }
        let Money { value, currency } = Money::deserialize(MapAccessDeserializer::new(map))?;
        Ok(MetricValue::Money { value, currency })
    }
}

impl MetricValue {
    /// The number, without its currency.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Whole(n) => Some(*n as f64),
            Self::Decimal(n) | Self::Money { value: n, .. } => Some(*n),
            Self::None => None,
        }
    }
}

/// What there is to know about the rows. Empty when all is exact and nothing was asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Meta {
    /// Set when the range is longer than a visitor can be told from others: `day` or `month`. Then `visitors` is the
    /// sum of the distinct visitors of each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visitors_unit: Option<String>,
    /// For each row in `results` the estimated metrics with `[low, high]` at 95 %; left out when every row is exact.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bounds: Vec<BTreeMap<String, [f64; 2]>>,
    /// With `include.time_labels`: every label of the time dimension in the range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_labels: Option<Vec<String>>,
    /// With `include.total_rows`: the rows on all pages together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_rows: Option<u64>,
    /// Whether what was imported is counted in; told where there is something, or where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imports_included: Option<bool>,
    /// Why it is not: `no_imported_data`, `out_of_range`, `unsupported_query` or `unsupported_interval`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imports_skip_reason: Option<String>,
    /// The same in words, where numbers are missing that somebody may expect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imports_warning: Option<String>,
    /// What there is to know about single metrics: which of them imports do not know.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metric_warnings: BTreeMap<String, MetricWarning>,
    /// Since when, inside the range, another time zone or identity holds: what was counted before stays as it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<String>,
    /// With `include.comparisons`: what there is to know of the other time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<ComparedMeta>,
}

/// What there is to know about a metric.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetricWarning {
    /// For programs: `no_imported_` and the metric's name.
    pub code: String,
    /// For people.
    pub warning: String,
}

/// What there is to know of the time that is compared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComparedMeta {
    /// Which it is, as two moments.
    pub date_range: DateRange,
    /// As [`Meta::visitors_unit`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visitors_unit: Option<String>,
    /// As [`Meta::bounds`], for the comparison of each row in `results`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bounds: Vec<BTreeMap<String, [f64; 2]>>,
    /// As [`Meta::time_labels`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_labels: Option<Vec<String>>,
}
