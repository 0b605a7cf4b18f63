//! Identifiers, each its own type, so that none is mistaken for another.
use serde::{Deserialize, Serialize};

/// A site inside one installation; never used again after its site is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SiteId(pub u32);

/// An edge's inbox: 128 random bits made with the inbox. A restored inbox goes on under a new one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeId(pub [u8; 16]);

/// 64 uniformly distributed bits for a visitor inside one site and one identity window. Made at the edge from a salted
/// keyed hash; never supplied by a client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct VisitorHash(pub u64);

/// What makes a beacon the same beacon when it comes again: the page load and the sequence number in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BeaconId {
    /// The page load: random bits from the browser.
    pub load: [u8; 8],
    /// Counts the beacons of a page load from 0.
    pub seq: u32,
}
