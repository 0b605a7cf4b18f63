//! What is asked: one question for the cards, one for the chart and one for what it is compared with, one for each panel. All of them
//! are asked again whenever the range, the filters or the data change.
use headwater_core::Minute;
use headwater_query::{
    Compare, CompareMode, Comparison, Condition, DateRange, Dimension, Direction, Filter, Include, Metric, Moment, OrderBy,
    OrderKey, Pagination, Query, TimeDimension,
};

use crate::filters::Filters;
use crate::measure::Measure;
use crate::panel::Tab;
use crate::period::{self, Period};
use crate::route::{Against, Scope};

/// How many rows a page of a whole list has.
pub const PAGE: u32 = 100;

/// The question behind the cards.
#[must_use]
pub fn totals(scope: &Scope, now: Minute) -> Query {
    let compare = |mode| Compare { mode, match_day_of_week: false };
    let comparisons = match scope.against {
        _ if !scope.period.is_comparable() => None,
        Against::Nothing => None,
        Against::Before => Some(compare(CompareMode::PreviousPeriod)),
        Against::YearBefore => Some(compare(CompareMode::YearOverYear)),
    };
    Query { include: Include { comparisons, ..Include::default() }, ..about(scope, &Measure::CARDS, now) }
}

/// The question behind the chart. It asks for all metrics, so that choosing another card needs no request.
#[must_use]
pub fn series(scope: &Scope, unit: TimeDimension, now: Minute) -> Query {
    Query {
        dimensions: vec![Dimension::Time(unit)],
        include: Include { time_labels: true, ..Include::default() },
        ..about(scope, &Measure::CARDS, now)
    }
}

/// The range of the line that the chart's is compared with, once the totals told which time that is. The whole of yesterday is drawn beside the
/// part of today that has been.
#[must_use]
pub fn range_before(period: Period, compared: DateRange) -> DateRange {
    let day = |moment: Moment| match moment {
        Moment::At(at, _) => Moment::Date(at.date),
        date @ Moment::Date(_) => date,
    };
    match (period, compared) {
        (Period::Hours24, range) => range,
        (Period::Today, DateRange::Between(from, _)) => DateRange::Between(day(from), day(from)),
        (_, DateRange::Between(from, to)) => DateRange::Between(day(from), day(to)),
        (_, range) => range,
    }
}

/// The question behind that line, where filters leave it to the server.
#[must_use]
pub fn series_before(scope: &Scope, compared: DateRange, unit: TimeDimension, now: Minute) -> Query {
    Query { date_range: range_before(scope.period, compared), ..series(scope, unit, now) }
}

/// The question behind a panel; none for properties before one is chosen.
#[must_use]
pub fn panel(scope: &Scope, tab: Tab, property: Option<&str>, now: Minute) -> Option<Query> {
    Some(list(scope, tab.dimension(property)?, &tab.columns(), tab.asks(), now))
}

/// The question behind a list of the first few values.
#[must_use]
pub fn list(scope: &Scope, dimension: Dimension, columns: &[Measure], limit: u32, now: Minute) -> Query {
    Query {
        dimensions: vec![dimension],
        include: Include { total_rows: true, ..Include::default() },
        pagination: Pagination { limit, offset: 0 },
        ..about(scope, columns, now)
    }
}

/// The question behind the web vitals: the values of the events that bring most of them.
#[must_use]
pub fn vitals(scope: &Scope, now: Minute) -> Query {
    Query { dimensions: vec![Dimension::Name], ..values_of(scope, now) }
}

/// The question behind one of them, page by page.
#[must_use]
pub fn vital_pages(scope: &Scope, name: &str, now: Minute) -> Query {
    let mut query = Query { dimensions: vec![Dimension::Page], ..values_of(scope, now) };
    query.filters.push(Filter::is(Dimension::Name, name));
    query
}

fn values_of(scope: &Scope, now: Minute) -> Query {
    let pagination = Pagination { limit: PAGE, offset: 0 };
    Query { metrics: vec![Metric::Count, Metric::P75], pagination, ..about(scope, &[], now) }
}

/// What is wanted of a whole list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Only values that contain this.
    pub search: String,
    /// By which column, and whether the smallest first.
    pub order: Option<(Measure, bool)>,
    /// Which page, from 0.
    pub page: u32,
}

/// The question behind a whole list.
#[must_use]
pub fn whole(scope: &Scope, tab: Tab, property: Option<&str>, wanted: &Wanted, now: Minute) -> Option<Query> {
    let dimension = tab.dimension(property)?;
    let mut query = about(scope, tab.all_columns(), now);
    query.filters.extend(searched(&dimension, &wanted.search));
    if let Some((measure, rising)) = wanted.order.filter(|(measure, _)| tab.all_columns().contains(measure)) {
        let direction = if rising { Direction::Asc } else { Direction::Desc };
        query.order_by = vec![OrderBy { key: OrderKey::Metric(measure.metric()), direction }];
    }
    query.dimensions = vec![dimension];
    query.include.total_rows = true;
    query.pagination = Pagination { limit: PAGE, offset: wanted.page.saturating_mul(PAGE) };
    Some(query)
}

