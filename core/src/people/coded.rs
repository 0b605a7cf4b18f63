//! Strings of one dimension, numbered among themselves: most dimensions have few values, so a byte each is enough.
use crate::{Column, StrId};

/// A column of strings: the distinct ones, and for each row which it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coded {
    /// Ascending; each is somewhere in the rows.
    pub values: Box<[StrId]>,
    /// Of each row the place in the values.
    pub codes: Column,
}

impl Coded {
    /// From the strings of all rows.
    pub(crate) fn new(rows: &[u32]) -> Self {
        let mut values = rows.to_vec();
        values.sort_unstable();
        values.dedup();
        let code = |id: &u32| values.binary_search(id).unwrap_or(0) as u32;
        let codes = Column::new(&rows.iter().map(code).collect::<Vec<u32>>());
        Self { values: values.into_iter().map(StrId).collect(), codes }
    }

    /// The string of a row.
    #[must_use]
    pub fn get(&self, row: usize) -> StrId {
        self.values.get(self.codes.get(row) as usize).copied().unwrap_or(StrId(0))
    }

    /// What is found about the string of each row; asked once for each distinct string.
    #[must_use]
    pub fn map<T: Copy + Default>(&self, find: impl FnMut(StrId) -> T) -> Vec<T> {
        self.codes.looked_up(&self.values.iter().copied().map(find).collect::<Vec<T>>())
    }

    /// Whether each value occurs, and nothing else does.
    pub(crate) fn is_whole(&self) -> bool {
        let mut used = vec![false; self.values.len()];
        let mut known = true;
        if let Column::Same(code, _) = self.codes {
            return self.codes.is_empty() == self.values.is_empty() && code == 0 && self.values.len() < 2;
        }
        self.codes.each(|code| match used.get_mut(code as usize) {
            Some(used) => *used = true,
            None => known = false,
        });
        known && used.into_iter().all(|used| used)
    }
}
