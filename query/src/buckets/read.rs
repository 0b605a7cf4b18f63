//! Reads what is written of buckets. By hand: the page that merges them would otherwise carry words about every way in which bytes can be wrong.
use headwater_core::{Estimate, Grain, Minute};

use super::{Bucketed, Buckets, Found, Sheet, TimeRow};
use crate::Dimension;

/// Bytes that are read from the front. `None` is whatever can't be read.
pub(super) struct Reader<'b>(pub(super) &'b [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    /// A varint of at most 64 bits.
    pub(super) fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = self.take()?;
            let bits = u64::from(byte & 0x7f);
            // The tenth byte has room for one bit only.
            if shift == 63 && bits > 1 {
                return None;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn small(&mut self) -> Option<u32> {
        u32::try_from(self.number()?).ok()
    }

    fn minute(&mut self) -> Option<Minute> {
        self.small().map(Minute)
    }

    fn flag(&mut self) -> Option<bool> {
        match self.take()? {
            [0] => Some(false),
            [1] => Some(true),
            _ => None,
        }
    }

    fn maybe<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        if self.flag()? { read(self).map(Some) } else { Some(None) }
    }

    /// A sequence. Room is made as it is read: a length may claim anything.
    pub(super) fn list<T>(&mut self, read: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut list = Vec::new();
        for _ in 0..self.number()? {
            list.push(read(self)?);
        }
        Some(list)
    }

    pub(super) fn text(&mut self) -> Option<String> {
        let length = usize::try_from(self.number()?).ok()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        core::str::from_utf8(text).ok().map(str::to_owned)
    }

    fn float(&mut self) -> Option<f64> {
        self.take().map(f64::from_le_bytes)
    }

    pub(super) fn estimate(&mut self) -> Option<Estimate> {
        Some(Estimate { value: self.float()?, low: self.float()?, high: self.float()? })
    }

    pub(super) fn dimension(&mut self) -> Option<Dimension> {
        Dimension::from_name(&self.text()?)
    }

    pub(super) fn buckets(&mut self) -> Option<Buckets> {
        let grain = *Grain::ALL.get(usize::try_from(self.number()?).ok()?)?;
        Some(Buckets {
            grain,
            unit: self.maybe(Self::text)?,
            whole: self.flag()?,
            rows: self.list(Self::row)?,
            sheets: self.list(Sheet::read)?,
            left_out: self.list(Self::dimension)?,
        })
    }

    fn row(&mut self) -> Option<TimeRow> {
        Some(TimeRow { label: self.text()?, window: self.minute()?, buckets: self.list(Self::bucket)? })
    }

    fn bucket(&mut self) -> Option<Bucketed> {
        let window = self.minute()?;
        let mut counts = [0; 7];
        for count in &mut counts {
            *count = self.number()?;
        }
        let visitors = Found { sampled: self.number()?, theta: self.number()?, sketched: self.maybe(Self::estimate)? };
        Some(Bucketed { window, counts, visitors })
    }
}
