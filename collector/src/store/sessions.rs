//! Sessions of who signed in with a token, the printed link, a password or a shared link.
use headwater_core::{Millis, SiteId};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::StoreError;
use super::people::{self, Person, Role};
use super::tokens::Scope;
use crate::secret::{Secret, SecretHash};

/// How long a session lasts, in milliseconds: 30 days.
pub const LIFE_MS: i64 = 30 * 86_400_000;

/// By what a session is opened; when it is revoked or removed, the session ends.
#[derive(Clone, Copy, Debug)]
pub enum By {
    /// A token, and what it may do.
    Token(i64, Scope),
    /// The printed link.
    Start,
    /// A person's password.
    Person(i64),
    /// A shared link.
    Link(i64),
}

/// Who a session belongs to.
#[derive(Clone, Debug)]
pub enum Holder {
    /// Whoever had a token or the printed link.
    Scope(Scope),
    /// A person, with their roles.
    Person(Person, Vec<(SiteId, Role)>),
    /// Whoever had a shared link of this site.
    Link(SiteId),
}

/// Opens a session.
///
/// # Errors
/// The database's.
pub fn open(tx: &Transaction<'_>, by: By, now: Millis) -> Result<Secret, StoreError> {
    let secret = Secret::random()?;
    let (token, person, link, scope) = match by {
        By::Token(token, scope) => (Some(token), None, None, scope.name()),
        By::Start => (None, None, None, Scope::Admin.name()),
        By::Person(person) => (None, Some(person), None, "person"),
        By::Link(link) => (None, None, Some(link), "link"),
    };
    tx.execute(
        "INSERT INTO sessions (hash, token, scope, expires, person, link) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![secret.hash(), token, scope, now.offset(LIFE_MS).0.cast_signed(), person, link],
    )?;
    Ok(secret)
}

/// Whose session it is; `None` if there is none, or no longer.
///
/// # Errors
/// The database's.
pub fn find(conn: &Connection, hash: SecretHash, now: Millis) -> Result<Option<Holder>, StoreError> {
    let found = conn
        .prepare_cached(
            "SELECT scope, person, links.site FROM sessions LEFT JOIN links ON links.id = link WHERE hash = ?1 AND expires > ?2",
        )?
        .query_row(params![hash, now.0.cast_signed()], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, Option<i64>>(1)?, row.get::<_, Option<u32>>(2)?))
        })
        .optional()?;
    let Some((scope, person, site)) = found else { return Ok(None) };
    if let Some(site) = site {
        return Ok(Some(Holder::Link(SiteId(site))));
    }
    if let Some(id) = person {
        let roles = people::roles(conn, id)?;
        return Ok(people::get(conn, id)?.map(|person| Holder::Person(person, roles)));
    }
    Ok(Scope::parse(&scope).map(Holder::Scope))
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
