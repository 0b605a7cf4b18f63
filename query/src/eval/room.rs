//! Room for the rows of questions that are answered together.
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::QueryError;

/// The most rows of an answer before it is cut into pages, and of all that are made at the same time.
const MAX_ROWS: usize = 250_000;

/// How many rows there are.
#[derive(Default)]
pub(super) struct Room(AtomicUsize);

/// Why no more rows are added.
pub(super) enum Stop {
    /// The question is at fault.
    Query(QueryError),
    /// Together with those of others they are too many: alone they may not be.
    NoRoom,
}

impl Room {
    /// Makes room for more rows, of which the question now has `own`.
    pub(super) fn add(&self, more: usize, own: usize) -> Result<(), Stop> {
        let all = self.0.fetch_add(more, Ordering::Relaxed) + more;
        if own > MAX_ROWS {
            return Err(Stop::Query(QueryError::TooMuch {
                field: "dimensions".to_owned(),
                found: format!("the answer has more than {MAX_ROWS} rows"),
                allowed: "ask for fewer dimensions, longer units of time or a shorter range, or filter".to_owned(),
            }));
        }
        if all > MAX_ROWS { Err(Stop::NoRoom) } else { Ok(()) }
    }

    /// Gives the room of rows back.
    pub(super) fn leave(&self, rows: usize) {
        self.0.fetch_sub(rows, Ordering::Relaxed);
    }
}
