//! The ranges that can be chosen.
use headwater_query::TimeDimension;

/// A range, named as the API's `date_range` is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Period {
    /// The site's day until now.
    #[default]
    Today,
    /// The site's current hour and the 23 before it.
    Hours24,
    /// Seven whole days that end yesterday.
    Days7,
    /// Twenty-eight whole days that end yesterday.
    Days28,
    /// From the first bucket until now.
    All,
}

impl Period {
    /// Every range, shortest first.
    pub const ALL: [Self; 5] = [Self::Today, Self::Hours24, Self::Days7, Self::Days28, Self::All];

    /// The name in queries and in the address.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Today => "day",
            Self::Hours24 => "24h",
            Self::Days7 => "7d",
            Self::Days28 => "28d",
            Self::All => "all",
        }
    }

    /// The range of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|period| period.name() == name)
    }

    /// The word on the selector.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Today => "Today",
            Self::Hours24 => "24h",
            Self::Days7 => "7 days",
            Self::Days28 => "28 days",
            Self::All => "All",
        }
    }

    /// The words in a sentence: "no visits …".
    #[must_use]
    pub const fn phrase(self) -> &'static str {
        match self {
            Self::Today => "today",
            Self::Hours24 => "in the last 24 hours",
            Self::Days7 => "in the last 7 days",
            Self::Days28 => "in the last 28 days",
            Self::All => "at any time",
        }
    }

    /// The key that chooses it (Plausible's), where there is one.
    #[must_use]
    pub const fn key(self) -> Option<char> {
        match self {
            Self::Today => Some('d'),
            Self::Days7 => Some('w'),
            Self::Days28 => Some('f'),
            Self::All => Some('a'),
            Self::Hours24 => None,
        }
    }

    /// The range that a key chooses.
    #[must_use]
    pub fn from_key(key: char) -> Option<Self> {
        let key = key.to_ascii_lowercase();
        Self::ALL.into_iter().find(|period| period.key() == Some(key))
    }

    /// Whether what happens now changes its figures.
    #[must_use]
    pub const fn includes_now(self) -> bool {
        matches!(self, Self::Today | Self::Hours24 | Self::All)
    }

    /// How the chart parts it.
    #[must_use]
    pub const fn grain(self) -> TimeDimension {
        match self {
            Self::Today | Self::Hours24 => TimeDimension::Hour,
            Self::Days7 | Self::Days28 => TimeDimension::Day,
            Self::All => TimeDimension::Auto,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_keys_lead_back() {
        for period in Period::ALL {
            assert_eq!(Period::from_name(period.name()), Some(period));
            if let Some(key) = period.key() {
                assert_eq!(Period::from_key(key.to_ascii_uppercase()), Some(period));
            }
        }
        assert_eq!(Period::from_key('x'), None);
    }
}
