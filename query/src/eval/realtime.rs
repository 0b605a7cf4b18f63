//! The last hour: the realtime answer, and what the live feed tells of a minute.
use std::collections::HashMap;

use headwater_core::{Estimate, Minute, OTHER, Packed, RowDimension, StrId, VisitDimension};

use super::labels;
use crate::{Change, Realtime, RealtimeMinute};

/// How many minutes are told one by one, and how many are "now".
const MINUTES: u32 = 60;
const NOW: u32 = 5;

/// The realtime answer, from the minute buckets of the last hour. Others are not looked at, so all may be handed in.
#[must_use]
pub fn realtime<'a>(now: Minute, buckets: impl IntoIterator<Item = (Minute, &'a Packed)>) -> Realtime {
    let first = Minute(now.0.saturating_sub(MINUTES - 1));
    let mut by_minute: HashMap<Minute, &Packed> = HashMap::new();
    by_minute.extend(buckets.into_iter().filter(|(minute, _)| (first..=now).contains(minute)));
    let mut answer = Realtime::default();
    let (mut hashes, mut theta) = (Vec::new(), u64::MAX);
    for minute in first.0..=now.0 {
        let mut row = RealtimeMinute { time: Minute(minute), pageviews: 0, visitors: 0 };
        if let Some(Packed { tallies, people }) = by_minute.get(&row.time) {
            let mut seen: Vec<usize> =
                people.each_visit().filter(|visit| people.counts(visit.facts.clone())).map(|visit| visit.visitor).collect();
            seen.dedup();
            row.visitors = whole(Estimate::from_sample(seen.len() as u64, people.theta));
            row.pageviews = tallies.total().map_or(0, |t| t.views);
            if minute + NOW > now.0 {
                answer.events += tallies.total().map_or(0, |t| t.events);
                hashes.extend(seen.iter().filter_map(|visitor| people.hashes.get(*visitor).copied()));
                theta = theta.min(people.theta);
            }
        }
        answer.minutes.push(row);
    }
    hashes.sort_unstable();
    hashes.dedup();
    answer.visitors = whole(Estimate::from_sample(hashes.iter().filter(|h| **h < theta).count() as u64, theta));
    answer
}

fn whole(estimate: Estimate) -> u64 {
    estimate.value.max(0.0).round() as u64
}

/// Every row of a minute with its counts and visitors, sorted by dimension and value. The total is first.
#[must_use]
pub fn changes(aggregate: &Packed) -> Vec<Change> {
    let visitors = visitors(aggregate);
    let Packed { tallies, people } = aggregate;
    let rows = tallies.rows.iter().map(|row| {
        let dimension = row.key.dimension;
        let (key, value) = (tallies.dict.get(row.key.key), tallies.dict.get(row.key.value));
        let sampled = visitors.get(&(dimension, key, value)).copied().unwrap_or(0);
        Change {
            dimension: if key.is_empty() { dimension.name().to_owned() } else { format!("{}:{key}", dimension.name()) },
            value: labels::of_row(dimension, value).to_owned(),
            pageviews: row.tally.views,
            events: row.tally.events,
            visitors: whole(Estimate::from_sample(sampled, people.theta)),
        }
    });
    rows.collect()
}

/// Distinct visitors by dimension, property name and value. What was refused a row of its own counts as `(other)`.
fn visitors(aggregate: &Packed) -> HashMap<(RowDimension, &str, &str), u64> {
    let Packed { tallies, people } = aggregate;
    let mut counts: HashMap<(RowDimension, &str, &str), (usize, u64)> = HashMap::new();
    let known = |dimension, key: &str, value: &str| {
        let ids = tallies.dict.find(key).zip(tallies.dict.find(value));
        ids.is_some_and(|ids| tallies.of(dimension).binary_search_by_key(&ids, |r| (r.key.key, r.key.value)).is_ok())
    };
    let text = |id: StrId| people.dict.get(id);
    for visit in people.each_visit() {
        let visitor = visit.visitor;
        let mut saw = |dimension, key, value| {
            let value = if known(dimension, key, value) { value } else { OTHER };
            let count = counts.entry((dimension, key, value)).or_insert((usize::MAX, 0));
            if count.0 != visitor {
                *count = (visitor, count.1 + 1);
            }
        };
        let mut counted = false;
        for fact in visit.facts.filter(|fact| people.facts.count.get(*fact) > 0) {
            counted = true;
            let Some(tuple) = people.tuples.get(people.facts.tuple.get(fact) as usize) else { continue };
            saw(RowDimension::Name, "", text(tuple.name));
            saw(RowDimension::Page, "", text(tuple.page));
            saw(RowDimension::Hostname, "", text(tuple.hostname));
            tuple.props.iter().for_each(|(key, value)| saw(RowDimension::Prop, text(*key), text(*value)));
        }
        if counted {
            saw(RowDimension::Total, "", "");
            let context = people.visits.context.get(visit.place) as usize;
            for dimension in VisitDimension::ALL {
                saw(RowDimension::Visit(*dimension), "", text(people.context(context, *dimension)));
            }
        }
    }
    counts.into_iter().map(|(key, (_, count))| (key, count)).collect()
}
