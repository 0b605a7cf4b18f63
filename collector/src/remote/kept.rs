//! `facts.db`: what a collector elsewhere said of sites. It holds salts: what is deleted is overwritten, and backups leave it out.
use std::collections::HashSet;
use std::path::{Path, PathBuf};

use headwater_core::{Millis, SiteId};
use headwater_edge::SiteFacts;
use rusqlite::{Connection, params};

/// The version of the schema below.
const VERSION: i64 = 1;

const SCHEMA: &str = "
    CREATE TABLE sites (domain TEXT PRIMARY KEY, learned INTEGER NOT NULL, facts BLOB NOT NULL) WITHOUT ROWID;
    -- Sites that are no more, until everything of them is deleted here.
    CREATE TABLE gone (site INTEGER PRIMARY KEY);
";

/// The file could not be used.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// SQLite refused.
    #[error("what is known of sites can't be kept in {path}: {source}")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// Written by a later Headwater.
    #[error("{path} has version {found}, and this headwater knows versions up to {VERSION}; use the newer headwater")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
    },
}

/// The file.
pub(super) struct Kept {
    path: PathBuf,
    connection: Connection,
}

impl Kept {
    pub(super) fn open(path: &Path) -> Result<Self, KeptError> {
        let sqlite = |source| KeptError::Sqlite { path: path.to_owned(), source };
        let mut connection = Connection::open(path).map_err(sqlite)?;
        let found = prepare(&mut connection).map_err(sqlite)?;
        if found > VERSION {
            return Err(KeptError::Newer { path: path.to_owned(), found });
        }
        Ok(Self { path: path.to_owned(), connection })
    }

    /// Every site, and when it was learned. What can't be read is left out, and asked for again.
    pub(super) fn sites(&self) -> Result<Vec<(Millis, SiteFacts)>, KeptError> {
        self.lift(|connection| {
            let mut statement = connection.prepare("SELECT learned, facts FROM sites")?;
            let rows = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))?;
            let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
            let read =
                |(learned, facts): (i64, Vec<u8>)| Some((Millis(learned.cast_unsigned()), serde_json::from_slice(&facts).ok()?));
            Ok(rows.into_iter().filter_map(read).collect())
        })
    }

    /// Keeps what was said of a site, and which site is no more because of it.
    pub(super) fn learned(
        &mut self,
        domain: &str,
        at: Millis,
        facts: Option<&SiteFacts>,
        gone: Option<SiteId>,
    ) -> Result<(), KeptError> {
        let text = facts.and_then(|facts| serde_json::to_vec(facts).ok());
        self.lift(|connection| {
            let tx = connection.unchecked_transaction()?;
            match text {
                Some(text) => tx
                    .prepare_cached("INSERT OR REPLACE INTO sites (domain, learned, facts) VALUES (?1, ?2, ?3)")?
                    .execute(params![domain, at.0.cast_signed(), text])?,
                None => tx.execute("DELETE FROM sites WHERE domain = ?1", [domain])?,
            };
            if let Some(site) = gone {
                tx.execute("INSERT OR IGNORE INTO gone (site) VALUES (?1)", [site.0])?;
            }
            tx.commit()
        })
    }

    /// The sites that are no more.
    pub(super) fn gone(&self) -> Result<HashSet<SiteId>, KeptError> {
        self.lift(|connection| {
            let mut statement = connection.prepare_cached("SELECT site FROM gone")?;
            statement.query_map([], |row| row.get(0).map(SiteId))?.collect()
        })
    }

    /// Everything of the site is deleted.
    pub(super) fn forgotten(&mut self, site: SiteId) -> Result<(), KeptError> {
        self.lift(|connection| connection.execute("DELETE FROM gone WHERE site = ?1", [site.0]).map(drop))
    }

    fn lift<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, KeptError> {
        work(&self.connection).map_err(|source| KeptError::Sqlite { path: self.path.clone(), source })
    }
}

/// Brings the file up to date, and says which version it had.
fn prepare(connection: &mut Connection) -> rusqlite::Result<i64> {
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // A rollback journal that is deleted, and nothing left in free pages: no salt outlives its row.
    connection.pragma_update(None, "secure_delete", true)?;
    let found = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found == 0 {
        let tx = connection.transaction()?;
        tx.execute_batch(SCHEMA)?;
        tx.pragma_update(None, "user_version", VERSION)?;
        tx.commit()?;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_learned_is_there_after_a_restart_and_what_is_gone_until_it_is_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("facts.db");
        let site = |id| SiteFacts { id: SiteId(id), domain: "a.example".into(), ..SiteFacts::default() };
        let mut kept = Kept::open(&path).unwrap();
        kept.learned("a.example", Millis(5), Some(&site(1)), None).unwrap();
        kept.learned("a.example", Millis(6), Some(&site(2)), Some(SiteId(1))).unwrap();
        drop(kept);
        let mut kept = Kept::open(&path).unwrap();
        assert_eq!(kept.sites().unwrap(), [(Millis(6), site(2))]);
        assert_eq!(kept.gone().unwrap(), HashSet::from([SiteId(1)]));
        kept.forgotten(SiteId(1)).unwrap();
        kept.learned("a.example", Millis(7), None, Some(SiteId(2))).unwrap();
        assert_eq!((kept.sites().unwrap().len(), kept.gone().unwrap()), (0, HashSet::from([SiteId(2)])));
        kept.connection.pragma_update(None, "user_version", 9).unwrap();
        assert!(matches!(Kept::open(&path), Err(KeptError::Newer { found: 9, .. })));
    }
}
