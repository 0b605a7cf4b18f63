//! The live feed: what changed in the minutes of the last hour, told to each watcher as absolute values.
use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, PoisonError};

use foldhash::quality::RandomState;
use headwater_core::{Grain, Millis, Minute, SiteId};
use headwater_query::{Change, LiveFrame, LiveMinute, Need, Span};
use rusqlite::Connection;

use crate::buckets::{self, Cache};
use crate::store::{StoreError, changes};

/// Minutes whose rows are remembered for the next watcher; all are forgotten when there are more.
const REMEMBERED: usize = 128;

/// The rows of minutes, worked out once for all watchers.
#[derive(Default)]
pub struct Rows(Mutex<HashMap<(SiteId, Minute), Versioned>>);

/// The rows of a minute at a version.
type Versioned = (u64, Arc<Vec<Change>>);

/// What one watcher has been told.
pub struct Feed {
    site: SiteId,
    cursor: Option<u64>,
    told: BTreeMap<Minute, HashMap<u64, Counts>>,
    hasher: RandomState,
}

/// Page views, events and visitors of a row.
type Counts = (u64, u64, u64);

impl Feed {
    /// A feed of what changes from now on.
    #[must_use]
    pub fn new(site: SiteId) -> Self {
        Self { site, cursor: None, told: BTreeMap::new(), hasher: RandomState::default() }
    }

    /// The first frame: the current minute, or every minute of the last hour that changed since a cursor, or the news
    /// that the cursor is too old (then the feed goes on from now).
    ///
    /// # Errors
    /// The database's.
    pub fn first(
        &mut self,
        conn: &Connection,
        sources: Sources<'_>,
        since: Option<u64>,
        now: Millis,
    ) -> Result<LiveFrame, StoreError> {
        let version = changes::version(conn)?;
        let known = match since {
            Some(cursor) => changes::reaches(conn, cursor)?,
            None => true,
        };
        self.cursor = Some(version);
        if !known {
            return Ok(LiveFrame::Reset { reset: true });
        }
        let changed = match since {
            Some(cursor) => changes::since(conn, self.site, cursor, oldest(now))?,
            None => vec![(now.minute(), version)],
        };
        let minutes = self.tell(conn, sources, changed, true)?;
        Ok(LiveFrame::Changes { cursor: version.to_string(), minutes })
    }

    /// What changed since the last frame; `None` if nothing did.
    ///
    /// # Errors
    /// The database's.
    pub fn next(&mut self, conn: &Connection, sources: Sources<'_>, now: Millis) -> Result<Option<LiveFrame>, StoreError> {
        let version = changes::version(conn)?;
        let changed = changes::since(conn, self.site, self.cursor.unwrap_or(version), oldest(now))?;
        self.cursor = Some(version);
        self.told = self.told.split_off(&oldest(now));
        let minutes = self.tell(conn, sources, changed, false)?;
        Ok((!minutes.is_empty()).then(|| LiveFrame::Changes { cursor: version.to_string(), minutes }))
    }

    fn tell(
        &mut self,
        conn: &Connection,
        sources: Sources<'_>,
        changed: Vec<(Minute, u64)>,
        even_empty: bool,
    ) -> Result<Vec<LiveMinute>, StoreError> {
        let mut minutes = Vec::with_capacity(changed.len());
        for (minute, version) in changed {
            let rows = sources.rows.of(conn, sources.cache, self.site, minute, version)?;
            let told = self.told.entry(minute).or_default();
            let news = |row: &&Change| {
                let key = self.hasher.hash_one((&row.dimension, &row.value));
                let counts = (row.pageviews, row.events, row.visitors);
                told.insert(key, counts) != Some(counts)
            };
            let changes: Vec<Change> = rows.iter().filter(news).cloned().collect();
            if even_empty || !changes.is_empty() {
                minutes.push(LiveMinute { minute, changes });
            }
        }
        Ok(minutes)
    }
}

/// Where a feed reads.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// Decoded buckets.
    pub cache: &'a Cache,
    /// Rows that were worked out.
    pub rows: &'a Rows,
}

impl Rows {
    fn of(
        &self,
        conn: &Connection,
        cache: &Cache,
        site: SiteId,
        minute: Minute,
        version: u64,
    ) -> Result<Arc<Vec<Change>>, StoreError> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&(site, minute)).cloned();
        if let Some((_, rows)) = known.filter(|(known, _)| *known == version) {
            return Ok(rows);
        }
        let span = Span { start: minute, end: minute.offset(1) };
        let bucket = buckets::read(conn, cache, site, Grain::Minute, span, Need::People(headwater_query::Rows::All))?;
        let rows = Arc::new(bucket.first().map_or_else(Vec::new, |bucket| headwater_query::changes(bucket.aggregate())));
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= REMEMBERED {
            all.clear();
        }
        all.insert((site, minute), (version, rows.clone()));
        Ok(rows)
    }
}

/// The first minute of the last hour.
fn oldest(now: Millis) -> Minute {
    now.minute().offset(1 - changes::HOUR)
}
