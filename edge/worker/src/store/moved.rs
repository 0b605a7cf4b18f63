//! What is remembered of a virtual shard, on its way to another object.
use headwater_edge::packed::{Entry, entries, shard_of};
use headwater_edge::shard::Shard;
use headwater_edge::store::Table;
use serde::{Deserialize, Serialize};

use super::Store;
use super::tables::{PagesOf, put};
use crate::sql::{SqlError, Value};

/// What of a virtual shard goes with it to another object.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Moved {
    loads: Vec<Entry>,
    /// Ids and visits: the table's name, key and value.
    rows: Vec<(String, Vec<u8>, Vec<u8>)>,
}

/// The first byte of keys behind those of a virtual shard; of the last there is none.
fn next_of(shard: u8) -> Vec<u8> {
    shard.checked_add(1).into_iter().collect()
}

/// The condition for the keys of a virtual shard.
fn of_shard<'a>(first: &'a [u8], next: &'a [u8]) -> (&'static str, Vec<Value<'a>>) {
    if next.is_empty() {
        return ("key >= ?", vec![Value::Blob(first)]);
    }
    ("key >= ? AND key < ?", vec![Value::Blob(first), Value::Blob(next)])
}

impl Store {
    /// Notes who has a virtual shard now.
    ///
    /// # Errors
    /// The platform's.
    pub(crate) fn set_owner(&mut self, shard: u8, owner: u16, generation: u32) -> Result<(), SqlError> {
        self.make()?;
        self.moves.retain(|(known, ..)| *known != shard);
        self.moves.push((shard, owner, generation));
        let values = [Value::Int(shard.into()), Value::Int(owner.into()), Value::Int(generation.into())];
        self.sql.run("INSERT OR REPLACE INTO shards VALUES (?, ?, ?)", &values)
    }

    /// Everything that is remembered of a virtual shard.
    ///
    /// # Errors
    /// The platform's.
    pub(crate) fn export(&self, shard: u8) -> Result<Moved, SqlError> {
        let mut moved = Moved::default();
        let (first, next) = ([shard], next_of(shard));
        for table in &self.tables {
            let (condition, values) = of_shard(&first, &next);
            let sql = format!("SELECT key, value FROM {} WHERE {condition}", table.name());
            self.sql.each(&sql, &values, |row| {
                let (key, value) = (row.blob(0), row.blob(1));
                match table {
                    Table::Loads(day) => moved.loads.extend(entries(&value).map(|(key, value)| (*day, key, value.to_vec()))),
                    Table::Ids(_) | Table::Visits(_) => moved.rows.push((table.name(), key, value)),
                }
            })?;
        }
        // Behind what is in pages: of two, the later holds.
        moved.loads.extend(self.packed.recent_of(Shard(shard)));
        Ok(moved)
    }

    /// Takes over a virtual shard: what comes with it replaces what may be left of an earlier time.
    ///
    /// # Errors
    /// The platform's.
    pub(crate) fn import(&mut self, shard: u8, moved: Moved) -> Result<(), SqlError> {
        self.make()?;
        // Otherwise old logs would say more than the pages that come.
        self.merge()?;
        for table in &self.tables {
            let (first, next) = ([shard], next_of(shard));
            let (condition, values) = of_shard(&first, &next);
            self.sql.run(&format!("DELETE FROM {} WHERE {condition}", table.name()), &values)?;
        }
        self.packed.forget_pages();
        let Self { packed, sql, tables, .. } = self;
        let of_shard = moved.loads.into_iter().filter(|(_, key, _)| shard_of(key).0 == shard);
        packed.add(&mut PagesOf { sql, tables }, of_shard)?;
        for (name, key, value) in moved.rows {
            if let Some(table) = Table::from_name(&name) {
                put(sql, tables, table, &key, &value)?;
            }
        }
        Ok(())
    }
}
