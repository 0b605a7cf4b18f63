//! Versions of the database and the way from each to the next.
use std::collections::BTreeSet;

use rusqlite::{Connection, Transaction, TransactionBehavior};

/// Each brings the database from the version that is its index to the next.
const STEPS: &[fn(&Transaction<'_>) -> rusqlite::Result<()>] = &[
    |tx| {
        tx.execute_batch(include_str!("schema_1.sql"))?;
        crate::buckets::migrate(tx)
    },
    |tx| tx.execute_batch(include_str!("schema_2.sql")),
    |tx| tx.execute_batch(include_str!("schema_3.sql")),
    |tx| tx.execute_batch(include_str!("schema_4.sql")),
    |tx| tx.execute_batch(include_str!("schema_5.sql")),
    |tx| tx.execute_batch(include_str!("schema_6.sql")),
    |tx| tx.execute_batch(include_str!("schema_7.sql")),
];

/// The version that this program writes.
pub(super) const LATEST: i64 = STEPS.len() as i64;

/// The version of an open database; 0 is an empty one.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Where an open database of a version is not as that version is; `None` if it is. Tables that are not known here are nobody's business.
pub(super) fn difference(connection: &Connection, version: i64) -> rusqlite::Result<Option<String>> {
    let model = Connection::open_in_memory()?;
    make(&model, version)?;
    let mut tables =
        model.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name")?;
    let tables: Vec<String> = tables.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    for table in tables {
        let (expected, found) = (columns(&model, &table)?, columns(connection, &table)?);
        if found.is_empty() {
            return Ok(Some(format!("there is no table {table}")));
        }
        if let Some(missing) = expected.difference(&found).next() {
            return Ok(Some(format!("its table {table} has no column {missing}")));
        }
        if let Some(more) = found.difference(&expected).next() {
            return Ok(Some(format!("its table {table} has a column {more}")));
        }
    }
    Ok(None)
}

fn columns(connection: &Connection, table: &str) -> rusqlite::Result<BTreeSet<String>> {
    let mut statement = connection.prepare_cached("SELECT name FROM pragma_table_info(?1)")?;
    statement.query_map([table], |row| row.get(0))?.collect()
}

/// Makes the database of a version, of an empty one.
pub(super) fn make(connection: &Connection, version: i64) -> rusqlite::Result<()> {
    let tx = connection.unchecked_transaction()?;
    for step in STEPS.iter().take(usize::try_from(version).unwrap_or(0)) {
        step(&tx)?;
    }
    tx.pragma_update(None, "user_version", version)?;
    tx.commit()
}

/// Brings the database up to date, all of it or nothing.
pub(super) fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Read again inside: another process may have done it since.
    let done = usize::try_from(version(&tx)?).unwrap_or(0);
    for step in STEPS.iter().skip(done) {
        step(&tx)?;
    }
    tx.pragma_update(None, "user_version", LATEST)?;
    tx.commit()
}
