//! Saved segments: filters with a name.
use headwater_core::SiteId;
use headwater_query::Filter;
use rusqlite::{Connection, Transaction, params};
use serde::Serialize;

use super::StoreError;

/// The most segments of one site.
pub const MOST: usize = 200;

/// A segment.
#[derive(Clone, Debug, Serialize)]
pub struct Segment {
    /// A number that is never used again.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// What it lets through, as a query has it: all of them must hold.
    pub filters: Vec<Filter>,
}

/// Why a segment could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum SegmentError {
    /// There is one of this name.
    #[error("this site has a segment {0:?} already; choose another name")]
    SameName(String),
    /// There are too many.
    #[error("a site has at most {MOST} segments")]
    TooMany,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for SegmentError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

/// The segments of a site, by name.
///
/// # Errors
/// The database's.
pub fn list(conn: &Connection, site: SiteId) -> Result<Vec<Segment>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT id, name, filters FROM saved_segments WHERE site = ?1 ORDER BY name")?;
    let rows = statement.query_map([site.0], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?)))?;
    let read = |(id, name, text): (i64, String, String)| {
        let filters = serde_json::from_str(&text);
        Ok(Segment { id, name, filters: filters.map_err(|error| StoreError::Corrupt(format!("segment {id}: {error}")))? })
    };
    rows.map(|row| row.map_err(StoreError::from).and_then(read)).collect()
}

/// Keeps a segment: a new one, or another name and other filters for the one of this number. `None` if there is none.
///
/// # Errors
/// See [`SegmentError`].
pub fn keep(
    tx: &Transaction<'_>,
    site: SiteId,
    id: Option<i64>,
    name: &str,
    filters: Vec<Filter>,
) -> Result<Option<Segment>, SegmentError> {
    let known = list(tx, site)?;
    if id.is_some_and(|id| known.iter().all(|segment| segment.id != id)) {
        return Ok(None);
    }
    if known.iter().any(|segment| segment.name == name && Some(segment.id) != id) {
        return Err(SegmentError::SameName(name.to_owned()));
    }
    let text = serde_json::to_string(&filters).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    let id = match id {
        Some(id) => {
            tx.execute("UPDATE saved_segments SET name = ?2, filters = ?3 WHERE id = ?1", params![id, name, text])?;
            id
        }
        None if known.len() >= MOST => return Err(SegmentError::TooMany),
        None => {
            tx.execute("INSERT INTO saved_segments (site, name, filters) VALUES (?1, ?2, ?3)", params![site.0, name, text])?;
            tx.last_insert_rowid()
        }
    };
    Ok(Some(Segment { id, name: name.to_owned(), filters }))
}

/// Removes a segment. Says whether there was one of this number.
///
/// # Errors
/// The database's.
pub fn remove(tx: &Transaction<'_>, site: SiteId, id: i64) -> Result<bool, StoreError> {
    Ok(tx.execute("DELETE FROM saved_segments WHERE site = ?1 AND id = ?2", params![site.0, id])? > 0)
}
