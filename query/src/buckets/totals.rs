//! The totals of buckets together, and by time.
use headwater_core::{Estimate, Grain};

use super::{Bucketed, Buckets, TimeRow, add_up};
use crate::figures::{Counted, Visits, named_of_all};
use crate::{Meta, Metric, MetricValue, ResultRow, TimeDimension};

/// The figures of a row, and their bounds.
pub(super) type Figures = (Vec<MetricValue>, Vec<Option<[f64; 2]>>);

impl Buckets {
    /// One row for the whole range, as an answer without dimensions has it.
    #[must_use]
    pub fn total(&self, metrics: &[Metric]) -> Option<(Vec<ResultRow>, Meta)> {
        let all: Vec<_> = self.rows.iter().flat_map(|row| &row.buckets).collect();
        if !self.whole {
            return None;
        }
        Some(told(self.unit.clone(), vec![(None, figures(&all, metrics)?)], metrics))
    }

    /// A row for each unit of time in which something happened, and the labels of all of them, as an answer by time has them.
    /// `None` if these buckets are too coarse for it, or a figure can't be told from them.
    #[must_use]
    pub fn by_time(&self, unit: TimeDimension, metrics: &[Metric]) -> Option<(Vec<ResultRow>, Meta)> {
        let mut rows: Vec<(String, Vec<&Bucketed>)> = Vec::new();
        let first = self.rows.first().and_then(TimeRow::date);
        let finer = match unit {
            TimeDimension::Auto => return None,
            TimeDimension::Minute => Grain::Minute,
            TimeDimension::Hour => Grain::Hour,
            TimeDimension::Day | TimeDimension::Week | TimeDimension::Month => Grain::Day,
        };
        if self.grain > finer || !self.whole {
            return None;
        }
        for row in &self.rows {
            let label = match unit {
                _ if self.grain == finer && unit <= TimeDimension::Day => None,
                TimeDimension::Day => Some(row.date()?),
                TimeDimension::Week => Some(row.date()?.monday().max(first?)),
                TimeDimension::Month => Some(row.date()?.first_of_month(0)),
                _ => return None,
            };
            match (label.map(|date| date.to_string()), rows.last_mut()) {
                (Some(label), Some(last)) if last.0 == label => last.1.extend(&row.buckets),
                (label, _) => rows.push((label.unwrap_or_else(|| row.label.clone()), row.buckets.iter().collect())),
            }
        }
        let labels = rows.iter().map(|row| row.0.clone()).collect();
        let shown = |buckets: &[&Bucketed]| buckets.iter().any(|bucket| bucket.counts[1] > 0 || bucket.counts[2] > 0);
        let rows = rows.into_iter().filter(|(_, buckets)| shown(buckets));
        let rows = rows.map(|(label, buckets)| Some((Some(label), figures(&buckets, metrics)?))).collect::<Option<Vec<_>>>()?;
        let (rows, meta) = told(self.unit.clone(), rows, metrics);
        Some((rows, Meta { time_labels: Some(labels), ..meta }))
    }
}

/// Rows with their figures as an answer has them; `unit` as [`Meta::visitors_unit`].
pub(super) fn told(unit: Option<String>, rows: Vec<(Option<String>, Figures)>, metrics: &[Metric]) -> (Vec<ResultRow>, Meta) {
    let bounds = named_of_all(metrics, rows.iter().map(|(_, (_, bounds))| &**bounds));
    let result = |(label, (metrics, _)): (Option<String>, Figures)| ResultRow {
        metrics,
        dimensions: label.into_iter().collect(),
        comparison: None,
    };
    let results = rows.into_iter().map(result).collect();
    (results, Meta { visitors_unit: unit, bounds, ..Meta::default() })
}

/// The figures of buckets together; `None` if one of them can't be told.
fn figures(buckets: &[&Bucketed], metrics: &[Metric]) -> Option<Figures> {
    if metrics.contains(&Metric::Visitors) && !add_up(buckets) {
        return None;
    }
    let totals = Bucketed::sum(buckets);
    let counted = Counted { totals: &totals, certain: true, visits: Visits::Started, bounces: Visits::Started, of_events: false };
    let none = Estimate::exact(0);
    let figure = |metric: &Metric| counted.figure(*metric, none).filter(|_| *metric != Metric::Percentage);
    Some(metrics.iter().map(figure).collect::<Option<Vec<_>>>()?.into_iter().unzip())
}
