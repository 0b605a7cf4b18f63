//! What was fetched of a range, and what the page works out from it: the chart by any unit of time, and the cards of any part of it, without
//! a request. The sums and figures are headwater-query's own.
use headwater_query::{Buckets, Date, DateRange, Dimension, Metric, Moment, TimeDimension};

use crate::measure::Measure;
use crate::period::Period;
use crate::report::Reading;
use crate::route::Scope;

/// The most days of which hours are fetched too: the people of hours are kept for nine days.
const HOURS: i64 = 8;

/// The buckets of a range, as far as they were told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fetched {
    /// Its days.
    pub days: Option<Buckets>,
    /// Its hours, where it has few days.
    pub hours: Option<Buckets>,
}

/// Whether nobody is filtered out: only then do buckets tell what is asked.
#[must_use]
pub fn is_everybody(scope: &Scope) -> bool {
    scope.filters.is_empty() && scope.segment.is_none() && scope.period != Period::Realtime
}

impl Fetched {
    /// Those from one day to another, both included, if they reach so far.
    #[must_use]
    pub fn between(&self, from: Date, to: Date) -> Option<Self> {
        let part = |buckets: &Option<Buckets>| buckets.as_ref().and_then(|buckets| buckets.between(from, to));
        Some(Self { days: Some(part(&self.days)?), hours: part(&self.hours) })
    }

    /// The figures of the cards; none where only the server can count the visitors of the whole range.
    #[must_use]
    pub fn totals(&self) -> Option<Reading> {
        let (results, meta) = self.days.as_ref()?.total(&metrics())?;
        Some(Reading { results, meta })
    }

    /// The figures of the cards over time.
    #[must_use]
    pub fn series(&self, unit: TimeDimension) -> Option<Reading> {
        let from = |buckets: &Option<Buckets>| buckets.as_ref().and_then(|buckets| buckets.by_time(unit, &metrics()));
        let (results, meta) = if unit == TimeDimension::Hour { from(&self.hours) } else { from(&self.days) }?;
        Some(Reading { results, meta })
    }
}

fn metrics() -> Vec<Metric> {
    Measure::metrics(&Measure::CARDS)
}

/// The units of time in which a range of so many days can be shown: finer ones would be a blot, coarser ones a dot. Hours long ago are not kept.
#[must_use]
pub fn units(period: Period, days: i64, today: Date) -> &'static [TimeDimension] {
    use TimeDimension as T;
    match (days, period) {
        (..=HOURS, Period::Custom(from, _)) if !are_kept(from, today) => &[T::Day],
        (..2, _) => &[T::Hour],
        (2..=HOURS, _) => &[T::Hour, T::Day],
        (9..32, _) => &[T::Day, T::Week],
        (32..800, _) => &[T::Day, T::Week, T::Month],
        _ => &[T::Week, T::Month],
    }
}

/// The unit of the chart: the one that was chosen if it suits, otherwise that of the range.
#[must_use]
pub fn unit(chosen: Option<TimeDimension>, period: Period, days: i64, today: Date) -> TimeDimension {
    if period == Period::Realtime {
        return TimeDimension::Minute;
    }
    let units = units(period, days, today);
    let own = match period.grain() {
        // As the server parts a range of which it is not said how.
        TimeDimension::Auto if days < 2 => TimeDimension::Hour,
        TimeDimension::Auto if days < 32 => TimeDimension::Day,
        TimeDimension::Auto => TimeDimension::Month,
        own => own,
    };
    let own = if units.contains(&own) { own } else { units.first().copied().unwrap_or(own) };
    chosen.filter(|unit| units.contains(unit)).unwrap_or(own)
}

/// Of which grains a range is fetched: days, hours.
#[must_use]
pub fn grains(range: &DateRange, today: Date) -> [bool; 2] {
    let first = |moment: &Moment| match moment {
        Moment::Date(date) => *date,
        Moment::At(at, _) => at.date,
    };
    match range {
        DateRange::Hours24 => [false, true],
        DateRange::Day => [true, true],
        DateRange::Days(days) => [true, i64::from(*days) <= HOURS],
        DateRange::Between(from, to) => {
            let whole = matches!(from, Moment::Date(_));
            [whole, first(to).to_days() - first(from).to_days() < HOURS && are_kept(first(from), today)]
        }
        _ => [true, false],
    }
}

