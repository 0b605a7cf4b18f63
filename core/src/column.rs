//! Columns: numbers of one kind, as narrow as the greatest of them allows. What stands in a column is small in memory,
//! quick to look through, and compresses well, because like stands beside like.

/// Numbers in 0, 1, 2, 4 or 8 bytes each. Of equal numbers there is one form only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// So many times the same number.
    Same(u64, usize),
    /// A byte each.
    U8(Box<[u8]>),
    /// Two bytes each.
    U16(Box<[u16]>),
    /// Four bytes each.
    U32(Box<[u32]>),
    /// Eight bytes each.
    U64(Box<[u64]>),
}

impl Default for Column {
    fn default() -> Self {
        Self::Same(0, 0)
    }
}

impl Column {
    /// From numbers.
    pub(crate) fn new<T: Copy + Into<u64>>(numbers: &[T]) -> Self {
        let numbers = || numbers.iter().map(|n| (*n).into());
        let first = numbers().next().unwrap_or(0);
        let (mut all, mut same) = (0u64, true);
        for number in numbers() {
            all |= number;
            same &= number == first;
        }
        match width(all) {
            _ if same => Self::Same(first, numbers().count()),
            1 => Self::U8(numbers().map(|n| n as u8).collect()),
            2 => Self::U16(numbers().map(|n| n as u16).collect()),
            3..=4 => Self::U32(numbers().map(|n| n as u32).collect()),
            _ => Self::U64(numbers().collect()),
        }
    }

    /// How many numbers there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        match self {
            Self::Same(_, len) => *len,
            Self::U8(numbers) => numbers.len(),
            Self::U16(numbers) => numbers.len(),
            Self::U32(numbers) => numbers.len(),
            Self::U64(numbers) => numbers.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number at a place; 0 past the end.
    #[inline]
    #[must_use]
    pub fn get(&self, at: usize) -> u64 {
        match self {
            Self::Same(number, len) if at < *len => *number,
            Self::Same(..) => 0,
            Self::U8(numbers) => numbers.get(at).map_or(0, |n| u64::from(*n)),
            Self::U16(numbers) => numbers.get(at).map_or(0, |n| u64::from(*n)),
            Self::U32(numbers) => numbers.get(at).map_or(0, |n| u64::from(*n)),
            Self::U64(numbers) => numbers.get(at).copied().unwrap_or(0),
        }
    }

    /// All numbers in order. The width is looked at once, so that the loop over them is tight.
    #[inline]
    pub fn each(&self, mut each: impl FnMut(u64)) {
        match self {
            Self::Same(number, len) => (0..*len).for_each(|_| each(*number)),
            Self::U8(numbers) => numbers.iter().for_each(|n| each(u64::from(*n))),
            Self::U16(numbers) => numbers.iter().for_each(|n| each(u64::from(*n))),
            Self::U32(numbers) => numbers.iter().for_each(|n| each(u64::from(*n))),
            Self::U64(numbers) => numbers.iter().for_each(|n| each(*n)),
        }
    }

    /// The places of the numbers that a table marks, in order.
    pub fn each_in(&self, table: &[bool], mut each: impl FnMut(usize)) {
        let marked = |number: usize| table.get(number).copied().unwrap_or(false);
        match self {
            Self::Same(number, len) if marked(*number as usize) => (0..*len).for_each(each),
            Self::Same(..) => {}
            Self::U8(numbers) => (0..).zip(numbers).filter(|(_, n)| marked(usize::from(**n))).for_each(|(at, _)| each(at)),
            Self::U16(numbers) => (0..).zip(numbers).filter(|(_, n)| marked(usize::from(**n))).for_each(|(at, _)| each(at)),
            Self::U32(numbers) => (0..).zip(numbers).filter(|(_, n)| marked(**n as usize)).for_each(|(at, _)| each(at)),
            Self::U64(numbers) => (0..).zip(numbers).filter(|(_, n)| marked(**n as usize)).for_each(|(at, _)| each(at)),
        }
    }

