//! Of what visitors of rows are shares.
use std::collections::HashMap;
use std::sync::Arc;

use headwater_core::{Estimate, Minute};

use super::choice::Choice;
use super::imports;
use super::ledger::Ledger;
use super::metrics::Bases;
use super::needs::{Needs, Shape};
use super::room::{Room, Stop};
use super::unit::Part;
use crate::totals::What;
use crate::{Dimension, Filter, Metric, Query};

/// Of what visitors of rows are shares, as far as it is asked for.
pub(super) struct AllBases {
    pub(super) all: Estimate,
    converting: Estimate,
    by_group: HashMap<(Minute, Vec<Arc<str>>), Estimate>,
}

impl Default for AllBases {
    fn default() -> Self {
        Self { all: Estimate::exact(0), converting: Estimate::exact(0), by_group: HashMap::new() }
    }
}

impl AllBases {
    pub(super) fn new(query: &Query, needs: &Needs, parts: &[Part<'_>]) -> Result<Self, Stop> {
        let count = |needs: &Needs, row: fn(&Part<'_>) -> Minute| {
            // By other filters others are chosen.
            let parts: Vec<Part<'_>> = parts.iter().map(|part| Part { row: row(part), chosen: None, ..*part }).collect();
            let mut choice = Choice::new(&[needs]).map_err(Stop::Query)?;
            if choice.by_window {
                choice.look_ahead(&parts);
            }
            let mut ledger = Ledger::new(needs);
            ledger.add(&choice, &parts, &Room::default())?;
            Ok::<_, Stop>(ledger.finish())
        };
        let total = |filters: Vec<Filter>, metric| {
            if !query.metrics.contains(&metric) {
                return Ok(Estimate::exact(0));
            }
            let needs = Needs::visitors_of(Shape { dimensions: Vec::new(), filters });
            let (_, rows) = count(&needs, |_| Minute(0))?;
            Ok::<_, Stop>(rows.first().map_or(Estimate::exact(0), |(.., totals)| totals.estimate(What::Visitors)))
        };
        let shape = &needs.shape;
        let all = total(shape.filters.clone(), Metric::Percentage)?;
        let converting = total(shape.before_conversion(false).filters, Metric::ConversionRate)?;
        let mut by_group = HashMap::new();
        if query.metrics.contains(&Metric::GroupConversionRate) {
            let needs = Needs::visitors_of(shape.before_conversion(true));
            let width = needs.shape.dimensions.len();
            let (groups, rows) = count(&needs, |part| part.row)?;
            let told = rows.into_iter().map(|(time, group, t)| ((time, groups.names(group, width)), t.estimate(What::Visitors)));
            by_group.extend(told);
        }
        Ok(Self { all, converting, by_group })
    }

    /// Adds visitors that others counted to those that rows are shares of.
    pub(super) fn add_imported(&mut self, needs: &Needs, everyone: &imports::Everyone) {
        self.all = imports::plus(self.all, everyone.all);
        self.converting = imports::plus(self.converting, everyone.all);
        if needs.shape.dimensions == [Dimension::Goal] {
            for (time, visitors) in &everyone.by_time {
                let base = self.by_group.entry((*time, Vec::new())).or_insert(Estimate::exact(0));
                *base = imports::plus(*base, *visitors);
            }
        }
    }

    pub(super) fn of(&self, needs: &Needs, time: Minute, names: &[Arc<str>]) -> Bases {
        let group = || {
            let named = needs.shape.dimensions.iter().zip(names).filter(|(d, _)| **d != Dimension::Goal);
            self.by_group.get(&(time, named.map(|(_, name)| name.clone()).collect())).copied()
        };
        let group = if self.by_group.is_empty() { None } else { group() };
        Bases { all: self.all, converting: self.converting, group: group.unwrap_or(Estimate::exact(0)) }
    }
}
