//! The cards: what stands on them, and what each makes the chart show.
use headwater_query::Metric;

use crate::format;

/// A card.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Card {
    /// Visitors of the last five minutes; the chart shows the last hour by minute.
    Now,
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
    /// Events, page views among them.
    Events,
}

impl Card {
    /// Every card, in the order on the page.
    pub const ALL: [Self; 7] =
        [Self::Now, Self::Visitors, Self::Visits, Self::Pageviews, Self::ViewsPerVisit, Self::BounceRate, Self::Events];

    /// The metrics that the cards ask for, in their order; all but [`Card::Now`].
    pub const METRICS: [Metric; 6] =
        [Metric::Visitors, Metric::Visits, Metric::Pageviews, Metric::ViewsPerVisit, Metric::BounceRate, Metric::Events];

    /// The metric, except for [`Card::Now`], which the realtime answer fills.
    #[must_use]
    pub const fn metric(self) -> Option<Metric> {
        Some(match self {
            Self::Now => return None,
            Self::Visitors => Metric::Visitors,
            Self::Visits => Metric::Visits,
            Self::Pageviews => Metric::Pageviews,
            Self::ViewsPerVisit => Metric::ViewsPerVisit,
            Self::BounceRate => Metric::BounceRate,
            Self::Events => Metric::Events,
        })
    }

    /// The name in the address.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self.metric() {
            Some(metric) => metric.name(),
            None => "now",
        }
    }

    /// The card of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|card| card.name() == name)
    }

    /// The words on the card.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Now => "Visitors now",
            Self::Visitors => "Visitors",
            Self::Visits => "Visits",
            Self::Pageviews => "Page views",
            Self::ViewsPerVisit => "Views per visit",
            Self::BounceRate => "Bounce rate",
            Self::Events => "Events",
        }
    }

    /// What the figure counts, for those who ask.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Now => "Distinct visitors of the last five minutes",
            Self::Visitors => "Distinct visitors",
            Self::Visits => "Visits that started; 30 minutes without activity end one",
            Self::Pageviews => "Page views",
            Self::ViewsPerVisit => "Page views divided by visits",
            Self::BounceRate => "Share of visits with one page view and nothing else",
            Self::Events => "Everything that happened, page views included",
        }
    }

    /// The figure as the card writes it.
    #[must_use]
    pub fn figure(self, value: f64) -> String {
        match self {
            Self::ViewsPerVisit => format::ratio(value),
            Self::BounceRate => format::percent(value),
            _ => format::card(whole(value)),
        }
    }

    /// The figure with every digit, for tooltip and table.
    #[must_use]
    pub fn exact(self, value: f64) -> String {
        match self {
            Self::ViewsPerVisit | Self::BounceRate => self.figure(value),
            _ => format::full(whole(value)),
        }
    }

    /// The figure beside a line of the chart.
    #[must_use]
    pub fn axis(self, value: f64) -> String {
        match self {
            Self::ViewsPerVisit | Self::BounceRate => self.figure(value),
            _ => format::short(whole(value)),
        }
    }

    /// Whether the value is a count, and so has no fractions.
    #[must_use]
    pub const fn is_count(self) -> bool {
        !matches!(self, Self::ViewsPerVisit | Self::BounceRate)
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
    fn names_lead_back_and_metrics_follow_the_cards() {
        for card in Card::ALL {
            assert_eq!(Card::from_name(card.name()), Some(card));
        }
        let metrics: Vec<_> = Card::ALL.into_iter().filter_map(Card::metric).collect();
        assert_eq!(metrics, Card::METRICS);
    }

    #[test]
    fn figures_have_the_form_of_their_card() {
        assert_eq!(Card::Visitors.figure(1234.0), "1,234");
        assert_eq!(Card::Visitors.figure(1_234_567.0), "1.2M");
        assert_eq!(Card::Visitors.exact(1_234_567.0), "1,234,567");
        assert_eq!(Card::BounceRate.figure(47.0), "47%");
        assert_eq!(Card::ViewsPerVisit.figure(2.5), "2.5");
        assert_eq!(Card::Events.figure(f64::NAN), "0");
    }
}