/// Whether the people of the hours of a day are kept, if nobody asked for less or more.
#[must_use]
pub const fn are_kept(from: Date, today: Date) -> bool {
    today.to_days() - from.to_days() <= HOURS
}

/// What the address asks for the buckets of a range with.
#[must_use]
pub fn address(domain: &str, range: DateRange, grain: &str) -> String {
    let range = match range {
        DateRange::Between(from, to) => {
            format!("from={}&to={}", crate::url::encode(&from.to_string()), crate::url::encode(&to.to_string()))
        }
        named => format!("date_range={}", named.name()),
    };
    format!("/api/v1/sites/{domain}/buckets?{range}&grain={grain}")
}

/// The same for days with the rows of some dimensions.
#[must_use]
pub fn address_of_rows(domain: &str, range: DateRange, dimensions: &[Dimension]) -> String {
    let names: Vec<String> = dimensions.iter().map(ToString::to_string).collect();
    format!("{}&dimensions={}", address(domain, range, "day"), crate::url::encode(&names.join(",")))
}

/// The days that lie under some points of a chart, from the `first` label to the `last`, both included.
#[must_use]
pub fn days_under(labels: &[String], first: usize, last: usize) -> Option<Period> {
    let date = |label: &String| Date::parse(label.get(..10)?);
    let (first, last) = (first.min(last), first.max(last));
    let from = date(labels.get(first)?)?;
    let at = date(labels.get(last)?)?;
    // A week or a month ends before the next begins.
    let to = match (labels.get(last + 1).and_then(date), labels.last().is_some_and(|label| label.len() > 10)) {
        (Some(next), false) => next.plus_days(-1),
        (None, false) => match crate::label::Spacing::of(labels) {
            crate::label::Spacing::Week => at.monday().plus_days(6),
            crate::label::Spacing::Month => at.first_of_month(1).plus_days(-1),
            _ => at,
        },
        _ => at,
    };
    let all = (date(labels.first()?)?, date(labels.last()?)?);
    // All of it, or hours of the one day there is, are no part.
    if (first == 0 && last + 1 == labels.len()) || (all.0 == all.1 && labels.len() > 1) {
        return None;
    }
    Period::between(from, to)
}

#[cfg(test)]
pub(crate) mod tests {
    use headwater_core::{Grain, Minute, Tally};
    use headwater_query::{Bucketed, Found, TimeRow};

    use super::*;
    use crate::series::Series;

    fn date(text: &str) -> Date {
        Date::parse(text).unwrap()
    }

    /// Thirty days; on the `n`th there were n views of n / 2 visitors.
    pub(crate) fn month(from: &str) -> Fetched {
        let day = |n: u32| {
            let tally = Tally { views: n.into(), events: n.into(), visits: (n / 2).into(), ..Tally::default() };
            let visitors = Found { sampled: (n / 2).into(), theta: u64::MAX, sketched: None };
            let window = Minute(n * 1440);
            let buckets = if n == 0 { Vec::new() } else { vec![Bucketed::new(window, &tally, visitors)] };
            TimeRow { label: date(from).plus_days(n.into()).to_string(), window, buckets }
        };
        let rows = (0..30).map(day).collect();
        Fetched {
            days: Some(Buckets {
                grain: Grain::Day,
                unit: Some("day".into()),
                whole: true,
                rows,
                sheets: Vec::new(),
                left_out: Vec::new(),
            }),
            hours: None,
        }
    }

    #[test]
    fn the_chart_is_parted_anew_without_a_request() {
        let line = |unit| {
            let line =
                Series::read(&month("2026-11-02").series(unit).unwrap(), false, "2026-12-02 09:00:00").line(Measure::Pageviews);
            line.values.iter().filter_map(|figure| figure.value).collect::<Vec<_>>()
        };
        assert_eq!(line(TimeDimension::Day).len(), 30);
        assert_eq!(line(TimeDimension::Week), [21.0, 70.0, 119.0, 168.0, 57.0]);
        assert_eq!(line(TimeDimension::Month), [406.0, 29.0]);
        assert_eq!(month("2026-11-02").series(TimeDimension::Hour), None);
    }

