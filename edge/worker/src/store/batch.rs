//! The batch under way: folded, written before its first send, deleted with its range.
use headwater_core::NodeId;
use headwater_edge::fold::Folder;

use super::{CHUNK, GATHERED, Store, UnderWay, blocks_name};
use crate::platform::random;
use crate::sql::{SqlError, Value};

impl Store {
    /// Folds the waiting blocks, oldest first, as many as one batch takes. The batch and the end of its range; `None` if none
    /// wait.
    ///
    /// # Errors
    /// The platform's.
    pub(crate) fn fold(&self) -> Result<Option<(u64, Vec<u8>)>, SqlError> {
        let (mut folder, mut upto) = (Folder::default(), 0);
        'blocks: for first in &self.blocks {
            let table = blocks_name(*first);
            let mut waiting = Vec::new();
            let sql = format!("SELECT position, length(block) FROM {table} WHERE position > ? ORDER BY position");
            self.sql
                .each(&sql, &[Value::Int(self.taken_upto() as i64)], |row| waiting.push((row.int(0), row.int(1) as usize)))?;
            for (position, length) in waiting {
                if !folder.takes(length) {
                    break 'blocks;
                }
                let sql = format!("SELECT block FROM {table} WHERE position = ?");
                folder.add(&self.sql.blob(&sql, &[Value::Int(position)])?.unwrap_or_default());
                upto = position as u64;
            }
        }
        Ok((upto > 0).then(|| (upto, folder.finish(self.node, self.progress.seq + 1, upto).encode())))
    }

    /// Writes a batch before its first send.
    ///
    /// # Errors
    /// The platform's.
    pub(crate) fn freeze(&mut self, upto: u64, batch: &[u8]) -> Result<(), SqlError> {
        let (first, rest) = batch.split_at(batch.len().min(CHUNK));
        for (n, chunk) in rest.chunks(CHUNK).enumerate() {
            self.sql.run("INSERT INTO outbox VALUES (?, ?)", &[Value::Int(n as i64), Value::Blob(chunk)])?;
        }
        self.progress.seq += 1;
        self.progress.under_way = Some(UnderWay { seq: self.progress.seq, upto });
        // What comes from now on goes into another table, so that this one can be dropped.
        self.open &= !self.is_taken_whole();
        self.save_with(first)
    }

    /// The bytes of the batch under way.
    ///
    /// # Errors
    /// The platform's.
    pub(crate) fn batch(&self) -> Result<Vec<u8>, SqlError> {
        let mut batch = self.progress()?.map_or_else(Vec::new, |(_, first)| first);
        self.sql.each("SELECT chunk FROM outbox ORDER BY n", &[], |row| {
            batch.extend(row.blob(0));
        })?;
        Ok(batch)
    }

    /// Deletes the batch under way with its range: it was answered.
    ///
    /// # Errors
    /// The platform's.
    pub(crate) fn settle(&mut self) -> Result<(), SqlError> {
        let Some(batch) = self.progress.under_way.take() else { return Ok(()) };
        self.drop_blocks(batch.upto)?;
        self.sql.run("DELETE FROM outbox", &[])?;
        if self.packed.waiting() >= GATHERED {
            self.merge()?;
        }
        self.save()
    }

    /// Goes on under a new node after a restore: of the blocks that were there at the start those up to `delivered` are dropped,
    /// and so is the batch under way, whose range is folded anew as far as it is still there.
    ///
    /// # Errors
    /// The platform's.
    pub(crate) fn renew(&mut self, delivered: u64) -> Result<(), SqlError> {
        self.progress.under_way = None;
        self.progress.seq = 0;
        self.drop_blocks(delivered.min(self.boundary))?;
        self.sql.run("DELETE FROM outbox", &[])?;
        self.node = NodeId(random());
        self.set_meta("node", &self.node.0)?;
        self.save()
    }
}
