//! Numeric summaries: everything that merges by addition or comparison about the values of an event.
//!
//! Values are fixed-point, millionths in an `i64`. Sums are `i128`, sums of squares 256 bits, so that nothing is ever
//! rounded and any order of merging gives the same bits. Quantiles come from a histogram of logarithmic bins that are
//! 2 % wide, as in DDSketch (Masson, Rim, Lee, VLDB 2019) with γ = 1.02: a quantile's value is within 1 %.
use serde::{Deserialize, Serialize};

use crate::Minute;

/// The bins' growth: each upper bound is this times the one below.
const GAMMA: f64 = 1.02;
/// Bins reach from one millionth to 10^12, in millionths: ln(10^18) / ln(1.02) = 2,093.0.
const BINS: usize = 2096;

/// Upper bounds of the bins in millionths, by repeated multiplication: IEEE 754 gives the same bits on every target,
/// which a logarithm from the platform's library does not.
static BOUNDS: [f64; BINS] = {
    let mut bounds = [1.0; BINS];
    let mut i = 1;
    while i < BINS {
        bounds[i] = bounds[i - 1] * GAMMA;
        i += 1;
    }
    bounds
};

/// A value with its place in the order of all values: by minute, then beacon, then index in the beacon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Stamped {
    /// The minute of the event.
    pub minute: Minute,
    /// A hash of the beacon's or event's id.
    pub id: u64,
    /// Which value of that beacon.
    pub index: u32,
    /// The value in millionths.
    pub value: i64,
}

/// The summary of at least one value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Numbers {
    /// How many values.
    pub count: u64,
    /// Their sum in millionths.
    pub sum: i128,
    /// The smallest in millionths.
    pub min: i64,
    /// The largest in millionths.
    pub max: i64,
    /// The sum of squares in 10^-12: high and low 128 bits.
    squares: (u128, u128),
    /// The first in order.
    pub first: Stamped,
    /// The last in order.
    pub last: Stamped,
    /// (bin, how many), sorted: bin 0 is zero, `n` holds (γ^(n-2), γ^(n-1)] millionths, `-n` the same below zero.
    bins: Vec<(i16, u64)>,
}

fn bin(value: i64) -> i16 {
    let magnitude = value.unsigned_abs() as f64;
    let place = BOUNDS.partition_point(|&bound| bound < magnitude).min(BINS - 1) as i16 + 1;
    match value.signum() {
        0 => 0,
        1 => place,
        _ => -place,
    }
}

fn add_wide(a: (u128, u128), b: (u128, u128)) -> (u128, u128) {
    let (low, carry) = a.1.overflowing_add(b.1);
    (a.0.wrapping_add(b.0).wrapping_add(u128::from(carry)), low)
}

impl Numbers {
    /// The summary of one value.
    #[must_use]
    pub fn of(value: Stamped) -> Self {
        let square = value.value.unsigned_abs() as u128 * value.value.unsigned_abs() as u128;
        Self {
            count: 1,
            sum: i128::from(value.value),
            min: value.value,
            max: value.value,
            squares: (0, square),
            first: value,
            last: value,
            bins: vec![(bin(value.value), 1)],
        }
    }

    /// The summary of `count` equal values; `count` is at least 1.
    #[must_use]
    pub fn repeated(value: Stamped, count: u64) -> Self {
        let magnitude = u128::from(value.value.unsigned_abs());
        let (high, low) = ((magnitude * magnitude) >> 64, (magnitude * magnitude) & u128::from(u64::MAX));
        let (high, low) = (high * u128::from(count), low * u128::from(count));
        let squares = add_wide((high >> 64, high << 64), (0, low));
        let sum = i128::from(value.value).wrapping_mul(i128::from(count));
        Self { count, sum, squares, bins: vec![(bin(value.value), count)], ..Self::of(value) }
    }

    /// Adds another summary to this one.
    pub fn add(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.sum = self.sum.wrapping_add(other.sum);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.squares = add_wide(self.squares, other.squares);
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        if let [(bin, count)] = other.bins[..] {
            match self.bins.binary_search_by_key(&bin, |b| b.0) {
                Ok(at) => self.bins[at].1 = self.bins[at].1.saturating_add(count),
                Err(at) => self.bins.insert(at, (bin, count)),
            }
            return;
        }
        self.bins.extend_from_slice(&other.bins);
        self.bins.sort_by_key(|b| b.0);
        self.bins.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                kept.1 = kept.1.saturating_add(later.1);
            }
            same
        });
    }

    /// The mean in units.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.sum as f64 / self.count as f64 / 1e6
    }

    /// The population variance in square units; never below 0.
    #[must_use]
    pub fn variance(&self) -> f64 {
        let squares = self.squares.0 as f64 * 2f64.powi(128) + self.squares.1 as f64;
        let mean = self.mean();
        (squares / self.count as f64 / 1e12 - mean * mean).max(0.0)
    }

    /// The fourth central moment in units, from the histogram: within a few per cent.
    #[must_use]
    pub fn fourth_moment(&self) -> f64 {
        let mean = self.mean();
        let sum: f64 = self.bins.iter().map(|&(bin, count)| (self.middle(bin) - mean).powi(4) * count as f64).sum();
        sum / self.count as f64
    }

    /// The value that stands for a bin, in units: the point that is equally far, in proportion, from both ends.
    fn middle(&self, bin: i16) -> f64 {
        let place = usize::from(bin.unsigned_abs());
        let upper = place.checked_sub(1).and_then(|i| BOUNDS.get(i)).copied().unwrap_or(0.0);
        let middle = upper * 2.0 / (GAMMA + 1.0) * f64::from(bin.signum());
        middle.clamp(self.min as f64, self.max as f64) / 1e6
    }

    /// The value at quantile `q` in 0..=1, in units, within 1 %.
    #[must_use]
    pub fn quantile(&self, q: f64) -> f64 {
        let rank = (q.clamp(0.0, 1.0) * (self.count.saturating_sub(1)) as f64).round() as u64;
        let mut seen = 0u64;
        for &(bin, count) in &self.bins {
            seen = seen.saturating_add(count);
            if seen > rank {
                return self.middle(bin);
            }
        }
        self.max as f64 / 1e6
    }

    /// Whether bytes from outside could be a summary.
    pub(crate) fn is_valid(&self) -> bool {
        self.count > 0
            && self.min <= self.max
            && self.bins.windows(2).all(|w| w[0].0 < w[1].0)
            && self.bins.iter().all(|b| usize::from(b.0.unsigned_abs()) <= BINS && b.1 > 0)
    }
}
