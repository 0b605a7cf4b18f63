//! What was fetched of a range, kept: cards, chart and lists of any part of it follow without a request, and so do the cards of most times that
//! a part is compared with.
use std::rc::Rc;

use headwater_query::{Buckets, ComparedMeta, ComparedRow, Date, DateRange, Dimension, MetricValue, Moment, Query, change};

use crate::measure::Measure;
use crate::merged::{Fetched, is_everybody};
use crate::period::Period;
use crate::report::Reading;
use crate::route::{Against, Scope};

/// For how long figures follow from what is kept without asking whether something came in late, in milliseconds.
const FOR: f64 = 300_000.0;

/// What was fetched, and of what.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// The site.
    pub domain: String,
    /// The date by the site's clock when it was fetched: on another one, `7d` are other days.
    pub on: String,
    /// The range.
    pub period: Period,
    /// When, in milliseconds since 1970.
    pub at: f64,
    /// Its totals.
    pub fetched: Fetched,
    /// Its rows by some dimensions, each with the totals of its own moment.
    pub lists: Vec<Rc<Buckets>>,
    /// The time that it is compared with.
    pub before: Option<Before>,
}

/// The time that a range is compared with.
#[derive(Clone, Debug, PartialEq)]
pub struct Before {
    /// How it is compared.
    pub against: Against,
    /// Which time that is.
    pub range: DateRange,
    /// What was fetched of it.
    pub fetched: Fetched,
}

/// The figures of the cards with those of the time that they are compared with.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// As the answer to [`crate::question::totals`].
    pub totals: Reading,
    /// What is known of that time.
    pub other: Option<Fetched>,
}

impl Kept {
    /// What is known of a range, if it lies in this one.
    #[must_use]
    pub fn covers(&self, scope: &Scope, on: &str) -> Option<Fetched> {
        Some(match self.part(scope, on)? {
            None => self.fetched.clone(),
            Some((from, to)) => self.fetched.between(from, to)?,
        })
    }

    /// The days of a range that lies in this one; nothing if it is all of it.
    fn part(&self, scope: &Scope, on: &str) -> Option<Option<(Date, Date)>> {
        if self.domain != scope.domain || self.on != on || !is_everybody(scope) {
            return None;
        }
        match scope.period {
            period if period == self.period => Some(None),
            Period::Custom(from, to) => Some(Some((from, to))),
            _ => None,
        }
    }

    /// Whether it is too old to be believed without asking.
    #[must_use]
    pub fn is_old(&self, now: f64) -> bool {
        !(0.0..FOR).contains(&(now - self.at))
    }

    /// The answer to a question for a list of a range that lies in this one, if it follows from the rows that are here, and nothing came in since
    /// they were fetched. `small` writes a text in small letters.
    #[must_use]
    pub fn list(&self, scope: &Scope, on: &str, query: &Query, small: fn(&str) -> String) -> Option<Reading> {
        let part = self.part(scope, on)?;
        let days = self.fetched.days.as_ref()?;
        let told = |rows: &Rc<Buckets>| rows.list(part, query, small).filter(|_| rows.agrees(days, part));
        let (results, meta) = self.lists.iter().rev().find_map(told)?;
        Some(Reading { results, meta })
    }

    /// Whether the rows of a dimension were fetched, or left out because there are too many.
    #[must_use]
    pub fn has(&self, dimension: &Dimension) -> bool {
        let has = |rows: &Rc<Buckets>| {
            rows.left_out.contains(dimension) || rows.sheets.iter().any(|sheet| sheet.dimension == *dimension)
        };
        self.lists.iter().any(has)
    }

    /// The figures of the cards of a range that lies in this one, and what they are compared with; none if one of them must be asked for.
    #[must_use]
    pub fn totals(&self, scope: &Scope, on: &str) -> Option<Compared> {
        let mut totals = self.covers(scope, on)?.totals()?;
        if scope.against == Against::Nothing || !scope.period.is_comparable() {
            return Some(Compared { totals, other: None });
        }
        let (range, other) = match scope.period {
            period if period == self.period => {
                let before = self.before.as_ref().filter(|before| before.against == scope.against)?;
                (before.range, before.fetched.clone())
            }
            Period::Custom(from, to) => {
                // Days that are still to come are compared with nothing.
                let today = Date::parse(on)?;
                let to = if from <= today { to.min(today) } else { to };
                let days = match scope.against {
                    Against::YearBefore => from.to_days() - from.a_year_before().to_days(),
                    _ => to.to_days() - from.to_days() + 1,
                };
                let (from, to) = (from.plus_days(-days), to.plus_days(-days));
                (DateRange::Between(Moment::Date(from), Moment::Date(to)), self.days(from, to)?)
            }
            _ => return None,
        };
        let Reading { results, meta } = other.totals()?;
        let metrics = results.into_iter().next()?.metrics;
        let row = totals.results.first_mut()?;
        let change = compared(&row.metrics, &metrics);
        row.comparison = Some(ComparedRow { metrics, dimensions: Vec::new(), change });
        totals.meta.comparison =
            Some(ComparedMeta { date_range: range, visitors_unit: meta.visitors_unit, bounds: meta.bounds, time_labels: None });
        Some(Compared { totals, other: Some(other) })
    }

    /// What is known of days that lie in this range, in the one that it is compared with, or in both where the one follows the other.
    fn days(&self, from: Date, to: Date) -> Option<Fetched> {
        let before = self.before.as_ref().map(|before| &before.fetched);
        if let Some(found) = [Some(&self.fetched), before].into_iter().flatten().find_map(|fetched| fetched.between(from, to)) {
            return Some(found);
        }
        let (ours, theirs) = (self.fetched.days.as_ref()?, before?.days.as_ref()?);
        Some(Fetched { days: Some(theirs.then(ours)?.between(from, to)?), hours: None })
    }
}

