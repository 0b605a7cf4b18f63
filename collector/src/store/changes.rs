//! The minutes that changed last, each with the version at which it did. The live feed's cursor is such a version.
use headwater_core::{Millis, Minute, SiteId};
use rusqlite::{Connection, Transaction, params};

use super::StoreError;

/// How far back the live feed goes, in minutes, and how old a cursor may be.
pub const HOUR: i32 = 60;

/// Notes that minutes changed, in the transaction that changed them. Minutes older than the feed shows are left out.
///
/// # Errors
/// The database's.
pub fn note(tx: &Transaction<'_>, changed: &[(SiteId, Minute)], now: Millis) -> Result<(), StoreError> {
    let oldest = now.minute().offset(-HOUR);
    let mut statement = tx.prepare_cached("INSERT OR REPLACE INTO changes (site, minute, at) VALUES (?1, ?2, ?3)")?;
    for (site, minute) in changed.iter().filter(|(_, minute)| *minute >= oldest) {
        statement.execute(params![site.0, minute.0, now.0.cast_signed()])?;
    }
    Ok(())
}

/// The version of the store: of the last change, of whichever site.
///
/// # Errors
/// The database's.
pub fn version(conn: &Connection) -> Result<u64, StoreError> {
    let version: i64 = conn
        .prepare_cached("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'changes'")?
        .query_row([], |row| row.get(0))?;
    Ok(version.cast_unsigned())
}

/// Whether the changes after `cursor` are all known: it is neither older than what was forgotten nor from a future that
/// a restored backup does not know.
///
/// # Errors
/// The database's.
pub fn reaches(conn: &Connection, cursor: u64) -> Result<bool, StoreError> {
    let floor: i64 =
        conn.prepare_cached("SELECT value FROM meta WHERE key = 'changes_floor'")?.query_row([], |row| row.get(0))?;
    Ok(floor.cast_unsigned() <= cursor && cursor <= version(conn)?)
}

/// The minutes of a site from `oldest` on that changed after `cursor`, oldest first, each with its version.
///
/// # Errors
/// The database's.
pub fn since(conn: &Connection, site: SiteId, cursor: u64, oldest: Minute) -> Result<Vec<(Minute, u64)>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT minute, version FROM changes WHERE site = ?1 AND version > ?2 AND minute >= ?3 ORDER BY minute",
    )?;
    let minutes = statement.query_map(params![site.0, cursor.cast_signed(), oldest.0], |row| {
        Ok((Minute(row.get(0)?), row.get::<_, i64>(1)?.cast_unsigned()))
    })?;
    Ok(minutes.collect::<rusqlite::Result<_>>()?)
}

/// Forgets changes older than an hour, and remembers up to where. Says how many.
///
/// # Errors
/// The database's.
pub fn forget(tx: &Transaction<'_>, now: Millis) -> Result<usize, StoreError> {
    let before = now.offset(-i64::from(HOUR) * 60_000).0.cast_signed();
    tx.execute(
        "UPDATE meta SET value = max(value, (SELECT coalesce(max(version), 0) FROM changes WHERE at < ?1)) WHERE key = 'changes_floor'",
        [before],
    )?;
    Ok(tx.execute("DELETE FROM changes WHERE at < ?1", [before])?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data_dir::DataDir;
    use crate::store::{Store, sites};

    #[test]
    fn a_cursor_is_good_for_an_hour() {
        let temporary = tempfile::tempdir().unwrap();
        let store = Store::open(&DataDir::create(temporary.path()).unwrap(), false).unwrap();
        let at = |minutes: u64| Millis(1_700_000_000_000 + minutes * 60_000);
        let new = sites::NewSite {
            domain: "example.com".parse().unwrap(),
            calendar: headwater_query::Calendar::utc(),
            identity: headwater_edge::Identity::Day,
            hosts: Vec::new(),
            public: false,
        };
        let site = store.write_now(|tx| sites::add(tx, &new, at(0))).unwrap().id;
        for minutes in 0..90 {
            store.write_now(|tx| note(tx, &[(site, at(minutes).minute())], at(minutes))).unwrap();
        }
        store.write_now(|tx| forget(tx, at(90))).unwrap();
        let reaches = |cursor| store.read_now(|tx| reaches(tx, cursor)).unwrap();
        assert!(reaches(90) && reaches(30), "what changed since is still known");
        assert!(!reaches(29), "older");
        assert!(!reaches(91), "of the future");
        let changed = |cursor| store.read_now(|tx| since(tx, site, cursor, at(30).minute())).unwrap();
        assert_eq!(changed(88), [(at(88).minute(), 89), (at(89).minute(), 90)]);
        // A minute that changes again moves to the new version.
        store.write_now(|tx| note(tx, &[(site, at(88).minute())], at(90))).unwrap();
        assert_eq!(changed(90), [(at(88).minute(), 91)]);
        store.write_now(|tx| forget(tx, at(900))).unwrap();
        assert!(reaches(91), "nothing changed since, however long ago that was");
    }
}
