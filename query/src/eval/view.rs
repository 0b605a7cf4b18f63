//! People as a query sees them: with the exit pages of their visits and the goals of their events, where it asks for them.
use headwater_core::{Profiles, StrId, VisitDimension};

use super::exits::Exits;
use super::goals::Reached;
use crate::{Goal, Worth};

/// The people of a bucket. A *kind of visit* is a context, or a context with an exit page. A *kind of event* is a tuple, or
/// a tuple with one of the goals that it reaches.
#[derive(Default)]
pub(super) struct View<'a> {
    pub(super) exits: Option<Exits<'a>>,
    pub(super) reached: Option<Reached>,
    pub(super) goals: &'a [Goal],
}

impl<'a> View<'a> {
    /// How many kinds of visits there are.
    pub(super) fn contexts(&self, people: &Profiles) -> usize {
        self.exits.as_ref().map_or(people.contexts(), |exits| exits.kinds.len())
    }

    /// What is known of each context, of each kind of visit.
    pub(super) fn of_kinds<T: Copy + Default>(&self, by_context: Vec<T>) -> Vec<T> {
        match &self.exits {
            Some(exits) => {
                let of = |kind: &(u32, &str)| by_context.get(kind.0 as usize).copied().unwrap_or_default();
                exits.kinds.iter().map(of).collect()
            }
            None => by_context,
        }
    }

    /// The values of a property, by kind of visit.
    pub(super) fn values(&self, people: &Profiles, property: VisitDimension) -> Vec<StrId> {
        self.of_kinds(people.contexts[property as usize].map(|id| id))
    }

    /// The exit page of a kind of visit.
    pub(super) fn exit(&self, kind: usize) -> &'a str {
        self.exits.as_ref().and_then(|exits| exits.kinds.get(kind)).map_or("", |kind| kind.1)
    }

    /// The kind of the visit at a place.
    pub(super) fn kind(&self, place: usize, people: &Profiles) -> u32 {
        match &self.exits {
            Some(exits) => exits.of_visit.get(place).copied().unwrap_or(0),
            None => people.visits.context.get(place) as u32,
        }
    }

    /// The goals that an event of a tuple reaches.
    pub(super) fn reached(&self, tuple: usize) -> &[u16] {
        self.reached.as_ref().map_or(&[], |reached| reached.by(tuple))
    }

    /// What an event of a tuple is worth if it says nothing itself: as one of a goal, or of the first of its goals that is
    /// worth anything.
    pub(super) fn worth(&self, tuple: usize, goal: Option<u16>) -> Option<&'a Worth> {
        let of = |goal: u16| self.goals.get(usize::from(goal)).and_then(|goal| goal.worth.as_ref());
        match goal {
            Some(goal) => of(goal),
            None => self.reached(tuple).iter().find_map(|goal| of(*goal)),
        }
    }
}
