//! A sum that is partly known for certain and partly estimated from samples.
//!
//! Each visitor is in a sample with probability p, so what is found is divided by p (Horvitz and Thompson, 1952) and the
//! squares of the visitors' own shares tell the error. Addends of one unit (an identity window) come from samples of the
//! same people, so their errors are taken to go the same way and add up; those of different units are independent and
//! add in quadrature. The bounds are Wilson's (1927) with all units together, so they hold for few finds and for none.
use headwater_core::Estimate;

/// Two-sided 95 % of the normal distribution.
pub(crate) const Z: f64 = 1.959_964;

/// What samples add to a sum.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sampled {
    value: f64,
    found: f64,
    /// The sum of the squares of what each visitor that was found has.
    squares: f64,
    /// Square of the error of finished units, and the error of the current one.
    variance: f64,
    error: f64,
    sketched: bool,
}

impl Sampled {
    /// Adds what a sample of the share `p` found, and the sum of the squares of each visitor's part in it.
    pub(crate) fn add(&mut self, found: f64, squares: f64, p: f64) {
        self.value += found / p;
        self.found += found;
        self.squares += squares;
        self.error += (squares * (1.0 - p)).max(0.0).sqrt() / p;
    }

    /// Adds an estimate that has no sample behind it.
    pub(crate) fn add_sketched(&mut self, estimate: Estimate) {
        self.value += estimate.value;
        self.error += (estimate.high - estimate.low) / (2.0 * Z);
        self.sketched = true;
    }

    /// Ends a unit.
    pub(crate) fn settle(&mut self) {
        self.variance += self.error * self.error;
        self.error = 0.0;
    }

    pub(crate) const fn value(&self) -> f64 {
        self.value
    }

    /// What was found, without what was not.
    pub(crate) const fn found(&self) -> f64 {
        self.found
    }

    #[cfg(feature = "eval")]
    pub(crate) const fn squares(&self) -> f64 {
        self.squares
    }

    #[cfg(feature = "eval")]
    /// How many finds of one each would be as telling: fewer than there are, if few visitors have most of them.
    pub(crate) fn effective(&self) -> f64 {
        if self.squares > 0.0 { self.found * self.found / self.squares } else { 0.0 }
    }

    /// The sum with what is certain, where `p` is the smallest share of any sample that could have held more of it.
    pub(crate) fn estimate(&self, certain: f64, p: f64) -> Estimate {
        let value = certain + self.value;
        if p >= 1.0 {
            return Estimate { value, low: value, high: value };
        }
        // What one visitor who was missed would have, as far as is known.
        let one = if self.found > 0.0 && self.squares > 0.0 { self.squares / self.found } else { 1.0 };
        let only_sketched = self.sketched && self.found <= 0.0;
        let shift = if only_sketched { 0.0 } else { Z * Z * one.abs() * (1.0 - p) / (2.0 * p) };
        let spread = (Z * Z * (self.variance + self.error * self.error)).sqrt().hypot(shift);
        let least = if self.found < 0.0 { f64::NEG_INFINITY } else { certain + self.found };
        Estimate { value, low: (value + shift - spread).max(least.min(value)), high: value + shift + spread }
    }
}

/// The share of all visitors that have a hash below theta.
pub(crate) fn share(theta: u64) -> f64 {
    if theta == u64::MAX { 1.0 } else { (theta as f64 / 2f64.powi(64)).max(f64::MIN_POSITIVE) }
}

/// The quotient of two sums. What makes both larger makes the quotient no surer and no less sure, so taking their errors
/// as independent is on the safe side: counts of the same visitors never vary against each other.
pub(crate) fn quotient(a: Estimate, b: Estimate) -> Option<Estimate> {
    if b.value <= 0.0 {
        return None;
    }
    let value = a.value / b.value;
    let below = ((a.value - a.low) / b.value).hypot(value * (b.high - b.value) / b.value);
    let above = ((a.high - a.value) / b.value).hypot(value * (b.value - b.low) / b.low.max(b.value / 2.0));
    Some(Estimate { value, low: value - below, high: value + above })
}
