//! People as columns.
use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::planes::{Encoded, Reader, Writer};
use super::{WireError, check, read_head};
use crate::hll::{MAX_VALUES, REGISTERS};
use crate::people::{Coded, FactColumns, Profiles, SAMPLE_SIZE, Tuple, VisitColumns};
use crate::{Column, Hll, Hlls, Numbers, People, RowDimension, StrId, VisitDimension};

#[derive(Serialize, Deserialize)]
struct Head<'a> {
    strings: u32,
    text: Cow<'a, str>,
    /// How many contexts, tuples, properties of tuples, visitors, visits and facts there are.
    rows: [u32; 6],
    /// The distinct strings of each visit dimension: the first as it is, then the distances; nothing if all are empty.
    values: Vec<Vec<u32>>,
    theta: u64,
    /// (fact, summary), ascending.
    numbers: Vec<(u32, Numbers)>,
    /// Of which values there are sketches, besides that of everyone: dimension, value.
    sketches: Option<Vec<(u8, u32)>>,
    /// Of all columns: what strings share, how long they are beyond; which string each context has, by dimension; of tuples
    /// name, page, hostname, currency, number of properties, then the properties' names and values; the first hash, then the
    /// distances; visits of each visitor;
    /// of visits context, tag, started, went on, number of facts; of facts tuple, count, went on, engaged, depth; the
    /// registers of each sketch.
    shapes: Vec<u128>,
}

impl People {
    /// The written form, which is that of its [`Profiles`].
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        Profiles::from(self).encode().bytes
    }

    /// Reads the written form.
    ///
    /// # Errors
    /// [`WireError`] as named; never panics.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        Ok(Profiles::decode(bytes)?.to_people())
    }
}

impl Profiles {
    /// The written form.
    #[must_use]
    pub fn encode(&self) -> Encoded {
        let mut columns = Writer::default();
        let (strings, text) = columns.strings(&self.dict);
        self.contexts.iter().for_each(|column| columns.push(&column.codes));
        let tuples = |of: &dyn Fn(&Tuple) -> u32| Column::new(&self.tuples.iter().map(of).collect::<Vec<u32>>());
        let props = |of: &dyn Fn(&(StrId, StrId)) -> u32| {
            Column::new(&self.tuples.iter().flat_map(|t| &t.props).map(of).collect::<Vec<u32>>())
        };
        columns.push(&tuples(&|t| t.name.0));
        columns.push(&tuples(&|t| t.page.0));
        columns.push(&tuples(&|t| t.hostname.0));
        columns.push(&tuples(&|t| t.currency.0));
        columns.push(&tuples(&|t| t.props.len() as u32));
        columns.push(&props(&|p| p.0.0));
        columns.push(&props(&|p| p.1.0));
        let mut last = 0;
        let hashes: Vec<u64> = self.hashes.iter().map(|hash| hash - core::mem::replace(&mut last, *hash)).collect();
        columns.push(&Column::new(&hashes));
        columns.push(&lengths(&self.visits_end));
        let VisitColumns { context, tag, started, went_on, facts_end } = &self.visits;
        [context, tag, started, went_on, &lengths(facts_end)].into_iter().for_each(|column| columns.push(column));
        let FactColumns { tuple, count, went_on, engaged, depth } = &self.facts;
        [tuple, count, went_on, engaged, depth].into_iter().for_each(|column| columns.push(column));
        if let Some(hlls) = &self.hlls {
            columns.push(&hlls.total.column());
            hlls.values.iter().for_each(|value| columns.push(&value.2.column()));
        }
        let of_props = self.tuples.iter().map(|tuple| tuple.props.len()).sum();
        let rows = [self.contexts(), self.tuples.len(), of_props, self.hashes.len(), context.len(), tuple.len()];
        columns.finish(|shapes| Head {
            strings,
            text: text.into(),
            rows: rows.map(|rows| rows as u32),
            values: self.contexts.iter().map(|column| distances(&column.values)).collect(),
            theta: self.theta,
            numbers: self.numbers.clone(),
            sketches: self.hlls.as_ref().map(|hlls| hlls.values.iter().map(|value| (value.0.code(), value.1.0)).collect()),
            shapes,
        })
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
        let [contexts, tuples, props, visitors, visits, facts] = head.rows.map(|rows| rows as usize);
        // The order is that of the file.
        let profiles = Self {
            contexts: read_contexts(&head.values, &mut columns, contexts, strings)?,
            tuples: read_tuples(&mut columns, tuples, props, strings)?,
            hashes: read_hashes(&columns.next(visitors, "hashes")?, head.theta)?,
            visits_end: ends(&columns.next(visitors, "visits")?, visits, "visits")?,
            visits: read_visits(&mut columns, [visitors, visits, facts])?,
            facts: FactColumns {
                tuple: columns.next(facts, "facts")?,
                count: columns.next(facts, "facts")?,
                went_on: columns.next(facts, "facts")?,
                engaged: columns.next(facts, "facts")?,
                depth: columns.next(facts, "facts")?,
            },
            hlls: read_sketches(head.sketches.as_deref(), &mut columns, head.theta == u64::MAX, strings)?,
            theta: head.theta,
            numbers: head.numbers,
            dict,
        };
        columns.finish()?;
        profiles.check_visits()?;
        profiles.check_facts()?;
        Ok(profiles)
    }

