//! What other programs counted: rows by day and dimension, each day of one import. They are never merged with what was counted
//! here, so removing an import subtracts nothing.
use std::collections::BTreeMap;
use std::ops::Range;

use headwater_core::{Encoded, Millis, Minute, SiteId};
use headwater_query::{Date, ImportedDay, ImportedRow};
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use serde::{Deserialize, Serialize};

use super::StoreError;
use crate::buckets::{pack, unpack};
use crate::site::Site;

/// A day as it is imported: its rows by dimension, as in queries; the total's name is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DayRows(pub BTreeMap<String, Vec<ImportedRow>>);

/// What tells a day from another with other numbers.
pub type Digest = [u8; 16];

impl DayRows {
    /// The digest of its rows, which are in order.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"headwater day 1");
        let mut text = |text: &str| {
            hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
        };
        let mut counts = Vec::new();
        for (dimension, rows) in &self.0 {
            text(dimension);
            for row in rows {
                text(&row.value);
                counts.extend([row.visitors, row.visits, row.bounces, row.pageviews, row.events, row.seconds]);
            }
            counts.push(rows.len() as u64);
        }
        for count in counts {
            hasher.update(&count.to_le_bytes());
        }
        let mut digest = Digest::default();
        digest.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        digest
    }

    fn total(&self) -> ImportedRow {
        let mut total = ImportedRow::default();
        self.0.get("").into_iter().flatten().for_each(|row| total.add(row));
        total
    }
}

/// How a day of an import stands to what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// Nothing was imported for it.
    New,
    /// The very same was.
    Same,
    /// Something else was, by this import.
    Other(i64),
}

/// An import as it is listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aggregate {
    /// Its number.
    pub id: i64,
    /// The program that counted.
    pub source: String,
    /// When it was imported, in milliseconds since 1970.
    pub at: u64,
    /// Its first day that is still its.
    pub from: String,
    /// Its last.
    pub to: String,
    /// How many days it has.
    pub days: u64,
    /// Their page views.
    pub pageviews: u64,
}

/// How a day stands.
///
/// # Errors
/// The database's.
pub fn standing(conn: &Connection, site: SiteId, day: Date, digest: Digest) -> Result<Standing, StoreError> {
    let mut statement = conn.prepare_cached("SELECT aggregate, digest FROM aggregate_days WHERE site = ?1 AND day = ?2")?;
    let found =
        statement.query_row(params![site.0, day.to_days()], |row| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?))).optional()?;
    Ok(match found {
        None => Standing::New,
        Some((_, known)) if known == digest => Standing::Same,
        Some((aggregate, _)) => Standing::Other(aggregate),
    })
}

/// Takes days in, of an import of that content; what is there for them is replaced. The same day twice is once.
///
/// # Errors
/// The database's.
pub fn put(
    tx: &Transaction<'_>,
    site: SiteId,
    (source, content): (&str, Digest),
    days: &BTreeMap<Date, DayRows>,
    now: Millis,
) -> Result<u64, StoreError> {
    let mut taken = 0;
    let mut known: Option<i64> = None;
    for (date, rows) in days {
        let digest = rows.digest();
        if standing(tx, site, *date, digest)? == Standing::Same {
            continue;
        }
        let aggregate = match known {
            Some(aggregate) => aggregate,
            None => *known.insert(begin(tx, site, source, content, now)?),
        };
        let (day, total) = (date.to_days(), rows.total());
        tx.prepare_cached("DELETE FROM aggregate_days WHERE site = ?1 AND day = ?2")?.execute(params![site.0, day])?;
        tx.prepare_cached(
            "INSERT INTO aggregate_days (site, day, aggregate, digest, visitors, pageviews) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            site.0,
            day,
            aggregate,
            digest.as_slice(),
            total.visitors.cast_signed(),
            total.pageviews.cast_signed()
        ])?;
        for (dimension, rows) in &rows.0 {
            let written = serde_json::to_vec(rows).map_err(|error| StoreError::Corrupt(error.to_string()))?;
            tx.prepare_cached("INSERT INTO aggregate_rows (site, dimension, day, rows) VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![site.0, dimension, day, pack(&Encoded { bytes: written, cuts: Vec::new() })?])?;
        }
        taken += 1;
    }
    forget_empty(tx, site)?;
    Ok(taken)
}

