//! What a query asks of buckets, decided once before any is looked at.
use headwater_core::RowDimension;

use crate::{Condition, Dimension, Filter, Metric, Query, QueryError, VisitProperty};

/// How visits are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Visits {
    /// By adding up *started* and *went on* of the visits that pass.
    Started,
    /// By adding them up where the entry page stands for the page: the bounce rate of a page.
    Entry,
    /// The distinct visits with a matching event.
    Distinct,
}

/// By what rows are grouped and what passes.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    /// Without the time dimension.
    pub(super) dimensions: Vec<Dimension>,
    pub(super) filters: Vec<Filter>,
}

/// What a query needs.
#[derive(Clone, Debug)]
pub(super) struct Needs {
    pub(super) shape: Shape,
    /// The rows of tallies that answer counts, with the property's name for `event:props:*`.
    pub(super) tallies: Option<(RowDimension, String)>,
    pub(super) visitors: bool,
    /// Whether visits are needed, and how they are counted.
    pub(super) visits: Option<Visits>,
    /// The same for the visits that a bounce rate is of.
    pub(super) bounces: Option<Visits>,
    pub(super) numbers: bool,
    /// Whether samples are needed at all.
    pub(super) people: bool,
    /// Whether what a [`super::Lens`] knows of the rows of tallies is all that is needed of samples.
    pub(super) by_lens: bool,
}

impl Shape {
    /// Whether single events are chosen, and not whole visits.
    pub(super) fn of_events(&self) -> bool {
        self.dimensions.iter().any(Dimension::is_event) || self.filters.iter().any(|f| any(f, &|c| c.dimension.is_event()))
    }

    fn of_pages_only(&self) -> bool {
        let other = |d: &Dimension| d.is_event() && *d != Dimension::Page;
        !self.dimensions.iter().any(other) && !self.filters.iter().any(|f| any(f, &|c| other(&c.dimension)))
    }

    /// The same with the entry page in place of the page.
    pub(super) fn by_entry(&self) -> Self {
        let entry = |d: &Dimension| match d {
            Dimension::Page => Dimension::Visit(VisitProperty::EntryPage),
            other => other.clone(),
        };
        Self {
            dimensions: self.dimensions.iter().map(entry).collect(),
            filters: self.filters.iter().map(|f| renamed(f, &entry)).collect(),
        }
    }

    fn rows(&self) -> Option<(RowDimension, String)> {
        if !self.filters.is_empty() {
            return None;
        }
        Some(match self.dimensions.as_slice() {
            [] => (RowDimension::Total, String::new()),
            [Dimension::Name] => (RowDimension::Name, String::new()),
            [Dimension::Page] => (RowDimension::Page, String::new()),
            [Dimension::Hostname] => (RowDimension::Hostname, String::new()),
            [Dimension::Prop(key)] => (RowDimension::Prop, key.clone()),
            [Dimension::Visit(property)] => (RowDimension::Visit(*property), String::new()),
            _ => return None,
        })
    }
}

