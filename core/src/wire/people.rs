//! People as columns.
use serde::{Deserialize, Serialize};

use super::{WireError, check, read, write};
use crate::dict::Dict;
use crate::people::{Fact, SAMPLE_SIZE, Tuple, Visit, Visitor};
use crate::{Hll, Hlls, Numbers, People, RowDimension, StrId, VisitDimension, VisitorHash};

#[derive(Default, Serialize, Deserialize)]
struct Columns<'a> {
    lengths: Vec<u32>,
    text: &'a str,
    /// One column a visit dimension.
    contexts: Vec<Vec<u32>>,
    tuples: TupleColumns,
    theta: u64,
    /// The first hash, then the distances.
    hashes: Vec<u64>,
    /// Visits of each visitor.
    visits: Vec<u32>,
    context: Vec<u32>,
    tag: Vec<u16>,
    started: Vec<u64>,
    visit_went_on: Vec<u64>,
    /// Facts of each visit.
    facts: Vec<u32>,
    tuple: Vec<u32>,
    count: Vec<u64>,
    went_on: Vec<u64>,
    engaged: Vec<u64>,
    depth: Vec<u64>,
    /// (fact, summary), ascending.
    numbers: Vec<(u32, Numbers)>,
    /// The total's, then those of values: dimension, value, sketch.
    hlls: Option<(HllColumns, Vec<ValueHll>)>,
}

type ValueHll = (u8, u32, HllColumns);

#[derive(Default, Serialize, Deserialize)]
struct TupleColumns {
    name: Vec<u32>,
    page: Vec<u32>,
    hostname: Vec<u32>,
    currency: Vec<u32>,
    /// Properties of each tuple.
    props: Vec<u32>,
    key: Vec<u32>,
    value: Vec<u32>,
}

#[derive(Serialize, Deserialize)]
struct HllColumns {
    registers: Vec<u16>,
    ranks: Vec<u8>,
}

impl From<&Hll> for HllColumns {
    fn from(hll: &Hll) -> Self {
        let (registers, ranks) = hll.pairs();
        Self { registers, ranks }
    }
}

impl HllColumns {
    fn read(&self) -> Result<Hll, WireError> {
        Hll::from_pairs(&self.registers, &self.ranks).ok_or(WireError::Field("sketch"))
    }
}

