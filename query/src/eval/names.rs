//! Names: the values of a site's rows, numbered once for all its buckets. Buckets have mostly the same values; with numbers, to
//! find the row of an answer that a value belongs to is a look into a table, and no text is compared.
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;

/// Numbers of texts, shared by the [lenses](super::Lens) of a site's buckets. They only become more.
#[derive(Debug, Default)]
pub struct Names(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    numbers: HashMap<Box<str>, u32, RandomState>,
    text: usize,
}

impl Names {
    /// The numbers of texts.
    pub(super) fn numbers<'t>(&self, texts: impl Iterator<Item = &'t str>) -> Box<[u32]> {
        let mut known = self.lock();
        let Known { numbers, text: length } = &mut *known;
        let number = |text: &str| match numbers.get(text) {
            Some(number) => *number,
            None => {
                let next = numbers.len() as u32;
                numbers.insert(text.into(), next);
                *length += text.len();
                next
            }
        };
        texts.map(number).collect()
    }

    /// About how many bytes they take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let known = self.lock();
        known.text + known.numbers.len() * 40
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
