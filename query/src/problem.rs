//! What is wrong with a request, as an error and as a problem document (RFC 9457).
use serde::{Deserialize, Serialize};

/// Why a query has no answer. Each names the field at fault and says what is allowed there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// The body is no JSON, or no object.
    #[error("the body must be a JSON object: {0}")]
    Json(String),
    /// A key that must be there is not.
    #[error("{field} is missing; {allowed}")]
    Missing {
        /// The key.
        field: String,
        /// What it may hold.
        allowed: String,
    },
    /// A key that is not known.
    #[error("{field} is not known; allowed here are {allowed}")]
    UnknownKey {
        /// The key.
        field: String,
        /// The keys that are.
        allowed: String,
    },
    /// A value that is not allowed.
    #[error("{field}: {found} is not allowed; {allowed}")]
    Invalid {
        /// Where, as in `filters[0][1]`.
        field: String,
        /// What was found.
        found: String,
        /// What may stand there.
        allowed: String,
    },
    /// The request is well formed, but its answer would be too large or take too long.
    #[error("{field}: {found}; {allowed}")]
    TooMuch {
        /// What makes it so.
        field: String,
        /// What it would take.
        found: String,
        /// What is allowed.
        allowed: String,
    },
    /// The request is well formed, but what it needs is not kept any more, or in no grain that fine.
    #[error("{field}: {needs}; {available}")]
    NotAvailable {
        /// Where.
        field: String,
        /// What the answer would need.
        needs: String,
        /// What can be asked instead.
        available: String,
    },
}

impl QueryError {
    pub(crate) fn invalid(field: impl Into<String>, found: impl Into<String>, allowed: impl Into<String>) -> Self {
        Self::Invalid { field: field.into(), found: found.into(), allowed: allowed.into() }
    }

    /// The field at fault; empty if it is the whole body.
    #[must_use]
    pub fn field(&self) -> &str {
        match self {
            Self::Json(_) => "",
            Self::Missing { field, .. }
            | Self::UnknownKey { field, .. }
            | Self::Invalid { field, .. }
            | Self::TooMuch { field, .. }
            | Self::NotAvailable { field, .. } => field,
        }
    }

    /// The HTTP status: 422 if the request is right but can't be answered from what is kept, or would take too
    /// much, otherwise 400.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::NotAvailable { .. } | Self::TooMuch { .. } => 422,
            _ => 400,
        }
    }

    /// The problem document.
    #[must_use]
    pub fn problem(&self) -> Problem {
        let (name, title) = match self {
            Self::NotAvailable { .. } => ("not-available", "This is not kept"),
            Self::TooMuch { .. } => ("too-much", "This would take too much"),
            _ => ("bad-query", "The query is not valid"),
        };
        let field = self.field();
        Problem {
            field: (!field.is_empty()).then(|| field.to_owned()),
            ..Problem::new(self.status(), name, title, self.to_string())
        }
    }
}

/// A problem document, `application/problem+json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// A URI reference that names the kind of problem.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// The kind in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened here, and what to do.
    #[serde(default)]
    pub detail: String,
    /// The field at fault, as in `filters[0][1]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

impl Problem {
    /// The media type.
    pub const MEDIA_TYPE: &'static str = "application/problem+json";

    /// A problem without a field. `name` becomes the end of `type`: `/problems/{name}`.
    #[must_use]
    pub fn new(status: u16, name: &str, title: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { kind: format!("/problems/{name}"), title: title.into(), status, detail: detail.into(), field: None }
    }

    /// The same with the field at fault.
    #[must_use]
    pub fn at(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }
}
