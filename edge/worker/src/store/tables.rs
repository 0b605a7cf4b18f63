//! The small tables of `headwater_edge::store`, by key, and the pages of page loads in them.
use std::collections::BTreeSet;

use headwater_edge::packed::Pages;
use headwater_edge::store::Table;

use crate::sql::{Sql, SqlError, Value};

/// Pages in the tables of page loads.
pub(super) struct PagesOf<'a> {
    pub(super) sql: &'a Sql,
    pub(super) tables: &'a mut BTreeSet<Table>,
}

impl Pages for PagesOf<'_> {
    type Error = SqlError;

    fn read(&mut self, day: u32, key: &[u8]) -> Result<Option<Vec<u8>>, SqlError> {
        get(self.sql, self.tables, Table::Loads(day), key)
    }

    fn write(&mut self, day: u32, key: &[u8], page: &[u8]) -> Result<(), SqlError> {
        put(self.sql, self.tables, Table::Loads(day), key, page)
    }
}

pub(super) fn get(sql: &Sql, tables: &BTreeSet<Table>, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, SqlError> {
    if !tables.contains(&table) {
        return Ok(None);
    }
    sql.blob(&format!("SELECT value FROM {} WHERE key = ?", table.name()), &[Value::Blob(key)])
}

pub(super) fn put(sql: &Sql, tables: &mut BTreeSet<Table>, table: Table, key: &[u8], value: &[u8]) -> Result<(), SqlError> {
    let name = table.name();
    if tables.insert(table) {
        let create = "(key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID";
        sql.run(&format!("CREATE TABLE IF NOT EXISTS {name} {create}"), &[])?;
    }
    sql.run(&format!("INSERT OR REPLACE INTO {name} VALUES (?, ?)"), &[Value::Blob(key), Value::Blob(value)])
}
