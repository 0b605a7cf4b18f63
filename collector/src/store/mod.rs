//! The collector's database: one writer, a few readers, all of SQLite's care for what is on the disk.
//!
//! The files beside this one are functions over a connection, one noun each; this one says which connection.
pub mod aggregates;
pub mod annotations;
pub mod bots;
pub mod changes;
pub mod goals;
pub mod imports;
pub mod links;
pub mod named;
pub mod once;
pub mod people;
pub mod salts;
mod schema;
pub mod sessions;
pub mod sites;
pub mod tokens;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use tokio::sync::Semaphore;

use crate::data_dir::{DataDir, DataDirError};

/// The version of the database that this program writes; it reads all up to it.
pub const VERSION: i64 = schema::LATEST;

/// How long a writer waits for another process's transaction.
const BUSY: Duration = Duration::from_secs(10);
/// Readers that may be at work at once; more wait. A query is short and the disk is one.
const READERS: usize = 4;

/// The database of one data directory.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    path: PathBuf,
    writer: Mutex<Connection>,
    idle: Mutex<Vec<Connection>>,
    permits: Semaphore,
}

/// Why the database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Written by a later Headwater.
    #[error(
        "the database in {path} has version {found}, and this headwater knows versions up to {known}; use the newer headwater, or restore a backup made with this one"
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The latest version that this program can read.
        known: i64,
    },
    /// Written before the tables had the form that their number stands for: between releases they change without a new one.
    #[error(
        "the database in {path} was written by another state of Headwater between releases: it says version {found}, but {difference}. Such data can't be brought up to date; use the headwater that wrote it, or export it with that one (`headwater export`) and begin with a new directory (--data)"
    )]
    Foreign {
        /// The database.
        path: PathBuf,
        /// The version that it says.
        found: i64,
        /// Where it is not as that version is.
        difference: String,
    },
    /// Must be brought up to date, which nobody may do under a running server.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// SQLite refused.
    #[error("cannot open the database in {path}: {source}")]
    Sqlite {
        /// The database.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

/// Why the database could not do what was asked. Nothing of it was done.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No room on the disk.
    #[error("the disk is full; make room and it will go on by itself")]
    Full,
    /// Another process kept the database too long.
    #[error("another process kept the database busy for {} seconds; try again", BUSY.as_secs())]
    Busy,
    /// Anything else that SQLite says.
    #[error("the database failed: {0}")]
    Sqlite(rusqlite::Error),
    /// What is stored is not what was written.
    #[error("the database holds something unreadable: {0}")]
    Corrupt(String),
    /// The system has no randomness.
    #[error(transparent)]
    Random(#[from] crate::secret::NoRandomness),
    /// The work panicked; its transaction was rolled back.
    #[error("the work on the database was interrupted")]
    Interrupted,
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            _ => Self::Sqlite(error),
        }
    }
}

impl Store {
    /// Opens the database of `dir`, makes it if it is not there, and brings it up to date.
    /// `locked` says whether the caller holds the directory's lock, as a server does.
    ///
    /// # Errors
    /// See [`OpenError`]; nothing is changed then.
    pub fn open(dir: &DataDir, locked: bool) -> Result<Self, OpenError> {
        let path = dir.database();
        let sqlite = |source| OpenError::Sqlite { path: path.clone(), source };
        let mut writer = connect(&path, true).map_err(sqlite)?;
        let found = schema::version(&writer).map_err(sqlite)?;
        if found > schema::LATEST {
            return Err(OpenError::Newer { path, found, known: schema::LATEST });
        }
        if let Some(difference) = schema::difference(&writer, found).map_err(sqlite)? {
            return Err(OpenError::Foreign { path, found, difference });
        }
        if found < schema::LATEST {
            // A server of an older version would not understand what it finds after this.
            let _lock = if locked { None } else { Some(dir.lock()?) };
            schema::migrate(&mut writer).map_err(sqlite)?;
        }
        let inner = Inner { path, writer: Mutex::new(writer), idle: Mutex::default(), permits: Semaphore::new(READERS) };
        Ok(Self(Arc::new(inner)))
    }