fn begin(tx: &Transaction<'_>, site: SiteId, source: &str, content: Digest, now: Millis) -> Result<i64, StoreError> {
    tx.execute(
        "INSERT OR IGNORE INTO aggregates (site, source, content, at) VALUES (?1, ?2, ?3, ?4)",
        params![site.0, source, content.as_slice(), now.0.cast_signed()],
    )?;
    let id = "SELECT id FROM aggregates WHERE site = ?1 AND content = ?2";
    Ok(tx.query_row(id, params![site.0, content.as_slice()], |row| row.get(0))?)
}

/// An import of which no day is left is none.
fn forget_empty(tx: &Transaction<'_>, site: SiteId) -> Result<(), StoreError> {
    tx.execute("DELETE FROM aggregates WHERE site = ?1 AND id NOT IN (SELECT aggregate FROM aggregate_days)", [site.0])?;
    Ok(())
}

/// The imports of a site, the oldest first.
///
/// # Errors
/// The database's.
pub fn list(conn: &Connection, site: SiteId) -> Result<Vec<Aggregate>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT id, source, at, min(day), max(day), count(*), sum(pageviews) FROM aggregates
         JOIN aggregate_days ON aggregate = id WHERE aggregates.site = ?1 GROUP BY id ORDER BY id",
    )?;
    let date = |day: i64| Date::from_days(day).to_string();
    let rows = statement.query_map([site.0], |row| {
        Ok(Aggregate {
            id: row.get(0)?,
            source: row.get(1)?,
            at: row.get::<_, i64>(2)?.cast_unsigned(),
            from: date(row.get(3)?),
            to: date(row.get(4)?),
            days: row.get::<_, i64>(5)?.cast_unsigned(),
            pageviews: row.get::<_, i64>(6)?.cast_unsigned(),
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Removes an import with all its days. Says whether there was one.
///
/// # Errors
/// The database's.
pub fn remove(tx: &Transaction<'_>, site: SiteId, id: i64) -> Result<bool, StoreError> {
    Ok(tx.execute("DELETE FROM aggregates WHERE site = ?1 AND id = ?2", params![site.0, id])? > 0)
}

/// The first and the last day that anything was imported for.
///
/// # Errors
/// The database's.
pub fn extent(conn: &Connection, site: SiteId) -> Result<Option<(Date, Date)>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT min(day), max(day) FROM aggregate_days WHERE site = ?1")?;
    let (first, last): (Option<i64>, Option<i64>) = statement.query_row([site.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(first.zip(last).map(|(first, last)| (Date::from_days(first), Date::from_days(last))))
}

/// The rows of a dimension of the days in a range.
///
/// # Errors
/// The database's.
pub fn read(conn: &Connection, site: SiteId, dimension: &str, days: &Range<Date>) -> Result<Vec<ImportedDay>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT day, rows FROM aggregate_rows WHERE site = ?1 AND dimension = ?2 AND day >= ?3 AND day < ?4 ORDER BY day",
    )?;
    let mut found = statement.query(params![site.0, dimension, days.start.to_days(), days.end.to_days()])?;
    let mut days = Vec::new();
    while let Some(row) = found.next()? {
        let (day, blob): (i64, Vec<u8>) = (row.get(0)?, row.get(1)?);
        let date = Date::from_days(day);
        let rows = serde_json::from_slice(&unpack(&blob)?);
        days.push(ImportedDay { date, rows: rows.map_err(|e| StoreError::Corrupt(format!("the import of {date}: {e}")))? });
    }
    Ok(days)
}

/// Deletes the days that a site no longer keeps, of what bots sent, too; true if there were some.
///
/// # Errors
/// The database's.
pub fn retain(tx: &Transaction<'_>, site: &Site, now: Minute) -> Result<bool, StoreError> {
    let Some(days) = site.retention.days else { return Ok(false) };
    let calendar = &site.timeline.at(now).calendar;
    let before = calendar.date(Minute(now.0.saturating_sub(days.saturating_mul(24 * 60))));
    super::bots::retain(tx, site, before)?;
    let mut statement = tx.prepare_cached("DELETE FROM aggregate_days WHERE site = ?1 AND day < ?2")?;
    let deleted = statement.execute(params![site.id.0, before.to_days()])? > 0;
    if deleted {
        forget_empty(tx, site.id)?;
    }
    Ok(deleted)
}