    /// What a table says of each number; nothing where the table ends.
    #[must_use]
    pub fn looked_up<T: Copy + Default>(&self, table: &[T]) -> Vec<T> {
        let mut found = Vec::with_capacity(self.len());
        self.each(|number| found.push(table.get(number as usize).copied().unwrap_or_default()));
        found
    }

    /// The sum; `None` if it is too large.
    pub(crate) fn sum(&self) -> Option<u64> {
        if let Self::Same(number, len) = self {
            return number.checked_mul(*len as u64);
        }
        let mut sum = Some(0u64);
        self.each(|number| sum = sum.and_then(|sum| sum.checked_add(number)));
        sum
    }

    /// Whether every number is below a limit.
    pub(crate) fn is_below(&self, limit: u64) -> bool {
        let mut most = 0;
        match self {
            Self::Same(number, len) => most = if *len == 0 { 0 } else { *number },
            _ => self.each(|number| most = most.max(number)),
        }
        self.is_empty() || most < limit
    }

    /// Of places that have one before them, keeps those that hold the same number as that one; `false` if any holds less.
    pub(crate) fn keep_ties(&self, places: &mut Vec<u32>) -> bool {
        fn keep<T: Copy + Ord>(numbers: &[T], places: &mut Vec<u32>) -> bool {
            let mut ascending = true;
            places.retain(|place| {
                let two = (*place as usize).checked_sub(1).and_then(|before| numbers.get(before..before + 2));
                ascending &= two.is_none_or(|two| two[0] <= two[1]);
                two.is_some_and(|two| two[0] == two[1])
            });
            ascending
        }
        match self {
            Self::Same(..) => true,
            Self::U8(numbers) => keep(numbers, places),
            Self::U16(numbers) => keep(numbers, places),
            Self::U32(numbers) => keep(numbers, places),
            Self::U64(numbers) => keep(numbers, places),
        }
    }

    /// Whether it takes a byte or more for each number, so that it is as long as its bytes are many.
    pub(crate) const fn is_laid_out(&self) -> bool {
        !matches!(self, Self::Same(..))
    }

    /// About how many bytes it takes in memory.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        match self {
            Self::Same(..) => 0,
            Self::U8(numbers) => numbers.len(),
            Self::U16(numbers) => numbers.len() * 2,
            Self::U32(numbers) => numbers.len() * 4,
            Self::U64(numbers) => numbers.len() * 8,
        }
    }

    /// What is written of it in front: how many bytes a number has, 1 to 8; or if all are the same number, 0 for 0 and 8
    /// more than the number for another.
    pub(crate) fn shape(&self) -> u128 {
        let mut most = 0;
        match self {
            Self::Same(0, _) => return 0,
            Self::Same(number, _) => return u128::from(*number) + 8,
            _ => self.each(|number| most |= number),
        }
        width(most) as u128
    }

    /// Writes the lowest byte of all numbers, then the next higher of all. In planes, because the higher bytes of numbers
    /// are more alike than their neighbours. Notes where each plane begins.
    pub(crate) fn write(&self, bytes: &mut Vec<u8>, cuts: &mut Vec<usize>) {
        if !self.is_laid_out() {
            return;
        }
        for plane in 0..self.shape() {
            cuts.push(bytes.len());
            self.each(|number| bytes.push((number >> (8 * plane)) as u8));
        }
    }

    /// Reads so many numbers from the front of `bytes`; `None` unless they are exactly what would be written.
    pub(crate) fn read(shape: u128, len: usize, bytes: &mut &[u8]) -> Option<Self> {
        let width = match shape {
            0 => return Some(Self::Same(0, len)),
            1..=8 if len > 1 => shape as usize,
            1..=8 => return None,
            _ => return u64::try_from(shape - 8).ok().filter(|_| len > 0).map(|number| Self::Same(number, len)),
        };
        let (own, rest) = bytes.split_at_checked(width.checked_mul(len)?)?;
        *bytes = rest;
        let planes: Vec<&[u8]> = own.chunks_exact(len).collect();
        let same = planes.iter().all(|plane| plane.iter().all(|byte| *byte == plane[0]));
        let narrow = width > 1 && planes.last().is_some_and(|top| top.iter().all(|byte| *byte == 0));
        if same || narrow {
            return None;
        }
        Some(match width {
            1 => Self::U8(own.into()),
            2 => Self::U16(planes[0].iter().zip(planes[1]).map(|(low, high)| u16::from_le_bytes([*low, *high])).collect()),
            3..=4 => {
                let mut numbers = vec![0u32; len].into_boxed_slice();
                for (plane, bytes) in planes.iter().enumerate() {
                    numbers.iter_mut().zip(*bytes).for_each(|(number, byte)| *number |= u32::from(*byte) << (8 * plane));
                }
                Self::U32(numbers)
            }
            _ => {
                let mut numbers = vec![0u64; len].into_boxed_slice();
                for (plane, bytes) in planes.iter().enumerate() {
                    numbers.iter_mut().zip(*bytes).for_each(|(number, byte)| *number |= u64::from(*byte) << (8 * plane));
                }
                Self::U64(numbers)
            }
        })
    }
}

