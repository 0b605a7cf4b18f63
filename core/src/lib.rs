//! Headwater's algebra and wire: what is counted, how it merges, how it is written.
//!
//! Everything here is a commutative monoid or a byte format. Nothing here reads a clock, a random number, a socket
//! or a file: callers hand in bytes and times, so the same code runs in the browser, in workerd and natively.
//!
//! Without the feature `aggregate` only the beacon and the words it uses remain, in `no_std`: that is the tracker's part.
#![cfg_attr(not(feature = "aggregate"), no_std)]

extern crate alloc;

pub mod beacon;
pub mod id;
pub mod time;

pub use beacon::{Beacon, BeaconError};
pub use id::{BeaconId, NodeId, SiteId, VisitorHash};
pub use time::{Grain, Millis, Minute};
