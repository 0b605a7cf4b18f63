//! The aggregate: what is kept of a site and a span of time, whatever its grain.
use crate::{People, Tallies};

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
