//! Identifiers, each its own type, so that none is mistaken for another.
use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

/// A site inside one installation; never used again after its site is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SiteId(pub u32);

/// An edge's inbox: 128 random bits made with the inbox. A restored inbox goes on under a new one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeId(pub [u8; 16]);

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A text is no [`NodeId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidNode;

impl fmt::Display for InvalidNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be 32 hexadecimal digits")
    }
}

impl FromStr for NodeId {
    type Err = InvalidNode;

    fn from_str(text: &str) -> Result<Self, InvalidNode> {
        let digits = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let bits = u128::from_str_radix(text, 16).ok().filter(|_| digits && text.len() == 32);
        bits.map(|bits| Self(bits.to_be_bytes())).ok_or(InvalidNode)
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_written_in_hexadecimal() {
        let node = NodeId([0x0f, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xff]);
        assert_eq!(node.to_string(), "0f0102030405060708090a0b0c0d0eff");
        assert_eq!(node.to_string().parse(), Ok(node));
        for wrong in ["", "0f", "+f0102030405060708090a0b0c0d0eff", "zz0102030405060708090a0b0c0d0eff"] {
            assert_eq!(wrong.parse::<NodeId>(), Err(InvalidNode), "{wrong}");
        }
    }
}
