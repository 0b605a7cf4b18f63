//! Chains of items in one vector, newest first: a busy minute has a million of them, each of one or two items, and none
//! needs memory of its own.
use core::num::NonZeroU32;

/// Where an item stands, or nowhere: the end of a chain.
pub(crate) type Link = Option<NonZeroU32>;

/// Items, each with the one before it in its chain.
pub(crate) struct Chains<T>(Vec<(T, Link)>);

impl<T> Chains<T> {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds an item to the chain that ends at `last`; the chain then ends at the returned link.
    pub(crate) fn push(&mut self, item: T, last: Link) -> Link {
        self.0.push((item, last));
        NonZeroU32::new(self.0.len() as u32) // 2^32 items would not fit in the memory of an edge
    }

    /// The item at `link`.
    pub(crate) fn get_mut(&mut self, link: NonZeroU32) -> Option<&mut T> {
        self.0.get_mut(place(link)).map(|item| &mut item.0)
    }

    /// The items of the chain that ends at `last`, newest first, with where they stand.
    pub(crate) fn walk(&self, last: Link) -> Walk<'_, T> {
        Walk { chains: &self.0, next: last }
    }
}

const fn place(link: NonZeroU32) -> usize {
    link.get() as usize - 1
}

/// See [`Chains::walk`].
pub(crate) struct Walk<'a, T> {
    chains: &'a [(T, Link)],
    next: Link,
}

impl<T> Clone for Walk<'_, T> {
    fn clone(&self) -> Self {
        Self { chains: self.chains, next: self.next }
    }
}

impl<'a, T> Iterator for Walk<'a, T> {
    type Item = (NonZeroU32, &'a T);

    fn next(&mut self) -> Option<Self::Item> {
        let link = self.next?;
        let (item, before) = self.chains.get(place(link))?;
        self.next = *before;
        Some((link, item))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_grow_side_by_side() {
        let mut chains = Chains::new();
        let (mut even, mut odd) = (None, None);
        for n in 0..6 {
            let last = if n % 2 == 0 { &mut even } else { &mut odd };
            *last = chains.push(n, *last);
        }
        *chains.get_mut(odd.unwrap()).unwrap() = 50;
        let items = |last| chains.walk(last).map(|(_, n)| *n).collect::<Vec<_>>();
        assert_eq!((items(even), items(odd), items(None)), (vec![4, 2, 0], vec![50, 3, 1], vec![]));
    }
}