/// The question which values of a dimension there are to choose from: the most visited that contain `search`, under all filters but
/// the one that is being made.
#[must_use]
pub fn values(scope: &Scope, dimension: &Dimension, search: &str, without: Option<usize>, now: Minute) -> Query {
    let others = without.map_or_else(|| scope.filters.clone(), |n| scope.filters.without(n));
    let mut query = about(&Scope { filters: others, ..scope.clone() }, &[Measure::Visitors], now);
    query.filters.extend(searched(dimension, search));
    query.dimensions = vec![dimension.clone()];
    query.pagination = Pagination { limit: 30, offset: 0 };
    query
}

fn searched(dimension: &Dimension, search: &str) -> Option<Filter> {
    let search = search.trim();
    (!search.is_empty()).then(|| {
        Filter::When(Condition {
            dimension: dimension.clone(),
            comparison: Comparison::Contains,
            negated: false,
            values: vec![search.to_owned()],
            case_sensitive: false,
        })
    })
}

/// The question which pages are being read: in the last five minutes, as the visitors of now are told.
#[must_use]
pub fn reading(scope: &Scope, now: Minute) -> Query {
    Query {
        dimensions: vec![Dimension::Page],
        date_range: period::last(5, now),
        pagination: Pagination { limit: 10, offset: 0 },
        ..about(scope, &[Measure::Visitors], now)
    }
}

/// The question how many visitors a segment has in the range.
#[must_use]
pub fn size(scope: &Scope, segment: &[Filter], now: Minute) -> Query {
    let only = Scope { filters: Filters::default(), within: segment.to_vec(), ..scope.clone() };
    about(&only, &[Measure::Visitors], now)
}

/// The question whether anything was ever counted.
#[must_use]
pub fn ever(site: &str) -> Query {
    Query::new(site, vec![Metric::Events], DateRange::All)
}

fn about(scope: &Scope, measures: &[Measure], now: Minute) -> Query {
    let range = scope.period.range(now);
    let filters = [scope.filters.to_query(), scope.within.clone()].concat();
    Query { filters, ..Query::new(&scope.domain, Measure::metrics(measures), range) }
}

#[cfg(test)]
mod tests {
    use TimeDimension as T;
    use headwater_query::Date;

    use super::*;

    const NOW: Minute = Minute(29_900_000);

    fn scope(period: Period) -> Scope {
        let filters = Filters::default().toggled(&Dimension::Page, "/a", false);
        Scope { domain: "a.b".into(), period, filters, ..Scope::default() }
    }

    #[test]
    fn questions_are_the_contracts() {
        let body = serde_json::to_value(series(&scope(Period::Days7), T::Day, NOW)).unwrap();
        assert_eq!(body["date_range"], "7d");
        assert_eq!(body["dimensions"], serde_json::json!(["time:day"]));
        assert_eq!(body["filters"], serde_json::json!([["is", "event:page", ["/a"]]]));
        assert_eq!(body["include"], serde_json::json!({"time_labels": true}));
        let wanted = Wanted { search: " De ".into(), order: Some((Measure::BounceRate, true)), page: 2 };
        let custom = Period::between(Date::new(2026, 1, 1).unwrap(), Date::new(2026, 2, 1).unwrap()).unwrap();
        for period in Period::ALL.into_iter().chain([custom]) {
            let scope = scope(period);
            let mut queries = vec![totals(&scope, NOW), series(&scope, T::Hour, NOW), ever("a.b"), reading(&scope, NOW)];
            queries.push(values(&scope, &Dimension::Page, "x", Some(0), NOW));
            queries.extend([vitals(&scope, NOW), vital_pages(&scope, "LCP", NOW)]);
            for tab in Tab::ALL {
                queries.extend(panel(&scope, tab, Some("plan"), NOW));
                queries.extend(whole(&scope, tab, Some("plan"), &wanted, NOW));
            }
            for query in queries {
                let body = serde_json::to_vec(&query).unwrap();
                assert_eq!(Query::parse(&body), Ok(query));
            }
        }
        assert_eq!(panel(&scope(Period::Today), Tab::Properties, None, NOW), None);
    }

    #[test]
    fn only_what_has_a_time_before_is_compared() {
        let compared = |period| totals(&scope(period), NOW).include.comparisons.map(|c| c.mode);
        assert_eq!(compared(Period::Today), Some(CompareMode::PreviousPeriod));
        assert_eq!((compared(Period::All), compared(Period::Realtime)), (None, None));
    }

    #[test]
    fn the_line_before_covers_whole_days() {
        let told: DateRange = serde_json::from_str(r#"["2026-11-21T00:00:00+01:00","2026-11-21T13:05:59+01:00"]"#).unwrap();
        let asked = |period| serde_json::to_value(series_before(&scope(period), told, T::Hour, NOW).date_range).unwrap();
        assert_eq!(asked(Period::Today), serde_json::json!(["2026-11-21", "2026-11-21"]));
        assert_eq!(asked(Period::Hours24), serde_json::to_value(told).unwrap());
    }
}
