//! What an edge away from its collector remembers of sites: asked for once, refreshed while it is used, and used stale while
//! the collector is away, for as long as the salts reach. The shell asks; this says when.
use std::collections::HashMap;
use std::sync::Arc;

use foldhash::quality::RandomState;
use headwater_core::{Millis, SiteId};

use crate::dedup::{HOUR, REMEMBERED};
use crate::limit::Limit;
use crate::{SaltWindow, SiteFacts};

/// What is known of a site in use is asked for again after this many milliseconds.
pub const REFRESH: u64 = 30_000;
/// A site is in use for this long after it was last looked up.
const IN_USE: u64 = HOUR;
/// That there is no such site is believed for this long; a new one is counted after it at the latest.
pub const UNKNOWN: u64 = 30_000;
/// After a failure the collector is not asked about the same site for this long.
const PAUSE: u64 = 2_000;
/// An answer that has not come after this long is not waited for any more.
const PATIENCE: u64 = 10_000;
/// Names that may be asked for in a second: a flood of made-up ones must not become a flood at the collector.
const ASKS: u32 = 50;
/// Sites that are remembered, and names of which it is remembered that they are none.
const CAPACITY: usize = 20_000;

/// What is known of a domain now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// The site.
    Known(Arc<SiteFacts>),
    /// There is none.
    Unknown,
    /// Nothing: ask the collector, say what it answered, and look again.
    Ask,
    /// Nothing, but the collector is being asked: look again in a moment.
    Asked,
    /// Nothing, and the collector is not to be asked now.
    Away,
}

#[derive(Debug)]
struct Entry {
    facts: Option<Arc<SiteFacts>>,
    /// When the collector said so; 0 if it never did.
    learned: Millis,
    /// Not to be asked for before.
    not_before: Millis,
    /// The collector is being asked.
    asked: bool,
    /// When it was last looked up.
    used: Millis,
}

/// The memory.
#[derive(Debug)]
pub struct Facts {
    entries: HashMap<String, Entry, RandomState>,
    asks: Limit<()>,
}

impl Default for Facts {
    fn default() -> Self {
        Self { entries: HashMap::default(), asks: Limit::new(ASKS, 1, 1) }
    }
}

impl Facts {
    /// What is known of `domain` (lower case) at `at`. After [`Look::Ask`] others are told [`Look::Asked`] until
    /// the answer is in.
    pub fn look(&mut self, domain: &str, at: Millis) -> Look {
        if let Some(entry) = self.entries.get_mut(domain) {
            entry.used = entry.used.max(at);
            if let Some(facts) = &entry.facts {
                return Look::Known(facts.clone());
            }
            if is_within(entry.learned, UNKNOWN, at) {
                return Look::Unknown;
            }
            if is_ahead(entry.not_before, at) {
                return if entry.asked { Look::Asked } else { Look::Away };
            }
        }
        if domain.is_empty() || domain.len() > 253 {
            return Look::Unknown; // RFC 1035: no name is longer
        }
        if self.asks.take(at, ()).is_err() || !self.has_room(at) {
            return Look::Away;
        }
        let entry = self.entries.entry(domain.to_owned()).or_insert_with(Entry::none);
        entry.used = at;
        entry.ask(at);
        Look::Ask
    }

    /// The sites that are to be asked for again; each is named once until the answer is in.
    pub fn due(&mut self, at: Millis) -> Vec<String> {
        self.entries.retain(|_, entry| !entry.is_past(at));
        let due = self.entries.iter_mut().filter(|(_, entry)| entry.is_due(at));
        due.map(|(domain, entry)| {
            entry.ask(at);
            domain.clone()
        })
        .collect()
    }

    /// The collector has answered: what it knows of the site, `None` if there is none. Gives back the site that was known
    /// under this name and is no more, of which the shell must forget everything.
    pub fn learned(&mut self, domain: &str, at: Millis, facts: Option<SiteFacts>) -> Option<SiteId> {
        let entry = self.entries.entry(domain.to_owned()).or_insert_with(Entry::none);
        let before = entry.facts.take().map(|facts| facts.id);
        let now = facts.as_ref().map(|facts| facts.id);
        *entry = Entry { facts: facts.map(Arc::new), learned: at, not_before: at, asked: false, used: entry.used.max(at) };
        before.filter(|_| before != now)
    }

