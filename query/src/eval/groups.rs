//! Groups: the combinations of values that rows are of, numbered densely over all buckets of a query.
use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::Names;

/// Every value and every combination seen so far. With one dimension a group is its value.
#[derive(Default)]
pub(super) struct Groups {
    ids: HashMap<Arc<str>, u32, RandomState>,
    values: Vec<Arc<str>>,
    combined: HashMap<Box<[u32]>, u32, RandomState>,
    combinations: Vec<Box<[u32]>>,
    /// The values of all buckets before in their order, the place in them, and both those and this bucket's up to there.
    before: Vec<u32>,
    at: usize,
    walked: Vec<u32>,
    walking: bool,
    /// The groups of numbered names, by number; `NONE` where there is none yet.
    numbered: Option<(Arc<Names>, Vec<u32>)>,
}

/// No group, as yet.
pub(super) const NONE: u32 = u32::MAX;

impl Groups {
    pub(super) fn value(&mut self, text: &str) -> u32 {
        if let Some(&id) = self.ids.get(text) {
            return id;
        }
        let (id, text): (u32, Arc<str>) = (self.values.len() as u32, text.into());
        self.ids.insert(text.clone(), id);
        self.values.push(text);
        id
    }

    /// Begins a bucket of so many values, which come in ascending order.
    pub(super) fn walk(&mut self, values: usize) {
        if self.walking {
            let rest = self.before.get(self.at..).unwrap_or(&[]);
            self.walked.extend_from_slice(rest);
            self.before = std::mem::take(&mut self.walked);
            self.at = 0;
        }
        // Past many to meet few takes longer than to look these up.
        self.walking = self.before.len() <= values.saturating_mul(4);
    }

    /// The next value of a walk. Buckets have mostly the same values in the same order, so it is likely the one that
    /// came next before, which costs a comparison instead of a look-up.
    pub(super) fn next(&mut self, text: &str) -> u32 {
        if !self.walking {
            return self.value(text);
        }
        while let Some(&id) = self.before.get(self.at) {
            let order = self.values.get(id as usize).map_or(Ordering::Less, |value| (**value).cmp(text));
            if order == Ordering::Greater {
                break;
            }
            self.at += 1;
            self.walked.push(id);
            if order == Ordering::Equal {
                return id;
            }
        }
        let id = self.value(text);
        self.walked.push(id);
        id
    }

    /// The value at a place, whose number among names is known. Which names it is that are asked for by number is decided by
    /// the first.
    pub(super) fn numbered<'t>(
        &mut self,
        (names, numbers): (&Arc<Names>, &[u32]),
        place: usize,
        text: impl FnOnce() -> &'t str,
    ) -> u32 {
        let number = numbers.get(place).copied().unwrap_or(0);
        let (known, groups) = self.numbered.get_or_insert_with(|| (names.clone(), Vec::new()));
        if !Arc::ptr_eq(known, names) {
            return self.value(text());
        }
        match groups.get(number as usize) {
            Some(&group) if group != NONE => return group,
            Some(_) => {}
            None => groups.resize(number as usize + 1, NONE),
        }
        let group = self.value(text());
        if let Some(known) = self.numbered.as_mut().and_then(|(_, groups)| groups.get_mut(number as usize)) {
            *known = group;
        }
        group
    }

    /// At least how many groups there are so far.
    pub(super) fn known(&self) -> usize {
        self.values.len().max(self.combinations.len())
    }

    pub(super) fn combination(&mut self, key: &[u32]) -> u32 {
        match key {
            [] => 0,
            [one] => *one,
            _ => {
                if let Some(&id) = self.combined.get(key) {
                    return id;
                }
                let id = self.combinations.len() as u32;
                self.combined.insert(key.into(), id);
                self.combinations.push(key.into());
                id
            }
        }
    }

    /// The values of a group.
    pub(super) fn names(&self, group: u32, dimensions: usize) -> Vec<Arc<str>> {
        let name = |id: u32| self.values.get(id as usize).cloned().unwrap_or_default();
        match dimensions {
            0 => Vec::new(),
            1 => vec![name(group)],
            _ => self.combinations.get(group as usize).map_or(Vec::new(), |key| key.iter().map(|id| name(*id)).collect()),
        }
    }
}
