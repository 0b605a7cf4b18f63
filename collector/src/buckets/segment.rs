//! Segments: what is stored of an aggregate, compressed where that pays.
use std::io::Write as _;
use std::sync::Arc;

use headwater_core::{Encoded, Packed, People, Profiles, Tallies};
use headwater_query::Lens;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{BucketKey, grain_code};
use crate::store::StoreError;

/// Blobs below this many bytes are stored as they are: compressing them costs more than it saves.
const COMPRESS_FROM: usize = 512;
/// zstd's default: twice as fast to write as higher levels and nearly as small here.
const ZSTD_LEVEL: i32 = 3;
/// The longest column that is unpacked: a bound on what a damaged length can ask for.
const MAX_UNPACKED: usize = 1 << 30;

/// An aggregate as stored; without people where samples are no longer kept.
#[derive(Clone, Debug, Default)]
pub(crate) struct Segment {
    pub(crate) aggregate: Packed,
    pub(crate) sampled: bool,
    /// What queries worked out about the aggregate, as long as it is in memory.
    pub(crate) lens: Lens,
}

impl Segment {
    /// The sum. Where one part has no sample, the sum has none.
    pub(crate) fn merge(parts: &[&Self]) -> Self {
        let sampled = parts.iter().all(|p| p.sampled);
        let tallies = Tallies::merge(&parts.iter().map(|p| &*p.aggregate.tallies).collect::<Vec<_>>());
        let people = if sampled {
            let rows: Vec<People> = parts.iter().map(|p| p.aggregate.people.to_people()).collect();
            Profiles::from(&People::merge(&rows.iter().collect::<Vec<_>>()))
        } else {
            Profiles::default()
        };
        Self { aggregate: Packed { tallies: Arc::new(tallies), people }, sampled, lens: Lens::default() }
    }

    /// The same without its people, of whom only the share that they are is kept.
    pub(crate) fn without_people(&self) -> Self {
        let people = Profiles { theta: self.aggregate.people.theta, ..Profiles::default() };
        let aggregate = Packed { tallies: self.aggregate.tallies.clone(), people };
        Self { aggregate, sampled: self.sampled, lens: Lens::default() }
    }

    /// The same with a share of people that is known now.
    pub(crate) fn with_theta(&self, theta: u64) -> Self {
        let people = Profiles { theta, ..Profiles::default() };
        Self {
            aggregate: Packed { tallies: self.aggregate.tallies.clone(), people },
            sampled: self.sampled,
            lens: self.lens.clone(),
        }
    }

    /// Appends this segment to a bucket; gives its id.
    pub(crate) fn insert(&self, connection: &Connection, key: BucketKey, level: i64) -> Result<i64, StoreError> {
        let Packed { tallies, people } = &self.aggregate;
        Blobs::of(tallies, self.sampled.then_some(people))?.insert(connection, key, level)
    }

    /// Stores beside a segment what queries will ask of its people most.
    pub(crate) fn insert_uniques(&self, connection: &Connection, id: i64) -> Result<(), StoreError> {
        if self.sampled {
            let uniques = pack(&Encoded { bytes: Lens::written(&self.aggregate), cuts: Vec::new() })?;
            connection.prepare_cached("UPDATE segments SET uniques = ? WHERE id = ?")?.execute(params![uniques, id])?;
        }
        Ok(())
    }

    /// Reads what was stored so, unpacked.
    pub(crate) fn load_uniques(connection: &Connection, id: i64) -> Result<Option<Vec<u8>>, StoreError> {
        let mut statement = connection.prepare_cached("SELECT uniques FROM segments WHERE id = ?")?;
        let found = statement.query_row([id], |row| row.get::<_, Option<Vec<u8>>>(0)).optional()?;
        found.flatten().map(|uniques| unpack(&uniques)).transpose()
    }

    /// Reads a segment; `None` if it was merged away since its id was read.
    pub(crate) fn load(connection: &Connection, id: i64) -> Result<Option<Self>, StoreError> {
        Stored::read(connection, id)?.map(|stored| stored.unpack(None)).transpose()
    }
}

/// A segment as it is in the database.
pub(crate) struct Stored {
    pub(crate) id: i64,
    tallies: Vec<u8>,
    people: Option<Vec<u8>>,
}

