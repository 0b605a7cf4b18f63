//! A list of values, merged of the rows of buckets: what a panel shows.
use std::sync::Arc;

use headwater_core::Minute;

use super::{Bucketed, Buckets, Sheet, add_up, totals};
use crate::figures::{Counted, Told, Visits};
use crate::order::{self, Row};
use crate::totals::{Totals, What};
use crate::{Comparison, Condition, Date, Dimension, Filter, Meta, Metric, Query, ResultRow, VisitProperty};

impl Buckets {
    /// The answer to a question by one dimension about all of the range, or from one of its days to another, both included: which
    /// days its `date_range` means is not looked at. `small` writes a text in small letters, which a page's browser can do. `None` if it can't be
    /// told from these.
    #[must_use]
    pub fn list(&self, part: Option<(Date, Date)>, query: &Query, small: fn(&str) -> String) -> Option<(Vec<ResultRow>, Meta)> {
        let [dimension] = query.dimensions.as_slice() else { return None };
        let sheet = self.sheets.iter().find(|sheet| sheet.dimension == *dimension)?;
        if !self.whole || query.include.comparisons.is_some() || query.include.imports.is_some() {
            return None;
        }
        let rows = match part {
            Some((from, to)) => self.part(from, to)?,
            None => &self.rows,
        };
        let buckets: Vec<&Bucketed> = rows.iter().flat_map(|row| &row.buckets).collect();
        let kinds = Kinds::of(dimension);
        if query.metrics.iter().any(|metric| kinds.looks_at_people(*metric)) && !add_up(&buckets) {
            return None;
        }
        let search = match query.filters.as_slice() {
            [] => None,
            [Filter::When(condition)] => Some(small(search(condition, sheet, &buckets, query)?)),
            _ => return None,
        };

        let first = self.rows.iter().take_while(|row| rows.first().is_none_or(|first| row.label != first.label));
        let first = first.map(|row| row.buckets.len()).sum();
        let sum = Bucketed::sum(&buckets);
        let all = sum.estimate(What::Visitors);
        let mut table = sheet.add_up(first, buckets.iter().map(|bucket| bucket.visitors.theta));
        let mut found: Vec<(u32, Totals)> = table.take(sum.share()).filter(|(_, totals)| totals.is_shown()).collect();
        if let Some(search) = &search {
            found.retain(|(value, _)| small(sheet.value(*value)).contains(search));
        }
        let count = found.len() as u64;
        let figure = |totals: &Totals, metric| kinds.counted(totals).figure(metric, all);
        let row = |(value, totals): (u32, Totals)| {
            let told = query.metrics.iter().map(|metric| figure(&totals, *metric)).collect::<Option<Vec<Told>>>()?;
            let (metrics, bounds) = told.into_iter().unzip();
            Some(Row { time: Minute(0), names: vec![Arc::from(sheet.value(value))], metrics, bounds })
        };
        let mut found = found.into_iter().map(row).collect::<Option<Vec<Row>>>()?;
        order::sort(&mut found, query);

        let page = found.into_iter().skip(query.pagination.offset as usize).take(query.pagination.limit as usize);
        let told = |row: Row| (row.names.first().map(|name| (**name).to_owned()), (row.metrics, row.bounds));
        let (results, meta) = totals::told(self.unit_of(rows), page.map(told).collect(), &query.metrics);
        Some((results, Meta { total_rows: query.include.total_rows.then_some(count), ..meta }))
    }
}

/// How visits are counted by a dimension.
struct Kinds {
    visits: Visits,
    bounces: Visits,
}

impl Kinds {
    const fn of(dimension: &Dimension) -> Self {
        let (visits, bounces) = match dimension {
            Dimension::Page => (Visits::Distinct, Visits::Entry),
            dimension if dimension.is_event() => (Visits::Distinct, Visits::Distinct),
            _ => (Visits::Started, Visits::Started),
        };
        Self { visits, bounces }
    }

    const fn counted<'a>(&self, totals: &'a Totals) -> Counted<'a> {
        let of_events = matches!(self.visits, Visits::Distinct);
        Counted { totals, certain: true, visits: self.visits, bounces: self.bounces, of_events }
    }

    /// Whether a metric is one of people or their visits, who are told apart within a window.
    fn looks_at_people(&self, metric: Metric) -> bool {
        match metric {
            Metric::Visitors | Metric::Percentage => true,
            Metric::Visits | Metric::ViewsPerVisit | Metric::VisitDuration | Metric::TimeOnPage => {
                self.visits == Visits::Distinct
            }
            Metric::BounceRate => self.bounces == Visits::Distinct,
            _ => false,
        }
    }
}

/// The text that values must contain, where rows tell what the filter finds: under a filter the server looks at people and
/// at no rows. So everybody must be in the samples, every value must have a row of its own and be called what it is, and nothing may be a share
/// of those who pass.
fn search<'a>(condition: &'a Condition, sheet: &Sheet, buckets: &[&Bucketed], query: &Query) -> Option<&'a str> {
    let Condition { dimension, comparison: Comparison::Contains, negated: false, values, case_sensitive: false } = condition
    else {
        return None;
    };
    let as_it_is =
        matches!(dimension, Dimension::Name | Dimension::Page | Dimension::Hostname | Dimension::Visit(VisitProperty::EntryPage));
    let everybody = buckets.iter().all(|bucket| bucket.visitors.theta == u64::MAX);
    if *dimension != sheet.dimension
        || !as_it_is
        || !everybody
        || sheet.has_other()
        || query.metrics.contains(&Metric::Percentage)
    {
        return None;
    }
    match values.as_slice() {
        [value] if !value.is_empty() => Some(value),
        _ => None,
    }
}