    fn check_visits(&self) -> Result<(), WireError> {
        let visits = &self.visits;
        check(visits.context.is_below(self.contexts() as u64), "context")?;
        check(visits.tag.is_below(1 << 16), "tag")?;
        let key = |at| (visits.context.get(at), visits.tag.get(at));
        let mut start = 0;
        for end in self.visits_end.iter().map(|end| *end as usize) {
            check(start < end, "visits")?;
            check((start + 1..end).all(|at| key(at - 1) < key(at)), "visit order")?;
            start = end;
        }
        Ok(())
    }

    fn check_facts(&self) -> Result<(), WireError> {
        let (visits, facts) = (&self.visits, &self.facts);
        check(facts.tuple.is_below(self.tuples.len() as u64), "tuple")?;
        check(facts.tuple.len() <= visits.facts_end.len() || facts.tuple.is_laid_out(), "fact order")?;
        let (mut start, tuple) = (0, &facts.tuple);
        for end in visits.facts_end.iter().map(|end| *end as usize) {
            check((start + 1..end).all(|at| tuple.get(at - 1) < tuple.get(at)), "fact order")?;
            start = end;
        }
        check(self.numbers.is_sorted_by(|a, b| a.0 < b.0), "numbers")?;
        let whole = |(fact, numbers): &(u32, Numbers)| (*fact as usize) < facts.tuple.len() && numbers.is_valid();
        check(self.numbers.iter().all(whole), "numbers")
    }
}

fn read_contexts(
    values: &[Vec<u32>],
    columns: &mut Reader<'_>,
    rows: usize,
    strings: u64,
) -> Result<[Coded; VisitDimension::COUNT], WireError> {
    check(values.len() == VisitDimension::COUNT, "contexts")?;
    let mut read: [Coded; VisitDimension::COUNT] = core::array::from_fn(|_| Coded::default());
    for (column, distances) in read.iter_mut().zip(values) {
        let mut id = Some(0u32);
        let values = distances.iter().enumerate().map(|(at, distance)| {
            id = id.filter(|_| at == 0 || *distance > 0).and_then(|id| id.checked_add(*distance));
            StrId(id.unwrap_or(u32::MAX))
        });
        let mut values: Vec<StrId> = values.collect();
        check(values != [StrId(0)] && values.iter().all(|id| u64::from(id.0) < strings), "contexts")?;
        if values.is_empty() && rows > 0 {
            values.push(StrId(0));
        }
        *column = Coded { values: values.into(), codes: columns.next(rows, "contexts")? };
        check(column.is_whole(), "contexts")?;
    }
    check(rows < 2 || read.iter().any(|column| column.codes.is_laid_out()), "context order")?;
    // Those that are equal to the one before, as far as the columns that were looked at tell.
    let mut equal: Vec<u32> = (1..rows as u32).collect();
    for column in &read {
        check(column.codes.keep_ties(&mut equal), "context order")?;
    }
    check(equal.is_empty(), "context order")?;
    Ok(read)
}

