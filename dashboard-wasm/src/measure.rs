//! What is counted: the words for each figure, and how it is written. The first seven stand on the cards; the others are columns of panels.
use headwater_query::Metric;

use crate::format;

/// A figure of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Measure {
    /// Distinct visitors.
    #[default]
    Visitors,
    /// Visits.
    Visits,
    /// Page views.
    Pageviews,
    /// Page views per visit.
    ViewsPerVisit,
    /// Per cent of visits that did not go on.
    BounceRate,
    /// Engaged seconds per visit.
    VisitDuration,
    /// Events, page views among them.
    Events,
    /// Per cent of the visitors.
    Share,
    /// Visitors that reached a goal as per cent of all.
    ConversionRate,
    /// Engaged seconds on a page.
    TimeOnPage,
    /// How deep a page was read, in per cent.
    ScrollDepth,
    /// The sum of the values of events.
    Sum,
    /// Their mean.
    Average,
    /// The sum of amounts of money.
    Revenue,
}

/// How a figure is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Count,
    Ratio,
    Percent,
    Seconds,
    Amount,
}

impl Measure {
    /// Those of the cards, in the order on the page.
    pub const CARDS: [Self; 7] =
        [Self::Visitors, Self::Visits, Self::Pageviews, Self::ViewsPerVisit, Self::BounceRate, Self::VisitDuration, Self::Events];

    /// The metrics of some measures, in their order.
    #[must_use]
    pub fn metrics(measures: &[Self]) -> Vec<Metric> {
        measures.iter().map(|measure| measure.metric()).collect()
    }

    /// The metric.
    #[must_use]
    pub const fn metric(self) -> Metric {
        match self {
            Self::Visitors => Metric::Visitors,
            Self::Visits => Metric::Visits,
            Self::Pageviews => Metric::Pageviews,
            Self::ViewsPerVisit => Metric::ViewsPerVisit,
            Self::BounceRate => Metric::BounceRate,
            Self::VisitDuration => Metric::VisitDuration,
            Self::Events => Metric::Events,
            Self::Share => Metric::Percentage,
            Self::ConversionRate => Metric::ConversionRate,
            Self::TimeOnPage => Metric::TimeOnPage,
            Self::ScrollDepth => Metric::ScrollDepth,
            Self::Sum => Metric::Sum,
            Self::Average => Metric::Avg,
            Self::Revenue => Metric::TotalRevenue,
        }
    }

