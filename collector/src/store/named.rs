//! What people save of a site under a name: segments and dashboards. Each is a list, kept as JSON.
use headwater_core::SiteId;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::StoreError;

/// What is saved.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// What one is called.
    pub noun: &'static str,
    /// The most of one site.
    pub most: usize,
    /// What its list is called.
    pub column: &'static str,
    table: &'static str,
}

/// Segments: filters, all of which must hold.
pub const SEGMENT: Kind = Kind { noun: "segment", most: 200, column: "filters", table: "saved_segments" };
/// Dashboards: widgets, in their order.
pub const DASHBOARD: Kind = Kind { noun: "dashboard", most: 100, column: "widgets", table: "dashboards" };

/// One that is saved.
#[derive(Clone, Debug)]
pub struct Named<T> {
    /// A number that is never used again.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// What it is.
    pub list: Vec<T>,
    /// Another one whenever name or list are.
    pub version: String,
}

/// What is to become of one.
#[derive(Clone, Debug)]
pub struct Change<T> {
    /// Its new name, if it gets one.
    pub name: Option<String>,
    /// Its new list, if it gets one.
    pub list: Option<Vec<T>>,
    /// The version that it has to have, if that matters.
    pub version: Option<String>,
}

/// Why it could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum NamedError {
    /// There is one of this name.
    #[error("this site has a {0} {1:?} already; choose another name")]
    SameName(&'static str, String),
    /// It has not the version that it has to have.
    #[error("somebody has saved this {0} since it was read; read it again, and make the change to what it is now")]
    Changed(&'static str),
    /// There are too many.
    #[error("a site has at most {1} {0}s")]
    TooMany(&'static str, usize),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for NamedError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

/// All of a site, by name.
///
/// # Errors
/// The database's.
pub fn list<T: DeserializeOwned>(conn: &Connection, kind: Kind, site: SiteId) -> Result<Vec<Named<T>>, StoreError> {
    let Kind { noun, table, column, .. } = kind;
    let mut statement = conn.prepare_cached(&format!("SELECT id, name, {column} FROM {table} WHERE site = ?1 ORDER BY name"))?;
    let rows = statement.query_map([site.0], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?)))?;
    let read = |(id, name, text): (i64, String, String)| {
        let list = serde_json::from_str(&text).map_err(|error| StoreError::Corrupt(format!("{noun} {id}: {error}")))?;
        Ok(Named { id, version: version(&name, &text), name, list })
    };
    rows.map(|row| row.map_err(StoreError::from).and_then(read)).collect()
}

/// Saves another one.
///
/// # Errors
/// See [`NamedError`].
pub fn add<T: Serialize>(
    tx: &Transaction<'_>,
    kind: Kind,
    site: SiteId,
    name: String,
    list: Vec<T>,
) -> Result<Named<T>, NamedError> {
    let Kind { noun, most, table, column } = kind;
    free(tx, kind, site, None, &name)?;
    let count: i64 = tx.query_row(&format!("SELECT count(*) FROM {table} WHERE site = ?1"), [site.0], |row| row.get(0))?;
    if usize::try_from(count).is_ok_and(|count| count >= most) {
        return Err(NamedError::TooMany(noun, most));
    }
    let sql = format!("INSERT INTO {table} (site, name, {column}) VALUES (?1, ?2, ?3)");
    let text = written(&list)?;
    tx.execute(&sql, params![site.0, name, text])?;
    Ok(Named { id: tx.last_insert_rowid(), version: version(&name, &text), name, list })
}

/// Gives the one of this number another name, another list, or both. `None` if there is none.
///
/// # Errors
/// See [`NamedError`].
pub fn change<T: Serialize + DeserializeOwned>(
    tx: &Transaction<'_>,
    kind: Kind,
    site: SiteId,
    id: i64,
    change: Change<T>,
) -> Result<Option<Named<T>>, NamedError> {
    let Some(old) = self::list(tx, kind, site)?.into_iter().find(|one| one.id == id) else { return Ok(None) };
    if change.version.is_some_and(|version| version != old.version) {
        return Err(NamedError::Changed(kind.noun));
    }
    let (name, list) = (change.name.unwrap_or(old.name), change.list.unwrap_or(old.list));
    free(tx, kind, site, Some(id), &name)?;
    let text = written(&list)?;
    let sql = format!("UPDATE {} SET name = ?2, {} = ?3 WHERE id = ?1", kind.table, kind.column);
    tx.execute(&sql, params![id, name, text])?;
    Ok(Some(Named { id, version: version(&name, &text), name, list }))
}

/// Removes one. Says whether there was one of this number.
///
/// # Errors
/// The database's.
pub fn remove(tx: &Transaction<'_>, kind: Kind, site: SiteId, id: i64) -> Result<bool, StoreError> {
    let sql = format!("DELETE FROM {} WHERE site = ?1 AND id = ?2", kind.table);
    Ok(tx.execute(&sql, params![site.0, id])? > 0)
}

/// Whether there is one of this number.
///
/// # Errors
/// The database's.
pub fn exists(conn: &Connection, kind: Kind, site: SiteId, id: i64) -> Result<bool, StoreError> {
    let sql = format!("SELECT 1 FROM {} WHERE site = ?1 AND id = ?2", kind.table);
    Ok(conn.query_row(&sql, [i64::from(site.0), id], |_| Ok(())).optional()?.is_some())
}

/// Whether no other one has this name.
fn free(tx: &Transaction<'_>, kind: Kind, site: SiteId, id: Option<i64>, name: &str) -> Result<(), NamedError> {
    let sql = format!("SELECT 1 FROM {} WHERE site = ?1 AND name = ?2 AND id IS NOT ?3", kind.table);
    match tx.query_row(&sql, params![site.0, name, id], |_| Ok(())).optional()? {
        Some(()) => Err(NamedError::SameName(kind.noun, name.to_owned())),
        None => Ok(()),
    }
}

/// The beginning of a hash of both.
fn version(name: &str, list: &str) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(name.as_bytes()).update(&[0]).update(list.as_bytes());
    hasher.finalize().to_hex().chars().take(16).collect()
}

fn written<T: Serialize>(list: &[T]) -> Result<String, StoreError> {
    serde_json::to_string(list).map_err(|error| StoreError::Corrupt(error.to_string()))
}
