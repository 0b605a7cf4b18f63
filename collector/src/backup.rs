//! A backup: the databases of a data directory as they are at one moment, copied while a server runs. It holds no salts but those
//! of devices, and nobody's session or invitation.
//!
//! The inbox is copied before the collector's database. What was delivered in between is then in both, and a restored inbox asks
//! before it delivers anything (`headwater_edge::resume`); the other way round it would be in neither.
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use crate::data_dir::{DataDir, DataDirError};
use crate::edge_shell::INBOX_VERSION;
use crate::store;

/// A database of a data directory, and what of it is left out of a backup: `(table, condition of what is kept)`.
struct Part {
    file: &'static str,
    newest: i64,
    kept: &'static [(&'static str, &'static str)],
}

/// In the order in which they are copied. `facts.db`, which an edge asks for again, is left out: it holds salts.
const PARTS: [Part; 2] = [
    Part { file: "inbox.db", newest: INBOX_VERSION, kept: &[] },
    Part {
        file: "headwater.db",
        newest: store::VERSION,
        kept: &[("salts", "identity = 'device'"), ("imports", "0"), ("sessions", "0"), ("one_time", "0"), ("invitations", "0")],
    },
];

/// Why there is no backup, or nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is something already.
    #[error("{0} holds data already; give a directory that is new or empty")]
    Occupied(PathBuf),
    /// There is nothing to copy.
    #[error("{0} holds neither headwater.db nor inbox.db; give the directory of a backup")]
    Nothing(PathBuf),
    /// The bytes are damaged.
    #[error("{path} is damaged: {what}; take another backup")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite found.
        what: String,
    },
    /// Made by a later Headwater.
    #[error("{path} has version {found}, and this headwater knows versions up to {known}; use the newer headwater")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The latest that is known.
        known: i64,
    },
    /// The directory.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The file system refused.
    #[error("cannot write {path}: {source}")]
    Io {
        /// What was to be written.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// SQLite refused.
    #[error("cannot copy {path}: {source}")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

/// One file that was copied.
#[derive(Clone, Debug)]
pub struct Copied {
    /// Its name.
    pub file: &'static str,
    /// Its size in bytes.
    pub bytes: u64,
}

/// Copies the data in `from`, of a running server or not, to the new directory `to`. `begin` is told each file and its size before
/// it is copied.
///
/// # Errors
/// See [`BackupError`]; what was written until then is removed.
pub fn make(from: &DataDir, to: &Path, begin: &mut dyn FnMut(&'static str, u64)) -> Result<Vec<Copied>, BackupError> {
    vacant(to)?;
    let into = DataDir::create(to)?;
    copy(from.path(), into.path(), begin).inspect_err(|_| discard(to))
}

/// Copies the backup in `from` to the new data directory `to`.
///
/// # Errors
/// See [`BackupError`]; what was written until then is removed.
pub fn restore(from: &Path, to: &Path, begin: &mut dyn FnMut(&'static str, u64)) -> Result<Vec<Copied>, BackupError> {
    for part in &PARTS {
        part.check(from)?;
    }
    vacant(to)?;
    let into = DataDir::create(to)?;
    let _lock = into.lock()?;
    copy(from, into.path(), begin).inspect_err(|_| discard(to))
}

/// No database may be there.
fn vacant(to: &Path) -> Result<(), BackupError> {
    let occupied = PARTS.iter().any(|part| to.join(part.file).exists());
    if occupied { Err(BackupError::Occupied(to.to_owned())) } else { Ok(()) }
}

fn discard(to: &Path) {
    for part in &PARTS {
        let _ = fs::remove_file(to.join(part.file)); // it may not have come so far
    }
}

fn copy(from: &Path, to: &Path, begin: &mut dyn FnMut(&'static str, u64)) -> Result<Vec<Copied>, BackupError> {
    let mut copied = Vec::new();
    for part in PARTS.iter().filter(|part| from.join(part.file).is_file()) {
        let (source, target) = (from.join(part.file), to.join(part.file));
        begin(part.file, fs::metadata(&source).map_or(0, |file| file.len()));
        part.copy(&source, &target).map_err(|error| BackupError::Sqlite { path: source, source: error })?;
        let io = |source| BackupError::Io { path: target.clone(), source };
        let file = File::open(&target).map_err(io)?;
        file.sync_all().map_err(io)?;
        copied.push(Copied { file: part.file, bytes: file.metadata().map_err(io)?.len() });
    }
    if copied.is_empty() {
        return Err(BackupError::Nothing(from.to_owned()));
    }
    // The names, too, must survive a power cut.
    let io = |source| BackupError::Io { path: to.to_owned(), source };
    File::open(to).and_then(|dir| dir.sync_all()).map_err(io)?;
    Ok(copied)
}

impl Part {
    /// Whether the file in `dir`, if there is one, can be restored.
    fn check(&self, dir: &Path) -> Result<(), BackupError> {
        let path = dir.join(self.file);
        if !path.is_file() {
            return Ok(());
        }
        let sqlite = |source| BackupError::Sqlite { path: path.clone(), source };
        let file = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(sqlite)?;
        let found = file.pragma_query_value(None, "user_version", |row| row.get(0));
        let found: i64 = found.map_err(|error| BackupError::Damaged { path: path.clone(), what: error.to_string() })?;
        if found > self.newest {
            return Err(BackupError::Newer { path, found, known: self.newest });
        }
        let what: String = file.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(sqlite)?;
        if what == "ok" { Ok(()) } else { Err(BackupError::Damaged { path, what }) }
    }

    /// Copies table by table, within one view of the source, so that what is left out is never written.
    fn copy(&self, source: &Path, target: &Path) -> rusqlite::Result<()> {
        let mut copy = Connection::open(target)?;
        copy.pragma_update(None, "auto_vacuum", "INCREMENTAL")?; // as in a new database
        copy.pragma_update(None, "journal_mode", "OFF")?; // a copy that is not finished is removed
        copy.pragma_update(None, "synchronous", "OFF")?; // it is synced at the end
        copy.pragma_update(None, "foreign_keys", false)?; // a table may come before the one that it refers to
        copy.execute("ATTACH ?1 AS source", [source.to_string_lossy()])?;
        let tx = copy.transaction()?;
        let version: i64 = tx.query_row("PRAGMA source.user_version", [], |row| row.get(0))?;
        let tables = schema(&tx, "type = 'table'")?;
        for (name, sql) in &tables {
            tx.execute_batch(sql)?;
            let kept =
                self.kept.iter().find(|(table, _)| table == name).map_or(String::new(), |(_, kept)| format!(" WHERE {kept}"));
            tx.execute_batch(&format!("INSERT INTO main.\"{name}\" SELECT * FROM source.\"{name}\"{kept}"))?;
        }
        // Numbers that were given are never given again, whether or not their rows are still there.
        if tables.iter().any(|(_, sql)| sql.contains("AUTOINCREMENT")) {
            tx.execute_batch(
                "DELETE FROM main.sqlite_sequence; INSERT INTO main.sqlite_sequence SELECT * FROM source.sqlite_sequence",
            )?;
        }
        for (_, sql) in schema(&tx, "type IN ('index', 'trigger')")? {
            tx.execute_batch(&sql)?;
        }
        tx.pragma_update(None, "user_version", version)?;
        tx.commit()
    }
}

/// The names and statements of what the source is made of.
fn schema(tx: &Connection, which: &str) -> rusqlite::Result<Vec<(String, String)>> {
    let sql = format!(
        "SELECT name, sql FROM source.sqlite_master WHERE {which} AND sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    );
    let mut statement = tx.prepare(&sql)?;
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::store::Store;

    fn data(at: &Path) -> DataDir {
        let dir = DataDir::create(at).unwrap();
        let store = Store::open(&dir, false).unwrap();
        let add = |domain: &str, identity| store::sites::NewSite {
            domain: domain.parse().unwrap(),
            calendar: headwater_query::Calendar::utc(),
            identity,
            hosts: vec![],
            public: false,
        };
        let now = Clock::system().now();
        let (day, device) = (headwater_edge::Identity::Day, headwater_edge::Identity::Device);
        for new in [add("a.example", day), add("b.example", device), add("gone.example", day)] {
            store.write_now(|tx| store::sites::add(tx, &new, now)).unwrap();
        }
        store.write_now(|tx| store::sites::remove(tx, "gone.example")).unwrap();
        let (site, import) = (headwater_core::SiteId(1), headwater_core::NodeId([1; 16]));
        store.write_now(|tx| store::imports::begin(tx, site, import, now)).unwrap();
        dir
    }

    #[test]
    fn a_backup_holds_everything_but_salts_and_sessions() {
        let temporary = tempfile::tempdir().unwrap();
        let from = data(&temporary.path().join("data"));
        let (backup, again) = (temporary.path().join("backup"), temporary.path().join("again"));
        let mut begun = Vec::new();
        let made = make(&from, &backup, &mut |file, bytes| begun.push((file, bytes > 0))).unwrap();
        assert_eq!((made.len(), begun.as_slice()), (1, &[("headwater.db", true)][..]));
        assert!(matches!(make(&from, &backup, &mut |_, _| {}), Err(BackupError::Occupied(_))));

        let salts = |dir: &Path| -> Vec<Vec<u8>> {
            let file = Connection::open(dir.join("headwater.db")).unwrap();
            let mut statement =
                file.prepare("SELECT salt FROM salts WHERE identity <> 'device' UNION ALL SELECT salt FROM imports").unwrap();
            statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
        };
        let secrets = salts(from.path());
        assert!(secrets.len() >= 8 && salts(&backup).is_empty());
        let bytes = fs::read(backup.join("headwater.db")).unwrap();
        for salt in &secrets {
            assert!(!bytes.windows(32).any(|window| window == salt.as_slice()), "not in free pages either");
        }

        restore(&backup, &again, &mut |_, _| {}).unwrap();
        assert!(matches!(restore(&backup, &again, &mut |_, _| {}), Err(BackupError::Occupied(_))));
        let store = Store::open(&DataDir::existing(&again).unwrap(), false).unwrap();
        let sites = store.read_now(|tx| store::sites::list(tx)).unwrap();
        let names: Vec<String> = sites.iter().map(|site| site.domain.to_string()).collect();
        assert_eq!(names, ["a.example", "b.example"]);
        // The number of the site that was removed does not come back.
        let new = store::sites::NewSite {
            domain: "c.example".parse().unwrap(),
            calendar: headwater_query::Calendar::utc(),
            identity: headwater_edge::Identity::Day,
            hosts: vec![],
            public: false,
        };
        let added = store.write_now(|tx| store::sites::add(tx, &new, Clock::system().now())).unwrap();
        assert_eq!(added.id.0, 4);
    }

    #[test]
    fn what_is_no_backup_is_not_restored() {
        let temporary = tempfile::tempdir().unwrap();
        let (from, to) = (temporary.path().join("from"), temporary.path().join("to"));
        assert!(matches!(restore(&from, &to, &mut |_, _| {}), Err(BackupError::Nothing(_))));
        data(&from);
        let file = Connection::open(from.join("headwater.db")).unwrap();
        file.pragma_update(None, "user_version", store::VERSION + 1).unwrap();
        assert!(matches!(restore(&from, &to, &mut |_, _| {}), Err(BackupError::Newer { .. })));
        drop(file);
        fs::write(
            from.join("headwater.db"),
            b"SQLite format 3 but not really, as it goes on with something else altogether".repeat(50),
        )
        .unwrap();
        let _ = fs::remove_file(from.join("headwater.db-wal"));
        assert!(matches!(restore(&from, &to, &mut |_, _| {}), Err(BackupError::Damaged { .. } | BackupError::Sqlite { .. })));
        assert!(!to.join("headwater.db").exists());
    }
}
