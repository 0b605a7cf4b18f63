//! An object's rows: blocks of records, the batch under way, and the small tables of `headwater_edge::store`.
//!
//! Deleting a row costs as much as writing it, dropping a table nothing, and making one two rows: so the blocks of a batch,
//! unless they are two at most, stand in a table of their own, and what is remembered stands in tables by day. Page loads
//! are packed, see `headwater_edge::packed`. A batch is written into the row that says how far things are.
mod batch;
mod moved;
mod tables;
mod tx;

use std::collections::BTreeSet;
use std::rc::Rc;

use headwater_core::{Millis, NodeId, SiteId};
use headwater_edge::dedup::is_past;
use headwater_edge::packed::{Key, Packed, log, logged};
use headwater_edge::record::Block;
use headwater_edge::store::Table;
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsCast as _;
use worker::Storage;

pub(crate) use moved::Moved;
use tables::PagesOf;
pub(crate) use tx::Tx;

use crate::platform::{Transactional, random};
use crate::sql::{Sql, SqlError, Value};

/// A batch is stored in rows of at most this many bytes; the platform's rows end at 2 MB.
const CHUNK: usize = 1 << 20;
/// Logs of delivered records are gathered in rows of about this many bytes.
const RECENT_BYTES: usize = 64 * 1024;
/// So many blocks are deleted one by one, as cheaply as their table is dropped and made anew.
const FEW: usize = 2;
/// So many page loads are in no page before they are moved into theirs.
const GATHERED: usize = 8192;

const SCHEMA: [&str; 4] = [
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    // The batch under way, as far as it did not fit behind `progress`.
    "CREATE TABLE outbox (n INTEGER PRIMARY KEY, chunk BLOB NOT NULL)",
    // What delivered records said of page loads, until it is in pages.
    "CREATE TABLE recent (n INTEGER PRIMARY KEY, log BLOB NOT NULL)",
    // Virtual shards that ever changed hands: who has them, and how often they moved.
    "CREATE TABLE shards (shard INTEGER PRIMARY KEY, owner INTEGER NOT NULL, generation INTEGER NOT NULL)",
];

/// The batch under way.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct UnderWay {
    /// Its number.
    pub(crate) seq: u64,
    /// The last position of its range.
    pub(crate) upto: u64,
}

/// What stands in `meta` and changes with a batch. Behind it stand the first bytes of the batch under way.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Progress {
    seq: u64,
    under_way: Option<UnderWay>,
    /// The logs of blocks up to here are in pages.
    merged: u64,
    /// The last position that was ever used: positions are not used again.
    last: u64,
}

/// The rows, and what is in memory of them.
pub(crate) struct Store {
    sql: Rc<Sql>,
    /// Whether the tables are there. An object that was never sent anything good writes nothing.
    made: bool,
    tables: BTreeSet<Table>,
    packed: Packed,
    /// The tables of blocks, oldest first. The number is that of the first position.
    blocks: Vec<u64>,
    /// Whether the last of them takes more, and how many blocks it has.
    open: bool,
    rows: usize,
    /// Blocks up to here are delivered and deleted.
    done: u64,
    progress: Progress,
    node: NodeId,
    recent: Option<(i64, usize)>,
    /// Bytes of blocks that are stored.
    pub(crate) waiting_bytes: u64,
    /// The last position that was there at the start, for a restored inbox.
    pub(crate) boundary: u64,
    /// Virtual shards that ever changed hands.
    pub(crate) moves: Vec<(u8, u16, u32)>,
}

fn blocks_name(first: u64) -> String {
    format!("blocks_{first}")
}

