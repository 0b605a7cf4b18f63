//! Widgets: what a saved dashboard is made of, as data.
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::filter::shown;
use crate::{Dimension, Filter, Metric, QueryError};

/// A piece of a dashboard. What it shows is of the range, and under the filters, that are chosen for the whole dashboard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Widget {
    /// In which form.
    pub show: Show,
    /// What is counted; of a list, by what it is sorted.
    pub metric: Metric,
    /// By what a list breaks it down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dimension: Option<Dimension>,
    /// Filters of its own, besides those of the whole dashboard.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<Filter>,
    /// The heading; empty: what it shows, in words.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// How many of the four columns it takes.
    pub width: u8,
}

/// The form of a widget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Show {
    /// One figure.
    Card,
    /// A line over time.
    Chart,
    /// Rows.
    List,
}

impl Widget {
    /// The most widgets of one dashboard: as many questions fit into one request.
    pub const MOST: usize = 24;
    /// The columns of a dashboard.
    pub const COLUMNS: u8 = 4;
    /// What can be counted: whatever every range and dimension has.
    pub const METRICS: [Metric; 7] = [
        Metric::Visitors,
        Metric::Visits,
        Metric::Pageviews,
        Metric::ViewsPerVisit,
        Metric::BounceRate,
        Metric::VisitDuration,
        Metric::Events,
    ];
    /// The longest heading in bytes.
    const TITLE: usize = 100;

    /// Reads a list of widgets.
    ///
    /// # Errors
    /// [`QueryError`], which names the field at fault.
    pub fn list(value: &Value, field: &str) -> Result<Vec<Self>, QueryError> {
        match value {
            Value::Array(items) if items.len() <= Self::MOST => {
                items.iter().enumerate().map(|(i, item)| Self::one(item, &format!("{field}[{i}]"))).collect()
            }
            other => Err(QueryError::invalid(field, shown(other), format!("a list of at most {} widgets", Self::MOST))),
        }
    }

    fn one(value: &Value, field: &str) -> Result<Self, QueryError> {
        const KEYS: &str = "show, metric, dimension, filters, title, width";
        let Value::Object(map) = value else {
            return Err(QueryError::invalid(field, shown(value), format!("an object with {KEYS}")));
        };
        if let Some(key) = map.keys().find(|key| !KEYS.split(", ").any(|known| known == key.as_str())) {
            return Err(QueryError::UnknownKey { field: format!("{field}.{key}"), allowed: KEYS.to_owned() });
        }
        let given = |key: &str| map.get(key).filter(|value| !value.is_null());
        let wrong = |key: &str, allowed: String| {
            QueryError::invalid(format!("{field}.{key}"), given(key).map_or_else(|| "nothing".into(), shown), allowed)
        };
        let show = match given("show").and_then(Value::as_str) {
            Some("card") => Show::Card,
            Some("chart") => Show::Chart,
            Some("list") => Show::List,
            _ => return Err(wrong("show", "card, chart or list".into())),
        };
        let metric = given("metric").and_then(Value::as_str).and_then(Metric::from_name);
        let metric = metric
            .filter(|metric| Self::METRICS.contains(metric))
            .ok_or_else(|| wrong("metric", format!("one of {}", Self::METRICS.map(Metric::name).join(", "))))?;
        let dimension = match (show, given("dimension")) {
            (Show::List, Some(name)) => {
                let found = name.as_str().and_then(Dimension::from_name).filter(|dimension| dimension.time().is_none());
                Some(found.ok_or_else(|| wrong("dimension", "a dimension of queries, but none of time".into()))?)
            }
            (Show::List, None) => return Err(wrong("dimension", "a list needs one".into())),
            (_, Some(_)) => return Err(wrong("dimension", "only a list has one".into())),
            (_, None) => None,
        };
        let filters =
            given("filters").map_or(Ok(Vec::new()), |value| Filter::list(value, &format!("{field}.filters"), 1, &mut 0))?;
        let title = match given("title") {
            None => String::new(),
            Some(Value::String(title)) if title.len() <= Self::TITLE && !title.contains(char::is_control) => {
                title.trim().to_owned()
            }
            Some(_) => return Err(wrong("title", format!("a text of at most {} bytes", Self::TITLE))),
        };
        let width = given("width").and_then(Value::as_u64).and_then(|width| u8::try_from(width).ok());
        let width = width.filter(|width| (1..=Self::COLUMNS).contains(width));
        let width = width.ok_or_else(|| wrong("width", format!("a whole number from 1 to {}", Self::COLUMNS)))?;
        Ok(Self { show, metric, dimension, filters, title, width })
    }
}

impl<'de> Deserialize<'de> for Widget {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::one(&Value::deserialize(deserializer)?, "widget").map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let all = json!([
            {"show": "card", "metric": "visitors", "width": 1},
            {"show": "chart", "metric": "bounce_rate", "title": "Bounces", "width": 4},
            {"show": "list", "metric": "visits", "dimension": "event:props:plan", "width": 2,
                "filters": [["is", "visit:country", ["DE"]]]}
        ]);
        let read = Widget::list(&all, "widgets").unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), all);
        assert_eq!(serde_json::from_value::<Vec<Widget>>(all).unwrap(), read);
    }

    #[test]
    fn whoever_is_wrong_is_told_where() {
        let fault = |key: &str, value: Value| {
            let mut widget = json!({"show": "list", "metric": "visitors", "dimension": "event:page", "width": 2});
            widget[key] = value;
            Widget::list(&json!([widget]), "widgets").unwrap_err().field().to_owned()
        };
        assert_eq!(fault("show", json!("pie")), "widgets[0].show");
        assert_eq!(fault("metric", json!("p99")), "widgets[0].metric");
        assert_eq!(fault("dimension", json!("time:day")), "widgets[0].dimension");
        assert_eq!(fault("dimension", Value::Null), "widgets[0].dimension");
        assert_eq!(fault("show", json!("card")), "widgets[0].dimension");
        assert_eq!(fault("filters", json!([["is", "visit:x", ["y"]]])), "widgets[0].filters[0][1]");
        assert_eq!(fault("width", json!(5)), "widgets[0].width");
        assert_eq!(fault("title", json!("x\n")), "widgets[0].title");
        assert_eq!(fault("color", json!("red")), "widgets[0].color");
        assert_eq!(Widget::list(&json!(vec![json!({}); Widget::MOST + 1]), "widgets").unwrap_err().field(), "widgets");
    }
}