    /// The name in the address.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.metric().name()
    }

    /// The card of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::CARDS.into_iter().find(|measure| measure.name() == name)
    }

    /// The words on the card.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Visitors => "Visitors",
            Self::Visits => "Visits",
            Self::Pageviews => "Page views",
            Self::ViewsPerVisit => "Views per visit",
            Self::BounceRate => "Bounce rate",
            Self::VisitDuration => "Visit duration",
            Self::Events => "Events",
            Self::Share => "Share",
            Self::ConversionRate => "Conversion",
            Self::TimeOnPage => "Time on page",
            Self::ScrollDepth => "Scroll depth",
            Self::Sum => "Sum",
            Self::Average => "Average",
            Self::Revenue => "Revenue",
        }
    }

    /// The words over a column.
    #[must_use]
    pub const fn heading(self) -> &'static str {
        match self {
            Self::BounceRate => "Bounces",
            Self::Pageviews => "Views",
            Self::VisitDuration => "Duration",
            Self::TimeOnPage => "Time",
            Self::ScrollDepth => "Scroll",
            other => other.label(),
        }
    }

    /// What the figure counts, for those who ask.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Visitors => "Distinct visitors",
            Self::Visits => "Visits that started; 30 minutes without activity end one",
            Self::Pageviews => "Page views",
            Self::ViewsPerVisit => "Page views divided by visits",
            Self::BounceRate => "Share of visits with one page view and nothing else",
            Self::VisitDuration => "Time in which something was read or done, divided by visits",
            Self::Events => "Everything that happened, page views included",
            Self::Share => "Share of all visitors",
            Self::ConversionRate => "Share of all visitors who did it",
            Self::TimeOnPage => "Time in which the page was read, divided by the visits that saw it",
            Self::ScrollDepth => "How far down the page was read on average",
            Self::Sum => "Sum of the values that events brought",
            Self::Average => "Average of the values that events brought",
            Self::Revenue => "Sum of the amounts of money; nothing where there is more than one currency",
        }
    }

    const fn kind(self) -> Kind {
        match self {
            Self::ViewsPerVisit => Kind::Ratio,
            Self::BounceRate | Self::Share | Self::ConversionRate | Self::ScrollDepth => Kind::Percent,
            Self::VisitDuration | Self::TimeOnPage => Kind::Seconds,
            Self::Sum | Self::Average | Self::Revenue => Kind::Amount,
            _ => Kind::Count,
        }
    }

    /// The figure as the card writes it.
    #[must_use]
    pub fn figure(self, value: f64) -> String {
        match self.kind() {
            Kind::Ratio => format::ratio(value),
            Kind::Percent => format::percent(value),
            Kind::Seconds => format::duration(value),
            Kind::Count => format::card(whole(value)),
            Kind::Amount => format::amount(value),
        }
    }

    /// The figure with every digit, for tooltip and table.
    #[must_use]
    pub fn exact(self, value: f64) -> String {
        if self.is_count() { format::full(whole(value)) } else { self.figure(value) }
    }

    /// The figure beside a line of the chart.
    #[must_use]
    pub fn axis(self, value: f64) -> String {
        if self.is_count() { format::short(whole(value)) } else { self.figure(value) }
    }

    /// Whether the value is a count, and so has no fractions.
    #[must_use]
    pub fn is_count(self) -> bool {
        self.kind() == Kind::Count
    }

    /// Whether values are whole numbers, or read best on an axis of whole numbers.
    #[must_use]
    pub fn is_whole(self) -> bool {
        self.kind() != Kind::Ratio
    }

    /// A change as the API tells it, in words: `+12%`, `−3%`, and of shares in points: `+2 pts`.
    #[must_use]
    pub fn change(self, change: f64) -> String {
        format::change(change, if self.kind() == Kind::Percent { " pts" } else { "%" })
    }

    /// Whether a change is for the better: more is, except of bounces. Nothing for no change.
    #[must_use]
    pub fn is_better(self, change: f64) -> Option<bool> {
        (change != 0.0).then_some((change > 0.0) != (self == Self::BounceRate))
    }
}

/// A count as it came over JSON.
fn whole(value: f64) -> u64 {
    // A cast saturates: what is no number is 0.
    value.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_cards_lead_back() {
        for measure in Measure::CARDS {
            assert_eq!(Measure::from_name(measure.name()), Some(measure));
        }
        assert_eq!(Measure::from_name("scroll_depth"), None, "it is on no card");
    }

    #[test]
    fn figures_have_the_form_of_their_measure() {
        assert_eq!(Measure::Visitors.figure(1234.0), "1,234");
        assert_eq!(Measure::Visitors.figure(1_234_567.0), "1.2M");
        assert_eq!(Measure::Visitors.exact(1_234_567.0), "1,234,567");
        assert_eq!(Measure::BounceRate.figure(47.0), "47%");
        assert_eq!(Measure::ViewsPerVisit.figure(2.5), "2.5");
        assert_eq!(Measure::VisitDuration.figure(125.0), "2m 05s");
        assert_eq!(Measure::Events.figure(f64::NAN), "0");
    }

    #[test]
    fn a_change_says_its_unit_and_whether_it_is_welcome() {
        assert_eq!(Measure::Visitors.change(12.0), "+12%");
        assert_eq!(Measure::BounceRate.change(-3.0), "−3 pts");
        assert_eq!(Measure::Visitors.change(0.0), "0%");
        assert_eq!((Measure::Visitors.is_better(1.0), Measure::BounceRate.is_better(1.0)), (Some(true), Some(false)));
        assert_eq!(Measure::Visits.is_better(0.0), None);
    }
}
