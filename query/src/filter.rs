//! Filters: conditions on dimensions, and how they are joined.
use serde::ser::SerializeSeq;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Dimension, QueryError};

/// One entry of `filters`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// `[operator, dimension, values]`.
    When(Condition),
    /// `["and", [filters]]`; true if there are none.
    And(Vec<Filter>),
    /// `["or", [filters]]`; false if there are none.
    Or(Vec<Filter>),
    /// `["not", filter]`.
    Not(Box<Filter>),
    /// `["has_done", filter]`: visitors with a matching event in the range, within one identity window.
    HasDone(Box<Filter>),
    /// `["has_not_done", filter]`: visitors without.
    HasNotDone(Box<Filter>),
}

/// A dimension compared with values: true if any of them fits, or with `negated` if none does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// What is compared; no time dimension.
    pub dimension: Dimension,
    /// How.
    pub comparison: Comparison,
    /// `is_not`, `contains_not` and `matches_not` are plain negations, so they hold where the value is missing.
    pub negated: bool,
    /// With what; at least one.
    pub values: Vec<String>,
    /// Whether upper and lower case differ.
    pub case_sensitive: bool,
}

/// How a value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// The value is equal.
    Is,
    /// The value contains the text.
    Contains,
    /// The value matches the regular expression (RE2's syntax) somewhere.
    Matches,
}

/// The deepest nesting and the most values of all filters together.
const MAX_DEPTH: usize = 16;
const MAX_VALUES: usize = 2000;
/// The longest regular expression in bytes.
const MAX_PATTERN: usize = 1024;

const OPERATORS: &str = "an operator is one of is, is_not, contains, contains_not, matches, matches_not, and, or, not, \
    has_done, has_not_done";

impl Condition {
    /// The operator's name in queries.
    #[must_use]
    pub const fn operator(&self) -> &'static str {
        match (self.comparison, self.negated) {
            (Comparison::Is, false) => "is",
            (Comparison::Is, true) => "is_not",
            (Comparison::Contains, false) => "contains",
            (Comparison::Contains, true) => "contains_not",
            (Comparison::Matches, false) => "matches",
            (Comparison::Matches, true) => "matches_not",
        }
    }
}

impl Filter {
    /// `["is", dimension, [value]]`.
    #[must_use]
    pub fn is(dimension: Dimension, value: impl Into<String>) -> Self {
        Self::When(Condition {
            dimension,
            comparison: Comparison::Is,
            negated: false,
            values: vec![value.into()],
            case_sensitive: true,
        })
    }

    pub(crate) fn list(value: &Value, field: &str, depth: usize, values: &mut usize) -> Result<Vec<Self>, QueryError> {
        let Value::Array(items) = value else {
            return Err(QueryError::invalid(field, shown(value), "a list of filters"));
        };
        items.iter().enumerate().map(|(i, item)| Self::one(item, &format!("{field}[{i}]"), depth, values)).collect()
    }

    fn one(value: &Value, field: &str, depth: usize, values: &mut usize) -> Result<Self, QueryError> {
        if depth > MAX_DEPTH {
            return Err(QueryError::invalid(field, "this depth", format!("filters nest at most {MAX_DEPTH} deep")));
        }
        let form = "a filter is [operator, dimension, [values]], [\"and\" or \"or\", [filters]] or \
            [\"not\", \"has_done\" or \"has_not_done\", filter]";
        let (operator, rest) = match value {
            Value::Array(parts) => match parts.split_first() {
                Some((Value::String(operator), rest)) => (operator.as_str(), rest),
                _ => return Err(QueryError::invalid(field, shown(value), form)),
            },
            _ => return Err(QueryError::invalid(field, shown(value), form)),
        };
        let (comparison, negated) = match operator {
            "and" | "or" | "not" | "has_done" | "has_not_done" => {
                let [inner] = rest else { return Err(QueryError::invalid(field, shown(value), form)) };
                let inside = format!("{field}[1]");
                return Ok(match operator {
                    "and" => Self::And(Self::list(inner, &inside, depth + 1, values)?),
                    "or" => Self::Or(Self::list(inner, &inside, depth + 1, values)?),
                    "not" => Self::Not(Box::new(Self::one(inner, &inside, depth + 1, values)?)),
                    "has_done" => Self::HasDone(Box::new(Self::one(inner, &inside, depth + 1, values)?)),
                    _ => Self::HasNotDone(Box::new(Self::one(inner, &inside, depth + 1, values)?)),
                });
            }
            "is" => (Comparison::Is, false),
            "is_not" => (Comparison::Is, true),
            "contains" => (Comparison::Contains, false),
            "contains_not" => (Comparison::Contains, true),
            "matches" => (Comparison::Matches, false),
            "matches_not" => (Comparison::Matches, true),
            _ => return Err(QueryError::invalid(format!("{field}[0]"), format!("{operator:?}"), OPERATORS)),
        };
        let (dimension, clauses, modifiers) = match rest {
            [dimension, clauses] => (dimension, clauses, None),
            [dimension, clauses, modifiers] => (dimension, clauses, Some(modifiers)),
            _ => return Err(QueryError::invalid(field, shown(value), form)),
        };
        let dimension = filterable(dimension, &format!("{field}[1]"))?;
        let clauses = texts(clauses, &format!("{field}[2]"), values)?;
        let too_long = clauses.iter().position(|c| comparison == Comparison::Matches && c.len() > MAX_PATTERN);
        if let Some(i) = too_long {
            let allowed = format!("a pattern is at most {MAX_PATTERN} bytes");
            return Err(QueryError::invalid(format!("{field}[2][{i}]"), "this length", allowed));
        }
        let case_sensitive = modifiers.map_or(Ok(true), |m| case_sensitive(m, &format!("{field}[3]")))?;
        Ok(Self::When(Condition { dimension, comparison, negated, values: clauses, case_sensitive }))
    }
}

