//! What a query asks of buckets, decided once before any is looked at.
use headwater_core::RowDimension;

use super::matcher::Node;
use super::scan::{SCANNED, Sums};
pub(super) use crate::figures::Visits;
use crate::made::Made;
use crate::totals::What;
use crate::{Comparison, Condition, Dimension, Filter, Goal, Metric, Query, QueryError, VisitProperty};

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
    /// Which sums of a scan a metric looks at.
    pub(super) sums: Sums,
    /// Whether samples are needed at all.
    pub(super) people: bool,
    /// Whether what a [`super::Lens`] knows of the rows of tallies is all that is needed of samples.
    pub(super) by_lens: bool,
    /// Whether exit pages are asked for.
    pub(super) exits: bool,
    /// Whether goals are asked for.
    pub(super) goals: bool,
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

    /// Whether a dimension or a filter is of this dimension.
    fn asks(&self, dimension: &Dimension) -> bool {
        self.dimensions.contains(dimension) || self.filters.iter().any(|f| mentions(f, dimension))
    }

    /// Whether goals choose events.
    pub(super) fn of_goals(&self) -> bool {
        let of_goal = |c: &Condition| c.dimension == Dimension::Goal;
        self.dimensions.contains(&Dimension::Goal) || self.filters.iter().any(|f| any(f, &of_goal))
    }

    /// Whether its visitors are those who reached goals.
    fn converts(&self) -> bool {
        self.dimensions.contains(&Dimension::Goal) || joined(&self.filters).into_iter().any(is_of_goal)
    }

    /// Those of whom the visitors of this shape are a share: who passes without the conditions on goals and properties,
    /// in the same group where groups are told apart.
    pub(super) fn before_conversion(&self, by_group: bool) -> Self {
        let of_event =
            |filter: &Filter| matches!(filter, Filter::When(c) if matches!(c.dimension, Dimension::Goal | Dimension::Prop(_)));
        let filters = joined(&self.filters).into_iter().filter(|f| !of_event(f)).cloned().collect();
        let kept = self.dimensions.iter().filter(|d| by_group && **d != Dimension::Goal);
        Self { dimensions: kept.cloned().collect(), filters }
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
    pub(super) fn of(query: &Query, goals: &[Goal]) -> Result<Self, QueryError> {
        for (i, filter) in query.filters.iter().enumerate() {
            let field = format!("filters[{i}]");
            conditions(filter, &field, &mut |c, field| known_goals(c, field, goals))?;
            // A pattern that is none is told before anything is read.
            Node::compile(filter, &field, &mut Vec::new())?;
        }
        let dimensions = query.dimensions.iter().filter(|d| d.time().is_none()).cloned().collect();
        let shape = Shape { dimensions, filters: query.filters.clone() };
        for (i, metric) in query.metrics.iter().enumerate() {
            let field = format!("metrics[{i}]");
            match metric {
                Metric::Percentage if query.dimensions.is_empty() => {
                    return Err(QueryError::invalid(field, "\"percentage\"", "it needs at least one dimension"));
                }
                Metric::ConversionRate | Metric::GroupConversionRate if !shape.converts() => {
                    let allowed = "it needs event:goal in dimensions, or in filters outside or, not, has_done and has_not_done";
                    return Err(QueryError::invalid(field, format!("{:?}", metric.name()), allowed));
                }
                _ => {}
            }
        }
        let made: Vec<Made> = query.metrics.iter().copied().map(Made::of).collect();
        let has = |what| made.iter().any(|made| made.has(what));
        let events = shape.of_events();
        let tallies = shape.rows();
        let visitors = has(What::Visitors);
        let (visits, bounces) = (has(What::Visits), made.contains(&Made::Bounces));
        let numbers = made.contains(&Made::Values);
        // Where visits are counted by when they started.
        let sums = SCANNED.map(|what| has(what) || (what == What::Started && visits));
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
        let exits = shape.asks(&Dimension::ExitPage);
        let goals = shape.asks(&Dimension::Goal);
        Ok(Self { shape, tallies, visitors, visits, bounces, numbers, sums, people, by_lens, exits, goals })
    }

    /// Distinct visitors of another shape, and nothing else.
    pub(super) fn visitors_of(shape: Shape) -> Self {
        let tallies = shape.rows();
        let by_lens = tallies.is_some();
        let (exits, goals) = (shape.asks(&Dimension::ExitPage), shape.asks(&Dimension::Goal));
        Self {
            shape,
            tallies,
            by_lens,
            exits,
            goals,
            visitors: true,
            visits: None,
            bounces: None,
            numbers: false,
            sums: Sums::default(),
            people: true,
        }
    }

    /// Whether the visits that entered by a page are counted, where filters leave no row of tallies to tell them.
    pub(super) fn counts_entries(&self) -> bool {
        self.bounces == Some(Visits::Entry) && self.tallies.is_none()
    }

    /// The dimension whose rows are looked at. The values of all events stand in the rows of their names.
    pub(super) fn rows_of(&self) -> Option<RowDimension> {
        self.tallies.as_ref().map(|(of, _)| match of {
            RowDimension::Total if self.numbers => RowDimension::Name,
            of => *of,
        })
    }

    /// Whether something looks at all that a visitor did in an identity window.
    pub(super) fn looks_at_windows(&self) -> bool {
        self.exits || self.shape.filters.iter().any(has_done)
    }

    /// Whether counts come from tallies, which know everyone.
    pub(super) const fn counts_are_certain(&self) -> bool {
        self.tallies.is_some()
    }
}

