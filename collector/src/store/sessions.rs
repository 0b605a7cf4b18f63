//! Sessions of people who signed in with a token or the printed link.
use headwater_core::Millis;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::StoreError;
use super::tokens::Scope;
use crate::secret::{Secret, SecretHash};

/// How long a session lasts, in milliseconds: 30 days.
pub const LIFE_MS: i64 = 30 * 86_400_000;

/// Opens a session. `token` is the one it was opened with, which ends it when it is revoked.
///
/// # Errors
/// The database's.
pub fn open(tx: &Transaction<'_>, token: Option<i64>, scope: Scope, now: Millis) -> Result<Secret, StoreError> {
    let secret = Secret::random()?;
    tx.execute(
        "INSERT INTO sessions (hash, token, scope, expires) VALUES (?1, ?2, ?3, ?4)",
        params![secret.hash(), token, scope.name(), now.offset(LIFE_MS).0.cast_signed()],
    )?;
    Ok(secret)
}

/// What the session may do; `None` if there is none, or no longer.
///
/// # Errors
/// The database's.
pub fn find(conn: &Connection, hash: SecretHash, now: Millis) -> Result<Option<Scope>, StoreError> {
    let scope: Option<String> = conn
        .prepare_cached("SELECT scope FROM sessions WHERE hash = ?1 AND expires > ?2")?
        .query_row(params![hash, now.0.cast_signed()], |row| row.get(0))
        .optional()?;
    Ok(scope.as_deref().and_then(Scope::parse))
}

/// Ends a session.
///
/// # Errors
/// The database's.
pub fn close(tx: &Transaction<'_>, hash: SecretHash) -> Result<(), StoreError> {
    tx.execute("DELETE FROM sessions WHERE hash = ?1", [hash])?;
    Ok(())
}

/// Forgets sessions whose time is over. Says how many.
///
/// # Errors
/// The database's.
pub fn expire(tx: &Transaction<'_>, now: Millis) -> Result<usize, StoreError> {
    Ok(tx.execute("DELETE FROM sessions WHERE expires <= ?1", [now.0.cast_signed()])?)
}
