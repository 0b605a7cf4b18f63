//! The written form of tallies and people: columns, so that like stands beside like and compresses well.
//!
//! A version byte, then a head in postcard's form: integers are LEB128 varints (signed ones zigzag), sequences begin with
//! their length. Behind it stand the bytes of the columns. `docs/wire.md` draws it. What is read is checked in full: sorted, in range, consistent. A
//! value that was decoded can be merged and evaluated without a further check.
mod people;
mod planes;
mod tallies;

pub use planes::Encoded;

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Aggregate, People, Tallies};

/// The first byte of everything in this module.
pub const WIRE_VERSION: u8 = 1;

/// Why bytes were refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// Another version.
    #[error("version {0} is not known; this build reads version {WIRE_VERSION}")]
    Version(u8),
    /// Cut short, too long, or not the format.
    #[error("malformed bytes")]
    Malformed,
    /// Columns that do not fit together or values outside their range.
    #[error("{0} is out of range or out of order")]
    Field(&'static str),
}

/// Writes the version byte and a value.
pub(crate) fn write<T: Serialize>(value: &T) -> Vec<u8> {
    // Writing into memory fails for no value of ours: all sequences have known lengths.
    postcard::to_extend(value, vec![WIRE_VERSION]).unwrap_or_default()
}

/// Reads the version byte and a value that ends where the bytes end.
pub(crate) fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, WireError> {
    match read_head(bytes)? {
        (value, []) => Ok(value),
        _ => Err(WireError::Malformed),
    }
}

/// Reads the version byte and a value; and what comes after it.
fn read_head<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<(T, &'a [u8]), WireError> {
    let (&version, rest) = bytes.split_first().ok_or(WireError::Malformed)?;
    if version != WIRE_VERSION {
        return Err(WireError::Version(version));
    }
    postcard::take_from_bytes(rest).map_err(|_| WireError::Malformed)
}

/// Bytes that postcard copies whole, where it would write a sequence of numbers one by one.
#[derive(Default)]
pub(crate) struct Bytes<'a>(Cow<'a, [u8]>);

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Bytes<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Cow::Borrowed(<&'de [u8]>::deserialize(deserializer)?)))
    }
}

/// Fails with the field's name unless `holds`.
pub(crate) const fn check(holds: bool, field: &'static str) -> Result<(), WireError> {
    if holds { Ok(()) } else { Err(WireError::Field(field)) }
}

#[derive(Serialize, Deserialize)]
struct AggregateColumns<'a> {
    #[serde(borrow)]
    tallies: Bytes<'a>,
    people: Bytes<'a>,
}

impl Aggregate {
    /// The written form: both parts, each as it writes itself.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        write(&AggregateColumns {
            tallies: Bytes(self.tallies.encode().bytes.into()),
            people: Bytes(self.people.encode().into()),
        })
    }

    /// Reads the written form.
    ///
    /// # Errors
    /// [`WireError`] as named; never panics.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let columns: AggregateColumns<'_> = read(bytes)?;
        Ok(Self { tallies: Tallies::decode(&columns.tallies.0)?, people: People::decode(&columns.people.0)? })
    }
}
