//! People: who may sign in with a password, and what they may do at which site.
use headwater_core::{Millis, SiteId};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde::Serialize;

use super::StoreError;
use crate::password::PasswordKept;
use crate::secret::{Secret, SecretHash};

/// How long an invitation works, in milliseconds: seven days.
pub const INVITATION_MS: i64 = 7 * 86_400_000;
/// The most people of one installation.
pub const MOST: i64 = 10_000;
/// The longest address in bytes (RFC 5321).
const LONGEST: usize = 254;

/// What somebody may do at a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Read its numbers.
    Viewer,
    /// Change also what is shown of them: goals, segments, dashboards, annotations, shared links.
    Editor,
    /// Change the site itself and its people.
    Owner,
}

/// Somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Person {
    /// A number that is never used again.
    pub id: i64,
    /// The address by which they sign in.
    pub email: String,
    /// How they want to be called.
    pub name: String,
    /// Whether they may do everything.
    pub admin: bool,
    /// Whether they have not set a password yet.
    pub invited: bool,
}

/// Why somebody could not be added.
#[derive(Debug, thiserror::Error)]
pub enum PersonError {
    /// They are there.
    #[error("{0} is there already")]
    Exists(String),
    /// There are too many.
    #[error("an installation has at most {MOST} people")]
    TooMany,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for PersonError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

impl Role {
    /// Every role, the smallest first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Editor, Self::Owner];

    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Owner => "owner",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == word)
    }
}

const COLUMNS: &str = "people.id, email, name, admin, password IS NULL";

fn read(row: &Row<'_>) -> rusqlite::Result<Person> {
    Ok(Person { id: row.get(0)?, email: row.get(1)?, name: row.get(2)?, admin: row.get(3)?, invited: row.get(4)? })
}

/// Everybody, by address.
///
/// # Errors
/// The database's.
pub fn list(conn: &Connection) -> Result<Vec<Person>, StoreError> {
    let mut statement = conn.prepare_cached(&format!("SELECT {COLUMNS} FROM people ORDER BY email"))?;
    Ok(statement.query_map([], read)?.collect::<Result<_, _>>()?)
}

/// Somebody by number.
///
/// # Errors
/// The database's.
pub fn get(conn: &Connection, id: i64) -> Result<Option<Person>, StoreError> {
    Ok(conn.prepare_cached(&format!("SELECT {COLUMNS} FROM people WHERE id = ?1"))?.query_row([id], read).optional()?)
}

/// Somebody by address, with the password that is kept.
///
/// # Errors
/// The database's.
pub fn by_email(conn: &Connection, email: &str) -> Result<Option<(Person, Option<PasswordKept>)>, StoreError> {
    let sql = format!("SELECT {COLUMNS}, password FROM people WHERE email = ?1");
    let found = conn.prepare_cached(&sql)?.query_row([email], |row| {
        let password: Option<String> = row.get(5)?;
        Ok((read(row)?, password.map(PasswordKept::stored)))
    });
    Ok(found.optional()?)
}

/// Adds somebody.
///
/// # Errors
/// See [`PersonError`].
pub fn add(
    tx: &Transaction<'_>,
    email: &str,
    name: &str,
    admin: bool,
    password: Option<&PasswordKept>,
    now: Millis,
) -> Result<Person, PersonError> {
    if by_email(tx, email)?.is_some() {
        return Err(PersonError::Exists(email.to_owned()));
    }
    let count: i64 = tx.query_row("SELECT count(*) FROM people", [], |row| row.get(0))?;
    if count >= MOST {
        return Err(PersonError::TooMany);
    }
    tx.execute(
        "INSERT INTO people (email, name, admin, password, created) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![email, name, admin, password.map(PasswordKept::text), now.0.cast_signed()],
    )?;
    let id = tx.last_insert_rowid();
    Ok(Person { id, email: email.to_owned(), name: name.to_owned(), admin, invited: password.is_none() })
}

/// Removes somebody, and with them their roles and sessions. Says whether there was one of this number.
///
/// # Errors
/// The database's.
pub fn remove(tx: &Transaction<'_>, id: i64) -> Result<bool, StoreError> {
    Ok(tx.execute("DELETE FROM people WHERE id = ?1", [id])? > 0)
}

/// Gives somebody a role at a site, in place of the one before. Who is new is added, and invited.
///
/// # Errors
/// See [`PersonError`].
pub fn appoint_by_email(
    tx: &Transaction<'_>,
    email: &str,
    name: &str,
    site: SiteId,
    role: Role,
    now: Millis,
) -> Result<(Person, Option<Secret>), PersonError> {
    let (person, invitation) = match by_email(tx, email)? {
        Some((person, _)) => (person, None),
        None => {
            let person = add(tx, email, name, false, None, now)?;
            let invitation = invite(tx, person.id, now)?;
            (person, Some(invitation))
        }
    };
    appoint(tx, person.id, site, role)?;
    Ok((person, invitation))
}

/// Where an invitation is accepted: a path of this server. The secret stands behind the `#`, so no log on the way has it.
#[must_use]
pub fn invitation_path(invitation: &Secret) -> String {
    format!("/#invitation={}", invitation.reveal())
}

