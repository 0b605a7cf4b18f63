//! Who takes days in: a data directory, also of a running server, or a server far away.
use std::collections::BTreeMap;

use headwater_core::Grain;
use headwater_query::{Date, Span};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::target::strange;
use super::super::{ImportError, Local, Remote};
use super::SOURCE;
use crate::buckets;
use crate::site::Site;
use crate::store::StoreError;
use crate::store::aggregates::{self, Aggregate, DayRows, Digest, Standing};

/// How many days are asked about in one request.
const AT_ONCE: usize = 2_000;

/// How a day of an import stands to what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compared {
    /// To what was imported.
    pub standing: Standing,
    /// Whether the site has counts of its own on that day.
    pub own: bool,
}

/// Why days were not taken in.
#[derive(Debug, thiserror::Error)]
pub enum PutError {
    /// They are there with other numbers.
    #[error("{} was imported with other numbers before; say \"replace\": true, or remove that import first", .0.first().map_or_else(String::new, ToString::to_string))]
    Conflict(Vec<Date>),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where days go.
pub trait DayTarget {
    /// How days stand to what is there.
    ///
    /// # Errors
    /// See [`ImportError`].
    fn compare(&mut self, days: &[(Date, Digest)]) -> Result<BTreeMap<Date, Compared>, ImportError>;

    /// Takes days in, durable when this returns.
    ///
    /// # Errors
    /// See [`ImportError`].
    fn put(&mut self, content: Digest, days: &BTreeMap<Date, DayRows>, replace: bool) -> Result<(), ImportError>;

    /// What was imported so far.
    ///
    /// # Errors
    /// See [`ImportError`].
    fn list(&mut self) -> Result<Vec<Aggregate>, ImportError>;

    /// Removes an import; false if there is none of that number.
    ///
    /// # Errors
    /// See [`ImportError`].
    fn remove(&mut self, id: i64) -> Result<bool, ImportError>;
}

/// How days of a site stand to what is there.
pub(crate) fn compare(
    conn: &rusqlite::Connection,
    site: &Site,
    days: &[(Date, Digest)],
    now: headwater_core::Minute,
) -> Result<BTreeMap<Date, Compared>, StoreError> {
    let calendar = &site.timeline.at(now).calendar;
    let one = |(date, digest): &(Date, Digest)| {
        let Span { start, end } = calendar.day_of(*date);
        let own = !buckets::spans(conn, site.id, Grain::Day, Span { start, end })?.is_empty();
        Ok((*date, Compared { standing: aggregates::standing(conn, site.id, *date, *digest)?, own }))
    };
    days.iter().map(one).collect()
}

/// Takes days in, all or none; not over others unless that is wanted.
pub(crate) fn put(
    tx: &rusqlite::Transaction<'_>,
    site: &Site,
    from: (&str, Digest),
    days: &BTreeMap<Date, DayRows>,
    replace: bool,
    now: headwater_core::Millis,
) -> Result<u64, PutError> {
    let mut others = Vec::new();
    for (date, rows) in days {
        if matches!(aggregates::standing(tx, site.id, *date, rows.digest())?, Standing::Other(_)) {
            others.push(*date);
        }
    }
    if !others.is_empty() && !replace {
        return Err(PutError::Conflict(others));
    }
    Ok(aggregates::put(tx, site.id, from, days, now)?)
}

impl From<PutError> for ImportError {
    fn from(error: PutError) -> Self {
        match error {
            PutError::Store(error) => Self::Store(error),
            conflict @ PutError::Conflict(_) => Self::Export(conflict.to_string()),
        }
    }
}

impl DayTarget for Local<'_> {
    fn compare(&mut self, days: &[(Date, Digest)]) -> Result<BTreeMap<Date, Compared>, ImportError> {
        let now = (self.now)().minute();
        Ok(self.store.read_now(|tx| compare(tx, &self.site, days, now))?)
    }

    fn put(&mut self, content: Digest, days: &BTreeMap<Date, DayRows>, replace: bool) -> Result<(), ImportError> {
        let now = (self.now)();
        self.store.write_now(|tx| put(tx, &self.site, (SOURCE, content), days, replace, now))?;
        Ok(())
    }

    fn list(&mut self) -> Result<Vec<Aggregate>, ImportError> {
        Ok(self.store.read_now(|tx| aggregates::list(tx, self.site.id))?)
    }

    fn remove(&mut self, id: i64) -> Result<bool, ImportError> {
        Ok(self.store.write_now(|tx| aggregates::remove(tx, self.site.id, id))?)
    }
}

impl Remote {
    fn imports(&self, rest: &str) -> String {
        format!("/api/v1/sites/{}/imports{rest}", self.site)
    }
}

/// The digits of a digest.
#[must_use]
pub(crate) fn hex(digest: Digest) -> String {
    headwater_core::NodeId(digest).to_string()
}

impl DayTarget for Remote {
    fn compare(&mut self, days: &[(Date, Digest)]) -> Result<BTreeMap<Date, Compared>, ImportError> {
        let mut all = BTreeMap::new();
        for some in days.chunks(AT_ONCE) {
            let days: BTreeMap<String, String> = some.iter().map(|(date, digest)| (date.to_string(), hex(*digest))).collect();
            let mut answer = self.client.post_json(&self.imports("/compare"), &json!({ "days": days }))?;
            let told: BTreeMap<String, Compared> = serde_json::from_value(answer["days"].take()).map_err(strange)?;
            all.extend(told.into_iter().filter_map(|(date, compared)| Some((Date::parse(&date)?, compared))));
        }
        Ok(all)
    }

    fn put(&mut self, content: Digest, days: &BTreeMap<Date, DayRows>, replace: bool) -> Result<(), ImportError> {
        let days: BTreeMap<String, &DayRows> = days.iter().map(|(date, rows)| (date.to_string(), rows)).collect();
        let body = json!({ "source": SOURCE, "content": hex(content), "days": days, "replace": replace });
        let body = body.to_string();
        Ok(self.client.deliver(&self.imports("/days"), &[("content-type", "application/json")], body.as_bytes(), true)?)
    }

    fn list(&mut self) -> Result<Vec<Aggregate>, ImportError> {
        let mut answer: Value = self.client.get_json(&self.imports(""))?;
        serde_json::from_value(answer["imports"].take()).map_err(strange)
    }

    fn remove(&mut self, id: i64) -> Result<bool, ImportError> {
        if !self.list()?.iter().any(|import| import.id == id) {
            return Ok(false);
        }
        self.client.delete(&self.imports(&format!("/{id}")))?;
        Ok(true)
    }
}
