//! The bytes of columns, one plane after the other.
use serde::Serialize;

use super::{WireError, check, write};
use crate::Column;
use crate::dict::Dict;

/// Something written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Encoded {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Where bytes of one kind end and others begin, ascending. Whoever compresses them does better by starting anew there.
    pub cuts: Vec<usize>,
}

/// Columns on their way out.
#[derive(Default)]
pub(super) struct Writer {
    pub(super) shapes: Vec<u128>,
    planes: Encoded,
}

impl Writer {
    /// Adds the dictionary, whose columns stand before all others: how many strings it has, and their text.
    pub(super) fn strings(&mut self, dict: &Dict) -> (u32, String) {
        let (shared, lengths, text) = dict.columns();
        self.push(&shared);
        self.push(&lengths);
        (lengths.len() as u32, text)
    }

    pub(super) fn push(&mut self, column: &Column) {
        self.shapes.push(column.shape());
        column.write(&mut self.planes.bytes, &mut self.planes.cuts);
    }

    /// The head, which holds the shapes, and behind it the planes.
    pub(super) fn finish<T: Serialize>(self, head: impl FnOnce(Vec<u128>) -> T) -> Encoded {
        let mut bytes = write(&head(self.shapes));
        let start = bytes.len();
        bytes.extend(self.planes.bytes);
        Encoded { bytes, cuts: self.planes.cuts.into_iter().map(|cut| start + cut).collect() }
    }
}

/// Columns on their way in, in the order in which they were written.
pub(super) struct Reader<'a> {
    shapes: core::slice::Iter<'a, u128>,
    planes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(shapes: &'a [u128], planes: &'a [u8]) -> Self {
        Self { shapes: shapes.iter(), planes }
    }

    pub(super) fn next(&mut self, rows: usize, field: &'static str) -> Result<Column, WireError> {
        let shape = self.shapes.next().ok_or(WireError::Field(field))?;
        Column::read(*shape, rows, &mut self.planes).ok_or(WireError::Field(field))
    }

    /// The dictionary, as [`Writer::strings`] wrote it.
    pub(super) fn strings(&mut self, strings: u32, text: &str) -> Result<Dict, WireError> {
        // Each has text of its own, so there are no more of them than bytes.
        check(strings as usize <= text.len(), "strings")?;
        let (shared, lengths) = (self.next(strings as usize, "strings")?, self.next(strings as usize, "strings")?);
        Dict::from_columns(&shared, &lengths, text).ok_or(WireError::Field("strings"))
    }

    /// Fails if there is more.
    pub(super) fn finish(mut self) -> Result<(), WireError> {
        check(self.shapes.next().is_none() && self.planes.is_empty(), "columns")
    }
}
