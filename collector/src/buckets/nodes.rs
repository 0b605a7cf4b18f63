//! What was applied of each edge: so that a batch counts once, and a restored inbox finds out what it has delivered.
use headwater_core::NodeId;
use headwater_edge::resume::Applied;
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use crate::store::StoreError;

/// The last batch applied for a node, `None` if there was none.
///
/// # Errors
/// What the database says.
pub fn last(connection: &Connection, node: NodeId) -> Result<Option<Applied>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT seq, position, digest FROM nodes WHERE node = ?")?;
    let row = statement.query_row([node.0], |row| {
        Ok(Applied { seq: row.get::<_, i64>(0)? as u64, position: row.get::<_, i64>(1)? as u64, digest: row.get(2)? })
    });
    Ok(row.optional()?)
}

/// Notes that a batch is being applied.
///
/// # Errors
/// What the database says.
pub(super) fn note(tx: &Transaction<'_>, node: NodeId, applied: &Applied) -> Result<(), StoreError> {
    tx.prepare_cached("INSERT OR REPLACE INTO nodes (node, seq, position, digest) VALUES (?1, ?2, ?3, ?4)")?.execute(params![
        node.0,
        applied.seq as i64,
        applied.position as i64,
        applied.digest
    ])?;
    Ok(())
}
