//! From samples to sketches: when people outgrow the exact range, HyperLogLogs of everyone take over.
use std::collections::BTreeSet;

use super::People;
use crate::hll::lowest;
use crate::{Hll, Hlls, RowDimension, StrId, VisitDimension};

/// The visit dimensions whose values have sketches; the event's name is the sixth dimension.
const SKETCHED: [VisitDimension; 5] =
    [VisitDimension::Channel, VisitDimension::Country, VisitDimension::Device, VisitDimension::Browser, VisitDimension::Os];

impl People {
    /// Makes the sketches of a union that is no longer complete: the union of those that `inputs` have, and everyone
    /// of the inputs that were still complete. `strings` leads from the inputs' dictionaries to this one.
    pub(super) fn sketch(&mut self, inputs: &[&Self], strings: &[Vec<StrId>]) {
        if self.is_complete() {
            return;
        }
        let mut hlls = Hlls::default();
        for (people, map) in inputs.iter().zip(strings) {
            match &people.hlls {
                Some(theirs) => {
                    hlls.total.merge(&theirs.total);
                    for (dimension, value, hll) in &theirs.values {
                        hlls.of_mut(*dimension, map[value.index()]).merge(hll);
                    }
                }
                None => people.feed(&mut hlls, map),
            }
        }
        hlls.trim(&self.dict);
        self.hlls = Some(hlls);
    }

    /// Adds everyone who has an event to the sketches.
    fn feed(&self, hlls: &mut Hlls, strings: &[StrId]) {
        let (contexts, tuples, mut sketches) = self.slots();
        for (hash, first, visits) in self.iter() {
            let mut counts = false;
            for (i, visit) in visits.iter().enumerate() {
                let mut visit_counts = false;
                for fact in self.facts_of(first + i).iter().filter(|f| f.count > 0) {
                    visit_counts = true;
                    if let Some(slot) = tuples[fact.tuple as usize] {
                        sketches[slot].2.insert(hash);
                    }
                }
                if visit_counts {
                    contexts[visit.context as usize].iter().flatten().for_each(|&slot| sketches[slot].2.insert(hash));
                }
                counts |= visit_counts;
            }
            if counts {
                hlls.total.insert(hash);
            }
        }
        for (dimension, value, hll) in sketches {
            hlls.of_mut(dimension, strings[value.index()]).merge(&hll);
        }
    }

    /// Empty sketches for the values that have an event, and where those of each context and tuple are.
    #[allow(clippy::type_complexity)]
    fn slots(&self) -> (Vec<[Option<usize>; SKETCHED.len()]>, Vec<Option<usize>>, Vec<(RowDimension, StrId, Hll)>) {
        let mut values = BTreeSet::new();
        for visit in (0..self.visits.len()).filter(|&v| self.visit_counts(v)) {
            let context = &self.contexts[self.visits[visit].context as usize];
            values.extend(SKETCHED.map(|d| (RowDimension::Visit(d), context[d as usize])));
        }
        let counted = self.facts.iter().filter(|f| f.count > 0);
        values.extend(counted.map(|f| (RowDimension::Name, self.tuples[f.tuple as usize].name)));
        let values = lowest(values.into_iter().collect(), &self.dict);
        let slot = |key| values.binary_search(&key).ok();
        let contexts = self.contexts.iter().map(|c| SKETCHED.map(|d| slot((RowDimension::Visit(d), c[d as usize]))));
        let tuples = self.tuples.iter().map(|t| slot((RowDimension::Name, t.name)));
        let (contexts, tuples) = (contexts.collect(), tuples.collect());
        (contexts, tuples, values.iter().map(|v| (v.0, v.1, Hll::default())).collect())
    }
}
