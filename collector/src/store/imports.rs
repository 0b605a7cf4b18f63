//! Salts of imports: each has one of its own, from which those of its windows are made, until it ends.
use headwater_core::{Millis, NodeId, SiteId};
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use super::StoreError;
use crate::secret::random;

/// An import that was not gone on with for this long, in milliseconds, is taken as given up.
const GIVEN_UP: i64 = 96 * 3_600_000;

/// The salt of an import, made when it begins.
///
/// # Errors
/// The database's.
pub fn begin(tx: &Transaction<'_>, site: SiteId, import: NodeId, now: Millis) -> Result<[u8; 32], StoreError> {
    let salt = match known(tx, site, import)? {
        Some(salt) => salt,
        None => random()?,
    };
    tx.prepare_cached("INSERT OR REPLACE INTO imports (site, import, salt, at) VALUES (?1, ?2, ?3, ?4)")?.execute(params![
        site.0,
        import.0,
        salt,
        now.0.cast_signed()
    ])?;
    Ok(salt)
}

fn known(conn: &Connection, site: SiteId, import: NodeId) -> Result<Option<[u8; 32]>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT salt FROM imports WHERE site = ?1 AND import = ?2")?;
    Ok(statement.query_row(params![site.0, import.0], |row| row.get(0)).optional()?)
}

/// Destroys the salt of an import.
///
/// # Errors
/// The database's.
pub fn end(tx: &Transaction<'_>, site: SiteId, import: NodeId) -> Result<(), StoreError> {
    tx.execute("DELETE FROM imports WHERE site = ?1 AND import = ?2", params![site.0, import.0])?;
    Ok(())
}

/// Destroys the salts of imports that were given up. Says how many.
///
/// # Errors
/// The database's.
pub fn expire(tx: &Transaction<'_>, now: Millis) -> Result<usize, StoreError> {
    Ok(tx.execute("DELETE FROM imports WHERE at < ?1", [now.offset(-GIVEN_UP).0.cast_signed()])?)
}
