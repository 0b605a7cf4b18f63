//! The union of samples.
use super::assemble::others;
use super::{Assembler, Draft, People, SAMPLE_SIZE, Tuple};
use crate::dict::Dict;
use crate::{StrId, VisitorHash};

impl People {
    /// The union of samples: commutative, associative, with [`People::default`] as identity.
    #[must_use]
    pub fn merge(inputs: &[&Self]) -> Self {
        match inputs {
            [] => return Self::default(),
            [one] => return (*one).clone(),
            _ => {}
        }
        let others = others();
        let tabled: Vec<&Self> = inputs.iter().copied().chain([&others]).collect();
        let (dict, strings) = Dict::union(&tabled.iter().map(|p| &p.dict).collect::<Vec<_>>());
        let (contexts, context_maps) = union(&tabled, &strings, |people, map| {
            people.contexts.iter().map(|context| context.map(|id| map[id.index()])).collect()
        });
        let (tuples, tuple_maps) =
            union(&tabled, &strings, |people, map| people.tuples.iter().map(|t| t.translated(map)).collect());
        let last = inputs.len();
        let mut assembler = Assembler::new(dict, contexts, tuples, context_maps[last][0], tuple_maps[last][0]);

        // Each input is an ascending run, which the stable sort merges instead of sorting anew.
        let mut order: Vec<(VisitorHash, u32, u32)> = Vec::with_capacity(inputs.iter().map(|p| p.visitors.len()).sum());
        for (i, people) in inputs.iter().enumerate() {
            order.extend(people.visitors.iter().enumerate().map(|(v, visitor)| (visitor.hash, i as u32, v as u32)));
        }
        order.sort_by_key(|o| o.0);
        let mut theta = inputs.iter().map(|p| p.theta).min().unwrap_or(u64::MAX);
        let mut drafts = Vec::new();
        for group in order.chunk_by(|a, b| a.0 == b.0) {
            let hash = group[0].0;
            if hash.0 >= theta || assembler.visitors() == SAMPLE_SIZE {
                theta = theta.min(hash.0);
                break;
            }
            drafts.clear();
            for &(_, input, visitor) in group {
                let (input, visitor) = (input as usize, visitor as usize);
                let people = inputs[input];
                let first = visitor.checked_sub(1).map_or(0, |v| people.visitors[v].visits_end as usize);
                drafts.extend(people.visits_of(visitor).iter().enumerate().map(|(i, visit)| Draft {
                    context: context_maps[input][visit.context as usize],
                    tag: visit.tag,
                    started: visit.started,
                    went_on: visit.went_on,
                    facts: people.facts_of(first + i).iter(),
                    tuples: &tuple_maps[input],
                }));
            }
            assembler.push(hash, &mut drafts);
        }
        let mut merged = assembler.finish(theta);
        merged.sketch(inputs, &strings);
        merged.pruned()
    }

    /// The same people with tables of only what they use: of two ways to the same content, both give the same bytes.
    pub(crate) fn pruned(mut self) -> Self {
        let mut contexts = vec![false; self.contexts.len()];
        let mut tuples = vec![false; self.tuples.len()];
        self.visits.iter().for_each(|v| contexts[v.context as usize] = true);
        self.facts.iter().for_each(|f| tuples[f.tuple as usize] = true);
        let context_map = keep(&mut self.contexts, &contexts);
        let tuple_map = keep(&mut self.tuples, &tuples);
        self.visits.iter_mut().for_each(|v| v.context = context_map[v.context as usize]);
        self.facts.iter_mut().for_each(|f| f.tuple = tuple_map[f.tuple as usize]);

        let mut used = vec![false; self.dict.len()];
        self.contexts.iter().flatten().for_each(|id| used[id.index()] = true);
        for Tuple { name, page, hostname, currency, props } in &self.tuples {
            let all = [name, page, hostname, currency].into_iter().chain(props.iter().flat_map(|(k, v)| [k, v]));
            all.for_each(|id| used[id.index()] = true);
        }
        self.hlls.iter().flat_map(|h| &h.values).for_each(|v| used[v.1.index()] = true);
        let (dict, map) = self.dict.pruned(&used);
        self.contexts.iter_mut().flatten().for_each(|id| *id = map[id.index()]);
        self.tuples.iter_mut().for_each(|t| *t = t.translated(&map));
        self.hlls.iter_mut().flat_map(|h| &mut h.values).for_each(|v| v.1 = map[v.1.index()]);
        self.dict = dict;
        self
    }
}

impl Tuple {
    fn translated(&self, map: &[StrId]) -> Self {
        Self {
            name: map[self.name.index()],
            page: map[self.page.index()],
            hostname: map[self.hostname.index()],
            currency: map[self.currency.index()],
            props: self.props.iter().map(|(k, v)| (map[k.index()], map[v.index()])).collect(),
        }
    }
}

/// The sorted union of a table of each input, and for each input the way from its indices to those of the union.
fn union<T: Ord + Clone>(
    inputs: &[&People],
    strings: &[Vec<StrId>],
    table: impl Fn(&People, &[StrId]) -> Vec<T>,
) -> (Vec<T>, Vec<Vec<u32>>) {
    let tables: Vec<Vec<T>> = inputs.iter().zip(strings).map(|(people, map)| table(people, map)).collect();
    let mut all: Vec<(&T, u32, u32)> = Vec::with_capacity(tables.iter().map(Vec::len).sum());
    for (t, table) in tables.iter().enumerate() {
        all.extend(table.iter().enumerate().map(|(i, item)| (item, t as u32, i as u32)));
    }
    all.sort_by(|a, b| a.0.cmp(b.0));
    let mut maps: Vec<Vec<u32>> = tables.iter().map(|t| vec![0; t.len()]).collect();
    let mut union: Vec<T> = Vec::new();
    for (item, t, i) in all {
        if union.last() != Some(item) {
            union.push(item.clone());
        }
        maps[t as usize][i as usize] = union.len() as u32 - 1;
    }
    (union, maps)
}

/// Keeps the marked items; gives the way from old indices to new ones.
fn keep<T>(items: &mut Vec<T>, marked: &[bool]) -> Vec<u32> {
    let mut next = 0;
    let map = marked
        .iter()
        .map(|&kept| {
            if kept {
                next += 1;
                next - 1
            } else {
                0
            }
        })
        .collect();
    let mut marks = marked.iter();
    items.retain(|_| marks.next().copied().unwrap_or(false));
    map
}
