//! A unit: the buckets of one row of time and one identity window, within which hashes mean the same people.
use headwater_core::{Minute, Numbers, Packed, RowDimension, Stamped, StrId, Tally};

use super::Lens;
use super::choice::{Choice, ChosenOnce};
use super::distinct::{self, Distinct};
use super::groups::Groups;
use super::labels;
use super::lens::Uniques;
use super::local::Local;
use super::money::From;
use super::needs::{Needs, Visits};
use super::scan::{Found, SCANNED, Sums, Valued, Want, scan};
use super::view::View;
use crate::Dimension;
pub(super) use crate::sum::share;
use crate::totals::{Table, Totals, What};

/// A bucket and where it belongs.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    pub(super) aggregate: &'a Packed,
    pub(super) view: &'a View<'a>,
    pub(super) lens: Option<&'a Lens>,
    /// Who of its people is chosen, if several questions share that.
    pub(super) chosen: Option<&'a ChosenOnce>,
    /// Its first minute.
    pub(super) start: Minute,
    /// The first minute of its row of time.
    pub(super) row: Minute,
    /// The first minute of its identity window.
    pub(super) window: Minute,
    /// The least theta of the buckets of this window.
    pub(super) window_theta: u64,
}

/// A query, prepared.
pub(super) struct Job<'q> {
    pub(super) needs: &'q Needs,
    pub(super) choice: &'q Choice,
    /// The dimensions with the entry page in place of the page.
    pub(super) by_entry: &'q [Dimension],
}

/// What is known of a unit besides its rows.
pub(super) struct Added {
    /// The smallest share of visitors that a sample holds.
    pub(super) share: f64,
    /// How many distinct visitors were found in all groups, if they were looked for one by one.
    pub(super) visitors: u64,
}

impl Part<'_> {
    /// Below which hash everybody is there, or in the whole window if that is looked at.
    pub(super) fn theta(&self, by_window: bool) -> u64 {
        if by_window { self.window_theta } else { self.aggregate.people.theta }
    }
}

/// Adds a unit's buckets to the rows.
pub(super) fn add<'a>(job: &Job<'_>, parts: &[Part<'a>], groups: &mut Groups, table: &mut Table) -> Added {
    let needs = job.needs;
    // Sums need no union, so each bucket gives all it has; unless a filter looks at the whole window.
    let theta_of = |part: &Part<'_>| part.theta(job.choice.by_window);
    let theta = parts.iter().map(theta_of).min().unwrap_or(u64::MAX);
    let own;
    let uniques = match (parts, &needs.tallies) {
        // One bucket is its own union, and what it says of its rows may be known already.
        ([part], Some((of, _))) if needs.by_lens => match part.lens {
            Some(lens) => lens.of(*of, part.aggregate),
            None => {
                own = Lens::default();
                own.of(*of, part.aggregate)
            }
        },
        _ => None,
    };
    let scanned = needs.people && uniques.is_none();
    // One bucket is its own union, and only rows of tallies have sketches.
    let alone = parts.len() == 1 && needs.tallies.is_none();
    let mut visitors = 0;
    let mut distinct = Distinct::default();
    for (part, number) in parts.iter().zip(0..) {
        if let Some((of, key)) = &needs.tallies {
            add_tallies(part, *of, key, needs, uniques, groups, table);
        }
        let own = ChosenOnce::default();
        let at = Place { part, chosen: part.chosen.unwrap_or(&own), number, theta: theta_of(part), alone };
        if scanned {
            let found = add_people(job, at, groups, table);
            if alone {
                visitors = found.visitors;
                distinct::visits_alone(job, &part.aggregate.people, &found, share(theta), table);
            } else {
                distinct.collect(&part.aggregate.people, &found);
            }
        }
        if needs.counts_entries() {
            add_entries(job, at, groups, table);
        }
    }
    if scanned && !alone {
        let sketched = job.sketches(parts, &distinct, groups);
        visitors = distinct.finish(job, parts, theta, &sketched, table);
    }
    table.settle();
    Added { share: share(theta), visitors }
}

