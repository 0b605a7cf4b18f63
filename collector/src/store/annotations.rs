//! Annotations: what happened on a day, in the words of who looks after the site.
use headwater_core::SiteId;
use headwater_query::Date;
use rusqlite::{Connection, Transaction, params};
use serde::Serialize;

use super::StoreError;

/// The most annotations of one site.
pub const MOST: i64 = 2_000;

/// An annotation.
#[derive(Clone, Debug, Serialize)]
pub struct Annotation {
    /// A number that is never used again.
    pub id: i64,
    /// A day of the site's clock, as `2026-11-22`.
    pub date: String,
    /// The words.
    pub text: String,
}

/// The annotations of a site, by day.
///
/// # Errors
/// The database's.
pub fn list(conn: &Connection, site: SiteId) -> Result<Vec<Annotation>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT id, date, text FROM annotations WHERE site = ?1 ORDER BY date, id")?;
    let rows = statement.query_map([site.0], |row| Ok(Annotation { id: row.get(0)?, date: row.get(1)?, text: row.get(2)? }))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Adds an annotation; `None` if there are too many.
///
/// # Errors
/// The database's.
pub fn add(tx: &Transaction<'_>, site: SiteId, date: Date, text: &str) -> Result<Option<Annotation>, StoreError> {
    let count: i64 = tx.query_row("SELECT count(*) FROM annotations WHERE site = ?1", [site.0], |row| row.get(0))?;
    if count >= MOST {
        return Ok(None);
    }
    let date = date.to_string();
    tx.execute("INSERT INTO annotations (site, date, text) VALUES (?1, ?2, ?3)", params![site.0, date, text])?;
    Ok(Some(Annotation { id: tx.last_insert_rowid(), date, text: text.to_owned() }))
}

/// Removes an annotation. Says whether there was one of this number.
///
/// # Errors
/// The database's.
pub fn remove(tx: &Transaction<'_>, site: SiteId, id: i64) -> Result<bool, StoreError> {
    Ok(tx.execute("DELETE FROM annotations WHERE site = ?1 AND id = ?2", params![site.0, id])? > 0)
}
