//! The panels: by what each breaks the range down, and how its rows are written.
use headwater_query::{Dimension, Metric, VisitProperty};

use crate::card::Card;

/// A panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Panel {
    /// Pages by visitors.
    Pages,
    /// Sources by visitors.
    Sources,
    /// The first pages of visits.
    EntryPages,
    /// Events by name.
    Events,
}

impl Panel {
    /// Every panel, in the order on the page.
    pub const ALL: [Self; 4] = [Self::Pages, Self::Sources, Self::EntryPages, Self::Events];

    /// How many rows stand there before somebody asks for more.
    pub const FEW: u32 = 8;
    /// How many rows stand there after.
    pub const MANY: u32 = 100;

    /// The heading.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Pages => "Top pages",
            Self::Sources => "Sources",
            Self::EntryPages => "Entry pages",
            Self::Events => "Events",
        }
    }

    /// What its rows are.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Pages => "Page",
            Self::Sources => "Source",
            Self::EntryPages => "First page",
            Self::Events => "Event",
        }
    }

    /// By what it breaks down.
    #[must_use]
    pub const fn dimension(self) -> Dimension {
        match self {
            Self::Pages => Dimension::Page,
            Self::Sources => Dimension::Visit(VisitProperty::Source),
            Self::EntryPages => Dimension::Visit(VisitProperty::EntryPage),
            Self::Events => Dimension::Name,
        }
    }

    /// Its two columns; the first sorts the rows and is drawn as their bars.
    #[must_use]
    pub const fn columns(self) -> [Card; 2] {
        match self {
            Self::Pages => [Card::Visitors, Card::Pageviews],
            Self::Sources => [Card::Visitors, Card::Visits],
            Self::EntryPages => [Card::Visits, Card::BounceRate],
            Self::Events => [Card::Events, Card::Visitors],
        }
    }

    /// The metrics of its columns.
    #[must_use]
    pub fn metrics(self) -> Vec<Metric> {
        self.columns().into_iter().filter_map(Card::metric).collect()
    }

    /// The words over a column.
    #[must_use]
    pub const fn column_label(card: Card) -> &'static str {
        match card {
            Card::BounceRate => "Bounces",
            Card::Pageviews => "Views",
            Card::Events => "Count",
            other => other.label(),
        }
    }

    /// The words for a value, where it has none of its own.
    #[must_use]
    pub fn value_label(self, value: &str) -> String {
        match (self, value) {
            (Self::Sources, "") => "Direct or none".into(),
            (_, "") => "(none)".into(),
            (Self::Events, "pageview") => "Page view".into(),
            _ => value.into(),
        }
    }

    /// What stands there when there are no rows.
    #[must_use]
    pub const fn empty(self) -> &'static str {
        match self {
            Self::Pages => "No page was viewed in this range.",
            Self::Sources => "Nobody came in this range, so there is nowhere they came from.",
            Self::EntryPages => "No visit began in this range.",
            Self::Events => {
                "Nothing happened in this range. Buttons can be marked with data-headwater-event, or a script can call headwater('Signup')."
            }
        }
    }
}
