//! Secrets: what is handed to people once, and the hash that is kept of it.
use std::fmt;

use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlResult, ToSqlOutput, ValueRef};

/// A token, a sign-in link's token, a session or a ticket in clear. Shown once, never stored, never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// BLAKE3 of a secret. Secrets are 256 random bits (or at least 32 characters chosen by the operator), so a plain hash
/// cannot be searched backwards.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SecretHash([u8; 32]);

/// The system gave no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("the system gave no random bytes: {0}")]
pub struct NoRandomness(#[from] getrandom::Error);

/// `N` bytes from the system's source of randomness.
///
/// # Errors
/// If the system has none.
pub fn random<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

impl Secret {
    /// A new secret of 256 random bits, written as `hw_` and 64 hexadecimal digits.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn random() -> Result<Self, NoRandomness> {
        let bytes = random::<32>()?;
        Ok(Self(format!("hw_{}", blake3::Hash::from_bytes(bytes).to_hex())))
    }

    /// A token chosen by the operator: 32 to 256 printable ASCII characters, no space at either end.
    #[must_use]
    pub fn chosen(text: &str) -> Option<Self> {
        let printable = text.bytes().all(|b| (0x20..=0x7e).contains(&b));
        let long_enough = (32..=256).contains(&text.len());
        (printable && long_enough && text.trim() == text).then(|| Self(text.to_owned()))
    }

    /// The text that is handed out.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept.
    #[must_use]
    pub fn hash(&self) -> SecretHash {
        SecretHash::of(&self.0)
    }
}

impl SecretHash {
    /// The hash of a secret that somebody presents.
    #[must_use]
    pub fn of(presented: &str) -> Self {
        Self(*blake3::hash(presented.as_bytes()).as_bytes())
    }

    /// Its bytes.
    #[must_use]
    pub const fn bytes(&self) -> [u8; 32] {
        self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash")
    }
}

impl ToSql for SecretHash {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.as_slice().to_sql()
    }
}

impl FromSql for SecretHash {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        FromSql::column_result(value).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chosen_token_is_32_to_256_printable_characters() {
        assert!(Secret::chosen(&"x".repeat(31)).is_none());
        assert!(Secret::chosen(&"x".repeat(32)).is_some());
        assert!(Secret::chosen(&"x".repeat(256)).is_some());
        assert!(Secret::chosen(&"x".repeat(257)).is_none());
        assert!(Secret::chosen(&format!("{}\n", "x".repeat(40))).is_none());
        assert!(Secret::chosen(&format!(" {}", "x".repeat(40))).is_none());
    }

    #[test]
    fn a_secret_is_not_shown_by_debug() {
        let secret = Secret::random().unwrap();
        assert_eq!(secret.reveal().len(), 67);
        assert_eq!(format!("{secret:?}"), "Secret");
        assert_eq!(secret.hash(), SecretHash::of(secret.reveal()));
    }
}
