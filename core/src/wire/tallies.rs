//! Tallies as columns.
use serde::{Deserialize, Serialize};

use super::{WireError, check, read, write};
use crate::dict::Dict;
use crate::tallies::{Row, RowKey};
use crate::{Numbers, RowDimension, StrId, Tallies, Tally};

#[derive(Default, Serialize, Deserialize)]
struct Columns<'a> {
    lengths: Vec<u32>,
    text: &'a str,
    dimension: Vec<u8>,
    key: Vec<u32>,
    value: Vec<u32>,
    views: Vec<u64>,
    events: Vec<u64>,
    visits: Vec<u64>,
    visits_went_on: Vec<u64>,
    views_went_on: Vec<u64>,
    engaged: Vec<u64>,
    depth: Vec<u64>,
    /// (row, currency, summary), ascending.
    numbers: Vec<(u32, u32, Numbers)>,
}

impl Tallies {
    /// The written form.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let (lengths, text) = self.dict.columns();
        let mut columns = Columns { lengths, text, ..Columns::default() };
        for (i, Row { key, tally }) in self.rows.iter().enumerate() {
            columns.dimension.push(key.dimension.code());
            columns.key.push(key.key.0);
            columns.value.push(key.value.0);
            columns.views.push(tally.views);
            columns.events.push(tally.events);
            columns.visits.push(tally.visits);
            columns.visits_went_on.push(tally.visits_went_on);
            columns.views_went_on.push(tally.views_went_on);
            columns.engaged.push(tally.engaged);
            columns.depth.push(tally.depth);
            columns.numbers.extend(tally.numbers.iter().map(|(currency, n)| (i as u32, currency.0, n.clone())));
        }
        write(&columns)
    }

    /// Reads the written form.
    ///
    /// # Errors
    /// [`WireError`] as named; never panics.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let c: Columns<'_> = read(bytes)?;
        let dict = Dict::from_columns(&c.lengths, c.text).ok_or(WireError::Field("strings"))?;
        let strings = dict.len() as u32;
        let rows = c.dimension.len();
        let counts = [&c.views, &c.events, &c.visits, &c.visits_went_on, &c.views_went_on, &c.engaged, &c.depth];
        check(c.key.len() == rows && c.value.len() == rows, "rows")?;
        check(counts.iter().all(|column| column.len() == rows), "rows")?;
        let mut tallies = Self { dict, rows: Vec::with_capacity(rows) };
        for i in 0..rows {
            let dimension = RowDimension::from_code(c.dimension[i]).ok_or(WireError::Field("dimension"))?;
            check(c.key[i] < strings && c.value[i] < strings, "row key")?;
            let key = RowKey { dimension, key: StrId(c.key[i]), value: StrId(c.value[i]) };
            check(tallies.rows.last().is_none_or(|last| last.key < key), "row order")?;
            let tally = Tally {
                views: c.views[i],
                events: c.events[i],
                visits: c.visits[i],
                visits_went_on: c.visits_went_on[i],
                views_went_on: c.views_went_on[i],
                engaged: c.engaged[i],
                depth: c.depth[i],
                numbers: Vec::new(),
            };
            tallies.rows.push(Row { key, tally });
        }
        for (row, currency, numbers) in c.numbers {
            let row = tallies.rows.get_mut(row as usize).ok_or(WireError::Field("numbers"))?;
            check(currency < strings && numbers.is_valid(), "numbers")?;
            let ascending = row.tally.numbers.last().is_none_or(|last| last.0 < StrId(currency));
            check(ascending, "numbers")?;
            row.tally.numbers.push((StrId(currency), numbers));
        }
        Ok(tallies)
    }
}
