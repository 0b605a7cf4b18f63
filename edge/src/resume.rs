//! How an inbox goes on after a start. It may be older than it looks: restored from a backup, while what it held then was
//! folded and delivered long ago. So it first asks its collector what was applied for its node; before that it takes events
//! in, but folds and sends nothing.
use serde::{Deserialize, Serialize};

/// The last batch of a node that was applied, as the collector remembers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// Its number.
    pub seq: u64,
    /// The end of its range.
    pub position: u64,
    /// Its [`digest`].
    pub digest: [u8; 16],
}

/// What tells one batch from another of the same number: the beginning of its BLAKE3.
#[must_use]
pub fn digest(batch: &[u8]) -> [u8; 16] {
    let hash = blake3::hash(batch);
    let mut digest = [0; 16];
    digest.copy_from_slice(&hash.as_bytes()[..16]);
    digest
}

/// How an inbox was found at a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The number of the last batch that it made.
    pub seq: u64,
    /// The [`digest`] of the batch under way, if there is one; its number is `seq`.
    pub under_way: Option<[u8; 16]>,
}

/// How to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resume {
    /// As if nothing had happened: what is under way is sent (again), and so on.
    GoOn,
    /// It was restored: of the records that were there at the start, those up to this position were delivered by its
    /// earlier life and are to be dropped, with the batch under way; the rest is folded anew, under a new node.
    Restored(u64),
}

/// Decides. `applied` is the collector's answer, `None` if it knows nothing of the node.
#[must_use]
pub fn resume(found: Found, applied: Option<Applied>) -> Resume {
    match applied {
        // The collector is ahead, which it can't be of an inbox that remembers all it did.
        Some(applied) if applied.seq > found.seq => Resume::Restored(applied.position),
        // The same number, but made of something else: two lives went on from one backup.
        Some(applied) if applied.seq == found.seq && found.under_way.is_some_and(|mine| mine != applied.digest) => {
            Resume::Restored(applied.position)
        }
        _ => Resume::GoOn,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(seq: u64, batch: &[u8]) -> Option<Applied> {
        Some(Applied { seq, position: 10 * seq, digest: digest(batch) })
    }

    #[test]
    fn an_inbox_that_is_what_it_was_goes_on() {
        let at = |seq, under_way: Option<&[u8]>| Found { seq, under_way: under_way.map(digest) };
        assert_eq!(resume(at(0, None), None), Resume::GoOn);
        assert_eq!(resume(at(3, None), applied(3, b"c")), Resume::GoOn);
        assert_eq!(resume(at(3, Some(b"c")), applied(2, b"b")), Resume::GoOn, "never arrived");
        assert_eq!(resume(at(3, Some(b"c")), applied(3, b"c")), Resume::GoOn, "arrived, but the answer was lost");
        // A collector that was itself restored knows less: its edges have to go on.
        assert_eq!(resume(at(9, None), applied(3, b"c")), Resume::GoOn);
        assert_eq!(resume(at(9, None), None), Resume::GoOn);
    }

    #[test]
    fn an_inbox_from_an_older_backup_drops_what_was_delivered() {
        let at = |seq, under_way: Option<&[u8]>| Found { seq, under_way: under_way.map(digest) };
        assert_eq!(resume(at(3, None), applied(7, b"g")), Resume::Restored(70));
        assert_eq!(resume(at(3, Some(b"c")), applied(7, b"g")), Resume::Restored(70));
        assert_eq!(resume(at(3, Some(b"c")), applied(3, b"other")), Resume::Restored(30));
    }
}
