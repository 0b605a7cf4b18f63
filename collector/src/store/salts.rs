//! Salts: made here and nowhere else, three days ahead, and destroyed when nothing can need them any more.
use headwater_core::{Millis, Minute};
use headwater_edge::SaltWindow;
use rusqlite::{Connection, Transaction, params};

use super::StoreError;
use crate::secret::random;
use crate::site::{Site, identity_name, parse_identity};

/// Events may be as old as this, in minutes.
const BACK: i32 = 72 * 60;
/// Edges have the salts of this many minutes ahead.
const AHEAD: i32 = 72 * 60;
/// Minutes after the end of its window at which a salt is destroyed.
const DESTROYED_AFTER: i32 = 96 * 60;

/// The windows of one site that are known, in order.
///
/// # Errors
/// The database's.
pub fn of_site(conn: &Connection, site: &Site) -> Result<Vec<SaltWindow>, StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT from_minute, to_minute, identity, salt FROM salts WHERE site = ?1 ORDER BY from_minute")?;
    let mut rows = statement.query([site.id.0])?;
    let mut windows = Vec::new();
    while let Some(row) = rows.next()? {
        let identity: String = row.get(2)?;
        windows.push(SaltWindow {
            from: Minute(row.get(0)?),
            to: Minute(row.get(1)?),
            identity: parse_identity(&identity).ok_or_else(|| StoreError::Corrupt("the identity of a salt".into()))?,
            salt: row.get(3)?,
        });
    }
    Ok(windows)
}

/// Makes the salts that are missing from the oldest acceptable minute to three days ahead. Says how many.
///
/// # Errors
/// The database's.
pub fn prepare(tx: &Transaction<'_>, site: &Site, now: Millis) -> Result<usize, StoreError> {
    let mut known = of_site(tx, site)?;
    let mut made = 0;
    let mut minute = now.minute().offset(-BACK);
    let last = now.minute().offset(AHEAD);
    while minute <= last {
        if let Some(window) = known.iter().find(|w| w.from <= minute && minute < w.to) {
            minute = window.to;
            continue;
        }
        let window = gap(site, &known, minute)?;
        tx.prepare_cached("INSERT INTO salts (site, from_minute, to_minute, identity, salt) VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![site.id.0, window.from.0, window.to.0, identity_name(window.identity), window.salt])?;
        minute = window.to;
        known.push(window);
        made += 1;
    }
    Ok(made)
}

/// The window for a minute that has none: what its identity asks for, between the windows that are there. A part of a
/// window that a change of settings had cut off continues under the salt of the other part.
fn gap(site: &Site, known: &[SaltWindow], minute: Minute) -> Result<SaltWindow, StoreError> {
    let identity = site.timeline.at(minute).identity;
    let whole = site.timeline.window(minute);
    let before = known.iter().map(|w| w.to).filter(|to| *to <= minute).max();
    let after = known.iter().map(|w| w.from).filter(|from| *from > minute).min();
    let same = |w: &&SaltWindow| {
        let overlaps = w.from < whole.end && whole.start < w.to;
        // A device's window is the site's life, also when another identity held in between.
        w.identity == identity && (overlaps || identity == headwater_edge::Identity::Device)
    };
    let salt = match known.iter().find(same) {
        Some(window) => window.salt,
        None => random()?,
    };
    Ok(SaltWindow {
        from: before.map_or(whole.start, |b| whole.start.max(b)),
        to: after.map_or(whole.end, |a| whole.end.min(a)),
        identity,
        salt,
    })
}

/// Ends every window at `at`, where other settings begin.
///
/// # Errors
/// The database's.
pub fn cut(tx: &Transaction<'_>, site: &Site, at: Minute) -> Result<(), StoreError> {
    tx.execute("DELETE FROM salts WHERE site = ?1 AND from_minute >= ?2", params![site.id.0, at.0])?;
    tx.execute("UPDATE salts SET to_minute = ?2 WHERE site = ?1 AND to_minute > ?2", params![site.id.0, at.0])?;
    Ok(())
}

/// Destroys the salts whose windows ended 96 hours ago. Says how many.
///
/// # Errors
/// The database's.
pub fn destroy(tx: &Transaction<'_>, now: Millis) -> Result<usize, StoreError> {
    let before = now.minute().offset(-DESTROYED_AFTER);
    Ok(tx.execute("DELETE FROM salts WHERE to_minute <= ?1", [before.0])?)
}