fn filterable(value: &Value, field: &str) -> Result<Dimension, QueryError> {
    let found = value.as_str().and_then(Dimension::from_name).filter(|d| d.time().is_none());
    found.ok_or_else(|| {
        let names: Vec<&str> = Dimension::NAMES.iter().copied().filter(|n| !n.starts_with("time")).collect();
        QueryError::invalid(field, shown(value), format!("one of {}", names.join(", ")))
    })
}

fn texts(value: &Value, field: &str, seen: &mut usize) -> Result<Vec<String>, QueryError> {
    let Some(items) = value.as_array().filter(|items| !items.is_empty()) else {
        return Err(QueryError::invalid(field, shown(value), "a list of at least one text"));
    };
    *seen += items.len();
    if *seen > MAX_VALUES {
        let allowed = format!("at most {MAX_VALUES} values in all filters together");
        return Err(QueryError::invalid(field, "this many", allowed));
    }
    let text = |(i, item): (usize, &Value)| {
        let wrong = || QueryError::invalid(format!("{field}[{i}]"), shown(item), "a text");
        item.as_str().map(str::to_owned).ok_or_else(wrong)
    };
    items.iter().enumerate().map(text).collect()
}

fn case_sensitive(value: &Value, field: &str) -> Result<bool, QueryError> {
    let allowed = "{\"case_sensitive\": true or false}";
    let Value::Object(map) = value else { return Err(QueryError::invalid(field, shown(value), allowed)) };
    let mut sensitive = true;
    for (key, value) in map {
        match (key.as_str(), value) {
            ("case_sensitive", Value::Bool(yes)) => sensitive = *yes,
            _ => return Err(QueryError::invalid(format!("{field}.{key}"), shown(value), allowed)),
        }
    }
    Ok(sensitive)
}

/// A value from outside, short enough for a message. Clients, which only ask, show nobody such a message: what writes every kind of number is left
/// out of them, for it would be a thirtieth of the dashboard.
pub(crate) fn shown(value: &Value) -> String {
    if cfg!(not(feature = "eval")) {
        return String::new();
    }
    let mut text = value.to_string();
    if text.len() > 120 {
        let cut = (0..=120).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0);
        text.truncate(cut);
        text.push('…');
    }
    text
}

impl Serialize for Filter {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::And(inner) => ("and", inner).serialize(serializer),
            Self::Or(inner) => ("or", inner).serialize(serializer),
            Self::Not(inner) => ("not", inner).serialize(serializer),
            Self::HasDone(inner) => ("has_done", inner).serialize(serializer),
            Self::HasNotDone(inner) => ("has_not_done", inner).serialize(serializer),
            Self::When(condition) => {
                let mut parts = serializer.serialize_seq(None)?;
                parts.serialize_element(condition.operator())?;
                parts.serialize_element(&condition.dimension)?;
                parts.serialize_element(&condition.values)?;
                if !condition.case_sensitive {
                    parts.serialize_element(&serde_json::json!({"case_sensitive": false}))?;
                }
                parts.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Filter {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::one(&value, "filters", 0, &mut 0).map_err(serde::de::Error::custom)
    }
}
