//! What the end-to-end tests and the benches share: a real server, a real browser, beacons, random numbers.
pub mod api;
pub mod beacons;
pub mod browser;
pub mod decoders;
pub mod front;
pub mod measurements;
pub mod proxy;
pub mod random;
pub mod server;
pub mod site;
pub mod workerd;
