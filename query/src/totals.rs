//! Sums over buckets, by row, with how sure they are.
use headwater_core::Estimate;

#[cfg(feature = "eval")]
use crate::eval::money::Money;
use crate::sum::Sampled;

/// What is summed of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
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
    /// Distinct visitors.
    Visitors,
    /// Distinct visits.
    Visits,
}

/// How many sums there are.
const SUMS: usize = 10;

/// Everything that is known of a row.
#[derive(Clone, Debug)]
pub(crate) struct Totals {
    certain: [u64; SUMS],
    #[cfg(feature = "eval")]
    imported: Option<Box<[u64; SUMS]>>,
    sampled: Option<Box<[Sampled; SUMS]>>,
    /// The smallest share of any sample that could have held more of this row; 1 if all hold everyone.
    share: f64,
    /// Whether anything happened that is shown, whatever is summed of it.
    #[cfg(feature = "eval")]
    shown: bool,
    #[cfg(feature = "eval")]
    money: Option<Box<Money>>,
}

impl Default for Totals {
    fn default() -> Self {
        Self {
            certain: [0; SUMS],
            #[cfg(feature = "eval")]
            imported: None,
            sampled: None,
            share: 1.0,
            #[cfg(feature = "eval")]
            shown: false,
            #[cfg(feature = "eval")]
            money: None,
        }
    }
}

impl Totals {
    /// Adds a count that is certain.
    pub(crate) fn add(&mut self, what: What, count: u64) {
        let sum = &mut self.certain[what as usize];
        *sum = sum.saturating_add(count);
    }

    /// What is no estimate: counted here, and elsewhere.
    fn sure(&self, what: What) -> f64 {
        let counted = self.certain[what as usize];
        #[cfg(feature = "eval")]
        let counted = counted.saturating_add(self.imported.as_ref().map_or(0, |sums| sums[what as usize]));
        counted as f64
    }

    /// Adds what a sample of the share `p` found: the sum of its visitors' counts, and the sum of their squares.
    pub(crate) fn add_found(&mut self, what: What, count: u64, squares: f64, p: f64) {
        if p >= 1.0 {
            self.add(what, count);
        } else {
            self.sampled.get_or_insert_default()[what as usize].add(count as f64, squares, p);
        }
    }

    /// Adds what a sketch says.
    pub(crate) fn add_sketched(&mut self, what: What, estimate: Estimate) {
        self.sampled.get_or_insert_default()[what as usize].add_sketched(estimate);
    }

    /// Ends a unit.
    pub(crate) fn settle(&mut self) {
        self.sampled.iter_mut().flat_map(|sums| sums.iter_mut()).for_each(Sampled::settle);
        #[cfg(feature = "eval")]
        if let Some(money) = &mut self.money {
            money.settle();
        }
    }

    pub(crate) fn value(&self, what: What) -> f64 {
        self.sure(what) + self.sampled.as_ref().map_or(0.0, |sums| sums[what as usize].value())
    }

    /// A sum that comes from samples, with its bounds.
    pub(crate) fn estimate(&self, what: What) -> Estimate {
        let sum = self.sampled.as_ref().map_or_else(Sampled::default, |sums| sums[what as usize]);
        sum.estimate(self.sure(what), self.share)
    }

    /// What was found for certain.
    pub(crate) fn found(&self, what: What) -> f64 {
        self.sure(what) + self.sampled.as_ref().map_or(0.0, |sums| sums[what as usize].found())
    }

    /// The sum of the squares of what each visitor in samples has.
    #[cfg(feature = "eval")]
    pub(crate) fn squares(&self, what: What) -> f64 {
        self.sampled.as_ref().map_or(0.0, |sums| sums[what as usize].squares())
    }

    /// The smallest share of any sample behind this row.
    pub(crate) const fn share(&self) -> f64 {
        self.share
    }

    /// Notes that the samples of a share could have held more of this row.
    pub(crate) const fn miss(&mut self, share: f64) {
        self.share = self.share.min(share);
    }

    /// Whether anything happened that is shown.
    pub(crate) fn is_shown(&self) -> bool {
        #[cfg(feature = "eval")]
        if self.shown {
            return true;
        }
        self.value(What::Events) > 0.0 || self.value(What::Started) > 0.0
    }
}

/// What only answers have: imports, and the values of events.
#[cfg(feature = "eval")]
impl Totals {
    /// Adds a count that another program made.
    pub(crate) fn add_imported(&mut self, what: What, count: u64) {
        let sum = &mut self.imported.get_or_insert_default()[what as usize];
        *sum = sum.saturating_add(count);
    }

    /// Takes away what was imported twice, under its name and in the total.
    pub(crate) fn take_imported(&mut self, what: What, count: u64) {
        let sum = &mut self.imported.get_or_insert_default()[what as usize];
        *sum = sum.saturating_sub(count);
    }

    /// The same without what was imported.
    pub(crate) fn own(&self) -> Option<Self> {
        self.imported.as_ref().map(|_| Self { imported: None, ..self.clone() })
    }

    /// Notes that something happened that is shown.
    pub(crate) const fn show(&mut self) {
        self.shown = true;
    }

    pub(crate) fn money(&mut self) -> &mut Money {
        self.money.get_or_insert_default()
    }

    /// The values, if there are any.
    pub(crate) fn values(&self) -> Option<&Money> {
        self.money.as_deref()
    }
}

/// Totals by group, of which only those touched since the last `take` cost anything.
#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<Totals>,
    touched: Vec<bool>,
    order: Vec<u32>,
}

impl Table {
    pub(crate) fn at(&mut self, group: u32) -> &mut Totals {
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

    /// How many rows were touched.
    #[cfg(feature = "eval")]
    pub(crate) const fn len(&self) -> usize {
        self.order.len()
    }

    /// Ends a unit in every row.
    pub(crate) fn settle(&mut self) {
        for &group in &self.order {
            self.rows[group as usize].settle();
        }
    }

    /// The rows that were touched, all of which samples of a share could have held more of; afterwards there are none.
    pub(crate) fn take(&mut self, share: f64) -> impl Iterator<Item = (u32, Totals)> {
        let order = std::mem::take(&mut self.order);
        order.into_iter().map(move |group| {
            self.touched[group as usize] = false;
            let mut totals = std::mem::take(&mut self.rows[group as usize]);
            totals.miss(share);
            (group, totals)
        })
    }
}
