//! The body of `POST /api/v2/query`, read and checked: a [`Query`] that exists can be asked.
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::filter::shown;
use crate::{Compare, DateRange, Dimension, Filter, Metric, QueryError};

/// A question. Written as JSON it is the request body of the contract.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Query {
    /// The site's domain.
    pub site_id: String,
    /// What is asked for; at least one, each once.
    pub metrics: Vec<Metric>,
    /// The range.
    pub date_range: DateRange,
    /// By what the answer is broken down; each once, at most one of time.
    pub dimensions: Vec<Dimension>,
    /// What is counted: all of them must hold.
    pub filters: Vec<Filter>,
    /// The order of the rows; empty for the default.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub order_by: Vec<OrderBy>,
    /// What else the answer should hold.
    pub include: Include,
    /// Which rows.
    pub pagination: Pagination,
}

/// By what the rows are sorted, written `["visitors", "desc"]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderBy {
    /// A metric or a dimension of the query.
    pub key: OrderKey,
    /// Which way.
    pub direction: Direction,
}

/// What rows are sorted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderKey {
    /// The place of a metric in the query's metrics.
    Metric(Metric),
    /// A dimension of the query.
    Dimension(Dimension),
}

/// A direction of order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Smallest first.
    Asc,
    /// Largest first.
    Desc,
}

/// Options of the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Include {
    /// Whether what was imported counts. It does unless this says no; said aloud, `meta` tells about it in any case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub imports: Option<bool>,
    /// Whether `meta.time_labels` lists every label of the time dimension, with data or without.
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    pub time_labels: bool,
    /// Whether `meta.total_rows` tells how many rows there are on all pages.
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    pub total_rows: bool,
    /// With what each row is compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comparisons: Option<Compare>,
}

/// Which rows of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pagination {
    /// At most how many.
    pub limit: u32,
    /// How many are left out in front.
    pub offset: u32,
}

impl Pagination {
    /// The most rows of one answer, and the default.
    pub const MAX: u32 = 10_000;
}

impl Default for Pagination {
    fn default() -> Self {
        Self { limit: Self::MAX, offset: 0 }
    }
}

const KEYS: &str = "site_id, metrics, date_range, dimensions, filters, order_by, include, pagination";

impl Query {
    /// A question without dimensions, filters and options; set the fields for more.
    #[must_use]
    pub fn new(site_id: impl Into<String>, metrics: Vec<Metric>, date_range: DateRange) -> Self {
        Self {
            site_id: site_id.into(),
            metrics,
            date_range,
            dimensions: Vec::new(),
            filters: Vec::new(),
            order_by: Vec::new(),
            include: Include::default(),
            pagination: Pagination::default(),
        }
    }

    /// Reads a request body.
    ///
    /// # Errors
    /// [`QueryError`], which names the field at fault.
    pub fn parse(body: &[u8]) -> Result<Self, QueryError> {
        let value: Value = serde_json::from_slice(body).map_err(|e| QueryError::Json(e.to_string()))?;
        Self::from_value(&value)
    }

    /// Reads a JSON value.
    ///
    /// # Errors
    /// [`QueryError`], which names the field at fault.
    pub fn from_value(value: &Value) -> Result<Self, QueryError> {
        let Value::Object(map) = value else { return Err(QueryError::Json(format!("found {}", shown(value)))) };
        let known = |key: &&String| !KEYS.split(", ").any(|k| k == key.as_str());
        if let Some(key) = map.keys().find(known) {
            return Err(QueryError::UnknownKey { field: key.clone(), allowed: KEYS.to_owned() });
        }
        let site_id = match need(map, "site_id", "the site's domain")? {
            Value::String(site) if !site.is_empty() && site.len() <= 1024 => site.clone(),
            other => return Err(QueryError::invalid("site_id", shown(other), "the site's domain")),
        };
        let metrics = metrics(need(map, "metrics", "a list of metrics")?)?;
        let date_range = DateRange::from_value(need(map, "date_range", "as \"7d\" or [\"2026-11-01\", \"2026-11-22\"]")?)?;
        let dimensions = given(map, "dimensions").map_or(Ok(Vec::new()), dimensions)?;
        let filters = given(map, "filters").map_or(Ok(Vec::new()), |v| Filter::list(v, "filters", 1, &mut 0))?;
        let order_by = given(map, "order_by").map_or(Ok(Vec::new()), |v| order_by(v, &metrics, &dimensions))?;
        let include = given(map, "include").map_or(Ok(Include::default()), include)?;
        if include.time_labels && !dimensions.iter().any(|d| d.time().is_some()) {
            return Err(QueryError::invalid("include.time_labels", "true", "it needs a time dimension in dimensions"));
        }
        let pagination = given(map, "pagination").map_or(Ok(Pagination::default()), pagination)?;
        Ok(Self { site_id, metrics, date_range, dimensions, filters, order_by, include, pagination })
    }
}

fn given<'a>(map: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    map.get(key).filter(|v| !v.is_null())
}

fn need<'a>(map: &'a Map<String, Value>, key: &str, allowed: &str) -> Result<&'a Value, QueryError> {
    given(map, key).ok_or_else(|| QueryError::Missing { field: key.to_owned(), allowed: allowed.to_owned() })
}

