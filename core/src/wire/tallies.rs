//! Tallies as columns.
use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::planes::{Encoded, Reader, Writer};
use super::{WireError, check, read_head};
use crate::tallies::{Row, RowKey};
use crate::{Column, Numbers, RowDimension, StrId, Tallies, Tally};

#[derive(Serialize, Deserialize)]
struct Head<'a> {
    strings: u32,
    text: Cow<'a, str>,
    rows: u32,
    /// (row, currency, summary), ascending.
    numbers: Vec<(u32, u32, Numbers)>,
    /// Of the columns: what strings share, how long they are beyond; dimension; key; value, where dimension and key are those
    /// of the row before less its value; views; events less views; visits; visits that went on; views that went on; engaged;
    /// depth.
    shapes: Vec<u128>,
}

impl Tallies {
    /// The written form.
    #[must_use]
    pub fn encode(&self) -> Encoded {
        let mut columns = Writer::default();
        let (strings, text) = columns.strings(&self.dict);
        let of = |number: &dyn Fn(&Row) -> u64| Column::new(&self.rows.iter().map(number).collect::<Vec<u64>>());
        columns.push(&of(&|row| row.key.dimension.code().into()));
        columns.push(&of(&|row| row.key.key.0.into()));
        let mut last: Option<RowKey> = None;
        let distance = |row: &Row| {
            let before = last.replace(row.key).filter(|last| (last.dimension, last.key) == (row.key.dimension, row.key.key));
            row.key.value.0 - before.map_or(0, |last| last.value.0)
        };
        columns.push(&Column::new(&self.rows.iter().map(distance).collect::<Vec<u32>>()));
        columns.push(&of(&|row| row.tally.views));
        columns.push(&of(&|row| row.tally.events.wrapping_sub(row.tally.views)));
        columns.push(&of(&|row| row.tally.visits));
        columns.push(&of(&|row| row.tally.visits_went_on));
        columns.push(&of(&|row| row.tally.views_went_on));
        columns.push(&of(&|row| row.tally.engaged));
        columns.push(&of(&|row| row.tally.depth));
        let numbers = (0..).zip(&self.rows).flat_map(|(i, row)| row.tally.numbers.iter().map(move |n| (i, n.0.0, n.1.clone())));
        let rows = self.rows.len() as u32;
        columns.finish(|shapes| Head { strings, text: text.into(), rows, numbers: numbers.collect(), shapes })
    }

    /// Reads the written form.
    ///
    /// # Errors
    /// [`WireError`] as named; never panics.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let (head, planes): (Head<'_>, _) = read_head(bytes)?;
        let mut columns = Reader::new(&head.shapes, planes);
        let dict = columns.strings(head.strings, &head.text)?;
        let strings = dict.len() as u64;
        let mut next = || columns.next(head.rows as usize, "rows");
        let (dimension, key, value) = (next()?, next()?, next()?);
        let (views, more, visits, visits_went_on) = (next()?, next()?, next()?, next()?);
        let (views_went_on, engaged, depth) = (next()?, next()?, next()?);
        columns.finish()?;
        let mut tallies = Self { dict, rows: Vec::new() };
        // Rows differ, so if there are many, one of these has bytes for each; that bounds the work.
        check(head.rows < 2 || [&dimension, &key, &value].iter().any(|c| c.is_laid_out()), "row order")?;
        tallies.rows.reserve(head.rows as usize);
        let mut last: Option<RowKey> = None;
        for i in 0..head.rows as usize {
            let code = u8::try_from(dimension.get(i)).ok().and_then(RowDimension::from_code);
            let dimension = code.ok_or(WireError::Field("dimension"))?;
            check(key.get(i) < strings && value.get(i) < strings, "row key")?;
            let key = StrId(key.get(i) as u32);
            let before = last.filter(|last| (last.dimension, last.key) == (dimension, key));
            let value = value.get(i) + before.map_or(0, |last| u64::from(last.value.0));
            check(value < strings, "row key")?;
            let key = RowKey { dimension, key, value: StrId(value as u32) };
            check(last.is_none_or(|last| last < key), "row order")?;
            last = Some(key);
            let tally = Tally {
                views: views.get(i),
                events: views.get(i).wrapping_add(more.get(i)),
                visits: visits.get(i),
                visits_went_on: visits_went_on.get(i),
                views_went_on: views_went_on.get(i),
                engaged: engaged.get(i),
                depth: depth.get(i),
                numbers: Vec::new(),
            };
            tallies.rows.push(Row { key, tally });
        }
        for (row, currency, numbers) in head.numbers {
            let row = tallies.rows.get_mut(row as usize).ok_or(WireError::Field("numbers"))?;
            check(u64::from(currency) < strings && numbers.is_valid(), "numbers")?;
            let ascending = row.tally.numbers.last().is_none_or(|last| last.0 < StrId(currency));
            check(ascending, "numbers")?;
            row.tally.numbers.push((StrId(currency), numbers));
        }
        Ok(tallies)
    }
}
