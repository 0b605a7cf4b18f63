//! `cargo xtask fuzz [TARGET] [--seconds N]`: mutated golden vectors against the decoders, for as long as one likes.
use std::time::Duration;

use headwater_tests::decoders::{TARGETS, Target};
use headwater_tests::random::Random;

fn main() {
    let mut limit = None;
    let mut name = None;
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        if word == "--seconds" {
            limit = words.next().and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
        } else {
            name = Some(word);
        }
    }
    let targets: Vec<&Target> = TARGETS.iter().filter(|target| name.as_deref().is_none_or(|name| name == target.name)).collect();
    if targets.is_empty() {
        let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
        eprintln!("there is no decoder {:?}; there are {}", name.unwrap_or_default(), names.join(", "));
        std::process::exit(2);
    }
    let mut random = Random::from_env();
    // Without a limit every decoder has its turn, again and again.
    loop {
        for target in &targets {
            let tried = target.run(&mut random, Some(limit.unwrap_or(Duration::from_secs(10))));
            println!("{:<10} {:>10} inputs, {:>8} of them valid", target.name, tried.inputs, tried.accepted);
        }
        if limit.is_some() {
            break;
        }
    }
}
