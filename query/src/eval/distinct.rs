//! Distinct visitors and visits of a unit: the union of what its buckets saw.
use std::collections::HashMap;

use headwater_core::{Estimate, Hll, Profiles, RowDimension, VisitorHash};

use super::groups::Groups;
use super::labels;
use super::needs::Visits;
use super::scan::Found;
use super::unit::{Job, Part, share};
use crate::totals::{Table, What};

/// Who and which visits were seen in which group, over the buckets of a unit.
#[derive(Default)]
pub(super) struct Distinct {
    /// (hash, group); of one bucket each once, ascending.
    visitors: Vec<(u64, u32)>,
    /// (hash, tag, group), likewise.
    visits: Vec<(u64, u16, u32)>,
    /// Where the visitors of each bucket end.
    ends: Vec<usize>,
}

impl Distinct {
    pub(super) fn collect(&mut self, people: &Profiles, found: &Found) {
        let hash = |visitor: u32| people.hashes.get(visitor as usize).copied().unwrap_or(u64::MAX);
        self.visitors.extend(found.named.iter().map(|&(visitor, group)| (hash(visitor), group)));
        self.visits.extend(found.visits.iter().map(|&(visitor, tag, group)| (hash(visitor), tag, group)));
        self.ends.push(self.visitors.len());
    }

    /// Counts each visitor and each visit once in each group, adds the estimates to the rows, and tells how many visitors there were in all.
    pub(super) fn finish(
        mut self,
        job: &Job<'_>,
        parts: &[Part<'_>],
        theta: u64,
        sketched: &HashMap<u32, Hll>,
        table: &mut Table,
    ) -> u64 {
        let one = parts.len() == 1;
        if !one {
            // Each bucket is an ascending run, which the stable sort merges instead of sorting anew.
            self.visitors.sort_by_key(|v| v.0);
        }
        let (mut counts, mut visitors) = (Tallied::default(), 0);
        for same in self.visitors.chunk_by(|a, b| a.0 == b.0) {
            if same[0].0 >= theta {
                break;
            }
            visitors += 1;
            let new = same.iter().enumerate().filter(|(i, v)| one || !same[..*i].contains(v));
            new.for_each(|(_, v)| counts.add(v.1, v.0, [1, 0, 0]));
        }
        for (group, counted) in counts.rows() {
            let sampled = Estimate::from_sample(counted.counts[0], theta);
            let sketch = sketched.get(&group).map(Hll::estimate).filter(|s| s.high - s.low < sampled.high - sampled.low);
            match sketch {
                Some(sketch) => table.at(group).add_sketched(What::Visitors, sketch),
                None => table.at(group).add_found(What::Visitors, counted.counts[0], counted.squares[0], share(theta)),
            }
        }
        // Those of whom the sample holds nobody.
        for (group, sketch) in sketched.iter().filter(|(group, _)| counts.of(**group) == 0) {
            table.at(*group).add_sketched(What::Visitors, sketch.estimate());
        }
        self.finish_visits(job, parts, theta, table);
        visitors
    }

    fn finish_visits(mut self, job: &Job<'_>, parts: &[Part<'_>], theta: u64, table: &mut Table) {
        self.visits.sort_by_key(|v| (v.0, v.1));
        let mut counts = Tallied::default();
        let all = if job.needs.bounces == Some(Visits::Distinct) { all_visits(parts, theta) } else { Vec::new() };
        let mut rest = &all[..];
        for same in self.visits.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
            let key = (same[0].0, same[0].1);
            if key.0 >= theta {
                break;
            }
            rest = &rest[rest.partition_point(|v| (v.0, v.1) < key)..];
            let own = rest.iter().take_while(|v| (v.0, v.1) == key).fold((0, 0), |sum, v| (sum.0 + v.2, sum.1 + v.3));
            for (_, visit) in same.iter().enumerate().filter(|(i, v)| !same[..*i].contains(v)) {
                counts.add(visit.2, key.0, [1, own.0, own.1]);
            }
        }
        counts.tell_visits(share(theta), table);
    }
}

/// Counts the distinct visits of a unit of one bucket, whose sample is of the share `p`: they come in the order of their visitors, and
/// the visit that they are is among the visitor's own.
pub(super) fn visits_alone(job: &Job<'_>, people: &Profiles, found: &Found, p: f64, table: &mut Table) {
    let columns = &people.visits;
    let mut counts = Tallied::default();
    for &(visitor, tag, group) in &found.visits {
        let mut own = [1, 0, 0];
        if job.needs.bounces == Some(Visits::Distinct) {
            for place in people.visits_of(visitor as usize).filter(|place| columns.tag.get(*place) == u64::from(tag)) {
                own[1] += columns.started.get(place);
                own[2] += columns.went_on.get(place);
            }
        }
        counts.add(group, visitor.into(), own);
    }
    counts.tell_visits(p, table);
}

