//! Tokens: who may do what. Only hashes are kept.
use headwater_core::Millis;
use rusqlite::{Connection, Transaction, params};
use serde::{Deserialize, Serialize};

use super::StoreError;
use crate::secret::{Secret, SecretHash};

/// What a token or a session may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Everything.
    Admin,
    /// Read the numbers of every site.
    Read,
    /// Send events from a server: no rate limit, addresses and times of its own.
    Ingest,
    /// Deliver batches, and know what an edge must know, salts included.
    Edge,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 4] = [Self::Admin, Self::Read, Self::Ingest, Self::Edge];

    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Read => "read",
            Self::Ingest => "ingest",
            Self::Edge => "edge",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == word)
    }

    /// Whether this scope includes another.
    #[must_use]
    pub fn includes(self, other: Self) -> bool {
        self == other || self == Self::Admin
    }
}

/// A token, as it is known: not the secret.
#[derive(Clone, Debug, Serialize)]
pub struct Token {
    /// Its number, to revoke it by.
    pub id: i64,
    /// What it is for, in its owner's words.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// When it was made: milliseconds since 1970.
    pub created: u64,
    /// To recognise it.
    #[serde(skip)]
    pub hash: SecretHash,
}

/// Keeps a token.
///
/// # Errors
/// The database's.
pub fn add(tx: &Transaction<'_>, name: &str, scope: Scope, secret: &Secret, now: Millis) -> Result<i64, StoreError> {
    tx.execute(
        "INSERT INTO tokens (name, scope, hash, created) VALUES (?1, ?2, ?3, ?4)",
        params![name, scope.name(), secret.hash(), now.0.cast_signed()],
    )?;
    Ok(tx.last_insert_rowid())
}

/// All tokens, oldest first.
///
/// # Errors
/// The database's.
pub fn list(conn: &Connection) -> Result<Vec<Token>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT id, name, scope, created, hash FROM tokens ORDER BY id")?;
    let mut rows = statement.query([])?;
    let mut tokens = Vec::new();
    while let Some(row) = rows.next()? {
        let scope: String = row.get(2)?;
        let scope = Scope::parse(&scope).ok_or_else(|| StoreError::Corrupt("the scope of a token".into()))?;
        let created: i64 = row.get(3)?;
        tokens.push(Token { id: row.get(0)?, name: row.get(1)?, scope, created: created.cast_unsigned(), hash: row.get(4)? });
    }
    Ok(tokens)
}

/// Revokes a token, and with it every session that was opened with it. Says whether there was one.
///
/// # Errors
/// The database's.
pub fn revoke(tx: &Transaction<'_>, id: i64) -> Result<bool, StoreError> {
    Ok(tx.execute("DELETE FROM tokens WHERE id = ?1", [id])? > 0)
}

/// Keeps the first token, the administrator's: `chosen`, or a new one. `None` if there are tokens already.
///
/// # Errors
/// The database's.
pub fn first(tx: &Transaction<'_>, chosen: Option<&Secret>, now: Millis) -> Result<Option<Secret>, StoreError> {
    let any: bool = tx.query_row("SELECT EXISTS (SELECT 1 FROM tokens)", [], |row| row.get(0))?;
    if any {
        return Ok(None);
    }
    let secret = match chosen {
        Some(secret) => secret.clone(),
        None => Secret::random()?,
    };
    add(tx, "administrator", Scope::Admin, &secret, now)?;
    Ok(Some(secret))
}