impl Store {
    /// Reads what an earlier life left.
    ///
    /// # Errors
    /// The platform's.
    pub(crate) fn open(sql: Rc<Sql>) -> Result<Self, SqlError> {
        let mut store = Self {
            sql,
            made: false,
            tables: BTreeSet::new(),
            packed: Packed::default(),
            blocks: Vec::new(),
            open: false,
            rows: 0,
            done: 0,
            progress: Progress { seq: 0, under_way: None, merged: 0, last: 0 },
            node: NodeId([0; 16]),
            recent: None,
            waiting_bytes: 0,
            boundary: 0,
            moves: Vec::new(),
        };
        let sql = store.sql.clone();
        sql.each("SELECT name FROM sqlite_master WHERE type = 'table'", &[], |row| {
            let name = row.text(0);
            store.made |= name == "meta";
            store.tables.extend(Table::from_name(&name));
            store.blocks.extend(name.strip_prefix("blocks_").and_then(|first| first.parse::<u64>().ok()));
        })?;
        if !store.made {
            return Ok(store);
        }
        store.blocks.sort_unstable();
        store.node = NodeId(store.meta("node")?.and_then(|node| node.try_into().ok()).unwrap_or_default());
        if let Some((progress, _)) = store.progress()? {
            store.progress = progress;
        }
        store.done = store.progress.last;
        sql.each("SELECT shard, owner, generation FROM shards", &[], |row| {
            store.moves.push((row.int(0) as u8, row.int(1) as u16, row.int(2) as u32));
        })?;
        sql.each("SELECT n, log FROM recent ORDER BY n", &[], |row| {
            let log = row.blob(1);
            store.packed.replay(&log);
            store.recent = Some((row.int(0), log.len()));
        })?;
        for first in store.blocks.clone() {
            store.rows = 0;
            sql.each(
                &format!("SELECT position, length(block), log FROM {} ORDER BY position", blocks_name(first)),
                &[],
                |row| {
                    let position = row.int(0) as u64;
                    store.rows += 1;
                    store.done = store.done.min(position.saturating_sub(1));
                    store.progress.last = store.progress.last.max(position);
                    store.waiting_bytes += row.int(1) as u64;
                    if position > store.progress.merged {
                        store.packed.replay(&row.blob(2));
                    }
                },
            )?;
        }
        store.boundary = store.progress.last;
        store.open = !store.blocks.is_empty() && !store.is_taken_whole();
        Ok(store)
    }

    /// Runs `work` as one transaction. After an error nothing of it was done, and the store has to be opened again.
    ///
    /// # Errors
    /// The platform's.
    pub(crate) fn transaction<R>(
        &mut self,
        storage: &Storage,
        work: impl FnOnce(&mut Self) -> Result<R, SqlError>,
    ) -> Result<R, SqlError> {
        let mut work = Some(work);
        let mut done = None;
        storage.as_raw().unchecked_ref::<Transactional>().transaction_sync(&mut || {
            if let Some(work) = work.take() {
                done = Some(work(self)?);
            }
            Ok(())
        })?;
        done.ok_or_else(|| wasm_bindgen::JsValue::from("the transaction did not run").into())
    }

    /// Makes the tables if they are not there.
    fn make(&mut self) -> Result<(), SqlError> {
        if self.made {
            return Ok(());
        }
        for statement in SCHEMA {
            self.sql.run(statement, &[])?;
        }
        self.node = NodeId(random());
        self.set_meta("node", &self.node.0)?;
        self.save()?;
        self.made = true;
        Ok(())
    }

    fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, SqlError> {
        self.sql.blob("SELECT value FROM meta WHERE name = ?", &[Value::Text(name)])
    }

    fn set_meta(&self, name: &str, value: &[u8]) -> Result<(), SqlError> {
        self.sql.run("INSERT OR REPLACE INTO meta VALUES (?, ?)", &[Value::Text(name), Value::Blob(value)])
    }

    /// What is stored of it, and the first bytes of the batch under way.
    fn progress(&self) -> Result<Option<(Progress, Vec<u8>)>, SqlError> {
        let stored = self.meta("progress")?;
        let read = |bytes: Vec<u8>| postcard::take_from_bytes(&bytes).map(|(progress, rest)| (progress, rest.to_vec())).ok();
        Ok(stored.and_then(read))
    }

    fn save(&self) -> Result<(), SqlError> {
        let under_way = self.progress.under_way.is_some();
        let batch = if under_way { self.progress()?.map_or_else(Vec::new, |(_, batch)| batch) } else { Vec::new() };
        self.save_with(&batch)
    }