/// How many bytes a number takes.
fn width(number: u64) -> usize {
    (8 - number.leading_zeros() as usize / 8).max(1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a test fails by panicking
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_and_nothing_else_is(
            numbers in proptest::collection::vec(prop_oneof![Just(0u64), 0..4u64, 0..70_000u64, any::<u64>()], 0..40),
            noise in proptest::collection::vec(any::<u8>(), 0..20),
        ) {
            let column = Column::new(&numbers);
            prop_assert_eq!(column.len(), numbers.len());
            for (at, number) in numbers.iter().enumerate() {
                prop_assert_eq!(column.get(at), *number);
            }
            let mut all = Vec::new();
            column.each(|number| all.push(number));
            prop_assert_eq!(&all, &numbers);
            let (shape, planes) = written(&column);
            prop_assert_eq!(read(shape, numbers.len(), &planes), Some(column));
            // Each content has one form: what else can be read is written as it was read.
            for bytes in [noise, [&planes[..], &[0]].concat(), planes[..planes.len().saturating_sub(1)].to_vec()] {
                for (shape, len) in (0..10).flat_map(|shape| (0..6).map(move |len| (shape, len))) {
                    if let Some(column) = read(shape, len, &bytes) {
                        prop_assert_eq!(written(&column), (shape, bytes.clone()));
                        let mut numbers = Vec::new();
                        column.each(|number| numbers.push(number));
                        prop_assert_eq!(Column::new(&numbers), column);
                    }
                }
            }
        }
    }

    fn written(column: &Column) -> (u128, Vec<u8>) {
        let mut bytes = Vec::new();
        column.write(&mut bytes, &mut Vec::new());
        (column.shape(), bytes)
    }

    fn read(shape: u128, len: usize, mut bytes: &[u8]) -> Option<Column> {
        Column::read(shape, len, &mut bytes).filter(|_| bytes.is_empty())
    }

    #[test]
    fn a_column_is_as_wide_as_its_greatest_number() {
        assert_eq!(Column::new(&[7u32, 7]), Column::Same(7, 2));
        assert_eq!(Column::new(&[0u32, 255]).bytes(), 2);
        assert_eq!(Column::new(&[0u32, 256]).bytes(), 4);
        assert_eq!(Column::new(&[0u32, 1 << 16]).bytes(), 8);
        assert_eq!(Column::new(&[0u64, 1 << 32]).bytes(), 16);
        assert_eq!(written(&Column::new(&[1u64, 0x1_0203])), (3, vec![1, 3, 0, 2, 0, 1]));
        assert_eq!(written(&Column::new(&[300u64, 300])), (308, vec![]));
        assert_eq!(written(&Column::new(&[u64::MAX])), (u128::from(u64::MAX) + 8, vec![]));
    }
}
