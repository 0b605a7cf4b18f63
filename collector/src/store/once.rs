//! What works once: the sign-in link that a server prints, and tickets for the live feed.
use headwater_core::{Millis, SiteId};
use rusqlite::{Connection, Transaction, params};

use super::StoreError;
use crate::secret::{Secret, SecretHash};

/// How long a sign-in link works, in milliseconds: a day, or until the server starts again.
const LINK_MS: i64 = 86_400_000;
/// How long a ticket works, in milliseconds: long enough to open a connection with it.
pub const TICKET_MS: i64 = 60_000;

/// Makes the sign-in link's token; the ones before it stop working.
///
/// # Errors
/// The database's.
pub fn sign_in_link(tx: &Transaction<'_>, now: Millis) -> Result<Secret, StoreError> {
    tx.execute("DELETE FROM one_time WHERE site IS NULL", [])?;
    issue(tx, None, now.offset(LINK_MS))
}

/// Makes a ticket for the live feed of one site.
///
/// # Errors
/// The database's.
pub fn live_ticket(tx: &Transaction<'_>, site: SiteId, now: Millis) -> Result<Secret, StoreError> {
    issue(tx, Some(site), now.offset(TICKET_MS))
}

fn issue(tx: &Transaction<'_>, site: Option<SiteId>, expires: Millis) -> Result<Secret, StoreError> {
    let secret = Secret::random()?;
    tx.execute(
        "INSERT INTO one_time (hash, site, expires) VALUES (?1, ?2, ?3)",
        params![secret.hash(), site.map(|s| s.0), expires.0.cast_signed()],
    )?;
    Ok(secret)
}

/// Whether a sign-in link's or (with a site) a ticket's token is good; asked before it is spent, without writing.
///
/// # Errors
/// The database's.
pub fn is_good(conn: &Connection, hash: SecretHash, site: Option<SiteId>, now: Millis) -> Result<bool, StoreError> {
    let found = conn
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM one_time WHERE hash = ?1 AND site IS ?2 AND expires > ?3)")?
        .query_row(params![hash, site.map(|s| s.0), now.0.cast_signed()], |row| row.get(0))?;
    Ok(found)
}

/// Spends it. Says whether it was good: of two who try at once, one is told so.
///
/// # Errors
/// The database's.
pub fn spend(tx: &Transaction<'_>, hash: SecretHash, site: Option<SiteId>, now: Millis) -> Result<bool, StoreError> {
    let spent = tx.execute(
        "DELETE FROM one_time WHERE hash = ?1 AND site IS ?2 AND expires > ?3",
        params![hash, site.map(|s| s.0), now.0.cast_signed()],
    )?;
    Ok(spent > 0)
}

/// Forgets what nobody used. Says how many.
///
/// # Errors
/// The database's.
pub fn expire(tx: &Transaction<'_>, now: Millis) -> Result<usize, StoreError> {
    Ok(tx.execute("DELETE FROM one_time WHERE expires <= ?1", [now.0.cast_signed()])?)
}
