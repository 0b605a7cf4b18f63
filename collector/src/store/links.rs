//! Shared links: each shows one site to whoever has it, and lets nobody change anything.
use headwater_core::{Millis, SiteId};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::StoreError;
use crate::password::PasswordKept;
use crate::secret::Secret;

/// The most links of one site.
pub const MOST: usize = 200;

/// A link.
#[derive(Clone, Debug)]
pub struct Link {
    /// A number that is never used again.
    pub id: i64,
    /// Which site it shows.
    pub site: SiteId,
    /// Who it is for, in its maker's words.
    pub name: String,
    /// What stands in the address.
    pub secret: String,
    /// What must be typed to open it.
    pub password: Option<PasswordKept>,
    /// The dashboard that it opens; none for the figures as they are at first.
    pub dashboard: Option<i64>,
}

/// Why a link could not be made.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// There is one of this name.
    #[error("this site has a link {0:?} already; choose another name, or delete it first")]
    SameName(String),
    /// There are too many.
    #[error("a site has at most {MOST} shared links")]
    TooMany,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for LinkError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Link> {
    let password: Option<String> = row.get(4)?;
    Ok(Link {
        id: row.get(0)?,
        site: SiteId(row.get(1)?),
        name: row.get(2)?,
        secret: row.get(3)?,
        password: password.map(PasswordKept::stored),
        dashboard: row.get(5)?,
    })
}

/// The links of a site, oldest first.
///
/// # Errors
/// The database's.
pub fn list(conn: &Connection, site: SiteId) -> Result<Vec<Link>, StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT id, site, name, secret, password, dashboard FROM links WHERE site = ?1 ORDER BY id")?;
    Ok(statement.query_map([site.0], read)?.collect::<Result<_, _>>()?)
}

/// The link with this secret.
///
/// # Errors
/// The database's.
pub fn find(conn: &Connection, secret: &str) -> Result<Option<Link>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT id, site, name, secret, password, dashboard FROM links WHERE secret = ?1")?;
    Ok(statement.query_row([secret], read).optional()?)
}

/// Makes a link.
///
/// # Errors
/// See [`LinkError`].
pub fn add(
    tx: &Transaction<'_>,
    site: SiteId,
    name: &str,
    password: Option<PasswordKept>,
    dashboard: Option<i64>,
    now: Millis,
) -> Result<Link, LinkError> {
    let known = list(tx, site)?;
    if known.iter().any(|link| link.name == name) {
        return Err(LinkError::SameName(name.to_owned()));
    }
    if known.len() >= MOST {
        return Err(LinkError::TooMany);
    }
    let secret = Secret::random().map_err(StoreError::from)?.reveal().to_owned();
    tx.execute(
        "INSERT INTO links (site, name, secret, password, created, dashboard) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![site.0, name, secret, password.as_ref().map(PasswordKept::text), now.0.cast_signed(), dashboard],
    )?;
    Ok(Link { id: tx.last_insert_rowid(), site, name: name.to_owned(), secret, password, dashboard })
}

/// Revokes a link, and with it every session that was opened with it. Says whether there was one of this number.
///
/// # Errors
/// The database's.
pub fn remove(tx: &Transaction<'_>, site: SiteId, id: i64) -> Result<bool, StoreError> {
    Ok(tx.execute("DELETE FROM links WHERE site = ?1 AND id = ?2", params![site.0, id])? > 0)
}
