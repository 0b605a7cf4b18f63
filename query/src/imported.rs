//! What another program counted of a day: sums by value, without people. They are added to answers and never merged into
//! samples, so nothing but sums comes of them.
use serde::{Deserialize, Serialize};

use crate::{Date, Dimension, VisitProperty};

/// What was counted of a value of a dimension.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportedRow {
    /// The value, empty where there was none.
    pub value: String,
    /// Distinct visitors of the day, as a number only.
    #[serde(default, skip_serializing_if = "nothing")]
    pub visitors: u64,
    /// Visits; with a dimension of events those with such an event, as far as they are known.
    #[serde(default, skip_serializing_if = "nothing")]
    pub visits: u64,
    /// Visits that did not go on.
    #[serde(default, skip_serializing_if = "nothing")]
    pub bounces: u64,
    /// Page views.
    #[serde(default, skip_serializing_if = "nothing")]
    pub pageviews: u64,
    /// Events, page views among them.
    #[serde(default, skip_serializing_if = "nothing")]
    pub events: u64,
    /// How long the visits were together, in seconds.
    #[serde(default, skip_serializing_if = "nothing")]
    pub seconds: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde hands in a reference
const fn nothing(count: &u64) -> bool {
    *count == 0
}

impl ImportedRow {
    /// Nothing, of a value.
    #[must_use]
    pub fn of(value: impl Into<String>) -> Self {
        Self { value: value.into(), ..Self::default() }
    }

    /// Adds the counts of another row.
    pub const fn add(&mut self, other: &Self) {
        self.visitors = self.visitors.saturating_add(other.visitors);
        self.visits = self.visits.saturating_add(other.visits);
        self.bounces = self.bounces.saturating_add(other.bounces);
        self.pageviews = self.pageviews.saturating_add(other.pageviews);
        self.events = self.events.saturating_add(other.events);
        self.seconds = self.seconds.saturating_add(other.seconds);
    }

    /// What is in `self` and not in `other`, nothing below nothing.
    #[must_use]
    pub fn beyond(&self, other: &Self) -> Self {
        Self {
            value: String::new(),
            visitors: self.visitors.saturating_sub(other.visitors),
            visits: self.visits.saturating_sub(other.visits),
            bounces: self.bounces.saturating_sub(other.bounces),
            pageviews: self.pageviews.saturating_sub(other.pageviews),
            events: self.events.saturating_sub(other.events),
            seconds: self.seconds.saturating_sub(other.seconds),
        }
    }

    /// Whether it counts anything.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.visitors | self.visits | self.bounces | self.pageviews | self.events | self.seconds == 0
    }
}

/// The rows of one dimension of one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedDay {
    /// The day, by the site's clock.
    pub date: Date,
    /// Its rows, each value once.
    pub rows: Vec<ImportedRow>,
}

/// The dimensions whose rows imports can have, the total (which is called `""`) among them.
#[must_use]
pub fn imported_dimensions() -> Vec<String> {
    let visit = VisitProperty::ALL.iter().filter(|property| is_imported(**property)).map(|property| property.name());
    let others = ["", "event:name", "event:page", "event:hostname", "visit:exit_page", "event:props:url", "event:props:path"];
    others.into_iter().chain(visit).map(str::to_owned).collect()
}

/// Whether any import knows this of visits.
pub(crate) const fn is_imported(property: VisitProperty) -> bool {
    !matches!(property, VisitProperty::Language | VisitProperty::Screen)
}

/// The dimensions of rows that answer for a dimension, `None` if imports can't.
#[must_use]
pub fn answered_by(dimension: Option<&Dimension>) -> Option<Vec<String>> {
    let own = |dimension: &Dimension| vec![dimension.to_string()];
    Some(match dimension {
        None => vec![String::new()],
        Some(Dimension::Page) => vec!["event:page".to_owned(), VisitProperty::EntryPage.name().to_owned()],
        Some(Dimension::Goal) => vec!["event:name".to_owned(), "event:page".to_owned()],
        Some(Dimension::Prop(key)) if key == "url" || key == "path" => vec![format!("event:props:{key}"), String::new()],
        Some(Dimension::Prop(_)) => vec![String::new()],
        Some(dimension @ (Dimension::Name | Dimension::Hostname | Dimension::ExitPage)) => own(dimension),
        Some(dimension @ Dimension::Visit(property)) if is_imported(*property) => own(dimension),
        _ => return None,
    })
}
