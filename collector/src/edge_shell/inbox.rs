//! `inbox.db`: blocks of records, the batch under way, and the small tables of `headwater_edge::store`.
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use headwater_core::{Millis, NodeId, SiteId};
use headwater_edge::dedup::{is_past, site_in_key};
use headwater_edge::record::Block;
use headwater_edge::store::{Table, Transaction};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

/// The version of the schema below.
pub const VERSION: i64 = 1;

const SCHEMA: &str = "
    CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
    -- Positions are never used again: a batch names the last one it holds.
    CREATE TABLE records (position INTEGER PRIMARY KEY AUTOINCREMENT, block BLOB NOT NULL);
    -- The batch under way: at most one row. `upto` is its last position.
    CREATE TABLE outbox (seq INTEGER PRIMARY KEY, upto INTEGER NOT NULL, batch BLOB NOT NULL);
";

/// Why the inbox could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Written by a later Headwater.
    #[error(
        "the inbox in {path} has version {found}, and this headwater knows versions up to {VERSION}; use the newer headwater"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
    },
    /// The system has no randomness.
    #[error("the system gives no random numbers: {0}")]
    Random(getrandom::Error),
    /// SQLite refused.
    #[error("cannot open the inbox in {path}: {source}")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

/// What an inbox is, made with it.
#[derive(Clone, Copy)]
pub(super) struct Identity {
    /// Its name among the edges of a collector.
    pub(super) node: NodeId,
    /// The key under which ids of events are remembered.
    pub(super) key: [u8; 32],
    /// The last position that was there when it was opened: an earlier life may have delivered what stands up to here.
    pub(super) boundary: i64,
}

/// The batch under way.
pub(super) struct Outgoing {
    /// Its number.
    pub(super) seq: u64,
    /// What is sent.
    pub(super) batch: Vec<u8>,
}

/// The one connection that writes.
pub(super) struct Inbox {
    connection: Connection,
    /// The statements for each small table that exists.
    tables: HashMap<Table, Statements>,
}

struct Statements {
    get: String,
    put: String,
}