    fn save_with(&self, batch: &[u8]) -> Result<(), SqlError> {
        let progress = postcard::to_allocvec(&self.progress).unwrap_or_default();
        self.set_meta("progress", &[&progress, batch].concat())
    }

    /// Whether the last table is in the batch under way, and better dropped as a whole.
    const fn is_taken_whole(&self) -> bool {
        self.rows > FEW && self.progress.last <= self.taken_upto()
    }

    /// A small thing that is kept: the object's name, the facts of its site.
    ///
    /// # Errors
    /// The platform's.
    pub(crate) fn kept(&self, name: &str) -> Result<Option<Vec<u8>>, SqlError> {
        if self.made { self.meta(name) } else { Ok(None) }
    }

    /// Keeps it.
    ///
    /// # Errors
    /// The platform's.
    pub(crate) fn keep(&mut self, name: &str, value: &[u8]) -> Result<(), SqlError> {
        self.make()?;
        self.set_meta(name, value)
    }

    /// The inbox's name among the edges of a collector.
    pub(crate) const fn node(&self) -> NodeId {
        self.node
    }

    /// The number of the last batch.
    pub(crate) const fn seq(&self) -> u64 {
        self.progress.seq
    }

    /// The batch under way.
    pub(crate) const fn under_way(&self) -> Option<UnderWay> {
        self.progress.under_way
    }

    /// Blocks up to here are in a batch.
    const fn taken_upto(&self) -> u64 {
        match self.progress.under_way {
            Some(batch) => batch.upto,
            None => 0,
        }
    }

    /// Whether blocks wait that are in no batch.
    pub(crate) fn waits(&self) -> bool {
        self.progress.last > self.taken_upto().max(self.done)
    }

    /// How many page loads are in memory, being in no page.
    pub(crate) fn gathered(&self) -> usize {
        self.packed.waiting()
    }

    /// Writes one row.
    fn append(&mut self, block: &[u8], log: &[u8]) -> Result<(), SqlError> {
        self.make()?;
        self.progress.last += 1;
        let position = self.progress.last;
        if !self.open {
            self.sql.run(
                &format!(
                    "CREATE TABLE {} (position INTEGER PRIMARY KEY, block BLOB NOT NULL, log BLOB NOT NULL)",
                    blocks_name(position)
                ),
                &[],
            )?;
            self.blocks.push(position);
            self.open = true;
            self.rows = 0;
        }
        self.rows += 1;
        let table = blocks_name(self.blocks.last().copied().unwrap_or(position));
        let values = [Value::Int(position as i64), Value::Blob(block), Value::Blob(log)];
        self.sql.run(&format!("INSERT INTO {table} VALUES (?, ?, ?)"), &values)?;
        self.waiting_bytes += block.len() as u64;
        Ok(())
    }

    /// Deletes the blocks up to a position. What their logs say stays.
    fn drop_blocks(&mut self, upto: u64) -> Result<(), SqlError> {
        let mut kept = Vec::new();
        let mut past = 0;
        let merged = self.progress.merged;
        let firsts = std::mem::take(&mut self.blocks);
        for (at, first) in firsts.iter().enumerate() {
            if *first > upto {
                self.blocks.push(*first);
                continue;
            }
            let table = blocks_name(*first);
            let mut deleted = 0;
            let sql = format!("SELECT position, length(block), log FROM {table} WHERE position <= ? ORDER BY position");
            self.sql.each(&sql, &[Value::Int(upto as i64)], |row| {
                past += row.int(1) as u64;
                deleted += 1;
                if row.int(0) as u64 > merged {
                    kept.extend(row.blob(2));
                }
            })?;
            let last = firsts.get(at + 1).map_or(self.progress.last, |next| next - 1);
            let is_open = self.open && at + 1 == firsts.len();
            if last <= upto && !is_open {
                self.sql.run(&format!("DROP TABLE {table}"), &[])?;
            } else {
                self.sql.run(&format!("DELETE FROM {table} WHERE position <= ?"), &[Value::Int(upto as i64)])?;
                self.blocks.push(*first);
                if is_open {
                    self.rows = self.rows.saturating_sub(deleted);
                }
            }
        }
        self.waiting_bytes = self.waiting_bytes.saturating_sub(past);
        self.done = self.done.max(upto);
        self.remember(&kept)
    }