impl People {
    /// The written form.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let (lengths, text) = self.dict.columns();
        let mut c = Columns { lengths, text, theta: self.theta, ..Columns::default() };
        c.contexts = (0..VisitDimension::COUNT).map(|d| self.contexts.iter().map(|context| context[d].0).collect()).collect();
        for tuple in &self.tuples {
            c.tuples.name.push(tuple.name.0);
            c.tuples.page.push(tuple.page.0);
            c.tuples.hostname.push(tuple.hostname.0);
            c.tuples.currency.push(tuple.currency.0);
            c.tuples.props.push(tuple.props.len() as u32);
            c.tuples.key.extend(tuple.props.iter().map(|p| p.0.0));
            c.tuples.value.extend(tuple.props.iter().map(|p| p.1.0));
        }
        let (mut last_hash, mut last_visit, mut last_fact) = (0, 0, 0);
        for visitor in &self.visitors {
            c.hashes.push(visitor.hash.0 - core::mem::replace(&mut last_hash, visitor.hash.0));
            c.visits.push(visitor.visits_end - core::mem::replace(&mut last_visit, visitor.visits_end));
        }
        for visit in &self.visits {
            c.context.push(visit.context);
            c.tag.push(visit.tag);
            c.started.push(visit.started);
            c.visit_went_on.push(visit.went_on);
            c.facts.push(visit.facts_end - core::mem::replace(&mut last_fact, visit.facts_end));
        }
        for (i, fact) in self.facts.iter().enumerate() {
            c.tuple.push(fact.tuple);
            c.count.push(fact.count);
            c.went_on.push(fact.went_on);
            c.engaged.push(fact.engaged);
            c.depth.push(fact.depth);
            c.numbers.extend(fact.numbers.iter().map(|n| (i as u32, (**n).clone())));
        }
        c.hlls = self.hlls.as_ref().map(|hlls| {
            let values = hlls.values.iter().map(|(d, value, hll)| (d.code(), value.0, hll.into()));
            ((&hlls.total).into(), values.collect())
        });
        write(&c)
    }

    /// Reads the written form.
    ///
    /// # Errors
    /// [`WireError`] as named; never panics.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let c: Columns<'_> = read(bytes)?;
        let dict = Dict::from_columns(&c.lengths, c.text).ok_or(WireError::Field("strings"))?;
        let strings = dict.len() as u32;
        let mut people = Self {
            dict,
            contexts: contexts(&c.contexts, strings)?,
            tuples: tuples(&c.tuples, strings)?,
            theta: c.theta,
            ..Self::default()
        };
        people.read_visitors(&c)?;
        people.read_facts(&c)?;
        check(c.hlls.is_some() != people.is_complete(), "sketches")?;
        if let Some((total, values)) = &c.hlls {
            let mut hlls = Hlls { total: total.read()?, values: Vec::new() };
            for (code, value, hll) in values {
                let dimension = RowDimension::from_code(*code).ok_or(WireError::Field("sketch dimension"))?;
                let key = (dimension, StrId(*value));
                let ascending = hlls.values.last().is_none_or(|last| (last.0, last.1) < key);
                check(ascending && *value < strings, "sketch value")?;
                hlls.values.push((dimension, StrId(*value), hll.read()?));
            }
            people.hlls = Some(hlls);
        }
        Ok(people)
    }

    fn read_visitors(&mut self, c: &Columns<'_>) -> Result<(), WireError> {
        check(c.visits.len() == c.hashes.len() && c.hashes.len() <= SAMPLE_SIZE, "visitors")?;
        let visits = c.context.len();
        let columns = [c.tag.len(), c.started.len(), c.visit_went_on.len(), c.facts.len()];
        check(columns.iter().all(|&length| length == visits), "visits")?;
        let (mut hash, mut end) = (0u64, 0u32);
        for (i, (&distance, &count)) in c.hashes.iter().zip(&c.visits).enumerate() {
            hash = hash.checked_add(distance).ok_or(WireError::Field("hashes"))?;
            check((distance > 0 || i == 0) && (hash < self.theta || self.is_complete()), "hashes")?;
            end = end.checked_add(count).ok_or(WireError::Field("visits"))?;
            check(count > 0 && end as usize <= visits, "visits")?;
            self.visitors.push(Visitor { hash: VisitorHash(hash), visits_end: end });
            let of_visitor = end as usize - count as usize..end as usize;
            let keys = of_visitor.map(|v| (c.context[v], c.tag[v]));
            check(keys.is_sorted_by(|a, b| a < b), "visit order")?;
        }
        check(end as usize == visits, "visits")
    }

    fn read_facts(&mut self, c: &Columns<'_>) -> Result<(), WireError> {
        let facts = c.tuple.len();
        let columns = [c.count.len(), c.went_on.len(), c.engaged.len(), c.depth.len()];
        check(columns.iter().all(|&length| length == facts), "facts")?;
        let mut end = 0u32;
        for v in 0..c.context.len() {
            let start = end as usize;
            end = end.checked_add(c.facts[v]).ok_or(WireError::Field("facts"))?;
            check((c.context[v] as usize) < self.contexts.len(), "context")?;
            let of_visit = c.tuple.get(start..end as usize).ok_or(WireError::Field("facts"))?;
            check(of_visit.is_sorted_by(|a, b| a < b), "fact order")?;
            self.visits.push(Visit {
                context: c.context[v],
                tag: c.tag[v],
                started: c.started[v],
                went_on: c.visit_went_on[v],
                facts_end: end,
            });
        }
        check(end as usize == facts, "facts")?;
        for f in 0..facts {
            check((c.tuple[f] as usize) < self.tuples.len(), "tuple")?;
            self.facts.push(Fact {
                tuple: c.tuple[f],
                count: c.count[f],
                went_on: c.went_on[f],
                engaged: c.engaged[f],
                depth: c.depth[f],
                numbers: None,
            });
        }
        check(c.numbers.is_sorted_by(|a, b| a.0 < b.0), "numbers")?;
        for (fact, numbers) in &c.numbers {
            let fact = self.facts.get_mut(*fact as usize).ok_or(WireError::Field("numbers"))?;
            check(numbers.is_valid(), "numbers")?;
            fact.numbers = Some(Box::new(numbers.clone()));
        }
        Ok(())
    }
}

fn contexts(columns: &[Vec<u32>], strings: u32) -> Result<Vec<[StrId; VisitDimension::COUNT]>, WireError> {
    check(columns.len() == VisitDimension::COUNT, "contexts")?;
    let rows = columns.first().map_or(0, Vec::len);
    check(columns.iter().all(|c| c.len() == rows && c.iter().all(|id| *id < strings)), "contexts")?;
    let contexts: Vec<_> = (0..rows).map(|row| core::array::from_fn(|d| StrId(columns[d][row]))).collect();
    check(contexts.is_sorted_by(|a, b| a < b), "context order")?;
    Ok(contexts)
}

fn tuples(c: &TupleColumns, strings: u32) -> Result<Vec<Tuple>, WireError> {
    let rows = c.name.len();
    check([&c.page, &c.hostname, &c.currency, &c.props].iter().all(|column| column.len() == rows), "tuples")?;
    check(c.key.len() == c.value.len(), "props")?;
    let ids = [&c.name, &c.page, &c.hostname, &c.currency, &c.key, &c.value];
    check(ids.iter().all(|column| column.iter().all(|id| *id < strings)), "tuples")?;
    let (mut tuples, mut end) = (Vec::with_capacity(rows), 0usize);
    for i in 0..rows {
        let start = end;
        end = end.checked_add(c.props[i] as usize).filter(|end| *end <= c.key.len()).ok_or(WireError::Field("props"))?;
        let props: Box<[_]> = (start..end).map(|p| (StrId(c.key[p]), StrId(c.value[p]))).collect();
        check(props.is_sorted_by(|a, b| a.0 < b.0), "props")?;
        let [name, page, hostname, currency] = [c.name[i], c.page[i], c.hostname[i], c.currency[i]].map(StrId);
        tuples.push(Tuple { name, page, hostname, currency, props });
    }
    check(end == c.key.len(), "props")?;
    check(tuples.is_sorted_by(|a, b| a < b), "tuple order")?;
    Ok(tuples)
}
