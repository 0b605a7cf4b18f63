//! Dictionaries: the strings of an aggregate, each once, sorted bytewise. Because ids follow the order of the strings,
//! whatever is sorted by id is sorted by string, and equal content has equal bytes however it came about.
use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::Column;

/// The most text that is read, in bytes: strings that claim to share much must not fill the memory.
const MAX_TEXT: usize = 1 << 28;

/// A string of a [`Dict`]. 0 is always the empty string.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StrId(pub u32);

impl StrId {
    /// The index into a table that has an entry for each string.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Sorted distinct strings in one allocation; the first is the empty string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dict {
    text: String,
    ends: Vec<u32>,
}

impl Default for Dict {
    fn default() -> Self {
        Self { text: String::new(), ends: vec![0] }
    }
}

impl Dict {
    /// From strings in ascending order without repetition; the empty string is added in front when it is not there.
    pub(crate) fn from_sorted<'a>(strings: impl IntoIterator<Item = &'a str>) -> Self {
        let mut dict = Self::default();
        for string in strings {
            if !string.is_empty() {
                dict.text.push_str(string);
                dict.ends.push(dict.text.len() as u32);
            }
        }
        dict
    }

    /// The string, empty for an id that is not there.
    #[must_use]
    pub fn get(&self, id: StrId) -> &str {
        let end = self.ends.get(id.index()).copied().unwrap_or(0) as usize;
        let start = id.index().checked_sub(1).and_then(|i| self.ends.get(i)).map_or(0, |&s| s as usize);
        self.text.get(start..end).unwrap_or("")
    }

    /// The id of a string, if it is there. Logarithmic.
    #[must_use]
    pub fn find(&self, string: &str) -> Option<StrId> {
        let (mut low, mut high) = (0, self.ends.len());
        while low < high {
            let middle = (low + high) / 2;
            match self.get(StrId(middle as u32)).cmp(string) {
                core::cmp::Ordering::Less => low = middle + 1,
                core::cmp::Ordering::Greater => high = middle,
                core::cmp::Ordering::Equal => return Some(StrId(middle as u32)),
            }
        }
        None
    }

    /// How many strings, the empty one included.
    #[must_use]
    #[allow(clippy::len_without_is_empty)] // it is never empty
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// About how many bytes it takes in memory.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.text.len() + self.ends.len() * 4
    }

    /// Every string in order, with its id.
    pub fn iter(&self) -> impl Iterator<Item = (StrId, &str)> {
        (0..self.ends.len() as u32).map(|i| (StrId(i), self.get(StrId(i))))
    }

    /// The union of dictionaries, and for each a table from its ids to those of the union.
    pub(crate) fn union(dicts: &[&Self]) -> (Self, Vec<Vec<StrId>>) {
        let mut all: Vec<(&str, u32, u32)> = Vec::with_capacity(dicts.iter().map(|d| d.len()).sum());
        for (d, dict) in dicts.iter().enumerate() {
            all.extend(dict.iter().map(|(id, s)| (s, d as u32, id.0)));
        }
        // Each dictionary is a sorted run, which the stable sort merges instead of sorting anew.
        all.sort_by(|a, b| a.0.cmp(b.0));
        let mut maps: Vec<Vec<StrId>> = dicts.iter().map(|d| vec![StrId(0); d.len()]).collect();
        let mut union = Self::default();
        let mut last = "";
        for (string, d, id) in all {
            if string != last {
                union.text.push_str(string);
                union.ends.push(union.text.len() as u32);
                last = string;
            }
            maps[d as usize][id as usize] = StrId(union.ends.len() as u32 - 1);
        }
        (union, maps)
    }

    /// This dictionary with only the strings marked in `used`, and a table from old ids to new ones.
    pub(crate) fn pruned(&self, used: &[bool]) -> (Self, Vec<StrId>) {
        let mut map = vec![StrId(0); self.len()];
        let mut kept = Self::default();
        for (id, string) in self.iter().skip(1) {
            if used[id.index()] {
                kept.text.push_str(string);
                kept.ends.push(kept.text.len() as u32);
                map[id.index()] = StrId(kept.ends.len() as u32 - 1);
            }
        }
        (kept, map)
    }

    /// The form on the wire, of the strings after the empty one: how many bytes each shares with the one before, in whole
    /// characters; how many follow; and all that follows. Paths in order share most of what they are.
    pub(crate) fn columns(&self) -> (Column, Column, String) {
        let (mut shared, mut lengths, mut rest) = (Vec::with_capacity(self.len()), Vec::with_capacity(self.len()), String::new());
        let mut last = "";
        for (_, string) in self.iter().skip(1) {
            let mut same = last.bytes().zip(string.bytes()).take_while(|(a, b)| a == b).count();
            while !string.is_char_boundary(same) {
                same -= 1;
            }
            shared.push(same as u32);
            lengths.push((string.len() - same) as u32);
            rest.push_str(&string[same..]);
            last = string;
        }
        (Column::new(&shared), Column::new(&lengths), rest)
    }

    /// From the form on the wire; `None` unless the strings are sorted, distinct and not empty, and share what they can.
    pub(crate) fn from_columns(shared: &Column, lengths: &Column, rest: &str) -> Option<Self> {
        let mut dict = Self { text: String::with_capacity(rest.len()), ends: Vec::with_capacity(lengths.len() + 1) };
        dict.ends.push(0);
        let (mut start, mut at) = (0, 0usize);
        for string in 0..lengths.len() {
            let (same, end) = (shared.get(string) as usize, at.checked_add(lengths.get(string) as usize)?);
            let (last, own) = (dict.text.get(start..)?, rest.get(at..end)?);
            // The order of characters is that of their bytes.
            if last.get(same..)?.chars().next() >= own.chars().next() {
                return None;
            }
            let before = std::mem::replace(&mut start, dict.text.len());
            if start + same + own.len() > MAX_TEXT {
                return None;
            }
            dict.text.extend_from_within(before..before + same);
            dict.text.push_str(own);
            dict.ends.push(dict.text.len() as u32);
            at = end;
        }
        (at == rest.len()).then_some(dict)
    }
}