    /// The database file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Runs `work` in one write transaction, which is on the disk when this returns, or undone if `work` fails.
    ///
    /// # Errors
    /// What `work` says, or what the database says.
    pub fn write_now<T, E: From<StoreError>>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T, E>) -> Result<T, E> {
        let lift = |error: rusqlite::Error| E::from(StoreError::from(error));
        // A panic inside left a transaction that was rolled back when it was dropped: the connection is sound.
        let mut writer = self.0.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate).map_err(lift)?;
        let done = work(&transaction)?;
        transaction.commit().map_err(lift)?;
        Ok(done)
    }

    /// [`Store::write_now`] on a thread that may wait.
    ///
    /// # Errors
    /// The same.
    pub async fn write<T, E>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let this = self.clone();
        let done = tokio::task::spawn_blocking(move || this.write_now(work)).await;
        done.unwrap_or_else(|_| Err(StoreError::Interrupted.into()))
    }

    /// Runs `work` on one unchanging view of the database, beside the writer.
    ///
    /// # Errors
    /// What `work` says, or what the database says.
    pub fn read_now<T, E: From<StoreError>>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T, E>) -> Result<T, E> {
        let lift = |error: rusqlite::Error| E::from(StoreError::from(error));
        let idle = self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut reader = match idle {
            Some(reader) => reader,
            None => connect(&self.0.path, false).map_err(lift)?,
        };
        let view = reader.transaction().map_err(lift)?;
        let done = work(&view);
        drop(view);
        let mut idle = self.0.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < READERS {
            idle.push(reader);
        }
        done
    }

    /// [`Store::read_now`] on a thread that may wait.
    ///
    /// # Errors
    /// The same.
    pub async fn read<T, E>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        // The permit goes with the work: a caller that gives up must not make room while its query still runs.
        let this = self.clone();
        let Ok(()) = self.0.permits.acquire().await.map(tokio::sync::SemaphorePermit::forget) else {
            return Err(StoreError::Interrupted.into());
        };
        let done = tokio::task::spawn_blocking(move || {
            let _back = GiveBack(&this.0.permits);
            this.read_now(work)
        })
        .await;
        done.unwrap_or_else(|_| Err(StoreError::Interrupted.into()))
    }

    /// A connection of one's own, to watch for changes by other processes.
    ///
    /// # Errors
    /// If SQLite refuses.
    pub fn watcher(&self) -> Result<Connection, StoreError> {
        Ok(connect(&self.0.path, false)?)
    }

    /// Gives up to `pages` free pages back to the system, if more than `spare` are free; true if there are more to give.
    /// A few at a time, writers get in between. What is given back leaves the file when the log is next cut.
    ///
    /// # Errors
    /// If SQLite refuses.
    pub fn shrink(&self, pages: u32, spare: u32) -> Result<bool, StoreError> {
        let writer = self.0.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let free = || writer.query_row("PRAGMA freelist_count", [], |row| row.get::<_, u32>(0));
        let before = free()?;
        if before <= spare {
            return Ok(false);
        }
        let mut statement = writer.prepare(&format!("PRAGMA incremental_vacuum({})", pages.min(before - spare)))?;
        let mut rows = statement.query([])?;
        while rows.next()?.is_some() {}
        let after = free()?;
        // A database of before it could shrink keeps its pages, and uses them again.
        Ok(after < before && after > spare)
    }

    /// How many pages the database has, free ones among them.
    ///
    /// # Errors
    /// If SQLite refuses.
    pub fn pages(&self) -> Result<u32, StoreError> {
        self.read_now(|tx| Ok(tx.query_row("PRAGMA page_count", [], |row| row.get(0))?))
    }

    /// Moves the write-ahead log into the database and cuts it, so that what was deleted is not left in it.
    ///
    /// # Errors
    /// If SQLite refuses. A reader at work leaves the rest to the next time.
    pub fn truncate_log(&self) -> Result<(), StoreError> {
        let writer = self.0.writer.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    }
}

struct GiveBack<'a>(&'a Semaphore);

impl Drop for GiveBack<'_> {
    fn drop(&mut self) {
        self.0.add_permits(1);
    }
}