impl Statements {
    fn of(table: Table) -> Self {
        let name = table.name();
        Self {
            get: format!("SELECT value FROM {name} WHERE key = ?1"),
            put: format!(
                "INSERT INTO {name} (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
            ),
        }
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // FULL: a commit is on the disk when it returns. The promise of every 202 rests on this line.
    connection.pragma_update(None, "synchronous", "FULL")?;
    // What is deleted is overwritten, not left in free pages.
    connection.pragma_update(None, "secure_delete", "ON")?;
    connection.pragma_update(None, "cache_size", -32_768)?; // KiB
    // Pages. Records live for a fraction of a second and their pages are used again: of a log of 32 MB few pages are worth
    // copying, of a short one nearly all.
    connection.pragma_update(None, "wal_autocheckpoint", 8192)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

impl Inbox {
    /// Opens the inbox in `path`, and makes it if it is not there.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub(super) fn open(path: &Path) -> Result<(Self, Identity), OpenError> {
        let sqlite = |source| OpenError::Sqlite { path: path.to_owned(), source };
        let mut connection = connect(path).map_err(sqlite)?;
        let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(sqlite)?;
        if found > VERSION {
            return Err(OpenError::Newer { path: path.to_owned(), found });
        }
        if found == 0 {
            let mut random = [0; 48];
            getrandom::fill(&mut random).map_err(OpenError::Random)?;
            create(&mut connection, &random).map_err(sqlite)?;
        }
        let identity = identity(&connection).map_err(sqlite)?;
        let mut inbox = Self { connection, tables: HashMap::new() };
        inbox.list_tables().map_err(sqlite)?;
        Ok((inbox, identity))
    }

    fn list_tables(&mut self) -> rusqlite::Result<()> {
        let mut statement = self.connection.prepare_cached("SELECT name FROM sqlite_master WHERE type = 'table'")?;
        let names = statement.query_map([], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
        self.tables = names.iter().filter_map(|name| Table::from_name(name)).map(|t| (t, Statements::of(t))).collect();
        Ok(())
    }

    /// Runs `work` in a transaction and makes it durable; on an error nothing of it is kept.
    ///
    /// # Errors
    /// SQLite's, also when only the commit failed.
    pub(super) fn write<R>(&mut self, work: impl FnOnce(&mut Tx<'_>) -> rusqlite::Result<R>) -> rusqlite::Result<R> {
        let result = (|| {
            let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let mut tx = Tx { connection: &transaction, tables: &mut self.tables, appended: 0 };
            let done = work(&mut tx)?;
            transaction.commit()?;
            Ok(done)
        })();
        if result.is_err() {
            // Tables made in it are gone again. If even this fails, statements on them do, and the list is made again.
            self.tables.clear();
            let _ = self.list_tables();
        }
        result
    }

    /// Drops the tables in which nothing is needed any more. Says how many.
    ///
    /// # Errors
    /// SQLite's.
    pub(super) fn expire(&mut self, at: Millis) -> rusqlite::Result<usize> {
        let past: Vec<Table> = self.tables.keys().copied().filter(|table| is_past(*table, at)).collect();
        for table in &past {
            self.connection.execute_batch(&format!("DROP TABLE IF EXISTS {}", table.name()))?;
            self.tables.remove(table);
        }
        Ok(past.len())
    }

    /// How many bytes wait for the collector.
    ///
    /// # Errors
    /// SQLite's.
    pub(super) fn waiting(&self) -> rusqlite::Result<u64> {
        let sql = "SELECT coalesce(sum(length(block)), 0) FROM records";
        self.connection.prepare_cached(sql)?.query_row([], |row| row.get::<_, i64>(0)).map(|bytes| bytes.max(0) as u64)
    }

    /// Moves everything from the log into the file and empties the log.
    ///
    /// # Errors
    /// SQLite's.
    pub(super) fn checkpoint(&self) -> rusqlite::Result<()> {
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
    }

    /// For tests: how many pages the file may have, as a full disk would.
    #[cfg(test)]
    pub(super) fn limit_pages(&self, pages: u32) {
        self.connection.pragma_update(None, "max_page_count", pages).unwrap();
    }
}

fn create(connection: &mut Connection, random: &[u8; 48]) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    transaction.execute_batch(SCHEMA)?;
    let (node, key) = random.split_at(16);
    let mut insert = transaction.prepare("INSERT INTO meta (name, value) VALUES (?1, ?2)")?;
    insert.execute(params!["node", node])?;
    insert.execute(params!["key", key])?;
    insert.execute(params!["seq", 0u64.to_be_bytes()])?;
    drop(insert);
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}

fn meta<const N: usize>(connection: &Connection, name: &str) -> rusqlite::Result<[u8; N]> {
    connection.query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| row.get(0))
}

fn identity(connection: &Connection) -> rusqlite::Result<Identity> {
    let boundary = connection.query_row("SELECT coalesce(max(position), 0) FROM records", [], |row| row.get(0))?;
    Ok(Identity { node: NodeId(meta(connection, "node")?), key: meta(connection, "key")?, boundary })
}

/// An open transaction.
pub(super) struct Tx<'a> {
    connection: &'a Connection,
    tables: &'a mut HashMap<Table, Statements>,
    /// Bytes appended to the inbox.
    pub(super) appended: u64,
}

impl Transaction for Tx<'_> {
    type Error = rusqlite::Error;

    fn get(&mut self, table: Table, key: &[u8]) -> rusqlite::Result<Option<Vec<u8>>> {
        let Some(statements) = self.tables.get(&table) else { return Ok(None) };
        self.connection.prepare_cached(&statements.get)?.query_row([key], |row| row.get(0)).optional()
    }

    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> rusqlite::Result<()> {
        if !self.tables.contains_key(&table) {
            let name = table.name();
            let sql = format!("CREATE TABLE IF NOT EXISTS {name} (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID");
            self.connection.execute_batch(&sql)?;
        }
        let statements = self.tables.entry(table).or_insert_with(|| Statements::of(table));
        self.connection.prepare_cached(&statements.put)?.execute([key, value])?;
        Ok(())
    }

    fn append(&mut self, block: &[u8]) -> rusqlite::Result<()> {
        self.connection.prepare_cached("INSERT INTO records (block) VALUES (?1)")?.execute([block])?;
        self.appended += block.len() as u64;
        Ok(())
    }
}