/// Names of goals must be of goals.
fn known_goals(condition: &Condition, field: &str, goals: &[Goal]) -> Result<(), QueryError> {
    if condition.dimension != Dimension::Goal || condition.comparison != Comparison::Is {
        return Ok(());
    }
    let same = |name: &str, value: &str| {
        if condition.case_sensitive { name == value } else { name.to_lowercase() == value.to_lowercase() }
    };
    let unknown = condition.values.iter().position(|value| !goals.iter().any(|goal| same(&goal.name, value)));
    let Some(at) = unknown else { return Ok(()) };
    let names: Vec<String> = goals.iter().take(20).map(|goal| format!("{:?}", goal.name)).collect();
    let allowed = match (names.as_slice(), goals.len()) {
        ([], _) => "this site has no goals".to_owned(),
        (some, all) if some.len() < all => format!("this site has the goals {} and {} more", some.join(", "), all - some.len()),
        (some, _) => format!("this site has the goals {}", some.join(", ")),
    };
    Err(QueryError::invalid(format!("{field}[2][{at}]"), format!("{:?}", condition.values[at]), allowed))
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

/// Calls with every condition and the field that it stands in.
fn conditions(
    filter: &Filter,
    field: &str,
    each: &mut impl FnMut(&Condition, &str) -> Result<(), QueryError>,
) -> Result<(), QueryError> {
    let inside = format!("{field}[1]");
    match filter {
        Filter::When(condition) => each(condition, field),
        Filter::And(inner) | Filter::Or(inner) => {
            inner.iter().enumerate().try_for_each(|(i, f)| conditions(f, &format!("{inside}[{i}]"), each))
        }
        Filter::Not(inner) | Filter::HasDone(inner) | Filter::HasNotDone(inner) => conditions(inner, &inside, each),
    }
}

fn has_done(filter: &Filter) -> bool {
    match filter {
        Filter::When(_) => false,
        Filter::And(inner) | Filter::Or(inner) => inner.iter().any(has_done),
        Filter::Not(inner) => has_done(inner),
        Filter::HasDone(_) | Filter::HasNotDone(_) => true,
    }
}

/// Whether any condition, of `has_done` too, is of a dimension.
fn mentions(filter: &Filter, dimension: &Dimension) -> bool {
    match filter {
        Filter::When(condition) => condition.dimension == *dimension,
        Filter::And(inner) | Filter::Or(inner) => inner.iter().any(|f| mentions(f, dimension)),
        Filter::Not(inner) | Filter::HasDone(inner) | Filter::HasNotDone(inner) => mentions(inner, dimension),
    }
}

/// The filters of which all must hold, those inside `and` among them.
fn joined(filters: &[Filter]) -> Vec<&Filter> {
    let mut flat = Vec::new();
    for filter in filters {
        match filter {
            Filter::And(inner) => flat.extend(joined(inner)),
            other => flat.push(other),
        }
    }
    flat
}

fn is_of_goal(filter: &Filter) -> bool {
    matches!(filter, Filter::When(condition) if condition.dimension == Dimension::Goal)
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