    /// The collector could not be asked. What is known of the site stays.
    pub fn failed(&mut self, domain: &str, at: Millis) {
        let entry = self.entries.entry(domain.to_owned()).or_insert_with(Entry::none);
        entry.asked = false;
        entry.not_before = at.offset(PAUSE as i64);
    }

    /// Destroys the salts whose windows ended 96 hours ago, which a collector that is away can't tell it to do. Gives back what
    /// is left of the sites that had such.
    pub fn destroy_salts(&mut self, at: Millis) -> Vec<Arc<SiteFacts>> {
        let mut changed = Vec::new();
        for facts in self.entries.values_mut().filter_map(|entry| entry.facts.as_mut()) {
            let is_past = |window: &SaltWindow| u64::from(window.to.0) * 60_000 + REMEMBERED <= at.0;
            if facts.salts.iter().any(is_past) {
                Arc::make_mut(facts).salts.retain(|window| !is_past(window));
                changed.push(facts.clone());
            }
        }
        changed
    }

    fn has_room(&mut self, at: Millis) -> bool {
        if self.entries.len() >= CAPACITY {
            self.entries.retain(|_, entry| entry.facts.is_some() || is_within(entry.learned, UNKNOWN, at));
        }
        self.entries.len() < CAPACITY
    }
}

impl Entry {
    const fn none() -> Self {
        Self { facts: None, learned: Millis(0), not_before: Millis(0), asked: false, used: Millis(0) }
    }

    const fn ask(&mut self, at: Millis) {
        self.asked = true;
        self.not_before = Millis(at.0 + PATIENCE);
    }

    fn is_due(&self, at: Millis) -> bool {
        let pause = if is_within(self.used, IN_USE, at) { REFRESH } else { IN_USE };
        self.facts.is_some() && !is_within(self.learned, pause, at) && !is_ahead(self.not_before, at)
    }

    /// Nothing of the site can be waiting or remembered here any more, or there is no site.
    fn is_past(&self, at: Millis) -> bool {
        let kept = if self.facts.is_some() { 2 * REMEMBERED } else { UNKNOWN + PATIENCE };
        !is_within(self.used, kept, at)
    }
}

/// Whether `then` is less than `span` before `at`, or, by a clock that was set back, after it by less.
const fn is_within(then: Millis, span: u64, at: Millis) -> bool {
    then.0 > 0 && then.0.abs_diff(at.0) < span
}

