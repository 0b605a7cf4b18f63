//! Which goals the events of a bucket reach.
use std::collections::HashMap;

use headwater_core::{PAGEVIEW, Profiles};

use crate::{Goal, Target};

/// The goals that each tuple reaches.
pub(super) struct Reached {
    starts: Vec<u32>,
    goals: Vec<u16>,
}

impl Reached {
    /// Looks at each tuple once, and at each page once for each pattern.
    pub(super) fn new(people: &Profiles, goals: &[Goal]) -> Self {
        let mut by_name: HashMap<&str, Vec<u16>> = HashMap::new();
        let mut by_page: Vec<(u16, &crate::Pattern)> = Vec::new();
        for (number, goal) in (0..).zip(goals) {
            match &goal.target {
                Target::Event(name) => by_name.entry(name).or_default().push(number),
                Target::Page(pattern) => by_page.push((number, pattern)),
            }
        }
        let pageview = people.dict.find(PAGEVIEW);
        let mut of_page: HashMap<u32, Vec<u16>> = HashMap::new();
        let mut reached = Self { starts: Vec::with_capacity(people.tuples.len() + 1), goals: Vec::new() };
        reached.starts.push(0);
        for tuple in &people.tuples {
            let named = by_name.get(people.dict.get(tuple.name)).map_or(&[][..], Vec::as_slice);
            let start = reached.goals.len();
            reached.goals.extend_from_slice(named);
            if Some(tuple.name) == pageview && !by_page.is_empty() {
                let seen = of_page.entry(tuple.page.0).or_insert_with(|| {
                    let page = people.dict.get(tuple.page);
                    by_page.iter().filter(|(_, pattern)| pattern.fits(page)).map(|(number, _)| *number).collect()
                });
                reached.goals.extend_from_slice(seen);
            }
            if let Some(own) = reached.goals.get_mut(start..) {
                own.sort_unstable();
            }
            reached.starts.push(reached.goals.len() as u32);
        }
        reached
    }

    /// The goals of a tuple, ascending.
    pub(super) fn by(&self, tuple: usize) -> &[u16] {
        let at = |i: usize| self.starts.get(i).map_or(0, |start| *start as usize);
        self.goals.get(at(tuple)..at(tuple + 1)).unwrap_or(&[])
    }
}
