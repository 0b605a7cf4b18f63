//! Retention: it only deletes. Every grain stands alone, so nothing has to be moved first.
use headwater_core::{Grain, Minute, SiteId};
use rusqlite::{Transaction, params};

use super::grain_code;
use crate::site::Site;
use crate::store::{StoreError, aggregates};

/// How many segments are deleted at once: what is deleted is overwritten, and writers wait for it.
const AT_ONCE: u32 = 256;

/// Deletes some of what a site no longer keeps; true if anything was, so that there may be more.
///
/// # Errors
/// What the database says.
pub fn retain(tx: &Transaction<'_>, site: &Site, now: Minute) -> Result<bool, StoreError> {
    let mut deleted = 0;
    for grain in Grain::ALL {
        let code = grain_code(grain);
        let (buckets, samples) = site.retention.days(grain);
        if let Some(before) = before(now, buckets) {
            deleted += tx
                .prepare_cached(
                    "DELETE FROM segments WHERE id IN (SELECT id FROM segments WHERE site = ? AND grain = ? AND start < ? AND \"end\" <= ? LIMIT ?)",
                )?
                .execute(params![site.id.0, code, before.0, before.0, AT_ONCE])?;
            tx.prepare_cached("DELETE FROM unsettled WHERE site = ? AND grain = ? AND \"end\" <= ?")?
                .execute(params![site.id.0, code, before.0])?;
        }
        if let Some(before) = before(now, samples) {
            deleted += tx
                .prepare_cached("UPDATE segments SET people = NULL, uniques = NULL WHERE id IN (SELECT id FROM segments WHERE site = ? AND grain = ? AND start < ? AND \"end\" <= ? AND people IS NOT NULL LIMIT ?)")?
                .execute(params![site.id.0, code, before.0, before.0, AT_ONCE])?;
        }
    }
    Ok(aggregates::retain(tx, site, now)? || deleted > 0)
}

/// Deletes everything that is known of a site.
///
/// # Errors
/// What the database says.
pub fn forget(tx: &Transaction<'_>, site: SiteId) -> Result<(), StoreError> {
    for table in ["segments", "unsettled"] {
        tx.execute(&format!("DELETE FROM {table} WHERE site = ?"), [site.0])?;
    }
    Ok(())
}

fn before(now: Minute, days: Option<u32>) -> Option<Minute> {
    days.map(|days| Minute(now.0.saturating_sub(days.saturating_mul(24 * 60))))
}