fn read_tuples(columns: &mut Reader<'_>, rows: usize, props: usize, strings: u64) -> Result<Vec<Tuple>, WireError> {
    let [name, page, hostname, currency, count] = [(); 5].map(|()| columns.next(rows, "tuples"));
    let (name, page, hostname, currency, count) = (name?, page?, hostname?, currency?, count?);
    let (key, value) = (columns.next(props, "props")?, columns.next(props, "props")?);
    check([&name, &page, &hostname, &currency, &key, &value].iter().all(|column| column.is_below(strings)), "tuples")?;
    check(count.sum() == Some(props as u64), "props")?;
    // As with visits: what is as long as it says has bytes to show for it.
    let laid_out = [&name, &page, &hostname, &currency, &count, &key, &value].iter().any(|column| column.is_laid_out());
    check(rows < 2 || laid_out, "tuple order")?;
    check(props <= rows || key.is_laid_out(), "props")?;
    let (mut tuples, mut end) = (Vec::new(), 0usize);
    let id = |column: &Column, at| StrId(column.get(at) as u32);
    for at in 0..rows {
        let start = end;
        end += count.get(at) as usize;
        let props: Box<[_]> = (start..end).map(|at| (id(&key, at), id(&value, at))).collect();
        check(props.is_sorted_by(|a, b| a.0 < b.0), "props")?;
        let [name, page, hostname, currency] = [&name, &page, &hostname, &currency].map(|column| id(column, at));
        let tuple = Tuple { name, page, hostname, currency, props };
        check(tuples.last().is_none_or(|last| *last < tuple), "tuple order")?;
        tuples.push(tuple);
    }
    Ok(tuples)
}

fn read_hashes(distances: &Column, theta: u64) -> Result<Box<[u64]>, WireError> {
    check(distances.len() <= SAMPLE_SIZE, "visitors")?;
    let mut hashes = Vec::with_capacity(distances.len());
    let (mut hash, mut ascending) = (Some(0u64), true);
    distances.each(|distance| {
        hash = hash.and_then(|hash| hash.checked_add(distance));
        ascending &= distance > 0 || hashes.is_empty();
        hashes.push(hash.unwrap_or(u64::MAX));
    });
    let below = theta == u64::MAX || hashes.last().is_none_or(|last| *last < theta);
    check(hash.is_some() && ascending && below, "hashes")?;
    Ok(hashes.into())
}

fn read_sketches(
    values: Option<&[(u8, u32)]>,
    columns: &mut Reader<'_>,
    complete: bool,
    strings: u64,
) -> Result<Option<Hlls>, WireError> {
    check(values.is_some() != complete, "sketches")?;
    let Some(values) = values else { return Ok(None) };
    let mut read = || Hll::from_column(&columns.next(REGISTERS, "sketch")?).ok_or(WireError::Field("sketch"));
    let mut hlls = Hlls { total: read()?, values: Vec::new() };
    let mut of_dimension = 0;
    for (code, value) in values {
        let dimension = RowDimension::from_code(*code).ok_or(WireError::Field("sketch dimension"))?;
        let key = (dimension, StrId(*value));
        let last = hlls.values.last().map(|last| (last.0, last.1));
        check(last.is_none_or(|last| last < key) && u64::from(*value) < strings, "sketch value")?;
        of_dimension = if last.is_some_and(|last| last.0 == dimension) { of_dimension + 1 } else { 1 };
        check(of_dimension <= MAX_VALUES, "sketches")?;
        hlls.values.push((dimension, StrId(*value), read()?));
    }
    Ok(Some(hlls))
}

fn read_visits(columns: &mut Reader<'_>, [visitors, visits, facts]: [usize; 3]) -> Result<VisitColumns, WireError> {
    let (context, tag) = (columns.next(visits, "visits")?, columns.next(visits, "visits")?);
    // Visits of one visitor differ. Columns of equal numbers say nothing about how many bytes there are; this bounds both
    // memory and work.
    check(visits <= visitors || context.is_laid_out() || tag.is_laid_out(), "visit order")?;
    let (started, went_on) = (columns.next(visits, "visits")?, columns.next(visits, "visits")?);
    Ok(VisitColumns { context, tag, started, went_on, facts_end: ends(&columns.next(visits, "visits")?, facts, "facts")? })
}

/// The first, then how far each is from the one before; nothing if the empty string is all there is.
fn distances(values: &[StrId]) -> Vec<u32> {
    if values == [StrId(0)] {
        return Vec::new();
    }
    let mut last = 0;
    values.iter().map(|value| value.0 - core::mem::replace(&mut last, value.0)).collect()
}

/// From where each ends, how long each is.
fn lengths(ends: &[u32]) -> Column {
    let mut last = 0;
    Column::new(&ends.iter().map(|end| end - core::mem::replace(&mut last, *end)).collect::<Vec<u32>>())
}

/// The way back, if there are so many in all.
fn ends(lengths: &Column, all: usize, field: &'static str) -> Result<Box<[u32]>, WireError> {
    check(lengths.sum() == Some(all as u64), field)?;
    let mut ends = Vec::with_capacity(lengths.len());
    let mut end = 0;
    lengths.each(|length| {
        end += length as u32;
        ends.push(end);
    });
    Ok(ends.into())
}
