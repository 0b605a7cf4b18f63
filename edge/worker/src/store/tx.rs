//! One transaction.
use std::cell::Cell;
use std::rc::Rc;

use headwater_edge::packed::Key;
use headwater_edge::store::{Table, Transaction};

use super::Store;
use super::tables::{PagesOf, get, put};
use crate::sql::SqlError;

/// One transaction's view of the store, for `headwater_edge::ingest`.
pub(crate) struct Tx<'a> {
    store: &'a mut Store,
    /// The virtual shard that is worked for: ids and visits stand behind it, so that they can move.
    shard: Rc<Cell<u8>>,
    blocks: Vec<Vec<u8>>,
}

impl<'a> Tx<'a> {
    pub(crate) const fn new(store: &'a mut Store, shard: Rc<Cell<u8>>) -> Self {
        Self { store, shard, blocks: Vec::new() }
    }

    /// Writes everything that was appended: one row, and a further one for every half megabyte.
    ///
    /// # Errors
    /// The platform's.
    pub(crate) fn finish(self) -> Result<(), SqlError> {
        let mut log = self.store.packed.take_log();
        let mut blocks = self.blocks;
        if blocks.is_empty() && !log.is_empty() {
            blocks.push(Vec::new());
        }
        for block in blocks {
            self.store.append(&block, &std::mem::take(&mut log))?;
        }
        Ok(())
    }
}

impl Transaction for Tx<'_> {
    type Error = SqlError;

    fn get(&mut self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, SqlError> {
        let Store { packed, sql, tables, .. } = &mut *self.store;
        match (table, <&Key>::try_from(key)) {
            (Table::Loads(day), Ok(key)) => packed.get(&mut PagesOf { sql, tables }, day, key),
            _ => get(sql, tables, table, &prefixed(self.shard.get(), key)),
        }
    }

    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<(), SqlError> {
        self.store.make()?;
        let Store { packed, sql, tables, .. } = &mut *self.store;
        match (table, <&Key>::try_from(key)) {
            (Table::Loads(day), Ok(key)) => {
                packed.put(day, key, value);
                Ok(())
            }
            _ => put(sql, tables, table, &prefixed(self.shard.get(), key), value),
        }
    }

    fn append(&mut self, block: &[u8]) -> Result<(), SqlError> {
        self.blocks.push(block.to_vec());
        Ok(())
    }
}

fn prefixed(shard: u8, key: &[u8]) -> Vec<u8> {
    [&[shard], key].concat()
}