impl Stored {
    /// Reads it; `None` as [`Segment::load`].
    pub(crate) fn read(connection: &Connection, id: i64) -> Result<Option<Self>, StoreError> {
        let mut statement = connection.prepare_cached("SELECT tallies, people FROM segments WHERE id = ?")?;
        Ok(statement.query_row([id], |row| Ok(Self { id, tallies: row.get(0)?, people: row.get(1)? })).optional()?)
    }

    /// Unpacks and checks it; not the tallies, if they are at hand.
    pub(crate) fn unpack(&self, tallies: Option<Arc<Tallies>>) -> Result<Segment, StoreError> {
        let corrupt = |error| StoreError::Corrupt(format!("segment {}: {error}", self.id));
        let tallies = match tallies {
            Some(tallies) => tallies,
            None => Arc::new(Tallies::decode(&unpack(&self.tallies)?).map_err(corrupt)?),
        };
        let people = match &self.people {
            Some(blob) => Profiles::decode(&unpack(blob)?).map_err(corrupt)?,
            None => Profiles::default(),
        };
        let aggregate = Packed { tallies, people };
        Ok(Segment { aggregate, sampled: self.people.is_some(), lens: Lens::default() })
    }
}

impl Segment {
    /// Reads only the tallies of a segment; `None` as [`Segment::load`].
    pub(crate) fn load_tallies(connection: &Connection, id: i64) -> Result<Option<Self>, StoreError> {
        let mut statement = connection.prepare_cached("SELECT tallies, people IS NOT NULL FROM segments WHERE id = ?")?;
        let row = statement.query_row([id], |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get(1)?)));
        let Some((tallies, sampled)) = row.optional()? else { return Ok(None) };
        let corrupt = |error| StoreError::Corrupt(format!("segment {id}: {error}"));
        let tallies = Tallies::decode(&unpack(&tallies)?).map_err(corrupt)?;
        Ok(Some(Self {
            aggregate: Packed { tallies: Arc::new(tallies), people: Profiles::default() },
            sampled,
            lens: Lens::default(),
        }))
    }
}

/// A segment as it is stored: what is new belongs into a minute, an hour and a day, and is packed once.
pub(crate) struct Blobs {
    tallies: Vec<u8>,
    people: Option<Vec<u8>>,
}

impl Blobs {
    pub(crate) fn of(tallies: &Tallies, people: Option<&Profiles>) -> Result<Self, StoreError> {
        Ok(Self { tallies: pack(&tallies.encode())?, people: people.map(|people| pack(&people.encode())).transpose()? })
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

/// A byte that says whether zstd was used, then the bytes. zstd begins a block at each cut that is far enough from the
/// last: a column of its own has its own code, which saves 8 % over blocks of one size.
pub(crate) fn pack(encoded: &Encoded) -> Result<Vec<u8>, StoreError> {
    const BLOCK: usize = 512;
    let bytes = &encoded.bytes;
    if bytes.len() < COMPRESS_FROM {
        let mut plain = Vec::with_capacity(bytes.len() + 1);
        plain.push(0);
        plain.extend_from_slice(bytes);
        return Ok(plain);
    }
    let failed = |error: std::io::Error| StoreError::Corrupt(error.to_string());
    let mut encoder = zstd::stream::Encoder::new(vec![1], ZSTD_LEVEL).map_err(failed)?;
    let mut start = 0;
    for cut in encoded.cuts.iter().copied().filter(|cut| cut + BLOCK <= bytes.len()) {
        if cut >= start + BLOCK {
            encoder.write_all(bytes.get(start..cut).unwrap_or(&[])).and_then(|()| encoder.flush()).map_err(failed)?;
            start = cut;
        }
    }
    encoder.write_all(bytes.get(start..).unwrap_or(&[])).map_err(failed)?;
    encoder.finish().map_err(failed)
}

/// The other way round.
pub(crate) fn unpack(blob: &[u8]) -> Result<Vec<u8>, StoreError> {
    use std::io::Read as _;
    let corrupt = |error: std::io::Error| StoreError::Corrupt(format!("a compressed segment: {error}"));
    match blob.split_first() {
        Some((0, plain)) => Ok(plain.to_vec()),
        Some((1, packed)) => {
            let decoder = zstd::stream::Decoder::with_buffer(packed).map_err(corrupt)?;
            let mut bytes = Vec::with_capacity(packed.len() * 4);
            decoder.take(MAX_UNPACKED as u64).read_to_end(&mut bytes).map_err(corrupt)?;
            Ok(bytes)
        }
        _ => Err(StoreError::Corrupt("a segment with an unknown first byte".into())),
    }
}
