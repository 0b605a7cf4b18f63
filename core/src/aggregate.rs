//! The aggregate: what is kept of a site and a span of time, whatever its grain.
use std::sync::Arc;

use crate::{People, Profiles, Tallies};

/// Tallies and people of one site and one span. A commutative monoid: partials, segments and buckets are all this, and
/// one [`Aggregate::merge`] serves them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Aggregate {
    /// How often, by dimension.
    pub tallies: Tallies,
    /// Who, and what they did.
    pub people: People,
}

impl Aggregate {
    /// The sum: commutative, associative, with [`Aggregate::default`] as identity.
    #[must_use]
    pub fn merge(inputs: &[&Self]) -> Self {
        Self {
            tallies: Tallies::merge(&inputs.iter().map(|a| &a.tallies).collect::<Vec<_>>()),
            people: People::merge(&inputs.iter().map(|a| &a.people).collect::<Vec<_>>()),
        }
    }

    /// Whether nothing happened.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tallies.rows.is_empty() && self.people.visitors.is_empty()
    }
}

/// An aggregate as it is stored and looked at: its people in columns. Its parts are shared, because few questions are about both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packed {
    /// What is counted by dimension and value.
    pub tallies: Arc<Tallies>,
    /// Who was counted.
    pub people: Arc<Profiles>,
}

impl Packed {
    /// Whether nothing happened.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tallies.rows.is_empty() && self.people.hashes.is_empty()
    }

    /// As rows, to be merged.
    #[must_use]
    pub fn to_aggregate(&self) -> Aggregate {
        Aggregate { tallies: Tallies::clone(&self.tallies), people: self.people.to_people() }
    }
}

impl From<Aggregate> for Packed {
    fn from(aggregate: Aggregate) -> Self {
        Self { people: Arc::new(Profiles::from(&aggregate.people)), tallies: Arc::new(aggregate.tallies) }
    }
}
