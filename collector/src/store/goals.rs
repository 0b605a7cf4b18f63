//! The goals of sites.
use headwater_core::SiteId;
use headwater_query::{Goal, Target, Worth};
use rusqlite::{Connection, Row, Transaction, params};

use super::StoreError;

/// The most goals of one site: a query looks at each of them for each kind of event.
pub const MOST: usize = 500;

/// A goal with its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredGoal {
    /// Never used again.
    pub id: i64,
    /// The goal.
    pub goal: Goal,
}

/// Why a goal could not be added.
#[derive(Debug, thiserror::Error)]
pub enum GoalError {
    /// There is one of this name.
    #[error("this site has a goal {0:?} already; delete it first, or choose another display_name")]
    SameName(String),
    /// There is one that the same events reach.
    #[error("the same events reach the goal {0:?} of this site")]
    SameTarget(String),
    /// There are too many.
    #[error("a site has at most {MOST} goals")]
    TooMany,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for GoalError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

/// The goals of a site, oldest first.
///
/// # Errors
/// The database's.
pub fn list(conn: &Connection, site: SiteId) -> Result<Vec<StoredGoal>, StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT id, name, event, page, value, currency FROM goals WHERE site = ?1 ORDER BY id")?;
    let rows = statement.query_map([site.0], |row| Ok(read(row)))?;
    rows.map(|row| row?).collect()
}

/// Adds a goal.
///
/// # Errors
/// See [`GoalError`].
pub fn add(tx: &Transaction<'_>, site: SiteId, goal: &Goal) -> Result<StoredGoal, GoalError> {
    let known = list(tx, site)?;
    if let Some(same) = known.iter().find(|known| known.goal.name == goal.name) {
        return Err(GoalError::SameName(same.goal.name.clone()));
    }
    if let Some(same) = known.iter().find(|known| known.goal.target == goal.target) {
        return Err(GoalError::SameTarget(same.goal.name.clone()));
    }
    if known.len() >= MOST {
        return Err(GoalError::TooMany);
    }
    let (event, page) = match &goal.target {
        Target::Event(name) => (Some(name.clone()), None),
        Target::Page(pattern) => (None, Some(pattern.to_string())),
    };
    let (value, currency) = goal.worth.as_ref().map_or((None, ""), |worth| (Some(worth.value), &*worth.currency));
    tx.execute(
        "INSERT INTO goals (site, name, event, page, value, currency) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![site.0, goal.name, event, page, value, currency],
    )?;
    Ok(StoredGoal { id: tx.last_insert_rowid(), goal: goal.clone() })
}

/// Removes a goal. Says whether there was one of this number.
///
/// # Errors
/// The database's.
pub fn remove(tx: &Transaction<'_>, site: SiteId, id: i64) -> Result<bool, StoreError> {
    Ok(tx.execute("DELETE FROM goals WHERE site = ?1 AND id = ?2", params![site.0, id])? > 0)
}

fn read(row: &Row<'_>) -> Result<StoredGoal, StoreError> {
    let id = row.get(0)?;
    let (event, page): (Option<String>, Option<String>) = (row.get(2)?, row.get(3)?);
    let target = match (event, page) {
        (Some(name), _) => Target::Event(name),
        (None, page) => {
            let pattern = page.unwrap_or_default().parse();
            Target::Page(pattern.map_err(|error| StoreError::Corrupt(format!("the page of goal {id} {error}")))?)
        }
    };
    let value: Option<i64> = row.get(4)?;
    let currency = row.get(5)?;
    let worth = value.map(|value| Worth { value, currency });
    Ok(StoredGoal { id, goal: Goal { name: row.get(1)?, target, worth } })
}
