//! Distinct visitors and visits of a unit: the union of what its buckets saw.
use std::collections::HashMap;

use headwater_core::{Estimate, Hll, People, RowDimension, VisitorHash};

use super::accumulate::{Table, What, plus};
use super::groups::Groups;
use super::labels;
use super::needs::Visits;
use super::scan::Found;
use super::unit::{Job, Part, add_counted};

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
    pub(super) fn collect(&mut self, people: &People, found: &Found) {
        let hash = |visitor: u32| people.visitors.get(visitor as usize).map_or(u64::MAX, |v| v.hash.0);
        self.visitors.extend(found.visitors.iter().map(|&(visitor, group)| (hash(visitor), group)));
        self.visits.extend(found.visits.iter().map(|&(visitor, tag, group)| (hash(visitor), tag, group)));
        self.ends.push(self.visitors.len());
    }

    /// Counts each once and adds the estimates to the rows.
    pub(super) fn finish(
        mut self,
        job: &Job<'_>,
        parts: &[Part<'_>],
        theta: u64,
        sketched: &HashMap<u32, Hll>,
        table: &mut Table,
    ) {
        let one = parts.len() == 1;
        if !one {
            // Each bucket is an ascending run, which the stable sort merges instead of sorting anew.
            self.visitors.sort_by_key(|v| v.0);
            self.visits.sort_by_key(|v| (v.0, v.1));
        }
        let mut counts = Tallied::default();
        for same in self.visitors.chunk_by(|a, b| a.0 == b.0) {
            if same[0].0 >= theta {
                break;
            }
            same.iter().enumerate().filter(|(i, v)| one || !same[..*i].contains(v)).for_each(|(_, v)| counts.add(v.1, 1));
        }
        for (group, count) in counts.rows() {
            let sampled = Estimate::from_sample(count, theta);
            let sketch = sketched.get(&group).map(Hll::estimate).filter(|s| s.high - s.low < sampled.high - sampled.low);
            let totals = table.at(group);
            totals.visitors = plus(totals.visitors, sketch.unwrap_or(sampled));
        }
        let needs = job.needs;
        if needs.visits == Some(Visits::Distinct) || needs.bounces == Some(Visits::Distinct) {
            self.finish_visits(job, parts, theta, table);
        }
    }

    fn finish_visits(mut self, job: &Job<'_>, parts: &[Part<'_>], theta: u64, table: &mut Table) {
        self.visits.sort_by_key(|v| (v.0, v.1));
        let (mut counts, mut started, mut went_on) = (Tallied::default(), Tallied::default(), Tallied::default());
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
                counts.add(visit.2, 1);
                started.add(visit.2, own.0);
                went_on.add(visit.2, own.1);
            }
        }
        for (group, count) in counts.rows() {
            let totals = table.at(group);
            totals.visits = plus(totals.visits, Estimate::from_sample(count, theta));
        }
        for (group, count) in started.rows() {
            add_counted(table.at(group), What::BounceStarted, count, count as f64, theta);
        }
        for (group, count) in went_on.rows() {
            add_counted(table.at(group), What::BounceWentOn, count, count as f64, theta);
        }
    }
}

/// (hash, tag, started, went on) of every visit, ascending.
fn all_visits(parts: &[Part<'_>], theta: u64) -> Vec<(u64, u16, u64, u64)> {
    let mut all = Vec::new();
    for part in parts {
        let known = part.aggregate.people.iter().take_while(|v| v.0.0 < theta);
        all.extend(known.flat_map(|(hash, _, visits)| visits.iter().map(move |v| (hash.0, v.tag, v.started, v.went_on))));
    }
    all.sort_by_key(|v| (v.0, v.1));
    all
}

/// Counts by group.
#[derive(Default)]
struct Tallied(Vec<u64>);

impl Tallied {
    fn add(&mut self, group: u32, count: u64) {
        let index = group as usize;
        if index >= self.0.len() {
            self.0.resize(index + 1, 0);
        }
        self.0[index] += count;
    }

    fn rows(&self) -> impl Iterator<Item = (u32, u64)> {
        (0..).zip(self.0.iter().copied()).filter(|(_, count)| *count > 0)
    }
}

impl Job<'_> {
    /// The sketches of the groups that have one in every bucket that holds not everyone.
    pub(super) fn sketches<'a>(&self, parts: &[Part<'a>], seen: &Distinct, groups: &mut Groups<'a>) -> HashMap<u32, Hll> {
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
