//! A number that says how exact it is.
use serde::{Deserialize, Serialize};

/// Two-sided 95 % of the normal distribution.
const Z: f64 = 1.959_964;

/// An estimate with its 95 % bounds; all three are equal when it is exact.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The best guess.
    pub value: f64,
    /// The lower bound.
    pub low: f64,
    /// The upper bound.
    pub high: f64,
}

impl Estimate {
    /// A count that is no guess.
    #[must_use]
    pub const fn exact(count: u64) -> Self {
        Self { value: count as f64, low: count as f64, high: count as f64 }
    }

    /// The number of things in a population of which `matching` were found among those whose hash is below `theta`.
    ///
    /// Each is below `theta` with probability p = theta / 2^64, so `matching` is binomial; the bounds are Wilson's
    /// score interval (1927) solved for the population's size, which holds for few matches too. With `theta` =
    /// `u64::MAX` nothing was left out and the count is exact.
    #[must_use]
    pub fn from_sample(matching: u64, theta: u64) -> Self {
        if theta == u64::MAX {
            return Self::exact(matching);
        }
        let p = (theta as f64 / 2f64.powi(64)).max(f64::MIN_POSITIVE);
        let found = matching as f64;
        let spread = Z * (found * (1.0 - p) + Z * Z * (1.0 - p) * (1.0 - p) / 4.0).sqrt();
        let middle = found + Z * Z * (1.0 - p) / 2.0;
        Self { value: found / p, low: ((middle - spread) / p).max(found), high: (middle + spread) / p }
    }

    /// The sum of two independent estimates: errors add in quadrature on each side.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let value = self.value + other.value;
        let below = (self.value - self.low).hypot(other.value - other.low);
        let above = (self.high - self.value).hypot(other.high - other.value);
        Self { value, low: value - below, high: value + above }
    }

    /// Whether there is no doubt.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.low >= self.high
    }
}