fn add_tallies<'a>(
    part: &Part<'a>,
    of: RowDimension,
    key: &str,
    needs: &Needs,
    uniques: Option<&Uniques>,
    groups: &mut Groups,
    table: &mut Table,
) {
    let tallies = &part.aggregate.tallies;
    let Some(key_id) = tallies.dict.find(key) else { return add_without(part, groups, table) };
    let rows = tallies.of(of);
    let first = rows.partition_point(|r| r.key.key < key_id);
    let end = rows.partition_point(|r| r.key.key <= key_id);
    let mut named = Tally::default();
    let distinct = needs.visits == Some(Visits::Distinct);
    let p = share(part.aggregate.people.theta);
    let numbers = part.lens.and_then(|lens| lens.numbers(of, tallies));
    if numbers.is_none() {
        groups.walk(end - first);
    }
    for (place, row) in (first..end).zip(&rows[first..end]) {
        let value = || labels::of_row(of, tallies.dict.get(row.key.value));
        let group = match (of, numbers) {
            (RowDimension::Total, _) => 0,
            (_, Some(numbers)) => groups.numbered(numbers, place, value),
            _ if row.key.value == StrId(0) => groups.value(value()),
            _ => groups.next(value()),
        };
        let totals = table.at(group);
        totals.add(What::Events, row.tally.events);
        totals.add(What::Views, row.tally.views);
        totals.add(What::Engaged, row.tally.engaged);
        totals.add(What::Depth, row.tally.depth);
        totals.add(What::Started, row.tally.visits);
        totals.add(What::WentOn, row.tally.visits_went_on);
        if let Some(uniques) = uniques {
            let place = place - first;
            let found = uniques.visitors.get(place).copied().unwrap_or(0);
            match uniques.sketch(place) {
                Some(sketch) => totals.add_sketched(What::Visitors, sketch),
                None => totals.add_found(What::Visitors, found.into(), found.into(), p),
            }
            if distinct || needs.bounces == Some(Visits::Distinct) {
                let (counts, squares) = uniques.visits(place);
                let mut add = |what, i: usize| totals.add_found(what, counts[i], squares[i], p);
                if distinct {
                    add(What::Visits, 0);
                }
                if needs.bounces == Some(Visits::Distinct) {
                    add(What::BounceStarted, 1);
                    add(What::BounceWentOn, 2);
                }
            }
        }
        if of == RowDimension::Prop {
            named.add(&row.tally);
        }
        if needs.numbers {
            let money = row.tally.numbers.iter();
            money.for_each(|(currency, n)| totals.money().add(tallies.dict.get(*currency), n, From::Everyone));
        }
    }
    if of == RowDimension::Total && needs.numbers {
        let values = tallies.of(RowDimension::Name).iter().flat_map(|row| &row.tally.numbers);
        values.for_each(|(currency, n)| table.at(0).money().add(tallies.dict.get(*currency), n, From::Everyone));
    }
    if of == RowDimension::Prop {
        add_rest(part, &named, groups, table);
    }
    if needs.bounces == Some(Visits::Entry) {
        let of = RowDimension::Visit(crate::VisitProperty::EntryPage);
        let numbers = part.lens.and_then(|lens| lens.numbers(of, tallies));
        for (place, row) in tallies.of(of).iter().enumerate() {
            let value = || tallies.dict.get(row.key.value);
            let totals = table.at(match numbers {
                Some(numbers) => groups.numbered(numbers, place, value),
                None => groups.value(value()),
            });
            totals.add(What::BounceStarted, row.tally.visits);
            totals.add(What::BounceWentOn, row.tally.visits_went_on);
        }
    }
}

/// Without the property nothing is in its rows, and everything is in `(none)`.
fn add_without<'a>(part: &Part<'a>, groups: &mut Groups, table: &mut Table) {
    add_rest(part, &Tally::default(), groups, table);
}

/// What has not the property: the total less the rows that have it.
fn add_rest<'a>(part: &Part<'a>, with: &Tally, groups: &mut Groups, table: &mut Table) {
    let Some(total) = part.aggregate.tallies.total() else { return };
    let totals = table.at(groups.value(labels::missing_of(&Dimension::Prop(String::new()))));
    totals.add(What::Events, total.events.saturating_sub(with.events));
    totals.add(What::Views, total.views.saturating_sub(with.views));
    totals.add(What::Engaged, total.engaged.saturating_sub(with.engaged));
    totals.add(What::Depth, total.depth.saturating_sub(with.depth));
}