fn metrics(value: &Value) -> Result<Vec<Metric>, QueryError> {
    let names = || Metric::ALL.iter().map(|m| m.name()).collect::<Vec<_>>().join(", ");
    let Some(items) = value.as_array().filter(|items| !items.is_empty()) else {
        return Err(QueryError::invalid("metrics", shown(value), format!("a list of at least one of {}", names())));
    };
    let mut metrics = Vec::new();
    for (i, item) in items.iter().enumerate() {
        let field = format!("metrics[{i}]");
        let metric = item.as_str().and_then(Metric::from_name);
        let metric = metric.ok_or_else(|| QueryError::invalid(&field, shown(item), format!("one of {}", names())))?;
        if metrics.contains(&metric) {
            return Err(QueryError::invalid(field, shown(item), "each metric once"));
        }
        metrics.push(metric);
    }
    Ok(metrics)
}

/// The most dimensions of one query.
const MAX_DIMENSIONS: usize = 8;

fn dimensions(value: &Value) -> Result<Vec<Dimension>, QueryError> {
    let allowed = || format!("one of {}", Dimension::NAMES.join(", "));
    let Value::Array(items) = value else {
        return Err(QueryError::invalid("dimensions", shown(value), "a list of dimensions"));
    };
    if items.len() > MAX_DIMENSIONS {
        return Err(QueryError::invalid("dimensions", "this many", format!("at most {MAX_DIMENSIONS}")));
    }
    let mut dimensions: Vec<Dimension> = Vec::new();
    for (i, item) in items.iter().enumerate() {
        let field = format!("dimensions[{i}]");
        let dimension = item.as_str().and_then(Dimension::from_name);
        let dimension = dimension.ok_or_else(|| QueryError::invalid(&field, shown(item), allowed()))?;
        if dimensions.contains(&dimension) {
            return Err(QueryError::invalid(field, shown(item), "each dimension once"));
        }
        if dimension.time().is_some() && dimensions.iter().any(|d| d.time().is_some()) {
            return Err(QueryError::invalid(field, shown(item), "one time dimension"));
        }
        dimensions.push(dimension);
    }
    Ok(dimensions)
}

fn order_by(value: &Value, metrics: &[Metric], dimensions: &[Dimension]) -> Result<Vec<OrderBy>, QueryError> {
    let form = "a list of [metric or dimension of the query, \"asc\" or \"desc\"]";
    let Some(items) = value.as_array().filter(|items| items.len() <= Metric::ALL.len() + MAX_DIMENSIONS) else {
        return Err(QueryError::invalid("order_by", shown(value), form));
    };
    let entry = |(i, item): (usize, &Value)| {
        let field = format!("order_by[{i}]");
        let Some([Value::String(name), direction]) = item.as_array().map(Vec::as_slice) else {
            return Err(QueryError::invalid(field, shown(item), form));
        };
        let key = metrics.iter().find(|m| m.name() == name).map(|m| OrderKey::Metric(*m));
        let key = key.or_else(|| {
            let named = Dimension::from_name(name)?;
            dimensions.contains(&named).then_some(OrderKey::Dimension(named))
        });
        let Some(key) = key else {
            return Err(QueryError::invalid(format!("{field}[0]"), format!("{name:?}"), "a metric or dimension of this query"));
        };
        let direction = match direction.as_str() {
            Some("asc") => Direction::Asc,
            Some("desc") => Direction::Desc,
            _ => return Err(QueryError::invalid(format!("{field}[1]"), shown(direction), "\"asc\" or \"desc\"")),
        };
        Ok(OrderBy { key, direction })
    };
    items.iter().enumerate().map(entry).collect()
}

fn include(value: &Value) -> Result<Include, QueryError> {
    let keys = "imports, time_labels, total_rows, comparisons";
    let Value::Object(map) = value else {
        return Err(QueryError::invalid("include", shown(value), format!("an object with {keys}")));
    };
    let mut include = Include::default();
    for (key, value) in map {
        let field = format!("include.{key}");
        let slot = match key.as_str() {
            "time_labels" => &mut include.time_labels,
            "total_rows" => &mut include.total_rows,
            "imports" => {
                let wanted = value.as_bool().ok_or_else(|| QueryError::invalid(field, shown(value), "true or false"))?;
                include.imports = Some(wanted);
                continue;
            }
            "comparisons" => {
                include.comparisons = if value.is_null() { None } else { Some(Compare::from_value(value, &field)?) };
                continue;
            }
            _ => return Err(QueryError::UnknownKey { field, allowed: keys.to_owned() }),
        };
        *slot = value.as_bool().ok_or_else(|| QueryError::invalid(field, shown(value), "true or false"))?;
    }
    Ok(include)
}

fn pagination(value: &Value) -> Result<Pagination, QueryError> {
    let keys = "limit, offset";
    let Value::Object(map) = value else {
        return Err(QueryError::invalid("pagination", shown(value), format!("an object with {keys}")));
    };
    let mut pagination = Pagination::default();
    for (key, value) in map {
        let field = format!("pagination.{key}");
        let (slot, from, to) = match key.as_str() {
            "limit" => (&mut pagination.limit, 1, Pagination::MAX),
            "offset" => (&mut pagination.offset, 0, u32::MAX),
            _ => return Err(QueryError::UnknownKey { field, allowed: keys.to_owned() }),
        };
        let number = value.as_u64().and_then(|n| u32::try_from(n).ok()).filter(|n| (from..=to).contains(n));
        *slot = number.ok_or_else(|| QueryError::invalid(field, shown(value), format!("a whole number from {from} to {to}")))?;
    }
    Ok(pagination)
}

impl<'de> Deserialize<'de> for Query {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_value(&Value::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl Serialize for OrderBy {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let name = match &self.key {
            OrderKey::Metric(metric) => metric.name().to_owned(),
            OrderKey::Dimension(dimension) => dimension.to_string(),
        };
        (name, self.direction).serialize(serializer)
    }
}
