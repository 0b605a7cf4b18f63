//! A month as a calendar shows it, and how two clicks become a range.
use headwater_query::Date;

/// The weeks of a month from Monday on; days of other months are none.
#[must_use]
pub fn weeks(month: Date) -> Vec<[Option<Date>; 7]> {
    let first = month.first_of_month(0);
    let own = |day: &Date| (day.year, day.month) == (first.year, first.month);
    let monday = first.monday();
    // No month touches more than six weeks.
    let weeks = (0..6_i64).map(|week| std::array::from_fn(|day| Some(monday.plus_days(week * 7 + day as i64)).filter(own)));
    weeks.filter(|week: &[Option<Date>; 7]| week.iter().any(Option::is_some)).collect()
}

/// The range that is being chosen: its first day, and its last once there is one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    /// Where it begins.
    pub from: Option<Date>,
    /// Where it ends.
    pub to: Option<Date>,
}

impl Chosen {
    /// After a click on a day: it begins a range, or ends the one that was begun.
    #[must_use]
    pub fn clicked(self, day: Date) -> Self {
        match (self.from, self.to) {
            (Some(from), None) => Self { from: Some(from.min(day)), to: Some(from.max(day)) },
            _ => Self { from: Some(day), to: None },
        }
    }

    /// Whether a day is in it.
    #[must_use]
    pub fn holds(self, day: Date) -> bool {
        self.from.is_some_and(|from| (from..=self.to.unwrap_or(from)).contains(&day))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        Date::parse(text).unwrap()
    }

    #[test]
    fn a_month_has_all_its_days_and_begins_on_mondays() {
        let november = weeks(date("2026-11-17"));
        assert_eq!(november.len(), 6, "the first is a Sunday");
        assert_eq!(november[0][6], Some(date("2026-11-01")));
        assert_eq!(november.iter().flatten().flatten().count(), 30);
        assert_eq!(weeks(date("2027-02-01")).len(), 4, "four whole weeks");
        assert!(weeks(date("9999-12-31")).iter().flatten().flatten().count() > 0);
    }

    #[test]
    fn two_clicks_are_a_range_whatever_their_order() {
        let chosen = Chosen::default().clicked(date("2026-11-10")).clicked(date("2026-11-03"));
        assert_eq!(chosen, Chosen { from: Some(date("2026-11-03")), to: Some(date("2026-11-10")) });
        assert!(chosen.holds(date("2026-11-05")) && !chosen.holds(date("2026-11-11")));
        assert_eq!(chosen.clicked(date("2026-11-20")), Chosen { from: Some(date("2026-11-20")), to: None });
    }
}
