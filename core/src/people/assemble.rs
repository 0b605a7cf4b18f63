//! Puts a sample together visitor by visitor, within the caps of a profile.
//!
//! A profile keeps the 64 visits, and of each visit the 256 tuples, with the lowest key hashes; the rest is summed in
//! one `(other)`. What falls out of a part falls out of every union that holds the part, so merging stays associative.
use super::{Fact, OTHER, People, Tuple, Visit, Visitor};
use crate::dict::{Dict, stable_hash};
use crate::{StrId, VisitDimension, VisitorHash};

/// The most visits of a profile that are kept apart.
const MAX_VISITS: usize = 64;
/// The most tuples of a visit that are kept apart.
const MAX_TUPLES: usize = 256;

/// A visit on its way into a sample.
#[derive(Clone)]
pub(crate) struct Draft<'a, F> {
    /// Index into the sample's contexts.
    pub(crate) context: u32,
    pub(crate) tag: u16,
    pub(crate) started: u64,
    pub(crate) went_on: u64,
    pub(crate) facts: F,
    /// From the tuple indices of `facts` to those of the sample.
    pub(crate) tuples: &'a [u32],
}

/// A sample in the making; its contexts and tuples are known.
pub(crate) struct Assembler {
    people: People,
    other_context: u32,
    other_tuple: u32,
    facts: Vec<Fact>,
}

/// The context and the tuple that stand for what is past the caps, with the dictionary that they need. Part of every
/// union, and pruned from most.
pub(crate) fn others() -> People {
    let other = StrId(1);
    People {
        dict: Dict::from_sorted([OTHER]),
        contexts: vec![[other; VisitDimension::COUNT]],
        tuples: vec![Tuple { name: other, page: other, hostname: other, currency: other, props: Box::default() }],
        ..People::default()
    }
}

impl Assembler {
    /// `contexts` and `tuples` are sorted and hold those of [`others`].
    pub(crate) fn new(
        dict: Dict,
        contexts: Vec<[StrId; VisitDimension::COUNT]>,
        tuples: Vec<Tuple>,
        other_context: u32,
        other_tuple: u32,
    ) -> Self {
        let people = People { dict, contexts, tuples, ..People::default() };
        Self { people, other_context, other_tuple, facts: Vec::new() }
    }

    /// How many visitors there are so far.
    pub(crate) fn visitors(&self) -> usize {
        self.people.visitors.len()
    }

    /// Adds a visitor; hashes come in ascending order. `drafts` may hold equal visits, which are added up.
    pub(crate) fn push<'f>(&mut self, hash: VisitorHash, drafts: &mut [Draft<'_, impl Iterator<Item = &'f Fact> + Clone>]) {
        drafts.sort_by_key(|d| (d.context, d.tag));
        if drafts.len() > MAX_VISITS {
            self.cap_visits(drafts);
        }
        for group in drafts.chunk_by(|a, b| (a.context, a.tag) == (b.context, b.tag)) {
            self.facts.clear();
            for draft in group {
                self.facts.extend(draft.facts.clone().map(|fact| {
                    let mut fact = fact.clone();
                    fact.tuple = draft.tuples[fact.tuple as usize];
                    fact
                }));
            }
            add_equal(&mut self.facts);
            if self.facts.len() > MAX_TUPLES {
                self.cap_tuples();
            }
            self.people.facts.append(&mut self.facts);
            self.people.visits.push(Visit {
                context: group[0].context,
                tag: group[0].tag,
                started: group.iter().fold(0, |sum, d| d.started.saturating_add(sum)),
                went_on: group.iter().fold(0, |sum, d| d.went_on.saturating_add(sum)),
                facts_end: self.people.facts.len() as u32,
            });
        }
        self.people.visitors.push(Visitor { hash, visits_end: self.people.visits.len() as u32 });
    }

    /// The sample, not pruned yet.
    pub(crate) fn finish(self, theta: u64) -> People {
        People { theta, ..self.people }
    }

    fn cap_visits<F>(&self, drafts: &mut [Draft<'_, F>]) {
        let other = self.other_context;
        let mut keys: Vec<(u64, u32, u16)> = Vec::new();
        for group in drafts.chunk_by(|a, b| (a.context, a.tag) == (b.context, b.tag)) {
            if group[0].context != other {
                keys.push((self.visit_hash(group[0].context, group[0].tag), group[0].context, group[0].tag));
            }
        }
        if keys.len() <= MAX_VISITS {
            return;
        }
        keys.sort_unstable();
        let dropped: std::collections::HashSet<(u32, u16)> = keys[MAX_VISITS..].iter().map(|k| (k.1, k.2)).collect();
        for draft in drafts.iter_mut().filter(|d| dropped.contains(&(d.context, d.tag))) {
            (draft.context, draft.tag) = (other, 0);
        }
        drafts.sort_by_key(|d| (d.context, d.tag));
    }

    fn cap_tuples(&mut self) {
        let other = self.other_tuple;
        let mut keys: Vec<(u64, u32)> =
            self.facts.iter().map(|f| f.tuple).filter(|t| *t != other).map(|t| (self.tuple_hash(t), t)).collect();
        if keys.len() <= MAX_TUPLES {
            return;
        }
        keys.sort_unstable();
        let dropped: std::collections::HashSet<u32> = keys[MAX_TUPLES..].iter().map(|k| k.1).collect();
        self.facts.iter_mut().filter(|f| dropped.contains(&f.tuple)).for_each(|f| f.tuple = other);
        add_equal(&mut self.facts);
    }

    fn visit_hash(&self, context: u32, tag: u16) -> u64 {
        let context = &self.people.contexts[context as usize];
        context.iter().fold(u64::from(tag), |hash, id| stable_hash(hash, self.people.dict.get(*id).as_bytes()))
    }

    fn tuple_hash(&self, tuple: u32) -> u64 {
        let Tuple { name, page, hostname, currency, props } = &self.people.tuples[tuple as usize];
        let strings = [name, page, hostname, currency].into_iter().chain(props.iter().flat_map(|(k, v)| [k, v]));
        strings.fold(0, |hash, id| stable_hash(hash, self.people.dict.get(*id).as_bytes()))
    }
}

/// Sorts facts by tuple and adds up those of the same.
fn add_equal(facts: &mut Vec<Fact>) {
    facts.sort_by_key(|f| f.tuple);
    facts.dedup_by(|later, kept| {
        let same = later.tuple == kept.tuple;
        if same {
            kept.add(later);
        }
        same
    });
}
