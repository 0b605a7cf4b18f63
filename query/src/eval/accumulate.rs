//! Sums over buckets, with how sure they are.
use headwater_core::{Estimate, Numbers};

/// What is summed of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Events,
    Views,
    Engaged,
    Depth,
    Started,
    WentOn,
    /// The visits that a bounce rate is of.
    BounceStarted,
    /// Those of them that went on.
    BounceWentOn,
}

/// How many sums there are.
const SUMS: usize = 8;

/// What samples add to a sum that is otherwise certain.
///
/// Addends of one unit (an identity window) come from samples of the same people, so their errors are taken to go the
/// same way and add up; those of different units are independent and add in quadrature.
#[derive(Clone, Copy, Debug, Default)]
struct Sampled {
    value: f64,
    found: f64,
    /// Square of the error of finished units, and the error of the current one.
    variance: f64,
    error: f64,
}

/// Two-sided 95 % of the normal distribution.
const Z: f64 = 1.959_964;

/// The sum of two estimates whose errors are independent.
pub(super) fn plus(a: Estimate, b: Estimate) -> Estimate {
    if a.is_exact() && b.is_exact() {
        let value = a.value + b.value;
        return Estimate { value, low: value, high: value };
    }
    a.plus(b)
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
    certain: [u64; SUMS],
    sampled: Option<Box<[Sampled; SUMS]>>,
    pub(super) visitors: Estimate,
    pub(super) visits: Estimate,
    money: Option<Box<Money>>,
}

impl Default for Totals {
    fn default() -> Self {
        let none = Estimate::exact(0);
        Self { certain: [0; SUMS], sampled: None, visitors: none, visits: none, money: None }
    }
}

impl Totals {
    /// Adds a count that is certain.
    pub(super) fn add(&mut self, what: What, count: u64) {
        let sum = &mut self.certain[what as usize];
        *sum = sum.saturating_add(count);
    }

    /// Adds what a sample of the share `p` found: the sum of its visitors' counts, and the sum of their squares.
    pub(super) fn add_sampled(&mut self, what: What, count: u64, squares: f64, p: f64) {
        let sum = &mut self.sampled.get_or_insert_default()[what as usize];
        sum.value += count as f64 / p;
        sum.found += count as f64;
        // Horvitz and Thompson (1952), each visitor being in the sample with probability p.
        sum.error += (squares * (1.0 - p)).sqrt() / p;
    }

    /// Ends a unit.
    pub(super) fn settle(&mut self) {
        for sum in self.sampled.iter_mut().flat_map(|sums| sums.iter_mut()) {
            sum.variance += sum.error * sum.error;
            sum.error = 0.0;
        }
    }

    pub(super) fn value(&self, what: What) -> f64 {
        self.certain[what as usize] as f64 + self.sampled.as_ref().map_or(0.0, |sums| sums[what as usize].value)
    }

    pub(super) fn estimate(&self, what: What) -> Estimate {
        let certain = self.certain[what as usize];
        let Some(sums) = &self.sampled else { return Estimate::exact(certain) };
        let sum = sums[what as usize];
        let spread = Z * (sum.variance + sum.error * sum.error).sqrt();
        let value = certain as f64 + sum.value;
        Estimate { value, low: (value - spread).max(certain as f64 + sum.found), high: value + spread }
    }

    /// What was found for certain.
    pub(super) fn found(&self, what: What) -> f64 {
        self.certain[what as usize] as f64 + self.sampled.as_ref().map_or(0.0, |sums| sums[what as usize].found)
    }

    pub(super) fn money(&mut self) -> &mut Money {
        self.money.get_or_insert_default()
    }

    /// The values, if there are any.
    pub(super) fn values(&self) -> Option<&Money> {
        self.money.as_deref()
    }

    /// Whether anything happened that is shown.
    pub(super) fn is_shown(&self) -> bool {
        self.value(What::Events) > 0.0 || self.value(What::Started) > 0.0
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
