//! Sites and their settings over time.
use std::str::FromStr;

use headwater_core::{Millis, Minute, SiteId};
use headwater_edge::Identity;
use headwater_query::{Calendar, UnknownZone};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::StoreError;
use crate::site::{Domain, Era, HostRule, Retention, Site, Timeline, identity_name, parse_identity};

/// A site that is to be added.
#[derive(Clone, Debug)]
pub struct NewSite {
    /// Its name.
    pub domain: Domain,
    /// Its zone.
    pub calendar: Calendar,
    /// How visitors are told apart.
    pub identity: Identity,
    /// From which hosts events are taken; empty: the domain and its subdomains.
    pub hosts: Vec<HostRule>,
    /// Whether anyone may read.
    pub public: bool,
}

/// What is to change of a site; `None` stays.
#[derive(Clone, Debug, Default)]
pub struct SiteChange {
    /// From the next local midnight.
    pub calendar: Option<Calendar>,
    /// From the next local midnight.
    pub identity: Option<Identity>,
    /// At once.
    pub hosts: Option<Vec<HostRule>>,
    /// At once.
    pub public: Option<bool>,
    /// At once; 1 to [`MOST_SHARDS`].
    pub shards: Option<u16>,
    /// From the next deletion on.
    pub retention: Option<Retention>,
}

/// A site has 256 virtual shards, so no more objects than that have something to do.
pub const MOST_SHARDS: u16 = 256;

/// Why a site could not be added, changed or removed.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// There is one of this name.
    #[error("there is a site {0} already; change it with PATCH /api/v1/sites/{0} or `headwater site set {0}`")]
    Exists(Domain),
    /// There is none of this name.
    #[error("there is no site {0}; add it with POST /api/v1/sites or `headwater site add {0}`")]
    Unknown(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for SiteError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Adds a site with the salts that it needs to count from now on.
///
/// # Errors
/// `Exists`, or the database's.
pub fn add(tx: &Transaction<'_>, new: &NewSite, now: Millis) -> Result<Site, SiteError> {
    let taken: bool = tx
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM sites WHERE domain = ?1)")?
        .query_row([new.domain.as_str()], |row| row.get(0))?;
    if taken {
        return Err(SiteError::Exists(new.domain.clone()));
    }
    let keep = Retention::default();
    tx.execute(
        "INSERT INTO sites (domain, hosts, public, created, keep_minutes, keep_hours, keep_hour_samples, keep_days, keep_day_samples)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            new.domain.as_str(), hosts_json(&new.hosts), new.public, now.0.cast_signed(),
            keep.minutes, keep.hours, keep.hour_samples, keep.days, keep.day_samples,
        ],
    )?;
    let id = tx.last_insert_rowid();
    tx.execute(
        "INSERT INTO site_settings (site, from_minute, zone, identity) VALUES (?1, 0, ?2, ?3)",
        params![id, new.calendar.name(), identity_name(new.identity)],
    )?;
    let site = find(tx, new.domain.as_str())?.ok_or_else(|| SiteError::Unknown(new.domain.to_string()))?;
    super::salts::prepare(tx, &site, now)?;
    Ok(site)
}

/// Changes a site. A new zone or identity replaces whatever waits for the next local midnight.
///
/// # Errors
/// `Unknown`, or the database's.
pub fn change(tx: &Transaction<'_>, domain: &str, change: &SiteChange, now: Millis) -> Result<Site, SiteError> {
    let unknown = || SiteError::Unknown(domain.to_owned());
    let site = find(tx, domain)?.ok_or_else(unknown)?;
    let id = i64::from(site.id.0);
    if let Some(hosts) = &change.hosts {
        tx.execute("UPDATE sites SET hosts = ?2 WHERE id = ?1", params![id, hosts_json(hosts)])?;
    }
    if let Some(public) = change.public {
        tx.execute("UPDATE sites SET public = ?2 WHERE id = ?1", params![id, public])?;
    }
    if let Some(shards) = change.shards {
        tx.execute("UPDATE sites SET shards = ?2 WHERE id = ?1", params![id, shards.clamp(1, MOST_SHARDS)])?;
    }
    if let Some(keep) = change.retention {
        tx.execute(
            "UPDATE sites SET keep_minutes = ?2, keep_hours = ?3, keep_hour_samples = ?4, keep_days = ?5, keep_day_samples = ?6
             WHERE id = ?1",
            params![id, keep.minutes, keep.hours, keep.hour_samples, keep.days, keep.day_samples],
        )?;
    }
    if change.calendar.is_some() || change.identity.is_some() {
        set_era(tx, &site, change, now)?;
    }
    let site = find(tx, domain)?.ok_or_else(unknown)?;
    if change.calendar.is_some() || change.identity.is_some() {
        super::salts::cut(tx, &site, site.timeline.next_midnight(now.minute()))?;
        super::salts::prepare(tx, &site, now)?;
    }
    Ok(site)
}

