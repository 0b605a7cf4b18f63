//! Summaries of values against the values themselves.
use headwater_core::{Minute, Numbers, Stamped};
use proptest::prelude::*;

fn summary(values: &[i64], order: &[usize]) -> Numbers {
    let one = |i: usize| Numbers::of(Stamped { minute: Minute(i as u32 / 5), id: i as u64 % 5, index: 0, value: values[i] });
    let mut sum = one(order[0]);
    order[1..].iter().for_each(|&i| sum.add(&one(i)));
    sum
}

proptest! {
    #[test]
    fn whatever_the_order(
        values in prop::collection::vec(prop_oneof![-1_000_000_000_000_000_000i64..=1_000_000_000_000_000_000, -50..50i64, Just(0)], 1..80),
        seed in any::<u64>(),
    ) {
        let n = values.len();
        let order: Vec<usize> = (0..n).collect();
        let mut shuffled = order.clone();
        (0..n).for_each(|i| shuffled.swap(i, (seed.rotate_left(i as u32) % n as u64) as usize));
        let sum = summary(&values, &order);
        prop_assert_eq!(&sum, &summary(&values, &shuffled));
        // Halves merged are the whole.
        if n > 1 {
            let mut left = summary(&values, &shuffled[..n / 2]);
            left.add(&summary(&values, &shuffled[n / 2..]));
            prop_assert_eq!(&left, &sum);
        }
        prop_assert_eq!(sum.sum, values.iter().map(|v| i128::from(*v)).sum::<i128>());
        prop_assert_eq!((sum.min, sum.max), (*values.iter().min().unwrap(), *values.iter().max().unwrap()));
        prop_assert_eq!((sum.first.value, sum.last.value), (values[0], values[n - 1]));
        let mut sorted = values.clone();
        sorted.sort_unstable();
        for q in [0.0, 0.5, 0.75, 0.9, 0.99, 1.0] {
            let exact = sorted[(q * (n - 1) as f64).round() as usize] as f64 / 1e6;
            let told = sum.quantile(q);
            prop_assert!((told - exact).abs() <= exact.abs() * 0.01 + 1e-12, "{q}: {told} for {exact}");
        }
        let mean = values.iter().map(|v| *v as f64 / 1e6).sum::<f64>() / n as f64;
        let variance = values.iter().map(|v| (*v as f64 / 1e6 - mean).powi(2)).sum::<f64>() / n as f64;
        prop_assert!((sum.mean() - mean).abs() <= mean.abs() * 1e-9 + 1e-9);
        let scale = values.iter().map(|v| (*v as f64 / 1e6).powi(2)).fold(0.0, f64::max);
        prop_assert!((sum.variance() - variance).abs() <= scale * 1e-9 + 1e-9);
    }
}