impl Tx<'_> {
    /// Writes a batch before its first send.
    pub(super) fn freeze(&self, seq: u64, upto: i64, batch: &[u8]) -> rusqlite::Result<()> {
        self.connection.execute("INSERT INTO outbox (seq, upto, batch) VALUES (?1, ?2, ?3)", params![seq as i64, upto, batch])?;
        self.connection.execute("UPDATE meta SET value = ?1 WHERE name = 'seq'", [seq.to_be_bytes()])?;
        Ok(())
    }

    /// Deletes the batch and its range: it was answered.
    pub(super) fn settle(&self, seq: u64) -> rusqlite::Result<()> {
        let delete = "DELETE FROM records WHERE position <= (SELECT upto FROM outbox WHERE seq = ?1)";
        self.connection.execute(delete, [seq as i64])?;
        self.connection.execute("DELETE FROM outbox WHERE seq = ?1", [seq as i64])?;
        Ok(())
    }

    /// Deletes everything about a site but what is in the batch under way, which the collector drops.
    pub(super) fn forget(&self, site: SiteId) -> rusqlite::Result<()> {
        for table in self.tables.keys() {
            let place = site_in_key(*table);
            let sql = format!("DELETE FROM {} WHERE substr(key, {}, 4) = ?1", table.name(), place.start + 1);
            self.connection.execute(&sql, [site.0.to_be_bytes()])?;
        }
        let mut select = self.connection.prepare("SELECT position FROM records")?;
        let positions = select.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<i64>>>()?;
        for position in positions {
            let block: Vec<u8> =
                self.connection.query_row("SELECT block FROM records WHERE position = ?1", [position], |row| row.get(0))?;
            if let Some(rest) = Block::without(&block, site) {
                self.connection.execute("UPDATE records SET block = ?1 WHERE position = ?2", params![rest, position])?;
            }
        }
        Ok(())
    }

    /// Goes on under a new node after a restore: of the records up to `boundary` those up to `delivered` are dropped, and so is
    /// the batch under way, whose range is folded anew as far as it is still there.
    pub(super) fn renew(&self, node: NodeId, delivered: u64, boundary: i64) -> rusqlite::Result<()> {
        let upto = i64::try_from(delivered).unwrap_or(i64::MAX).min(boundary);
        self.connection.execute("DELETE FROM records WHERE position <= ?1", [upto])?;
        self.connection.execute("DELETE FROM outbox", [])?;
        self.connection.execute("UPDATE meta SET value = ?1 WHERE name = 'node'", [node.0])?;
        self.connection.execute("UPDATE meta SET value = ?1 WHERE name = 'seq'", [0u64.to_be_bytes()])?;
        Ok(())
    }

    /// Writes something, to find out whether that is possible.
    pub(super) fn probe(&self) -> rusqlite::Result<()> {
        self.connection.execute("UPDATE meta SET value = value WHERE name = 'seq'", [])?;
        Ok(())
    }
}

/// A connection that reads beside the writer: for folding.
pub(super) struct Reader(Connection);

impl Reader {
    /// Opens an inbox that exists.
    ///
    /// # Errors
    /// SQLite's.
    pub(super) fn open(path: &Path) -> rusqlite::Result<Self> {
        connect(path).map(Self)
    }

    /// The batch under way.
    pub(super) fn outgoing(&self) -> rusqlite::Result<Option<Outgoing>> {
        let sql = "SELECT seq, batch FROM outbox ORDER BY seq LIMIT 1";
        let row = |row: &rusqlite::Row<'_>| Ok(Outgoing { seq: row.get::<_, i64>(0)? as u64, batch: row.get(1)? });
        self.0.prepare_cached(sql)?.query_row([], row).optional()
    }

    /// The number of the last batch.
    pub(super) fn last_seq(&self) -> rusqlite::Result<u64> {
        meta(&self.0, "seq").map(u64::from_be_bytes)
    }

    /// Whether records wait that are in no batch.
    pub(super) fn has_records(&self) -> rusqlite::Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM records WHERE position > (SELECT coalesce(max(upto), 0) FROM outbox))";
        self.0.prepare_cached(sql)?.query_row([], |row| row.get(0))
    }

    /// Hands the waiting blocks to `take`, oldest first, until it says no. Returns the position of the last one taken, and
    /// whether there are more.
    pub(super) fn blocks(&self, mut take: impl FnMut(&[u8]) -> bool) -> rusqlite::Result<(i64, bool)> {
        let mut statement = self.0.prepare_cached("SELECT position, block FROM records ORDER BY position")?;
        let mut rows = statement.query([])?;
        let mut last = 0;
        while let Some(row) = rows.next()? {
            if !take(row.get_ref(1)?.as_blob()?) {
                return Ok((last, true));
            }
            last = row.get(0)?;
        }
        Ok((last, false))
    }
}