/// Whether `then` is yet to come. A clock that was set back must not lock anything for longer than it could have been.
const fn is_ahead(then: Millis, at: Millis) -> bool {
    then.0 > at.0 && then.0 - at.0 <= PATIENCE
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Millis = Millis(1_700_000_000_000);

    fn site(id: u32) -> SiteFacts {
        SiteFacts { id: SiteId(id), domain: "a.example".into(), ..SiteFacts::default() }
    }

    fn known(facts: &mut Facts, at: Millis) -> Option<u32> {
        match facts.look("a.example", at) {
            Look::Known(site) => Some(site.id.0),
            _ => None,
        }
    }

    #[test]
    fn a_site_is_asked_for_once_and_refreshed_while_it_is_used() {
        let mut facts = Facts::default();
        assert_eq!(facts.look("a.example", AT), Look::Ask);
        assert_eq!(facts.look("a.example", AT), Look::Asked, "one asks, the others wait");
        assert_eq!(facts.learned("a.example", AT, Some(site(1))), None);
        assert_eq!(known(&mut facts, AT), Some(1));
        assert!(facts.due(AT.offset(REFRESH as i64 - 1)).is_empty());
        let due = AT.offset(REFRESH as i64);
        assert_eq!(facts.due(due), ["a.example"]);
        assert!(facts.due(due).is_empty(), "it is being asked for");
        facts.learned("a.example", due, Some(site(1)));
        // Out of use it is asked for every hour, so that its deletion is noticed.
        let later = due.offset(2 * HOUR as i64);
        assert_eq!(facts.due(later).len(), 1);
        facts.learned("a.example", later, Some(site(1)));
    }

    #[test]
    fn while_the_collector_is_away_what_is_known_is_used() {
        let mut facts = Facts::default();
        facts.learned("a.example", AT, Some(site(1)));
        let mut at = AT;
        for _ in 0..1000 {
            at = at.offset(5 * 60_000);
            for domain in facts.due(at) {
                facts.failed(&domain, at);
            }
            assert_eq!(known(&mut facts, at), Some(1));
        }
        assert!(facts.due(at).is_empty());
        assert_eq!(facts.due(at.offset(PAUSE as i64 + 1)).len(), 1);
    }

    #[test]
    fn an_unknown_site_is_remembered_for_a_while() {
        let mut facts = Facts::default();
        assert_eq!(facts.look("b.example", AT), Look::Ask);
        facts.learned("b.example", AT, None);
        assert_eq!(facts.look("b.example", AT.offset(UNKNOWN as i64 - 1)), Look::Unknown);
        assert_eq!(facts.look("b.example", AT.offset(UNKNOWN as i64)), Look::Ask);
        facts.failed("b.example", AT.offset(UNKNOWN as i64));
        assert_eq!(facts.look("b.example", AT.offset(UNKNOWN as i64 + 1)), Look::Away);
        assert_eq!(facts.look(&"x".repeat(300), AT), Look::Unknown);
    }

    #[test]
    fn a_site_that_is_gone_or_was_made_anew_is_to_be_forgotten() {
        let mut facts = Facts::default();
        facts.learned("a.example", AT, Some(site(1)));
        assert_eq!(facts.learned("a.example", AT, Some(site(1))), None);
        assert_eq!(facts.learned("a.example", AT, Some(site(2))), Some(SiteId(1)));
        assert_eq!(facts.learned("a.example", AT, None), Some(SiteId(2)));
        assert_eq!(facts.look("a.example", AT), Look::Unknown);
    }

    #[test]
    fn made_up_names_are_bounded_in_rate_and_number() {
        let mut facts = Facts::default();
        let asked = (0..1000).filter(|i| facts.look(&format!("{i}.example"), AT) == Look::Ask).count();
        assert_eq!(asked, ASKS as usize);
        let mut at = AT;
        for i in 0..3 * CAPACITY {
            at = at.offset(20);
            if facts.look(&format!("x{i}.example"), at) == Look::Ask {
                facts.learned(&format!("x{i}.example"), at, None);
            }
        }
        assert!(facts.entries.len() <= CAPACITY);
        facts.due(at.offset(HOUR as i64));
        assert!(facts.entries.is_empty());
    }

    #[test]
    fn salts_are_destroyed_when_nothing_can_need_them() {
        let mut facts = Facts::default();
        let window = |from: Millis| {
            let from = from.minute();
            SaltWindow { from, to: from.offset(1440), identity: crate::Identity::Day, salt: [1; 32] }
        };
        let salts = vec![window(AT), window(AT.offset(24 * HOUR as i64))];
        facts.learned("a.example", AT, Some(SiteFacts { salts, ..site(1) }));
        let end = AT.offset((24 * HOUR + REMEMBERED) as i64);
        assert!(facts.destroy_salts(end.offset(-60_000)).is_empty());
        assert_eq!(facts.destroy_salts(end).iter().map(|facts| facts.salts.len()).collect::<Vec<_>>(), [1]);
        assert!(facts.destroy_salts(end).is_empty());
        assert!(matches!(facts.look("a.example", end), Look::Known(facts) if facts.salts.len() == 1));
    }

    #[test]
    fn a_clock_set_back_locks_nothing() {
        let mut facts = Facts::default();
        facts.learned("a.example", AT, Some(site(1)));
        let back = AT.offset(-2 * HOUR as i64);
        assert_eq!(known(&mut facts, back), Some(1));
        assert_eq!(facts.due(back).len(), 1);
        facts.learned("b.example", AT, None);
        assert_eq!(facts.look("b.example", back), Look::Ask);
    }
}