    #[test]
    fn a_unit_suits_its_range() {
        use TimeDimension as T;
        let today = date("2026-11-22");
        let unit = |chosen, period, days| unit(chosen, period, days, today);
        assert_eq!(unit(None, Period::Days28, 28), T::Day);
        assert_eq!(unit(Some(T::Week), Period::Days28, 28), T::Week);
        assert_eq!(unit(Some(T::Month), Period::Days7, 7), T::Day);
        assert_eq!(
            (unit(None, Period::All, 1), unit(None, Period::All, 20), unit(None, Period::All, 90)),
            (T::Hour, T::Day, T::Month)
        );
        assert_eq!(unit(Some(T::Hour), Period::Realtime, 1), T::Minute);
        for (from, by) in [("2026-11-21", T::Hour), ("2026-11-14", T::Hour), ("2026-11-13", T::Day)] {
            let day = Period::between(date(from), date(from)).unwrap();
            assert_eq!(unit(None, day, 1), by, "{from}");
            assert_eq!(grains(&day.range(Minute(0)), today), [true, by == T::Hour]);
        }
        for period in Period::ALL {
            for since in [date("2020-01-01"), date("2026-11-01"), today] {
                let days = period.days(today, Some(since));
                assert!(
                    period == Period::Realtime || units(period, days, today).contains(&unit(None, period, days)),
                    "{period:?}"
                );
            }
        }
    }

    #[test]
    fn points_of_the_chart_stand_for_days() {
        let labels = |labels: &str| labels.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let days = |from: &str, to: &str| Period::between(date(from), date(to));
        let some = labels("2026-11-02 2026-11-03 2026-11-04 2026-11-05");
        assert_eq!(days_under(&some, 2, 1), days("2026-11-03", "2026-11-04"));
        assert_eq!(days_under(&some, 3, 3), days("2026-11-05", "2026-11-05"));
        assert_eq!(days_under(&some, 0, 3), None, "it is all there is");
        let weeks = labels("2026-11-01 2026-11-02 2026-11-09 2026-11-16");
        assert_eq!(days_under(&weeks, 1, 1), days("2026-11-02", "2026-11-08"));
        assert_eq!(days_under(&weeks, 2, 3), days("2026-11-09", "2026-11-22"));
        let months = labels("2026-09-01 2026-10-01 2026-11-01");
        assert_eq!(days_under(&months, 1, 2), days("2026-10-01", "2026-11-30"));
        let hours = |days: &[&str]| {
            days.iter().flat_map(|day| [format!("{day} 00:00:00"), format!("{day} 12:00:00")]).collect::<Vec<_>>()
        };
        assert_eq!(days_under(&hours(&["2026-11-02", "2026-11-03"]), 1, 1), days("2026-11-02", "2026-11-02"));
        assert_eq!(days_under(&hours(&["2026-11-02"]), 1, 1), None);
    }

    #[test]
    fn addresses_say_the_range_as_queries_do() {
        assert_eq!(address("a.b", DateRange::Days(28), "day"), "/api/v1/sites/a.b/buckets?date_range=28d&grain=day");
        let custom = DateRange::Between(Moment::Date(date("2026-11-02")), Moment::Date(date("2026-11-05")));
        assert_eq!(address("a.b", custom, "hour"), "/api/v1/sites/a.b/buckets?from=2026-11-02&to=2026-11-05&grain=hour");
        let at = DateRange::Between(
            Moment::parse("2026-11-02T10:00:00+01:00").unwrap(),
            Moment::parse("2026-11-02T12:00:00+01:00").unwrap(),
        );
        assert!(address("a.b", at, "hour").contains("from=2026-11-02T10%3A00%3A00%2B01%3A00"), "{}", address("a.b", at, "hour"));
    }
}