fn set_era(tx: &Transaction<'_>, site: &Site, change: &SiteChange, now: Millis) -> Result<(), StoreError> {
    let minute = now.minute();
    let current = site.timeline.at(minute);
    let waiting = site.timeline.after(minute).unwrap_or(current);
    let zone = change.calendar.as_ref().unwrap_or(&waiting.calendar).name();
    let identity = change.identity.unwrap_or(waiting.identity);
    let id = i64::from(site.id.0);
    tx.execute("DELETE FROM site_settings WHERE site = ?1 AND from_minute > ?2", params![id, minute.0])?;
    if zone != current.calendar.name() || identity != current.identity {
        tx.execute(
            "INSERT INTO site_settings (site, from_minute, zone, identity) VALUES (?1, ?2, ?3, ?4)",
            params![id, site.timeline.next_midnight(minute).0, zone, identity_name(identity)],
        )?;
    }
    Ok(())
}

/// Removes a site with its settings, its salts, its tickets and everything that was counted for it.
///
/// # Errors
/// `Unknown`, or the database's.
pub fn remove(tx: &Transaction<'_>, domain: &str) -> Result<SiteId, SiteError> {
    let site = find(tx, domain)?.ok_or_else(|| SiteError::Unknown(domain.to_owned()))?;
    crate::buckets::forget(tx, site.id)?;
    tx.execute("DELETE FROM sites WHERE id = ?1", [site.id.0])?;
    tx.execute("INSERT OR IGNORE INTO removed (site) VALUES (?1)", [site.id.0])?;
    Ok(site.id)
}

/// The sites that were removed, but not yet at the embedded edge.
///
/// # Errors
/// The database's.
pub fn removed(conn: &Connection) -> Result<Vec<SiteId>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT site FROM removed")?;
    let sites = statement.query_map([], |row| row.get(0).map(SiteId))?;
    Ok(sites.collect::<rusqlite::Result<_>>()?)
}

/// Notes that nothing is left of a removed site.
///
/// # Errors
/// The database's.
pub fn forgotten(tx: &Transaction<'_>, site: SiteId) -> Result<(), StoreError> {
    tx.execute("DELETE FROM removed WHERE site = ?1", [site.0])?;
    Ok(())
}

/// The site of this name, however it is written.
///
/// # Errors
/// The database's.
pub fn find(conn: &Connection, domain: &str) -> Result<Option<Site>, StoreError> {
    let row = conn
        .prepare_cached(&format!("{SELECT} WHERE domain = ?1"))?
        .query_row([domain.to_ascii_lowercase()], Stored::read)
        .optional()?;
    row.map(|stored| stored.complete(conn)).transpose()
}

/// All sites, by name.
///
/// # Errors
/// The database's.
pub fn list(conn: &Connection) -> Result<Vec<Site>, StoreError> {
    let rows: Vec<Stored> = conn
        .prepare_cached(&format!("{SELECT} ORDER BY domain"))?
        .query_map([], Stored::read)?
        .collect::<rusqlite::Result<_>>()?;
    rows.into_iter().map(|stored| stored.complete(conn)).collect()
}

const SELECT: &str =
    "SELECT id, domain, hosts, public, created, keep_minutes, keep_hours, keep_hour_samples, keep_days, keep_day_samples, shards
    FROM sites";

/// A row of `sites`.
struct Stored {
    id: u32,
    domain: String,
    hosts: String,
    public: bool,
    created: i64,
    retention: Retention,
    shards: u16,
}

impl Stored {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let retention = Retention {
            minutes: row.get(5)?,
            hours: row.get(6)?,
            hour_samples: row.get(7)?,
            days: row.get(8)?,
            day_samples: row.get(9)?,
        };
        Ok(Self {
            id: row.get(0)?,
            domain: row.get(1)?,
            hosts: row.get(2)?,
            public: row.get(3)?,
            created: row.get(4)?,
            retention,
            shards: row.get(10)?,
        })
    }

    fn complete(self, conn: &Connection) -> Result<Site, StoreError> {
        let corrupt = |what: &dyn std::fmt::Display| StoreError::Corrupt(format!("site {}: {what}", self.id));
        let hosts: Vec<String> = serde_json::from_str(&self.hosts).map_err(|e| corrupt(&e))?;
        let hosts = hosts.iter().map(|h| HostRule::from_str(h)).collect::<Result<_, _>>().map_err(|e| corrupt(&e))?;
        let mut statement = conn.prepare_cached("SELECT from_minute, zone, identity FROM site_settings WHERE site = ?1")?;
        let mut rows = statement.query([self.id])?;
        let mut eras = Vec::new();
        while let Some(row) = rows.next()? {
            let (from, zone, identity): (u32, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let calendar = Calendar::new(&zone).map_err(|e: UnknownZone| corrupt(&e))?;
            let identity = parse_identity(&identity).ok_or_else(|| corrupt(&"unknown identity"))?;
            eras.push(Era { from: Minute(from), calendar, identity });
        }
        Ok(Site {
            id: SiteId(self.id),
            domain: self.domain.parse().map_err(|e| corrupt(&e))?,
            hosts,
            public: self.public,
            shards: self.shards,
            retention: self.retention,
            created: Millis(self.created.cast_unsigned()),
            timeline: Timeline::from_eras(eras).ok_or_else(|| corrupt(&"no settings"))?,
        })
    }
}

fn hosts_json(hosts: &[HostRule]) -> String {
    let hosts: Vec<String> = hosts.iter().map(ToString::to_string).collect();
    serde_json::Value::from(hosts).to_string()
}
