//! Versions of the database and the way from each to the next.
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
];

/// The version that this program writes.
pub(super) const LATEST: i64 = STEPS.len() as i64;

/// The version of an open database; 0 is an empty one.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
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