impl Needs {
    pub(super) fn of(query: &Query) -> Result<Self, QueryError> {
        for (i, dimension) in query.dimensions.iter().enumerate() {
            answerable(dimension, &format!("dimensions[{i}]"))?;
        }
        for (i, filter) in query.filters.iter().enumerate() {
            conditions(filter, &mut |c| answerable(&c.dimension, &format!("filters[{i}]")))?;
        }
        let dimensions = query.dimensions.iter().filter(|d| d.time().is_none()).cloned().collect();
        let shape = Shape { dimensions, filters: query.filters.clone() };
        for (i, metric) in query.metrics.iter().enumerate() {
            let field = format!("metrics[{i}]");
            match metric {
                Metric::Percentage if query.dimensions.is_empty() => {
                    return Err(QueryError::invalid(field, "\"percentage\"", "it needs at least one dimension"));
                }
                Metric::ConversionRate | Metric::GroupConversionRate => {
                    let allowed = "it needs event:goal in dimensions or filters, and this site has no goals";
                    return Err(QueryError::invalid(field, format!("{:?}", metric.name()), allowed));
                }
                _ => {}
            }
        }
        let asked = |metrics: &[Metric]| query.metrics.iter().any(|m| metrics.contains(m));
        let events = shape.of_events();
        let tallies = shape.rows();
        let visitors = asked(&[Metric::Visitors, Metric::Percentage]);
        let visits = asked(&[Metric::Visits, Metric::ViewsPerVisit, Metric::VisitDuration, Metric::TimeOnPage]);
        let bounces = asked(&[Metric::BounceRate]);
        let numbers = asked(&[
            Metric::TotalRevenue,
            Metric::AverageRevenue,
            Metric::Sum,
            Metric::Avg,
            Metric::Min,
            Metric::Max,
            Metric::Count,
            Metric::First,
            Metric::Last,
            Metric::Stddev,
            Metric::Variance,
            Metric::P50,
            Metric::P75,
            Metric::P90,
            Metric::P99,
        ]);
        let visits = visits.then_some(if events { Visits::Distinct } else { Visits::Started });
        let bounces = bounces.then_some(match (events, shape.of_pages_only()) {
            (false, _) => Visits::Started,
            (true, true) => Visits::Entry,
            (true, false) => Visits::Distinct,
        });
        let numbered = matches!(tallies, Some((RowDimension::Total | RowDimension::Name, _)));
        let people = tallies.is_none()
            || visitors
            || visits == Some(Visits::Distinct)
            || bounces == Some(Visits::Distinct)
            || (numbers && !numbered);
        let by_lens = people && tallies.as_ref().is_some_and(|(of, _)| *of != RowDimension::Prop) && (!numbers || numbered);
        Ok(Self { shape, tallies, visitors, visits, bounces, numbers, people, by_lens })
    }

    /// Distinct visitors of another shape, and nothing else.
    pub(super) fn visitors_of(shape: Shape) -> Self {
        let tallies = shape.rows();
        let by_lens = tallies.is_some();
        Self { shape, tallies, by_lens, visitors: true, visits: None, bounces: None, numbers: false, people: true }
    }
}

fn answerable(dimension: &Dimension, field: &str) -> Result<(), QueryError> {
    let allowed = match dimension {
        Dimension::Goal => "this site has no goals",
        Dimension::ExitPage => "exit pages are not counted yet; visit:entry_page and event:page are",
        _ => return Ok(()),
    };
    Err(QueryError::invalid(field, format!("\"{dimension}\""), allowed))
}

/// Whether a condition outside `has_done` is such.
fn any(filter: &Filter, test: &impl Fn(&Condition) -> bool) -> bool {
    match filter {
        Filter::When(condition) => test(condition),
        Filter::And(inner) | Filter::Or(inner) => inner.iter().any(|f| any(f, test)),
        Filter::Not(inner) => any(inner, test),
        Filter::HasDone(_) | Filter::HasNotDone(_) => false,
    }
}

fn conditions(filter: &Filter, each: &mut impl FnMut(&Condition) -> Result<(), QueryError>) -> Result<(), QueryError> {
    match filter {
        Filter::When(condition) => each(condition),
        Filter::And(inner) | Filter::Or(inner) => inner.iter().try_for_each(|f| conditions(f, each)),
        Filter::Not(inner) | Filter::HasDone(inner) | Filter::HasNotDone(inner) => conditions(inner, each),
    }
}

fn renamed(filter: &Filter, name: &impl Fn(&Dimension) -> Dimension) -> Filter {
    let list = |inner: &[Filter]| inner.iter().map(|f| renamed(f, name)).collect();
    match filter {
        Filter::When(c) => Filter::When(Condition { dimension: name(&c.dimension), ..c.clone() }),
        Filter::And(inner) => Filter::And(list(inner)),
        Filter::Or(inner) => Filter::Or(list(inner)),
        Filter::Not(inner) => Filter::Not(Box::new(renamed(inner, name))),
        done @ (Filter::HasDone(_) | Filter::HasNotDone(_)) => done.clone(),
    }
}