/// A bucket of a unit.
#[derive(Clone, Copy)]
struct Place<'p, 'a> {
    part: &'p Part<'a>,
    chosen: &'p ChosenOnce,
    /// Its number in the unit.
    number: u32,
    /// Below which hash its people are looked at.
    theta: u64,
    /// Whether its visitors are all that there are in the unit.
    alone: bool,
}

fn add_people(job: &Job<'_>, at: Place<'_, '_>, groups: &mut Groups, table: &mut Table) -> Found {
    let Place { part, chosen, number, theta, alone } = at;
    let needs = job.needs;
    let Packed { tallies, people } = part.aggregate;
    let rows = needs.tallies.as_ref().map(|(of, _)| (&**tallies, *of));
    let mut local = Local::new(&needs.shape.dimensions, part, rows, groups);
    let counted = needs.tallies.is_none();
    let numbered = matches!(needs.tallies, Some((RowDimension::Total | RowDimension::Name, _)));
    let want = Want {
        counts: counted,
        started: counted && !needs.shape.of_events(),
        sums: needs.sums,
        numbers: needs.numbers && !numbered,
        valued: needs.shape.of_goals(),
        visitors: needs.visitors,
        named: !alone,
        visits: needs.visits == Some(Visits::Distinct) || needs.bounces == Some(Visits::Distinct),
    };
    let found = scan(people, part.view, job.choice.of(part, chosen), &mut local, groups, want);
    let p = share(theta);
    for own in &found.groups {
        if own.shown || own.sums != [0; 6] {
            let totals = table.at(own.group);
            if own.shown {
                totals.show();
            }
            let sums = SCANNED.into_iter().zip(own.sums).zip(own.squares);
            for ((what, count), squares) in sums.filter(|((what, _), _)| needs.sums[*what as usize]) {
                totals.add_found(what, count, squares, p);
            }
        }
        if alone && own.visitors > 0 {
            table.at(own.group).add_found(What::Visitors, own.visitors, own.visitors as f64, p);
        }
    }
    for valued in &found.numbers {
        let from = From::One { bucket: number, visitor: valued.visitor, p };
        add_value(part, valued, want.valued, from, table.at(valued.group));
    }
    found
}

/// Adds the values of equal events, and for those that have none what their goal is worth.
fn add_value(part: &Part<'_>, valued: &Valued, worth: bool, from: From, totals: &mut Totals) {
    let people = &part.aggregate.people;
    let (tuple, count) = (people.facts.tuple.get(valued.fact as usize), people.facts.count.get(valued.fact as usize));
    let numbers = people.numbers_of(valued.fact);
    if let Some(numbers) = numbers {
        let currency = people.tuples.get(tuple as usize).map_or("", |t| people.dict.get(t.currency));
        totals.money().add(currency, numbers, from);
    }
    // An event has one value or none.
    let without = count.saturating_sub(numbers.map_or(0, |numbers| numbers.count));
    if worth
        && without > 0
        && let Some(worth) = part.view.worth(tuple as usize, valued.goal)
    {
        // When in the bucket they happened is not known: the bucket's start stands for it.
        let value = Stamped { minute: part.start, id: 0, index: 0, value: worth.value };
        totals.money().add(&worth.currency, &Numbers::repeated(value, without), from);
    }
}

/// The visits that entered by a page, where filters leave no row of tallies to tell them.
fn add_entries(job: &Job<'_>, at: Place<'_, '_>, groups: &mut Groups, table: &mut Table) {
    let Place { part, chosen, theta, .. } = at;
    let people = &part.aggregate.people;
    let mut local = Local::new(job.by_entry, part, None, groups);
    let sums: Sums = std::array::from_fn(|i| job.needs.sums[i] && i >= What::Started as usize);
    let want = Want { started: true, sums, ..Want::default() };
    let found = scan(people, part.view, job.choice.of_entry(part, chosen), &mut local, groups, want);
    let p = share(theta);
    for own in &found.groups {
        let [.., started, went_on] = own.sums;
        if started | went_on > 0 {
            let totals = table.at(own.group);
            totals.add_found(What::BounceStarted, started, own.squares[What::Started as usize], p);
            totals.add_found(What::BounceWentOn, went_on, own.squares[What::WentOn as usize], p);
        }
    }
}