/// The address by which somebody signs in, in small letters.
///
/// # Errors
/// Words about what an address is.
pub fn address(text: &str) -> Result<String, &'static str> {
    let text = text.trim().to_lowercase();
    let (name, host) = text.split_once('@').unwrap_or_default();
    let fits = !name.is_empty() && !host.is_empty() && !host.contains('@') && text.len() <= LONGEST;
    if fits && !text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        Ok(text)
    } else {
        Err("must be an address such as ada@example.com")
    }
}

/// Makes the invitation of somebody; one before it works no longer.
///
/// # Errors
/// The database's.
pub fn invite(tx: &Transaction<'_>, person: i64, now: Millis) -> Result<Secret, StoreError> {
    let secret = Secret::random()?;
    tx.execute(
        "INSERT OR REPLACE INTO invitations (person, hash, expires) VALUES (?1, ?2, ?3)",
        params![person, secret.hash(), now.offset(INVITATION_MS).0.cast_signed()],
    )?;
    Ok(secret)
}

/// Who is invited by this, if it is good.
///
/// # Errors
/// The database's.
pub fn invited(conn: &Connection, hash: SecretHash, now: Millis) -> Result<Option<Person>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM people JOIN invitations ON person = people.id WHERE hash = ?1 AND expires > ?2");
    Ok(conn.prepare_cached(&sql)?.query_row(params![hash, now.0.cast_signed()], read).optional()?)
}

/// Accepts an invitation, which then works no longer: sets name and password, and ends the sessions of before.
///
/// # Errors
/// The database's.
pub fn accept(
    tx: &Transaction<'_>,
    hash: SecretHash,
    name: Option<&str>,
    password: &PasswordKept,
    now: Millis,
) -> Result<Option<Person>, StoreError> {
    let Some(person) = invited(tx, hash, now)? else { return Ok(None) };
    tx.execute("DELETE FROM invitations WHERE person = ?1", [person.id])?;
    set_password(tx, person.id, password)?;
    if let Some(name) = name {
        tx.execute("UPDATE people SET name = ?2 WHERE id = ?1", params![person.id, name])?;
    }
    get(tx, person.id)
}

/// Sets somebody's password, and ends their sessions.
///
/// # Errors
/// The database's.
pub fn set_password(tx: &Transaction<'_>, person: i64, password: &PasswordKept) -> Result<(), StoreError> {
    tx.execute("UPDATE people SET password = ?2 WHERE id = ?1", params![person, password.text()])?;
    tx.execute("DELETE FROM sessions WHERE person = ?1", [person])?;
    Ok(())
}

/// The people of a site with their roles, by address.
///
/// # Errors
/// The database's.
pub fn of_site(conn: &Connection, site: SiteId) -> Result<Vec<(Person, Role)>, StoreError> {
    let sql = format!("SELECT {COLUMNS}, role FROM people JOIN roles ON person = people.id WHERE site = ?1 ORDER BY email");
    let mut statement = conn.prepare_cached(&sql)?;
    let rows = statement.query_map([site.0], |row| Ok((read(row)?, row.get::<_, String>(5)?)))?;
    rows.map(|row| row.map_err(StoreError::from).and_then(|(person, word)| Ok((person, role(&word)?)))).collect()
}

/// The sites at which somebody has a role.
///
/// # Errors
/// The database's.
pub fn roles(conn: &Connection, person: i64) -> Result<Vec<(SiteId, Role)>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT site, role FROM roles WHERE person = ?1")?;
    let rows = statement.query_map([person], |row| Ok((SiteId(row.get(0)?), row.get::<_, String>(1)?)))?;
    rows.map(|row| row.map_err(StoreError::from).and_then(|(site, word)| Ok((site, role(&word)?)))).collect()
}

/// Gives somebody a role at a site, in place of the one before.
///
/// # Errors
/// The database's.
pub fn appoint(tx: &Transaction<'_>, person: i64, site: SiteId, role: Role) -> Result<(), StoreError> {
    tx.execute("INSERT OR REPLACE INTO roles (person, site, role) VALUES (?1, ?2, ?3)", params![person, site.0, role.name()])?;
    Ok(())
}

/// Takes somebody's role at a site away. Says whether there was one.
///
/// # Errors
/// The database's.
pub fn dismiss(tx: &Transaction<'_>, person: i64, site: SiteId) -> Result<bool, StoreError> {
    Ok(tx.execute("DELETE FROM roles WHERE person = ?1 AND site = ?2", params![person, site.0])? > 0)
}

/// Forgets invitations whose time is over. Says how many.
///
/// # Errors
/// The database's.
pub fn expire(tx: &Transaction<'_>, now: Millis) -> Result<usize, StoreError> {
    Ok(tx.execute("DELETE FROM invitations WHERE expires <= ?1", [now.0.cast_signed()])?)
}

fn role(word: &str) -> Result<Role, StoreError> {
    Role::parse(word).ok_or_else(|| StoreError::Corrupt("the role of a person".into()))
}
