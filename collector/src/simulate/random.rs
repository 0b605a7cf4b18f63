//! Repeatable randomness: SplitMix64 (Steele, Lea, Flood 2014). The same seed plays the same visitors.

/// A generator.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// From a seed.
    #[must_use]
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 bits.
    pub(crate) const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 if that is 0.
    pub(crate) const fn below(&mut self, end: u64) -> u64 {
        ((self.bits() as u128 * end as u128) >> 64) as u64
    }

    /// True in `per_cent` of cases.
    pub(crate) const fn chance(&mut self, per_cent: u64) -> bool {
        self.below(100) < per_cent
    }

    /// One of several, the first the likeliest: the n-th with weight 1 / (n + 1), as popularity goes (Zipf).
    pub(crate) fn popular<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        let weight = |i: usize| 1_000_000 / (i as u64 + 1);
        let mut at = self.below((0..of.len()).map(weight).sum());
        of.iter().enumerate().find_map(|(i, item)| {
            let here = at < weight(i);
            at = at.saturating_sub(weight(i));
            here.then_some(item)
        })
    }
}
