//! What is asked: one question for the cards, one for the chart, one for each panel. All of them are asked again whenever the range or
//! the data change.
use headwater_query::{DateRange, Dimension, Include, Pagination, Query};

use crate::card::Card;
use crate::panel::Panel;
use crate::period::Period;

/// The question behind the cards.
#[must_use]
pub fn totals(site: &str, period: Period) -> Query {
    Query::new(site, Card::METRICS.to_vec(), range(period))
}

/// The question behind the chart. It asks for all metrics, so that choosing another card needs no request.
#[must_use]
pub fn series(site: &str, period: Period) -> Query {
    Query {
        dimensions: vec![Dimension::Time(period.grain())],
        include: Include { time_labels: true, ..Include::default() },
        ..totals(site, period)
    }
}

/// The question behind a panel.
#[must_use]
pub fn panel(site: &str, period: Period, panel: Panel, limit: u32) -> Query {
    Query {
        dimensions: vec![panel.dimension()],
        include: Include { total_rows: true, ..Include::default() },
        pagination: Pagination { limit, offset: 0 },
        ..Query::new(site, panel.metrics(), range(period))
    }
}

/// The question whether anything was ever counted.
#[must_use]
pub fn ever(site: &str) -> Query {
    Query::new(site, vec![headwater_query::Metric::Events], DateRange::All)
}

const fn range(period: Period) -> DateRange {
    match period {
        Period::Today => DateRange::Day,
        Period::Hours24 => DateRange::Hours24,
        Period::Days7 => DateRange::Days(7),
        Period::Days28 => DateRange::Days(28),
        Period::All => DateRange::All,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_the_contracts() {
        let body = serde_json::to_value(series("a.b", Period::Days7)).unwrap();
        assert_eq!(body["date_range"], "7d");
        assert_eq!(body["dimensions"], serde_json::json!(["time:day"]));
        assert_eq!(body["include"], serde_json::json!({"time_labels": true}));
        for query in [totals("a.b", Period::All), panel("a.b", Period::Today, Panel::Sources, 9), ever("a.b")] {
            let body = serde_json::to_vec(&query).unwrap();
            assert_eq!(Query::parse(&body), Ok(query));
        }
    }
}
