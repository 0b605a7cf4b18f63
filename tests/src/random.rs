//! Repeatable random numbers (SplitMix64, <https://prng.di.unimi.it/splitmix64.c>).

/// A generator; the same seed gives the same numbers.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A generator for `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A generator for the variable `HEADWATER_TEST_SEED`, or for the time of day; prints the seed, so that a failure can be had again.
    pub fn from_env() -> Self {
        let given = std::env::var("HEADWATER_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = given.unwrap_or_else(|| {
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(1, |since| since.as_nanos() as u64)
        });
        println!("HEADWATER_TEST_SEED={seed}");
        Self(seed)
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 if `end` is 0.
    pub fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.bits()) * end as u128) >> 64) as usize
    }

    /// One of the 2^24 addresses of the private network 10.0.0.0/8.
    pub fn address(&mut self) -> String {
        let [_, b, c, d, ..] = self.bits().to_le_bytes();
        format!("10.{b}.{c}.{d}")
    }
}
