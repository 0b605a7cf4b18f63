//! Sums over buckets, with how sure they are.
use headwater_core::{Estimate, Numbers};

/// A sum of which each addend may be an estimate.
///
/// Addends of one unit (an identity window) come from samples of the same people, so their errors are taken to go the
/// same way and add up; those of different units are independent and add in quadrature.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sum {
    value: f64,
    /// Square of the error of finished units, and the error of the current one.
    variance: f64,
    error: f64,
    /// What was found for certain: the bounds do not go below it.
    found: f64,
}

/// Two-sided 95 % of the normal distribution.
const Z: f64 = 1.959_964;

impl Sum {
    /// Adds a count that is certain.
    pub(super) fn add(&mut self, count: u64) {
        self.value += count as f64;
        self.found += count as f64;
    }

    /// Adds what a sample of the share `p` found: the sum of its visitors' counts, and the sum of their squares.
    pub(super) fn add_sampled(&mut self, count: u64, squares: f64, p: f64) {
        self.value += count as f64 / p;
        self.found += count as f64;
        // Horvitz and Thompson (1952), each visitor being in the sample with probability p.
        self.error += (squares * (1.0 - p)).sqrt() / p;
    }

    /// Ends a unit.
    pub(super) fn settle(&mut self) {
        self.variance += self.error * self.error;
        self.error = 0.0;
    }

    pub(super) fn value(&self) -> f64 {
        self.value
    }

    /// What was found for certain.
    pub(super) fn found(&self) -> f64 {
        self.found
    }

    pub(super) fn estimate(&self) -> Estimate {
        let spread = Z * (self.variance + self.error * self.error).sqrt();
        Estimate { value: self.value, low: (self.value - spread).max(self.found), high: self.value + spread }
    }
}

/// Values by currency. Currencies are never added up.
#[derive(Clone, Debug, Default)]
pub(super) struct Money {
    by_currency: Vec<(String, Valued)>,
}

/// Values of one currency, or of none.
#[derive(Clone, Debug)]
pub(super) struct Valued {
    pub(super) numbers: Numbers,
    /// Sum in units and count, scaled up where only a sample is known.
    pub(super) sum: f64,
    pub(super) count: f64,
}

impl Money {
    pub(super) fn add(&mut self, currency: &str, numbers: &Numbers, p: f64) {
        let (sum, count) = (numbers.sum as f64 / 1e6 / p, numbers.count as f64 / p);
        match self.by_currency.iter_mut().find(|c| c.0 == currency) {
            Some((_, valued)) => {
                valued.numbers.add(numbers);
                valued.sum += sum;
                valued.count += count;
            }
            None => self.by_currency.push((currency.to_owned(), Valued { numbers: numbers.clone(), sum, count })),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_currency.is_empty()
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

/// Everything that is known of a row.
#[derive(Clone, Debug)]
pub(super) struct Totals {
    pub(super) events: Sum,
    pub(super) views: Sum,
    pub(super) engaged: Sum,
    pub(super) depth: Sum,
    pub(super) started: Sum,
    pub(super) went_on: Sum,
    /// The visits that a bounce rate is of, and those of them that went on.
    pub(super) bounce_started: Sum,
    pub(super) bounce_went_on: Sum,
    pub(super) visitors: Estimate,
    pub(super) visits: Estimate,
    pub(super) money: Money,
}

impl Default for Totals {
    fn default() -> Self {
        Self {
            events: Sum::default(),
            views: Sum::default(),
            engaged: Sum::default(),
            depth: Sum::default(),
            started: Sum::default(),
            went_on: Sum::default(),
            bounce_started: Sum::default(),
            bounce_went_on: Sum::default(),
            visitors: Estimate::exact(0),
            visits: Estimate::exact(0),
            money: Money::default(),
        }
    }
}

impl Totals {
    pub(super) fn settle(&mut self) {
        let sums = [
            &mut self.events, &mut self.views, &mut self.engaged, &mut self.depth, &mut self.started, &mut self.went_on,
            &mut self.bounce_started, &mut self.bounce_went_on,
        ];
        sums.into_iter().for_each(Sum::settle);
    }

    /// Whether anything happened that is shown.
    pub(super) fn is_shown(&self) -> bool {
        self.events.value() > 0.0 || self.started.value() > 0.0
    }
}

/// Totals by group, of which only those touched since the last `take` cost anything.
#[derive(Default)]
pub(super) struct Table {
    rows: Vec<Totals>,
    touched: Vec<bool>,
    order: Vec<u32>,
}

impl Table {
    pub(super) fn at(&mut self, group: u32) -> &mut Totals {
        let index = group as usize;
        if index >= self.rows.len() {
            self.rows.resize_with(index + 1, Totals::default);
            self.touched.resize(index + 1, false);
        }
        if !self.touched[index] {
            self.touched[index] = true;
            self.order.push(group);
        }
        &mut self.rows[index]
    }

    /// Ends a unit in every row.
    pub(super) fn settle(&mut self) {
        for &group in &self.order {
            self.rows[group as usize].settle();
        }
    }

    /// The rows that were touched; afterwards there are none.
    pub(super) fn take(&mut self) -> impl Iterator<Item = (u32, Totals)> {
        let order = std::mem::take(&mut self.order);
        order.into_iter().map(|group| {
            self.touched[group as usize] = false;
            (group, std::mem::take(&mut self.rows[group as usize]))
        })
    }
}
