//! Headwater's query API: the types of `POST /api/v2/query`, of the realtime answer and of the live feed, and with the
//! feature `eval` the site's calendar and the answers themselves.
//!
//! Everything is pure: the caller hands in the request, what is known of the site, the time, and a way to read buckets.
mod answer;
mod civil;
mod date_range;
mod dimension;
mod filter;
mod live;
mod metric;
mod problem;
mod request;

#[cfg(feature = "eval")]
mod calendar;

pub use answer::{Answer, Meta, MetricValue, ResultRow};
pub use civil::{Date, DateTime};
pub use date_range::{DateRange, Moment};
pub use dimension::{Dimension, TimeDimension, VisitProperty};
pub use filter::{Comparison, Condition, Filter};
pub use live::{Change, LiveFrame, LiveMinute, Realtime, RealtimeMinute};
pub use metric::Metric;
pub use problem::{Problem, QueryError};
pub use request::{Direction, Include, OrderBy, OrderKey, Pagination, Query};

#[cfg(feature = "eval")]
pub use calendar::{Calendar, Span, UnknownZone};
