//! Metrics: what is asked for.
use serde::{Deserialize, Serialize};

macro_rules! metrics {
    ($($variant:ident = $name:literal, $doc:literal;)+) => {
        /// A number of the answer.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Metric { $(#[doc = $doc] #[serde(rename = $name)] $variant,)+ }

        impl Metric {
            /// Every metric of the contract.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name in queries.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The metric of that name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

metrics! {
    Visitors = "visitors", "Distinct visitors.";
    Visits = "visits", "Visits.";
    Pageviews = "pageviews", "Page views.";
    ViewsPerVisit = "views_per_visit", "Page views divided by visits, two decimals.";
    BounceRate = "bounce_rate", "Per cent of visits that did not go on, whole.";
    VisitDuration = "visit_duration", "Engaged seconds divided by visits, whole.";
    Events = "events", "Events, page views among them.";
    ScrollDepth = "scroll_depth", "Mean depth in per cent of a page's views, whole.";
    ConversionRate = "conversion_rate", "Visitors as per cent of all visitors.";
    GroupConversionRate = "group_conversion_rate", "Visitors as per cent of the visitors of the same group.";
    Percentage = "percentage", "Visitors as per cent of all visitors that pass the filters.";
    TotalRevenue = "total_revenue", "Sum of amounts of money.";
    AverageRevenue = "average_revenue", "Mean of amounts of money.";
    TimeOnPage = "time_on_page", "Mean engaged seconds on a page per visit, whole.";
    Sum = "sum", "Sum of values.";
    Avg = "avg", "Mean of values.";
    Min = "min", "Smallest value.";
    Max = "max", "Largest value.";
    Count = "count", "How many values.";
    First = "first", "First value.";
    Last = "last", "Last value.";
    Stddev = "stddev", "Standard deviation of values (population).";
    Variance = "variance", "Variance of values (population).";
    P50 = "p50", "Median of values, within 1 %.";
    P75 = "p75", "75th percentile of values, within 1 %.";
    P90 = "p90", "90th percentile of values, within 1 %.";
    P99 = "p99", "99th percentile of values, within 1 %.";
}