/// (hash, tag, started, went on) of every visit, ascending.
fn all_visits(parts: &[Part<'_>], theta: u64) -> Vec<(u64, u16, u64, u64)> {
    let mut all = Vec::new();
    for part in parts {
        let people = &part.aggregate.people;
        let (hashes, visits) = (&people.hashes, &people.visits);
        let all_of = people.each_visit().map(|v| (hashes.get(v.visitor).copied().unwrap_or(u64::MAX), v.place));
        let known = all_of.take_while(|(hash, _)| *hash < theta);
        all.extend(known.map(|(hash, v)| (hash, visits.tag.get(v) as u16, visits.started.get(v), visits.went_on.get(v))));
    }
    all.sort_by_key(|v| (v.0, v.1));
    all
}

/// Counts of a group, with the sum of the squares of each visitor's.
#[derive(Clone, Copy, Default)]
struct Counted {
    counts: [u64; 3],
    squares: [f64; 3],
    /// The last visitor and what is theirs.
    visitor: u64,
    own: [u64; 3],
}

/// Counts by group.
#[derive(Default)]
struct Tallied(Vec<Counted>);

impl Tallied {
    /// Adds to a group what one visitor has; visitors come one after the other.
    fn add(&mut self, group: u32, visitor: u64, counts: [u64; 3]) {
        let index = group as usize;
        if index >= self.0.len() {
            self.0.resize(index + 1, Counted::default());
        }
        let counted = &mut self.0[index];
        if counted.visitor != visitor {
            (counted.visitor, counted.own) = (visitor, [0; 3]);
        }
        for (i, count) in counts.into_iter().enumerate() {
            let before = counted.own[i] as f64;
            counted.own[i] += count;
            counted.counts[i] += count;
            counted.squares[i] += (counted.own[i] as f64).powi(2) - before.powi(2);
        }
    }

    /// Adds them to the rows as visits, and how many of them started and went on.
    fn tell_visits(&self, p: f64, table: &mut Table) {
        let whats = [What::Visits, What::BounceStarted, What::BounceWentOn];
        for (group, Counted { counts, squares, .. }) in self.rows() {
            for ((what, count), squares) in whats.into_iter().zip(counts).zip(squares) {
                table.at(group).add_found(what, *count, *squares, p);
            }
        }
    }

    fn of(&self, group: u32) -> u64 {
        self.0.get(group as usize).map_or(0, |counted| counted.counts[0])
    }

    fn rows(&self) -> impl Iterator<Item = (u32, &Counted)> {
        (0..).zip(&self.0).filter(|(_, counted)| counted.counts[0] > 0)
    }
}

impl Job<'_> {
    /// The sketches of the groups that have one in every bucket that holds not everyone.
    pub(super) fn sketches<'a>(&self, parts: &[Part<'a>], seen: &Distinct, groups: &mut Groups) -> HashMap<u32, Hll> {
        let mut sketches: HashMap<u32, Hll> = HashMap::new();
        let Some((of, _)) = &self.needs.tallies else { return sketches };
        if !self.needs.visitors || parts.iter().all(|p| p.aggregate.people.is_complete()) {
            return sketches;
        }
        let mut without: Vec<u32> = Vec::new();
        let mut start = 0;
        for (part, &end) in parts.iter().zip(&seen.ends) {
            let visitors = &seen.visitors[start..end];
            start = end;
            let people = &part.aggregate.people;
            let Some(hlls) = &people.hlls else {
                visitors.iter().for_each(|(hash, group)| sketches.entry(*group).or_default().insert(VisitorHash(*hash)));
                continue;
            };
            if *of == RowDimension::Total {
                sketches.entry(0).or_default().merge(&hlls.total);
                continue;
            }
            let mut here: Vec<u32> = Vec::new();
            for (_, value, hll) in hlls.values.iter().filter(|v| v.0 == *of) {
                let group = groups.value(labels::of_row(*of, people.dict.get(*value)));
                sketches.entry(group).or_default().merge(hll);
                here.push(group);
            }
            here.sort_unstable();
            without.extend(visitors.iter().map(|v| v.1).filter(|group| here.binary_search(group).is_err()));
        }
        without.iter().for_each(|group| drop(sketches.remove(group)));
        sketches
    }
}
