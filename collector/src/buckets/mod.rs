//! Buckets: the durable merge of partials, of every site, at every grain.
//!
//! A bucket is stored as segments. [`Applier::apply`] appends one to the minute, the hour and the day of each partial, so a
//! coarser bucket is never computed from a finer one; eight segments of one size become one of the next, and when its
//! time is over a bucket becomes a single segment ([`settle`]). Readers merge what they find ([`read`]).
//!
//! Everything here works on a connection that it is handed, inside the caller's thread.
mod admission;
mod apply;
mod cache;
mod compact;
pub mod nodes;
mod pack;
mod read;
mod retain;
mod segment;
mod sheets;

pub use apply::{Applied, Applier};
pub use cache::Cache;
pub use compact::settle;
pub(crate) use pack::{pack, unpack};
pub use read::{Bucket, first_minute, read, spans};
pub use retain::{forget, retain};

use headwater_core::{Grain, SiteId};
use headwater_query::Span;
use rusqlite::Connection;

/// The tables of this module. `level` 0 is as it came; each level up is a merge of eight below; settled buckets have 99.
/// `people` is null where samples are no longer kept. `uniques` is what queries ask of them most, worked out when a day is
/// settled; it stands before them, so that SQLite need not pass over them to read it.
const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS nodes (
  node BLOB PRIMARY KEY, seq INTEGER NOT NULL, position INTEGER NOT NULL, digest BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS segments (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  site INTEGER NOT NULL, grain INTEGER NOT NULL, start INTEGER NOT NULL, \"end\" INTEGER NOT NULL,
  level INTEGER NOT NULL, tallies BLOB NOT NULL, uniques BLOB, people BLOB
);
CREATE INDEX IF NOT EXISTS segments_of_bucket ON segments (site, grain, start, level, \"end\");
CREATE TABLE IF NOT EXISTS unsettled (
  site INTEGER NOT NULL, grain INTEGER NOT NULL, start INTEGER NOT NULL, \"end\" INTEGER NOT NULL,
  PRIMARY KEY (site, grain, start)
) WITHOUT ROWID;
";

/// Makes the tables that are not there yet.
///
/// # Errors
/// What SQLite says.
pub fn migrate(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(SCHEMA)
}

/// Which bucket: site, grain, and its minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct BucketKey {
    pub(crate) site: SiteId,
    pub(crate) grain: Grain,
    pub(crate) span: Span,
}

/// The grain's number in the database.
const fn grain_code(grain: Grain) -> i64 {
    match grain {
        Grain::Minute => 0,
        Grain::Hour => 1,
        Grain::Day => 2,
    }
}

fn grain_of(code: i64) -> Grain {
    match code {
        0 => Grain::Minute,
        1 => Grain::Hour,
        _ => Grain::Day,
    }
}
