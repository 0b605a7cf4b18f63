//! A page load against a server of every mood: what is done is what is counted, once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
mod delivery;
mod laws;
mod visits;
mod world;
