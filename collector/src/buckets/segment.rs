//! Segments: what is stored of an aggregate, compressed where that pays.
use std::sync::Arc;

use headwater_core::{Encoded, Packed, People, Profiles, RowDimension, Tallies};
use headwater_query::{Lens, Names, Rows};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::pack::{pack, unpack};
use super::{BucketKey, grain_code, sheets};
use crate::store::StoreError;

/// Tallies of so many rows are stored by dimension. Of fewer, which mostly are soon merged into others, all are read as quickly
/// as one, and take less space together.
const SHEETS_FROM: usize = 4096;

/// An aggregate as stored, or a part of one; without people where samples are no longer kept. Its parts are shared.
#[derive(Clone, Debug, Default)]
pub(crate) struct Segment {
    pub(crate) aggregate: Packed,
    pub(crate) sampled: bool,
    /// What queries worked out about the aggregate, as long as it is in memory.
    pub(crate) lens: Arc<Lens>,
}

impl Segment {
    /// The sum. Where one part has no sample, the sum has none.
    pub(crate) fn merge(parts: &[Self]) -> Self {
        let sampled = parts.iter().all(|p| p.sampled);
        let tallies = Tallies::merge(&parts.iter().map(|p| &*p.aggregate.tallies).collect::<Vec<_>>());
        let people = if sampled {
            let rows: Vec<People> = parts.iter().map(|p| p.aggregate.people.to_people()).collect();
            Profiles::from(&People::merge(&rows.iter().collect::<Vec<_>>()))
        } else {
            Profiles::default()
        };
        let aggregate = Packed { tallies: Arc::new(tallies), people: Arc::new(people) };
        Self { aggregate, sampled, lens: Arc::default() }
    }

    /// The same with the rows of another part of it.
    pub(crate) fn with_rows(&self, rows: &Self) -> Self {
        let aggregate = Packed { tallies: rows.aggregate.tallies.clone(), people: self.aggregate.people.clone() };
        Self { aggregate, sampled: self.sampled, lens: self.lens.clone() }
    }

    /// The same with nobody in it; of its people only the share that they are is kept.
    pub(crate) fn with_theta(&self, theta: u64) -> Self {
        let people = Arc::new(Profiles { theta, ..Profiles::default() });
        let aggregate = Packed { tallies: self.aggregate.tallies.clone(), people };
        Self { aggregate, sampled: self.sampled, lens: self.lens.clone() }
    }

    /// Appends this segment to a bucket; gives its id.
    pub(crate) fn insert(&self, connection: &Connection, key: BucketKey, level: i64) -> Result<i64, StoreError> {
        let Packed { tallies, people } = &self.aggregate;
        Blobs::of(tallies, self.sampled.then_some(people))?.insert(connection, key, level)
    }

    /// Stores beside a segment what queries will ask of its people most.
    pub(crate) fn insert_uniques(&self, connection: &Connection, id: i64) -> Result<(), StoreError> {
        if self.sampled {
            let written = Lens::written(&self.aggregate).map(|(of, bytes)| (of, Encoded { bytes, cuts: Vec::new() }));
            let uniques = sheets::write(written)?;
            connection.prepare_cached("UPDATE segments SET uniques = ? WHERE id = ?")?.execute(params![uniques, id])?;
        }
        Ok(())
    }

    /// Reads a whole segment; `None` if it was merged away since its id was read.
    pub(crate) fn load(connection: &Connection, id: i64) -> Result<Option<Self>, StoreError> {
        let (Some((rows, _)), Some(people)) = (Self::load_rows(connection, id, Rows::All)?, StoredPeople::read(connection, id)?)
        else {
            return Ok(None);
        };
        Ok(Some(people.unpack(&Arc::default())?.with_rows(&rows)))
    }

    /// Reads rows of a segment, and says whether these are all there are; `None` as [`Segment::load`].
    pub(crate) fn load_rows(connection: &Connection, id: i64, rows: Rows) -> Result<Option<(Self, bool)>, StoreError> {
        let mut statement = connection.prepare_cached("SELECT tallies, typeof(people) <> 'null' FROM segments WHERE id = ?")?;
        let row = statement.query_row([id], |row| {
            let blob = row.get_ref(0)?.as_blob()?;
            Ok((read_tallies(blob, rows, id), row.get(1)?))
        });
        let Some((tallies, sampled)) = row.optional()? else { return Ok(None) };
        let (tallies, whole) = tallies?;
        let aggregate = Packed { tallies: Arc::new(tallies), people: Arc::default() };
        Ok(Some((Self { aggregate, sampled, lens: Arc::default() }, whole)))
    }

