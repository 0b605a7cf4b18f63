//! Importing web-server access logs and GoatCounter's exports, through the same path as events: what a line says is enriched, belongs to a visit,
//! and is folded into batches that a collector applies once.
//!
//! A log is read in chunks of [`CHUNK_LINES`] lines. The batch of a chunk has a node of its own, made from everything before
//! the chunk and its first line, so the same log makes the same nodes and is counted once, whatever its file is called, packed
//! or not. A node's position says how many lines of the chunk are counted: a log that has grown since goes on behind them,
//! and so does an import that was interrupted. Lines that were counted before are read all the same, for the visits that go
//! on. Chunks behind one another in one process hold a batch to thousands of visitors and a few megabytes.
//!
//! | file | what |
//! |---|---|
//! | `line` | a line in the combined format |
//! | `goatcounter` | a row of GoatCounter's export |
//! | `sieve` | which lines are people's page views |
//! | `source` | files, packed or not, and their lines |
//! | `visits` | page views to a batch, by way of `headwater_edge` |
//! | `target` | the data directory or the server that counts |
//! | `run` | all of it, with progress |
//! | `plausible` | what Plausible exports: sums by day, another way |
mod goatcounter;
mod line;
pub mod plausible;
mod run;
mod sieve;
mod source;
mod target;
mod visits;

pub use run::{Progress, Tally, run};
pub use sieve::Left;
pub use source::Log;
pub use target::{Begun, Era, Local, Remote, Target};

/// The most lines of a chunk.
pub const CHUNK_LINES: u64 = 20_000;
/// The most bytes of a chunk's lines: what becomes of them stays well below what a collector reads.
pub const CHUNK_BYTES: usize = 4 << 20;

/// Why an import ended early. What was counted stays counted; the same command goes on behind it.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file can't be read.
    #[error("cannot read {0}: {1}")]
    Read(String, std::io::Error),
    /// The data directory can't be used.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
    /// The server refuses.
    #[error("{0}")]
    Server(String),
    /// There is no such site.
    #[error(transparent)]
    Site(#[from] crate::store::sites::SiteError),
    /// An export of another program is not as it should be, or some of it is there already.
    #[error("{0}")]
    Export(String),
    /// Somebody else counted the same lines meanwhile.
    #[error("another import of the same log is at work; run this again when it has ended")]
    Meanwhile,
}
