//! Everything that is kept of a site, bucket by bucket, as rows: time, dimension, value, counts; and for the values of events
//! their sums. Counts are the exact tallies of the buckets; visitors are distinct within the bucket, and come from the same
//! evaluation as the answers of queries, so that an export says what the dashboard says.
mod format;
mod parquet;
mod rows;

pub use format::{Format, Writer};
pub use rows::{Row, Span, buckets, span};

use std::io::Write;

use headwater_core::{Grain, Millis};

use crate::ask::AskError;
use crate::buckets::Cache;
use crate::site::Site;
use crate::store::Store;

/// What is to be exported.
#[derive(Clone, Debug)]
pub struct Request {
    /// The range, as in a query.
    pub date_range: serde_json::Value,
    /// How long the buckets are: hours or days.
    pub grain: Grain,
    /// How it is written.
    pub format: Format,
}

/// Why an export ended early.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The range is not right, or the database failed.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// Nobody takes it any more, or the disk is full.
    #[error("cannot write the export: {0}")]
    Write(#[from] std::io::Error),
}

impl From<crate::store::StoreError> for ExportError {
    fn from(error: crate::store::StoreError) -> Self {
        Self::Ask(error.into())
    }
}

impl Request {
    /// The grain of this name.
    ///
    /// # Errors
    /// What is allowed.
    pub fn grain(name: &str) -> Result<Grain, &'static str> {
        match name {
            "day" => Ok(Grain::Day),
            "hour" => Ok(Grain::Hour),
            _ => Err("must be day or hour"),
        }
    }

    /// A range as it is written on a command line or in an address: a name, or FROM,TO.
    #[must_use]
    pub fn range(text: &str) -> serde_json::Value {
        match text.split_once(',') {
            Some((from, to)) => serde_json::json!([from.trim(), to.trim()]),
            None => serde_json::json!(text),
        }
    }
}

/// Writes the rows of a span, one bucket after the other, each as it is when its turn comes. Holds one bucket.
///
/// # Errors
/// See [`ExportError`]; what was written stays.
pub fn write(
    store: &Store,
    site: &Site,
    request: &Request,
    span: Span,
    now: Millis,
    out: &mut dyn Write,
) -> Result<(), ExportError> {
    let mut writer = Writer::begin(request.format, out)?;
    for bucket in store.read_now(|tx| buckets(tx, site, request.grain, span))? {
        // A cache for one bucket: its dimensions are asked for one after the other.
        let cache = Cache::new(64 << 20);
        let rows = store.read_now(|tx| rows::of_bucket(tx, &cache, site, request.grain, bucket, now))?;
        for row in &rows {
            writer.row(row)?;
        }
    }
    Ok(writer.end()?)
}
