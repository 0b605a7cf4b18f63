//! Headwater's algebra and wire: what is counted, how it merges, how it is written.
//!
//! Everything here is a commutative monoid or a byte format. Nothing here reads a clock, a random number, a socket
//! or a file: callers hand in bytes and times, so the same code runs in the browser, in workerd and natively.
//!
//! One path leads through it: a [`Beacon`] is read; an edge adds what it learns of the visitor and [`Fold`]s it into an
//! [`Aggregate`], the tallies and the people of one site and one minute; [`Partial`]s travel in a [`Batch`]; a collector
//! [merges](Aggregate::merge) them into the buckets of each [`Grain`].
//!
//! Without the feature `aggregate` only the beacon and the words it uses remain, in `no_std`: that is the tracker's part.
#![cfg_attr(not(feature = "aggregate"), no_std)]

extern crate alloc;

pub mod beacon;
mod dimension;
pub mod id;
pub mod time;

pub use beacon::{Beacon, BeaconError};
pub use dimension::{RowDimension, VisitDimension};
pub use id::{BeaconId, InvalidNode, NodeId, SiteId, VisitorHash};
pub use time::{Grain, Millis, Minute};

#[cfg(feature = "aggregate")]
mod aggregate;
#[cfg(feature = "aggregate")]
mod batch;
#[cfg(feature = "aggregate")]
mod chain;
#[cfg(feature = "aggregate")]
mod column;
#[cfg(feature = "aggregate")]
mod dict;
#[cfg(feature = "aggregate")]
mod estimate;
#[cfg(feature = "aggregate")]
mod fold;
#[cfg(feature = "aggregate")]
mod hll;
#[cfg(feature = "aggregate")]
mod numbers;
#[cfg(feature = "aggregate")]
mod people;
#[cfg(feature = "aggregate")]
mod tallies;
#[cfg(feature = "aggregate")]
mod wire;

#[cfg(feature = "aggregate")]
pub use {
    aggregate::{Aggregate, Packed},
    batch::{Batch, Partial},
    column::Column,
    dict::{Dict, StrId},
    estimate::Estimate,
    fold::{Activity, EventDelta, Fold, PAGEVIEW},
    hll::{Hll, Hlls},
    numbers::{Numbers, Stamped},
    people::{Coded, Fact, FactColumns, OTHER, People, Profiles, SAMPLE_SIZE, Tuple, Visit, VisitAt, VisitColumns, Visitor},
    tallies::{Row, RowKey, Tallies, Tally},
    wire::{Encoded, WIRE_VERSION, WireError},
};