    /// Adds to the lens what was stored about a dimension and the total, and gives theta; `None` if nothing was stored.
    pub(crate) fn load_uniques(&self, connection: &Connection, id: i64, of: RowDimension) -> Result<Option<u64>, StoreError> {
        let corrupt = || StoreError::Corrupt(format!("what is known of segment {id}"));
        let mut statement = connection.prepare_cached("SELECT uniques FROM segments WHERE id = ?")?;
        let found = statement.query_row([id], |row| row.get::<_, Option<Vec<u8>>>(0)).optional()?;
        let Some(blob) = found.flatten() else { return Ok(None) };
        let mut theta = None;
        for (of, packed) in sheets::read(&blob)?.into_iter().filter(|(d, _)| [RowDimension::Total, of].contains(d)) {
            theta = self.lens.read(of, &unpack(packed)?, &self.aggregate.tallies);
            theta.ok_or_else(corrupt)?;
        }
        theta.map(Some).ok_or_else(corrupt)
    }
}

/// Rows of tallies as they are stored, and whether these are all there are.
fn read_tallies(blob: &[u8], rows: Rows, id: i64) -> Result<(Tallies, bool), StoreError> {
    let decode = |packed: &[u8]| {
        let corrupt = |error| StoreError::Corrupt(format!("segment {id}: {error}"));
        Tallies::decode(&unpack(packed)?).map_err(corrupt)
    };
    if !sheets::are(blob) {
        return Ok((decode(blob)?, true));
    }
    let sheets = sheets::read(blob)?;
    if let Rows::Of(dimension) = rows {
        // Without rows of the dimension there is no sheet of it; the first has the total.
        let sheet = sheets.iter().find(|(of, _)| *of == dimension.sheet()).or(sheets.first());
        return Ok((sheet.map_or_else(|| Ok(Tallies::default()), |(_, packed)| decode(packed))?, false));
    }
    let sheets: Vec<Tallies> = sheets.into_iter().map(|(_, packed)| decode(packed)).collect::<Result<_, _>>()?;
    Ok((Tallies::of_sheets(sheets), true))
}

/// The people of a segment as they are in the database.
pub(crate) struct StoredPeople {
    pub(crate) id: i64,
    people: Option<Vec<u8>>,
}

impl StoredPeople {
    /// Reads them; `None` as [`Segment::load`].
    pub(crate) fn read(connection: &Connection, id: i64) -> Result<Option<Self>, StoreError> {
        let mut statement = connection.prepare_cached("SELECT people FROM segments WHERE id = ?")?;
        Ok(statement.query_row([id], |row| Ok(Self { id, people: row.get(0)? })).optional()?)
    }

    /// Unpacks and checks them: a segment without rows, of a site with these names.
    pub(crate) fn unpack(&self, names: &Arc<Names>) -> Result<Segment, StoreError> {
        let corrupt = |error| StoreError::Corrupt(format!("segment {}: {error}", self.id));
        let people = match &self.people {
            Some(blob) => Profiles::decode(&unpack(blob)?).map_err(corrupt)?,
            None => Profiles::default(),
        };
        let aggregate = Packed { tallies: Arc::default(), people: Arc::new(people) };
        Ok(Segment { aggregate, sampled: self.people.is_some(), lens: Arc::new(Lens::of_people(names.clone())) })
    }
}

/// A segment as it is stored: what is new belongs into a minute, an hour and a day, and is packed once.
pub(crate) struct Blobs {
    tallies: Vec<u8>,
    people: Option<Vec<u8>>,
}

impl Blobs {
    pub(crate) fn of(tallies: &Tallies, people: Option<&Profiles>) -> Result<Self, StoreError> {
        let by_dimension = tallies.rows.len() >= SHEETS_FROM;
        let tallies = if by_dimension {
            sheets::write(tallies.sheets().into_iter().map(|(of, sheet)| (of, sheet.encode())))?
        } else {
            pack(&tallies.encode())?
        };
        Ok(Self { tallies, people: people.map(|people| pack(&people.encode())).transpose()? })
    }

    /// Appends this segment to a bucket; gives its id.
    pub(crate) fn insert(&self, connection: &Connection, key: BucketKey, level: i64) -> Result<i64, StoreError> {
        let BucketKey { site, grain, span } = key;
        let Self { tallies, people } = self;
        connection
            .prepare_cached(
                "INSERT INTO segments (site, grain, start, \"end\", level, tallies, people) VALUES (?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![site.0, grain_code(grain), span.start.0, span.end.0, level, tallies, people])?;
        Ok(connection.last_insert_rowid())
    }
}