    /// Keeps the logs of blocks that are deleted: only the last word on each page load.
    fn remember(&mut self, kept: &[u8]) -> Result<(), SqlError> {
        if kept.is_empty() {
            return Ok(());
        }
        let last: std::collections::BTreeMap<(u32, Key), &[u8]> =
            logged(kept).map(|(day, key, value)| ((day, key), value)).collect();
        let mut short = Vec::new();
        last.iter().for_each(|((day, key), value)| log(&mut short, *day, key, value));
        if let Some((n, length)) = self.recent.filter(|(_, length)| *length < RECENT_BYTES) {
            // The bytes are appended in memory: `||` makes a text of them.
            let before = self.sql.blob("SELECT log FROM recent WHERE n = ?", &[Value::Int(n)])?.unwrap_or_default();
            self.recent = Some((n, length + short.len()));
            let all = [before, short].concat();
            return self.sql.run("UPDATE recent SET log = ? WHERE n = ?", &[Value::Blob(&all), Value::Int(n)]);
        }
        let n = self.recent.map_or(0, |(n, _)| n + 1);
        self.recent = Some((n, short.len()));
        self.sql.run("INSERT INTO recent VALUES (?, ?)", &[Value::Int(n), Value::Blob(&short)])
    }

    /// Moves everything that is remembered of page loads into pages.
    fn merge(&mut self) -> Result<(), SqlError> {
        let Self { packed, sql, tables, .. } = self;
        packed.merge(&mut PagesOf { sql, tables })?;
        self.sql.run("DELETE FROM recent", &[])?;
        self.recent = None;
        self.progress.merged = self.progress.last;
        self.save()
    }

    /// Drops the tables in which nothing is needed any more.
    ///
    /// # Errors
    /// The platform's.
    pub(crate) fn expire(&mut self, at: Millis) -> Result<(), SqlError> {
        let past: Vec<Table> = self.tables.iter().copied().filter(|table| is_past(*table, at)).collect();
        self.packed.expire(at);
        for table in past {
            self.sql.run(&format!("DROP TABLE IF EXISTS {}", table.name()), &[])?;
            self.tables.remove(&table);
        }
        Ok(())
    }

    /// When the next table will be past.
    pub(crate) fn next_expiry(&self, at: Millis) -> Option<Millis> {
        const HOUR: i64 = 3_600_000;
        if self.tables.is_empty() {
            return None;
        }
        (0..130).map(|hours| at.offset(hours * HOUR)).find(|then| self.tables.iter().any(|table| is_past(*table, *then)))
    }

    /// Deletes everything about a site that is gone, but what is in the batch under way, which the collector drops.
    ///
    /// # Errors
    /// The platform's.
    pub(crate) fn forget(&mut self, site: SiteId) -> Result<(), SqlError> {
        if !self.made {
            return Ok(());
        }
        // An object has one site: all that is remembered is of it. Only records that came for another, made later under the
        // same name, would stay.
        for table in std::mem::take(&mut self.tables) {
            self.sql.run(&format!("DROP TABLE IF EXISTS {}", table.name()), &[])?;
        }
        self.packed = Packed::default();
        self.sql.run("DELETE FROM recent", &[])?;
        self.recent = None;
        for first in self.blocks.clone() {
            let table = blocks_name(first);
            let mut changed = Vec::new();
            self.sql.each(&format!("SELECT position, block FROM {table}"), &[], |row| {
                changed.extend(Block::without(&row.blob(1), site).map(|rest| (row.int(0), rest)));
            })?;
            for (position, rest) in changed {
                let sql = format!("UPDATE {table} SET block = ?, log = x'' WHERE position = ?");
                self.sql.run(&sql, &[Value::Blob(&rest), Value::Int(position)])?;
            }
        }
        self.progress.merged = self.progress.last;
        self.sql.run("DELETE FROM meta WHERE name = 'facts'", &[])?;
        self.save()
    }
}
