//! How exact our distinct counts are beside `hyperloglog` 1.0.4, over 200 seeds: part of `cargo xtask bench`.
#![allow(clippy::expect_used)]
use headwater_core::{Hll, VisitorHash};
use hyperloglog::HyperLogLog;

/// SplitMix64 (Steele, Lea, Flood 2014).
fn hashes(seed: u64) -> impl Iterator<Item = u64> {
    let mut state = seed.wrapping_mul(0xd134_2543_de82_ef95);
    std::iter::repeat_with(move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}

fn rmse(n: usize, estimate: impl Fn(u64) -> f64) -> f64 {
    let squares = (0..200).map(|seed| (estimate(seed) / n as f64 - 1.0).powi(2));
    (squares.sum::<f64>() / 200.0).sqrt() * 100.0
}

fn main() {
    println!("{:>9} visitors   {:>18} {:>28} {:>28}", "", "ours, 2^14", "hyperloglog, error 0.001", "hyperloglog, error 0.0081");
    for n in [1_000usize, 10_000, 100_000, 1_000_000] {
        let ours = rmse(n, |seed| {
            let mut hll = Hll::default();
            hashes(seed).take(n).for_each(|hash| hll.insert(VisitorHash(hash)));
            hll.estimate().value
        });
        let theirs = |error: f64| {
            rmse(n, |seed| {
                let mut hll = HyperLogLog::new_deterministic(error, u128::from(seed));
                hashes(seed).take(n).for_each(|hash| hll.insert(&hash));
                hll.len()
            })
        };
        println!("{n:>9}            {ours:>15.3} %  {:>26.3} % {:>26.3} %", theirs(0.001), theirs(0.0081));
    }
    println!("RMSE over 200 seeds. Up to 65,536 visitors in a bucket nothing is estimated at all.");
}