/// Gathers strings in any order; ids are in order of arrival until [`Interner::sorted`], that of the empty string is 0.
pub(crate) struct Interner {
    ids: HashMap<Box<str>, u32, RandomState>,
}

/// The string that came last in one place: hosts and names often repeat, and comparing is quicker than looking up.
#[derive(Default)]
pub(crate) struct Last {
    string: String,
    id: u32,
}

impl Interner {
    pub(crate) fn new() -> Self {
        Self { ids: HashMap::from_iter([(Box::default(), 0)]) }
    }

    /// The id of a string in a place where `last` came before.
    pub(crate) fn id_after(&mut self, last: &mut Last, string: &str) -> u32 {
        if last.string != string {
            last.id = self.id(string);
            last.string.clear();
            last.string.push_str(string);
        }
        last.id
    }

    pub(crate) fn id(&mut self, string: &str) -> u32 {
        if string.is_empty() {
            return 0;
        }
        if let Some(&id) = self.ids.get(string) {
            return id;
        }
        let id = self.ids.len() as u32;
        self.ids.insert(string.into(), id);
        id
    }

    /// The dictionary, and a table from the ids given out to its ids.
    pub(crate) fn sorted(&self) -> (Dict, Vec<StrId>) {
        let mut strings: Vec<(&str, u32)> = self.ids.iter().map(|(s, &i)| (&**s, i)).collect();
        strings.sort_unstable();
        let dict = Dict::from_sorted(strings.iter().map(|(s, _)| *s));
        let mut map = vec![StrId(0); strings.len()];
        let mut next = 1;
        for (string, id) in strings {
            if !string.is_empty() {
                map[id as usize] = StrId(next);
                next += 1;
            }
        }
        (dict, map)
    }
}

/// A hash of a string that is the same on every machine and in every run: FNV-1a (Fowler, Noll, Vo) with the finaliser
/// of SplitMix64 (Steele, Lea, Flood 2014). It decides which of too many things are kept, so it must never change.
pub(crate) fn stable_hash(seed: u64, bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325 ^ seed;
    for &byte in bytes {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn strings_are_read_as_they_were_written_and_in_no_other_form(
            strings in proptest::collection::btree_set("[/aé\u{e8}€\u{20ad}😀]{1,6}", 0..20),
            (at, more) in (0..20usize, 0..3u32),
        ) {
            let dict = Dict::from_sorted(strings.iter().map(String::as_str));
            let (shared, lengths, rest) = dict.columns();
            prop_assert_eq!(Dict::from_columns(&shared, &lengths, &rest), Some(dict.clone()));
            // Whoever shares other than what he can is refused, or has written other strings.
            let mut other: Vec<u64> = (0..shared.len()).map(|i| shared.get(i)).collect();
            if let Some(length) = other.get_mut(at) {
                *length = length.saturating_add(more.into()).saturating_sub(1);
                let same = *length == shared.get(at);
                let read = Dict::from_columns(&Column::new(&other), &lengths, &rest);
                prop_assert_eq!(read == Some(dict), same);
                if let Some(read) = read {
                    prop_assert_eq!(read.columns(), (Column::new(&other), lengths, rest));
                }
            }
        }
    }

    #[test]
    fn paths_share_what_they_begin_with() {
        let dict = Dict::from_sorted(["/blog", "/blog/é", "/blog/ü", "/docs"]);
        let (shared, lengths, rest) = dict.columns();
        assert_eq!((shared, lengths), (Column::new(&[0u32, 5, 6, 1]), Column::new(&[5u32, 3, 2, 4])));
        assert_eq!(rest, "/blog/éüdocs");
    }
}
