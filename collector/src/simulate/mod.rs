//! `headwater simulate`: visitors that are made up, sent for real, and counted again at the end.
//!
//! [`visit`] draws what people do; [`live`] plays them as browsers do, one beacon a page load; [`history`] folds days of
//! them into batches, as an edge does, because only an edge may bring what is older than 72 hours. [`Sums`] is what
//! the server must have counted when it is over.
pub(crate) mod client;
pub(crate) mod history;
pub(crate) mod live;
pub(crate) mod random;
pub(crate) mod visit;

use serde_json::{Value, json};

use client::{Client, ClientError};

/// What was sent, or counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    /// Distinct visitors, those of each day added up.
    pub visitors: i64,
    /// Visits.
    pub visits: i64,
    /// Page views.
    pub pageviews: i64,
    /// Events, page views among them.
    pub events: i64,
}

impl Sums {
    /// The names of the numbers, as metrics of the query API.
    pub(crate) const NAMES: [&str; 4] = ["visitors", "visits", "pageviews", "events"];

    /// The numbers in the order of [`Sums::NAMES`].
    #[must_use]
    pub(crate) const fn values(&self) -> [i64; 4] {
        [self.visitors, self.visits, self.pageviews, self.events]
    }

    /// What the server has counted for a site from `from` to `to` (dates of its clock, both included).
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub(crate) fn ask(client: &Client, site: &str, from: &str, to: &str) -> Result<Self, ClientError> {
        // Day by day: visitors of different days are different visitors to a site that tells them apart by day.
        let query = json!({ "site_id": site, "metrics": Self::NAMES, "date_range": [from, to], "dimensions": ["time:day"] });
        let answer = client.post_json("/api/v2/query", &query)?;
        let mut sums = [0i64; 4];
        for row in answer["results"].as_array().into_iter().flatten() {
            let metrics = row["metrics"].as_array().into_iter().flatten().map(Value::as_i64);
            sums.iter_mut().zip(metrics).for_each(|(sum, value)| *sum += value.unwrap_or(0));
        }
        let [visitors, visits, pageviews, events] = sums;
        Ok(Self { visitors, visits, pageviews, events })
    }
}

impl std::ops::AddAssign for Sums {
    fn add_assign(&mut self, other: Self) {
        self.visitors += other.visitors;
        self.visits += other.visits;
        self.pageviews += other.pageviews;
        self.events += other.events;
    }
}

impl std::ops::Sub for Sums {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            visitors: self.visitors - other.visitors,
            visits: self.visits - other.visits,
            pageviews: self.pageviews - other.pageviews,
            events: self.events - other.events,
        }
    }
}