fn compared(here: &[MetricValue], there: &[MetricValue]) -> Vec<Option<f64>> {
    let both = Measure::CARDS.iter().zip(here).zip(there);
    both.map(|((measure, here), there)| change(measure.metric(), here, there)).collect()
}

/// Whether rows tell a dimension, and can be asked for: names stand with commas between them.
#[must_use]
pub fn has_rows(dimension: &Dimension) -> bool {
    dimension.has_rows() && !matches!(dimension, Dimension::Prop(name) if name.contains(','))
}

#[cfg(test)]
mod tests {
    use headwater_query::Metric;

    use super::*;
    use crate::merged::tests::month;
    use crate::report::Totals;

    fn date(text: &str) -> Date {
        Date::parse(text).unwrap()
    }

    fn kept() -> Kept {
        let (domain, on) = ("a.b".to_owned(), "2026-12-02".to_owned());
        Kept { domain, on, period: Period::Days30, at: 1e12, fetched: month("2026-11-02"), lists: Vec::new(), before: None }
    }

    fn scope(period: Period) -> Scope {
        Scope { domain: "a.b".into(), period, ..Scope::default() }
    }

    fn part(from: &str, to: &str) -> Scope {
        scope(Period::between(date(from), date(to)).unwrap())
    }

    #[test]
    fn a_part_of_what_was_fetched_needs_no_request() {
        let three = part("2026-11-03", "2026-11-05");
        let told = kept().covers(&three, "2026-12-02").unwrap();
        let totals = Totals::read(&told.totals().unwrap());
        assert_eq!((totals.get(Measure::Pageviews).value, totals.get(Measure::Visitors).value), (Some(6.0), Some(2.0)));
        assert_eq!(totals.unit.as_deref(), Some("day"));
        assert_eq!(kept().covers(&scope(Period::Days30), "2026-12-02"), Some(month("2026-11-02")));
        // Other days, other people, another site, another day.
        assert_eq!(kept().covers(&scope(Period::Days7), "2026-12-02"), None);
        assert_eq!(kept().covers(&part("2026-11-01", "2026-11-05"), "2026-12-02"), None);
        assert_eq!(kept().covers(&three, "2026-12-03"), None);
        assert_eq!(kept().covers(&Scope { segment: Some(1), ..three.clone() }, "2026-12-02"), None);
        assert_eq!(kept().covers(&Scope { domain: "c.d".into(), ..three }, "2026-12-02"), None);
        assert!(kept().is_old(1e12 + 600_000.0) && kept().is_old(1e12 - 1.0) && !kept().is_old(1e12 + 60_000.0));
    }

    #[test]
    fn a_part_is_compared_with_what_is_here() {
        let mut kept = kept();
        let totals = |kept: &Kept, scope: &Scope| Some(Totals::read(&kept.totals(scope, "2026-12-02")?.totals));
        let late = part("2026-11-12", "2026-11-14");
        let views = |totals: &Totals| (totals.get(Measure::Pageviews).value, totals.change(Measure::Pageviews).before);
        // The three days before are days of the same range: 10 + 11 + 12 views against 7 + 8 + 9.
        let told = totals(&kept, &late).unwrap();
        assert_eq!(views(&told), (Some(33.0), Some(24.0)));
        assert_eq!(told.change(Measure::Pageviews).change, Some(38.0));
        assert_eq!(told.change(Measure::BounceRate).change, Some(0.0));
        let range = DateRange::Between(Moment::Date(date("2026-11-09")), Moment::Date(date("2026-11-11")));
        assert_eq!(told.compared, Some(range));
        // Beyond the range, what it was compared with must be known.
        let (early, first) = (part("2026-11-03", "2026-11-05"), part("2026-11-02", "2026-11-03"));
        assert_eq!(totals(&kept, &early), None);
        assert_eq!(totals(&kept, &scope(Period::Days30)), None);
        let fetched = month("2026-10-03");
        kept.before = Some(Before { against: Against::Before, range, fetched });
        // 28 + 29 views, and none on the 2nd of November, in both months; all from the month before.
        assert_eq!(totals(&kept, &early).map(|told| views(&told)), Some((Some(6.0), Some(57.0))));
        assert_eq!(totals(&kept, &first).map(|told| views(&told)), Some((Some(1.0), Some(57.0))));
        assert_eq!(totals(&kept, &scope(Period::Days30)).and_then(|told| told.compared), Some(range));
        let against = |against, scope: &Scope| totals(&kept, &Scope { against, ..scope.clone() });
        assert_eq!(against(Against::YearBefore, &late), None);
        assert_eq!(against(Against::Nothing, &late).map(|told| views(&told)), Some((Some(33.0), None)));
    }

    #[test]
    fn lists_are_believed_as_long_as_their_totals_are_these() {
        let mut kept = kept();
        let (scope, on) = (part("2026-11-03", "2026-11-05"), "2026-12-02");
        let query = Query { dimensions: vec![Dimension::Page], ..Query::new("a.b", vec![Metric::Visitors], DateRange::All) };
        assert_eq!((kept.list(&scope, on, &query, str::to_lowercase), kept.has(&Dimension::Page)), (None, false));
        kept.lists
            .push(Rc::new(headwater_query::Buckets { left_out: vec![Dimension::Page], ..month("2026-11-02").days.unwrap() }));
        assert_eq!(
            (kept.list(&scope, on, &query, str::to_lowercase), kept.has(&Dimension::Page)),
            (None, true),
            "there are too many"
        );
    }
}
