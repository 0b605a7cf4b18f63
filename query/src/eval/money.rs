//! The values of events by currency. Currencies are never added up.
use headwater_core::{Estimate, Numbers};

use crate::sum::Sampled;

/// Values by currency; the empty one is of those that are no money.
#[derive(Clone, Debug, Default)]
pub(crate) struct Money {
    by_currency: Vec<(String, Valued)>,
}

/// Values of one currency, or of none.
#[derive(Clone, Debug)]
pub(super) struct Valued {
    /// What was found.
    pub(super) numbers: Numbers,
    /// Whether all of it was found for certain.
    certain: (f64, f64),
    count: Sampled,
    sum: Sampled,
    open: Open,
}

/// The visitors of the bucket that is being added.
#[derive(Clone, Copy, Debug)]
struct Open {
    place: (u32, u32),
    p: f64,
    own: (f64, f64),
    found: (f64, f64),
    squares: (f64, f64),
}

impl Default for Open {
    fn default() -> Self {
        Self { place: (u32::MAX, u32::MAX), p: 1.0, own: (0.0, 0.0), found: (0.0, 0.0), squares: (0.0, 0.0) }
    }
}

/// Where values come from.
#[derive(Clone, Copy, Debug)]
pub(super) enum From {
    /// Tallies, which know everything.
    Everyone,
    /// A visitor of a bucket, in a sample of the share `p`.
    One {
        /// Number of the bucket.
        bucket: u32,
        /// Place of the visitor in it.
        visitor: u32,
        /// The sample's share.
        p: f64,
    },
}

impl Money {
    pub(super) fn add(&mut self, currency: &str, numbers: &Numbers, from: From) {
        let at = self.by_currency.iter().position(|c| c.0 == currency);
        if let Some((_, valued)) = at.and_then(|at| self.by_currency.get_mut(at)) {
            valued.numbers.add(numbers);
            valued.weigh(numbers, from);
        } else {
            let mut valued = Valued {
                numbers: numbers.clone(),
                certain: (0.0, 0.0),
                count: Sampled::default(),
                sum: Sampled::default(),
                open: Open::default(),
            };
            valued.weigh(numbers, from);
            self.by_currency.push((currency.to_owned(), valued));
        }
    }

    /// Ends a unit.
    pub(crate) fn settle(&mut self) {
        for (_, valued) in &mut self.by_currency {
            valued.close();
            valued.count.settle();
            valued.sum.settle();
        }
    }

    /// The values, if they are of one currency; the name is empty where they are no money.
    pub(super) fn only(&self) -> Option<(&str, &Valued)> {
        match self.by_currency.as_slice() {
            [(currency, valued)] => Some((currency, valued)),
            _ => None,
        }
    }

    /// The amounts of money, if there is one currency among the values.
    pub(super) fn amount(&self) -> Option<(&str, &Valued)> {
        let mut money = self.by_currency.iter().filter(|c| !c.0.is_empty());
        let one = money.next()?;
        money.next().is_none().then_some((&*one.0, &one.1))
    }
}

impl Valued {
    fn weigh(&mut self, numbers: &Numbers, from: From) {
        let (count, sum) = (numbers.count as f64, numbers.sum as f64 / 1e6);
        match from {
            From::One { bucket, visitor, p } if p < 1.0 => {
                if self.open.place != (bucket, visitor) {
                    if self.open.place.0 != bucket {
                        self.close();
                    }
                    self.open = Open { place: (bucket, visitor), p, own: (0.0, 0.0), ..self.open };
                }
                let Open { own, found, squares, .. } = &mut self.open;
                found.0 += count;
                found.1 += sum;
                squares.0 += (own.0 + count).powi(2) - own.0.powi(2);
                squares.1 += (own.1 + sum).powi(2) - own.1.powi(2);
                *own = (own.0 + count, own.1 + sum);
            }
            _ => self.certain = (self.certain.0 + count, self.certain.1 + sum),
        }
    }

    /// Ends a bucket.
    fn close(&mut self) {
        let Open { p, found, squares, .. } = std::mem::take(&mut self.open);
        if found.0 > 0.0 {
            self.count.add(found.0, squares.0, p);
            self.sum.add(found.1, squares.1, p);
        }
    }

    /// How many values there are; `p` is the share of the smallest sample.
    pub(super) fn count(&self, p: f64) -> Estimate {
        self.count.estimate(self.certain.0, p)
    }

    /// What they sum up to, in units.
    pub(super) fn sum(&self, p: f64) -> Estimate {
        self.sum.estimate(self.certain.1, p)
    }

    /// How many independent values are as telling as those that were found.
    pub(super) fn effective(&self) -> f64 {
        self.certain.0 + self.count.effective()
    }
}
