//! Headwater's query API: the types of `POST /api/v2/query`, of the realtime answer and of the live feed, and with the
//! feature `eval` the site's calendar and the answers themselves.
//!
//! Everything is pure: the caller hands in the request, what is known of the site, the time, and a way to read buckets.
//!
//! The collector's whole use of it:
//!
//! ```
//! # use headwater_core::{Packed, Minute};
//! # use headwater_query::{Calendar, Identity, Query, SiteContext, Span, answer};
//! let body = br#"{"site_id": "example.com", "metrics": ["visitors", "pageviews"], "date_range": "7d"}"#;
//! let query = Query::parse(body)?; // a QueryError has .problem() for the answer
//! let site = SiteContext::new(Calendar::new("Europe/Berlin")?, Identity::Day, Minute(29_900_000));
//! let answer = answer(&query, &site, |_grain, _span, _need| Ok::<Vec<(Span, std::sync::Arc<Packed>)>, std::io::Error>(vec![]))?;
//! assert_eq!(answer.results.len(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
mod answer;
mod civil;
mod compare;
mod date_range;
mod dimension;
mod filter;
mod goal;
mod imported;
mod live;
mod metric;
mod problem;
mod request;
mod widget;

#[cfg(feature = "merge")]
mod buckets;
#[cfg(feature = "merge")]
mod figures;
#[cfg(feature = "merge")]
mod made;
#[cfg(feature = "merge")]
mod order;
#[cfg(feature = "merge")]
mod sum;
#[cfg(feature = "merge")]
mod totals;

#[cfg(feature = "eval")]
mod calendar;
#[cfg(feature = "eval")]
mod eval;

pub use answer::{Answer, ComparedMeta, ComparedRow, Meta, MetricValue, MetricWarning, ResultRow};
pub use civil::{Date, DateTime};
pub use compare::{Compare, CompareMode, change};
pub use date_range::{DateRange, Moment};
pub use dimension::{Dimension, TimeDimension, VisitProperty};
pub use filter::{Comparison, Condition, Filter};
pub use goal::{Goal, InvalidPattern, Pattern, Target, Worth};
pub use imported::{ImportedDay, ImportedRow, answered_by, imported_dimensions};
pub use live::{Change, LiveFrame, LiveMinute, Realtime, RealtimeMinute};
pub use metric::Metric;
pub use problem::{Problem, QueryError};
pub use request::{Direction, Include, OrderBy, OrderKey, Pagination, Query};
pub use widget::{Show, Widget};

#[cfg(feature = "merge")]
pub use buckets::{Bucketed, Buckets, Found, Sheet, TimeRow};

#[cfg(feature = "eval")]
pub use calendar::{Calendar, Span, UnknownZone};
#[cfg(feature = "eval")]
pub use eval::{
    AnswerError, Bucket, Identity, Kept, Lens, Names, Need, OneByOne, Plan, Read, ReadImported, Retention, Rows, SiteContext,
    Task, Workers, answer, answer_together, answer_with_imports, buckets, changes, plan, realtime, sets,
};
