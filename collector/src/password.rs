//! Passwords: hashed by Argon2id with a salt for each, never kept.
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::secret::{NoRandomness, random};

/// The fewest characters of a password (NIST SP 800-63B asks for 8 and for no rules of what they are).
pub const LEAST: usize = 8;
/// The most bytes: enough for any phrase, and nobody can make the server hash a book.
pub const MOST: usize = 256;
/// Memory in KiB, passes and lanes: what OWASP recommends. One hash takes about 30 ms.
const COST: (u32, u32, u32) = (19_456, 2, 1);

/// A hash as a PHC string, which holds algorithm, cost and salt.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordKept(String);

/// Why there is no hash.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Too short, or too long.
    #[error("must have {LEAST} characters or more, and at most {MOST} bytes")]
    Length,
    /// No salt.
    #[error(transparent)]
    Random(#[from] NoRandomness),
    /// The library refused.
    #[error("the password cannot be hashed")]
    Hash,
}

fn argon() -> Result<Argon2<'static>, PasswordError> {
    let (memory, passes, lanes) = COST;
    let params = Params::new(memory, passes, lanes, None).map_err(|_| PasswordError::Hash)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Hashes a password. It takes a while: not on a thread that answers requests.
///
/// # Errors
/// See [`PasswordError`].
pub fn keep(password: &str) -> Result<PasswordKept, PasswordError> {
    if password.chars().count() < LEAST || password.len() > MOST {
        return Err(PasswordError::Length);
    }
    let salt = SaltString::encode_b64(&random::<16>()?).map_err(|_| PasswordError::Hash)?;
    let hash = argon()?.hash_password(password.as_bytes(), &salt).map_err(|_| PasswordError::Hash)?;
    Ok(PasswordKept(hash.to_string()))
}

/// Whether it is this password. Without one that is kept it takes as long, and says no: nobody learns by the time who is known.
#[must_use]
pub fn is_right(kept: Option<&PasswordKept>, password: &str) -> bool {
    if password.len() > MOST {
        return false;
    }
    let Some(kept) = kept else {
        let mut out = [0; 32];
        drop(argon().map(|argon| argon.hash_password_into(password.as_bytes(), b"nobody's salt...", &mut out)));
        return false;
    };
    let Ok(hash) = PasswordHash::new(&kept.0) else { return false };
    // The cost stands in the hash: what was kept at another cost is still understood.
    Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()
}

impl PasswordKept {
    /// What stands in the database.
    #[must_use]
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// The PHC string.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for PasswordKept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordKept")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_password_is_right_and_no_two_hashes_are_equal() {
        let kept = keep("correct horse").unwrap();
        assert!(kept.text().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", kept.text());
        assert!(is_right(Some(&kept), "correct horse"));
        assert!(!is_right(Some(&kept), "correct hors") && !is_right(Some(&kept), "") && !is_right(None, "correct horse"));
        assert_ne!(kept, keep("correct horse").unwrap());
        assert!(matches!(keep("1234567"), Err(PasswordError::Length)));
        assert!(matches!(keep(&"x".repeat(257)), Err(PasswordError::Length)));
        assert!(!is_right(Some(&PasswordKept::stored("nonsense".into())), "correct horse"));
    }
}
