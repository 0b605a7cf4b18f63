//! What bots sent: counted apart by site and day, in no total. It is counted in memory and stored every few seconds: nothing that
//! bots are answered promises more.
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use headwater_core::{Millis, Minute, SiteId};
use headwater_query::Date;
use rusqlite::{Connection, Transaction, params};
use serde::Serialize;

use super::StoreError;
use crate::site::Site;

/// Of how many days a site tells.
const TOLD: i64 = 30;

/// The events and beacons of bots on a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BotDay {
    /// The day, by the site's clock.
    pub date: String,
    /// How many.
    pub count: u64,
}

/// What is not stored yet, by site and hour.
#[derive(Debug, Default)]
pub struct Waiting(Mutex<HashMap<(SiteId, Minute), u64>>);

impl Waiting {
    /// Counts what bots sent just now.
    pub fn add(&self, sites: &[SiteId], at: Millis) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Zones differ from one another by quarters of an hour.
        let quarter = Minute(at.minute().0 / 15 * 15);
        sites.iter().for_each(|site| *waiting.entry((*site, quarter)).or_default() += 1);
    }

    fn take(&self) -> HashMap<(SiteId, Minute), u64> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Stores what waits with `write`; what could not be stored waits on.
    ///
    /// # Errors
    /// The database's.
    pub fn store(&self, write: impl FnOnce(&HashMap<(SiteId, Minute), u64>) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let taken = self.take();
        if taken.is_empty() {
            return Ok(());
        }
        write(&taken).inspect_err(|_| {
            let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            taken.iter().for_each(|(key, count)| *waiting.entry(*key).or_default() += count);
        })
    }
}

/// Adds to the days of a site; nothing if it was removed meanwhile.
///
/// # Errors
/// The database's.
pub fn add(tx: &Transaction<'_>, site: &Site, minute: Minute, count: u64) -> Result<(), StoreError> {
    let day = site.timeline.at(minute).calendar.date(minute).to_days();
    tx.prepare_cached(
        "INSERT INTO bots (site, day, count) SELECT ?1, ?2, ?3 WHERE EXISTS (SELECT 1 FROM sites WHERE id = ?1)
         ON CONFLICT (site, day) DO UPDATE SET count = count + excluded.count",
    )?
    .execute(params![site.id.0, day, count.cast_signed()])?;
    Ok(())
}

/// The last days on which bots sent anything, the latest first.
///
/// # Errors
/// The database's.
pub fn days(conn: &Connection, site: &Site, now: Minute) -> Result<Vec<BotDay>, StoreError> {
    let today = site.timeline.at(now).calendar.date(now).to_days();
    let mut statement = conn.prepare_cached("SELECT day, count FROM bots WHERE site = ?1 AND day > ?2 ORDER BY day DESC")?;
    let days = statement.query_map(params![site.id.0, today - TOLD], |row| {
        Ok(BotDay { date: Date::from_days(row.get(0)?).to_string(), count: row.get::<_, i64>(1)?.cast_unsigned() })
    })?;
    Ok(days.collect::<rusqlite::Result<_>>()?)
}

/// Deletes the days that a site no longer keeps.
///
/// # Errors
/// The database's.
pub fn retain(tx: &Transaction<'_>, site: &Site, before: Date) -> Result<(), StoreError> {
    tx.prepare_cached("DELETE FROM bots WHERE site = ?1 AND day < ?2")?.execute(params![site.id.0, before.to_days()])?;
    Ok(())
}
