//! What a metric is made of: said once for what gathers it and for what tells it.
use crate::Metric;
use crate::totals::What;

/// The form of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Made {
    /// A sum.
    Sum(What),
    /// A sum by another.
    Mean(What, What),
    /// Those visits that did not go on, of all.
    Bounces,
    /// The visitors among others, who are counted apart.
    Share,
    /// The values of events.
    Values,
}

impl Made {
    /// [`What::Visits`] are visits in whatever way they are counted.
    pub(crate) const fn of(metric: Metric) -> Self {
        match metric {
            Metric::Visitors => Self::Sum(What::Visitors),
            Metric::Visits => Self::Sum(What::Visits),
            Metric::Pageviews => Self::Sum(What::Views),
            Metric::Events => Self::Sum(What::Events),
            Metric::ViewsPerVisit => Self::Mean(What::Views, What::Visits),
            Metric::VisitDuration | Metric::TimeOnPage => Self::Mean(What::Engaged, What::Visits),
            Metric::ScrollDepth => Self::Mean(What::Depth, What::Views),
            Metric::BounceRate => Self::Bounces,
            Metric::Percentage | Metric::ConversionRate | Metric::GroupConversionRate => Self::Share,
            Metric::TotalRevenue
            | Metric::AverageRevenue
            | Metric::Sum
            | Metric::Avg
            | Metric::Min
            | Metric::Max
            | Metric::Count
            | Metric::First
            | Metric::Last
            | Metric::Stddev
            | Metric::Variance
            | Metric::P50
            | Metric::P75
            | Metric::P90
            | Metric::P99 => Self::Values,
        }
    }

    /// Whether a sum is in it.
    #[cfg(feature = "eval")]
    pub(crate) fn has(self, what: What) -> bool {
        match self {
            Self::Sum(one) => one == what,
            Self::Mean(one, other) => [one, other].contains(&what),
            Self::Bounces => [What::Started, What::WentOn].contains(&what),
            Self::Share => what == What::Visitors,
            Self::Values => false,
        }
    }
}
