//! Sketches within their bounds, over 200 fixed consecutive seeds.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test fails by panicking
use headwater_core::{Estimate, Hll, SAMPLE_SIZE, VisitorHash};

/// SplitMix64 (Steele, Lea, Flood 2014): uniform 64-bit hashes from a seed.
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

#[test]
fn hll_errs_by_081_per_cent() {
    for n in [1_000usize, 10_000, 100_000, 1_000_000] {
        let errors: Vec<f64> = (0..200)
            .map(|seed| {
                let mut hll = Hll::default();
                hashes(seed).take(n).for_each(|hash| hll.insert(VisitorHash(hash)));
                hll.estimate().value / n as f64 - 1.0
            })
            .collect();
        let mean = errors.iter().sum::<f64>() / 200.0;
        let rmse = (errors.iter().map(|e| e * e).sum::<f64>() / 200.0).sqrt();
        println!("{n:>8} visitors: RMSE {:.3} %, mean {:+.3} %", rmse * 100.0, mean * 100.0);
        assert!(rmse <= 0.009, "RMSE {rmse} at {n}");
        assert!(mean.abs() <= 0.0015, "mean {mean} at {n}");
    }
}

#[test]
fn the_bounds_of_a_sample_hold_in_95_per_cent() {
    // A tenth of 200,000 visitors matches a filter; the sample sees those below theta.
    let mut held = 0;
    for seed in 0..200 {
        let mut all: Vec<u64> = hashes(1000 + seed).take(200_000).collect();
        let matching: std::collections::HashSet<u64> = all.iter().copied().take(20_000).collect();
        all.sort_unstable();
        let theta = all[SAMPLE_SIZE];
        let found = all[..SAMPLE_SIZE].iter().filter(|h| matching.contains(h)).count();
        let estimate = Estimate::from_sample(found as u64, theta);
        held += u32::from(estimate.low <= 20_000.0 && 20_000.0 <= estimate.high);
    }
    assert!(held >= 182, "held in {held} of 200"); // 95 % of 200 is 190; 182 is 2.6 standard deviations below
}

#[test]
fn the_library_agrees_with_our_sample() {
    // The bounds of Apache DataSketches for the same counts: ours are as wide to within a tenth.
    use datasketches::theta::ThetaSketchBuilder;
    let mut theirs = ThetaSketchBuilder::default().build().expect("a default sketch");
    (0..100_000u64).for_each(|i| theirs.update(i));
    let (estimate, kept) = (theirs.estimate(), theirs.num_retained() as u64);
    let ours = Estimate::from_sample(kept, theirs.theta64() << 1);
    assert!((ours.value / estimate - 1.0).abs() < 1e-6);
    let width =
        theirs.upper_bound(datasketches::common::NumStdDev::Two) - theirs.lower_bound(datasketches::common::NumStdDev::Two);
    assert!(((ours.high - ours.low) / width - 1.0).abs() < 0.1, "{} against {width}", ours.high - ours.low);
}