fn connect(path: &Path, writes: bool) -> rusqlite::Result<Connection> {
    let access = if writes {
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE
    } else {
        // Read-write, because even a reader of a write-ahead log may have to make its index; `query_only` keeps it honest.
        OpenFlags::SQLITE_OPEN_READ_WRITE
    };
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY)?;
    if connection.query_row("PRAGMA page_count", [], |row| row.get::<_, u32>(0))? == 0 {
        // Before anything else is made: free pages can leave the file. Later it would only wait for writers.
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    }
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // FULL: what was acknowledged survives a power cut, not only a crash of the process.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // Salts, tokens and deleted sites are overwritten, not only unlinked.
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "query_only", !writes)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_database_is_left_alone() {
        let temporary = tempfile::tempdir().unwrap();
        let dir = DataDir::create(temporary.path()).unwrap();
        drop(Store::open(&dir, false).unwrap());
        let raw = Connection::open(dir.database()).unwrap();
        raw.pragma_update(None, "user_version", schema::LATEST + 1).unwrap();
        assert!(matches!(Store::open(&dir, false), Err(OpenError::Newer { .. })));
    }

    #[test]
    fn a_database_of_between_releases_is_left_alone_with_words() {
        let temporary = tempfile::tempdir().unwrap();
        let dir = DataDir::create(temporary.path()).unwrap();
        drop(Store::open(&dir, false).unwrap());
        let raw = Connection::open(dir.database()).unwrap();
        for (change, told) in [
            ("ALTER TABLE segments DROP COLUMN uniques", "segments"),
            ("ALTER TABLE segments ADD COLUMN uniques BLOB", ""),
            ("ALTER TABLE goals ADD COLUMN mood TEXT", "mood"),
            ("ALTER TABLE goals DROP COLUMN mood", ""),
            ("ALTER TABLE people RENAME TO persons", "people"),
        ] {
            raw.execute_batch(change).unwrap();
            match Store::open(&dir, false) {
                Ok(_) => assert_eq!(told, "", "{change}"),
                Err(error @ OpenError::Foreign { .. }) => {
                    let said = error.to_string();
                    assert!(!told.is_empty() && said.contains(told) && said.contains("headwater export"), "{said}");
                }
                Err(other) => panic!("{change}: {other}"),
            }
        }
    }

    #[test]
    fn every_version_becomes_the_latest() {
        for version in 0..=schema::LATEST {
            let temporary = tempfile::tempdir().unwrap();
            let dir = DataDir::create(temporary.path()).unwrap();
            schema::make(&Connection::open(dir.database()).unwrap(), version).unwrap();
            let store = Store::open(&dir, false).unwrap();
            let now = store.read_now(|tx| Ok::<_, StoreError>(schema::version(tx)?)).unwrap();
            assert_eq!(now, schema::LATEST, "from {version}");
            drop(store);
            Store::open(&dir, false).unwrap();
        }
    }

    #[test]
    fn what_is_deleted_leaves_the_file_while_others_write() {
        let temporary = tempfile::tempdir().unwrap();
        let dir = DataDir::create(temporary.path()).unwrap();
        let store = Store::open(&dir, false).unwrap();
        let fill = |tx: &Transaction<'_>| -> Result<(), StoreError> {
            let sql = "INSERT INTO segments (site, grain, start, \"end\", level, tallies) VALUES (1, 2, ?1, ?1 + 1, 99, randomblob(9000))";
            (0..400).try_for_each(|start| tx.execute(sql, [start]).map(|_| ()))?;
            Ok(())
        };
        store.write_now(fill).unwrap();
        store.truncate_log().unwrap();
        let size = || std::fs::metadata(dir.database()).unwrap().len();
        let full = size();
        assert!(full > 3_000_000);
        // Every second one: what is left lies all over the file.
        store.write_now(|tx| Ok::<_, StoreError>(tx.execute("DELETE FROM segments WHERE start % 2 = 1", [])?)).unwrap();
        let mut steps = 0;
        while store.shrink(64, 16).unwrap() {
            steps += 1;
            let write = |tx: &Transaction<'_>| Ok(tx.execute("UPDATE meta SET value = value + 1 WHERE key = 'probe'", [])?);
            store.write_now::<_, StoreError>(write).unwrap();
        }
        store.truncate_log().unwrap();
        assert!(steps > 4, "{steps}");
        assert!(size() < full * 6 / 10, "{} of {full}", size());
        let left: (i64, i64, String) = store
            .read_now(|tx| {
                let left =
                    "SELECT count(*), sum(length(tallies)), (SELECT integrity_check FROM pragma_integrity_check) FROM segments";
                Ok::<_, StoreError>(tx.query_row(left, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?)
            })
            .unwrap();
        assert_eq!(left, (200, 200 * 9000, "ok".to_owned()));
    }

    #[test]
    fn a_reader_holds_up_no_writer() {
        let temporary = tempfile::tempdir().unwrap();
        let store = Store::open(&DataDir::create(temporary.path()).unwrap(), false).unwrap();
        let probe = |tx: &Transaction<'_>| -> Result<i64, StoreError> {
            Ok(tx.query_row("SELECT value FROM meta WHERE key = 'probe'", [], |row| row.get(0))?)
        };
        let work = |tx: &Transaction<'_>| {
            let before = probe(tx)?;
            // What is written while a query is at work is durable at once, and not seen by it.
            let write = |tx: &Transaction<'_>| Ok(tx.execute("UPDATE meta SET value = 7 WHERE key = 'probe'", [])?);
            store.write_now::<_, StoreError>(write)?;
            assert_eq!(store.read_now(probe)?, 7);
            assert_eq!(probe(tx)?, before);
            Ok::<_, StoreError>(())
        };
        store.read_now(work).unwrap();
    }

    #[test]
    fn failed_work_leaves_nothing() {
        let temporary = tempfile::tempdir().unwrap();
        let store = Store::open(&DataDir::create(temporary.path()).unwrap(), false).unwrap();
        let failed: Result<(), StoreError> = store.write_now(|tx| {
            tx.execute("UPDATE meta SET value = 7 WHERE key = 'probe'", [])?;
            Err(StoreError::Interrupted)
        });
        assert!(failed.is_err());
        let probe: i64 = store
            .read_now(|tx| Ok::<_, StoreError>(tx.query_row("SELECT value FROM meta WHERE key = 'probe'", [], |r| r.get(0))?))
            .unwrap();
        assert_eq!(probe, 0);
    }
}
