//! No bytes make a decoder panic, hang, or accept what does not hold together. Ten seconds each; `cargo xtask fuzz` goes on.
use std::time::Duration;

use headwater_tests::decoders::TARGETS;
use headwater_tests::random::Random;

fn survives(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("a decoder of that name");
    let tried = target.run(&mut Random::from_env(), Some(Duration::from_secs(10)));
    println!("{name}: {tried:?}");
    assert!(tried.accepted > 0 && tried.accepted < tried.inputs, "mutations that are all valid, or never, try little: {tried:?}");
}

#[test]
fn the_beacon_decoder_survives_mutated_vectors() {
    survives("beacon");
}

#[test]
fn the_aggregate_decoder_survives_mutated_vectors() {
    survives("aggregate");
}

#[test]
fn the_batch_decoder_survives_mutated_vectors() {
    survives("batch");
}

#[test]
fn the_buckets_decoder_survives_mutated_vectors() {
    survives("buckets");
}
