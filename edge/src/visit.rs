//! Visits of visitors whose browser does not run our tracker: told here, event by event, in order of arrival.
//!
//! What a tracker knows in the browser is kept here for a short while: when the visit started, how it came, the last
//! view. Everything is a pure step from a state and an event to the next state and what is to be added.
use headwater_core::{Millis, Minute, PAGEVIEW, VisitDimension, VisitorHash};
use serde::{Deserialize, Serialize};

use crate::record::context;

/// A visit ends after this many milliseconds without activity.
pub const PAUSE: u64 = 30 * 60_000;

/// A visitor in a minute: what "went on" has to be added to, even when the day and with it the hash has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// The visitor in that minute's identity window.
    pub visitor: VisitorHash,
    /// The minute.
    pub minute: Minute,
}

/// A view that may go on or be read further.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    at: Moment,
    page: String,
    hostname: String,
    props: Vec<(String, String)>,
    /// How deep it was scrolled, in per cent.
    depth: u8,
    /// Engaged milliseconds that do not make a second yet.
    rest: u16,
}

/// What is remembered of a visit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisitState {
    start: Moment,
    tag: u16,
    /// Its properties, by [`context::encode`].
    context: Vec<u8>,
    went_on: bool,
    last: Millis,
    /// The last views, at most two, latest last: time and depth of a view may arrive after the next one.
    views: Vec<View>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// A page view.
    View,
    /// Another event: its name, whether it makes a visit go on, its currency and its value in millionths.
    Event {
        /// Not empty.
        name: String,
        /// Whether it makes a visit go on.
        interactive: bool,
        /// ISO 4217 code, empty where the value is no money.
        currency: String,
        /// Millionths.
        value: Option<i64>,
    },
    /// No event, but time spent and depth reached since the last of its kind.
    Engagement {
        /// Milliseconds.
        engaged: u32,
        /// The deepest point so far in per cent, if told.
        depth: Option<u8>,
    },
}

/// An event of a visitor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When it happened.
    pub at: Millis,
    /// The visitor in that minute.
    pub visitor: VisitorHash,
    /// What.
    pub what: Happening,
    /// The path of the page.
    pub page: String,
    /// The host of the page.
    pub hostname: String,
    /// The properties.
    pub props: Vec<(String, String)>,
    /// The properties of the visit, should it start one.
    pub context: Vec<u8>,
}

/// What an event adds, in one minute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addition {
    /// To whom and when.
    pub at: Moment,
    /// The visit started.
    pub started: bool,
    /// The visit, which started in this minute, went on.
    pub went_on: bool,
    /// What was counted.
    pub counted: Option<Counted>,
}

/// What was counted of one kind of event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// The event's name.
    pub name: String,
    /// The path of the page.
    pub page: String,
    /// The host of the page.
    pub hostname: String,
    /// The properties.
    pub props: Vec<(String, String)>,
    /// ISO 4217 code.
    pub currency: String,
    /// How many.
    pub count: u32,
    /// How many of these views went on.
    pub went_on: u32,
    /// Engaged seconds.
    pub engaged: u32,
    /// Increments of depth in per cent.
    pub depth: u32,
    /// Millionths.
    pub value: Option<i64>,
}

/// Everything that an event adds to its visit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effects {
    /// The visit's tag.
    pub tag: u16,
    /// The visit's properties.
    pub context: Vec<u8>,
    /// By minute.
    pub additions: Vec<Addition>,
}

/// Whether an event with this context comes from another campaign than the visit. Without parameters it comes from none.
fn is_new_campaign(visit: &[u8], event: &[u8]) -> bool {
    const UTM: core::ops::RangeInclusive<usize> = VisitDimension::UtmSource as usize..=VisitDimension::UtmTerm as usize;
    match (context::decode(visit), context::decode(event)) {
        (Some(visit), Some(event)) => event[UTM].iter().any(|value| !value.is_empty()) && event[UTM] != visit[UTM],
        _ => false,
    }
}

/// A tag that is the same wherever the same visit is told, and never 0. Two visits that start in the same millisecond differ
/// in how they came.
fn tag_of(start: Moment, at: Millis, context: &[u8]) -> u16 {
    // FNV-1a, and the finaliser of SplitMix64 (Steele, Lea, Flood 2014).
    let mut bits =
        context.iter().fold(start.visitor.0 ^ at.0, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((bits >> 48) as u16).max(1)
}

impl VisitState {
    fn start(event: &Event) -> Self {
        let start = Moment { visitor: event.visitor, minute: event.at.minute() };
        let context = event.context.clone();
        Self { start, tag: tag_of(start, event.at, &context), context, went_on: false, last: event.at, views: Vec::new() }
    }

    /// Whether an event belongs to the visit: within half an hour of what is known of it, from no other campaign.
    fn takes(&self, event: &Event) -> bool {
        let start = u64::from(self.start.minute.0) * 60_000;
        event.at.0 <= self.last.0.saturating_add(PAUSE)
            && event.at.0.saturating_add(PAUSE) >= start
            && (matches!(event.what, Happening::Engagement { .. }) || !is_new_campaign(&self.context, &event.context))
    }
}

/// The next state of a visitor's visit and what the event adds. Without a visit to belong to, time and depth are added
/// to none: a visit does not begin with them.
#[must_use]
pub fn next(state: Option<VisitState>, event: &Event) -> (Option<VisitState>, Effects) {
    let now = Moment { visitor: event.visitor, minute: event.at.minute() };
    let running = state.filter(|state| state.takes(event));
    if let Happening::Engagement { engaged, depth } = event.what {
        return engagement(running, event, now, engaged, depth);
    }
    let started = running.is_none();
    let mut state = running.unwrap_or_else(|| VisitState::start(event));
    state.last = state.last.max(event.at);
    let mut here = Addition { at: now, started, went_on: false, counted: None };
    let mut additions = Vec::new();
    let goes_on = match &event.what {
        Happening::View => {
            let before = state.views.last();
            let is_second = before.is_some();
            additions.extend(before.map(|view| view.addition(view.at, Counted { went_on: 1, ..Counted::default() })));
            state.views.push(View {
                at: now,
                page: event.page.clone(),
                hostname: event.hostname.clone(),
                props: event.props.clone(),
                depth: 0,
                rest: 0,
            });
            if state.views.len() > 2 {
                state.views.remove(0);
            }
            here.counted = Some(Counted { count: 1, ..Counted::of(event, PAGEVIEW) });
            is_second
        }
        Happening::Event { name, interactive, currency, value } => {
            let counted = Counted { currency: currency.clone(), count: 1, value: *value, ..Counted::of(event, name) };
            here.counted = Some(counted);
            *interactive
        }
        Happening::Engagement { .. } => false, // handled above
    };
    if goes_on && !state.went_on {
        state.went_on = true;
        if started {
            here.went_on = true;
        } else {
            additions.push(Addition { at: state.start, started: false, went_on: true, counted: None });
        }
    }
    additions.push(here);
    let effects = Effects { tag: state.tag, context: state.context.clone(), additions };
    (Some(state), effects)
}

fn engagement(
    state: Option<VisitState>,
    event: &Event,
    now: Moment,
    engaged: u32,
    depth: Option<u8>,
) -> (Option<VisitState>, Effects) {
    let unseen = || {
        // Of a view that is not known any more: whole seconds, and no depth, of which some may have been counted before.
        let counted = Counted { engaged: engaged.saturating_add(500) / 1000, ..Counted::of(event, PAGEVIEW) };
        (counted.engaged > 0).then_some(Addition { at: now, started: false, went_on: false, counted: Some(counted) })
    };
    let Some(mut state) = state else {
        let effects = Effects { tag: 0, context: event.context.clone(), additions: unseen().into_iter().collect() };
        return (None, effects);
    };
    state.last = state.last.max(event.at);
    let same_page = |view: &&mut View| view.page == event.page && view.hostname == event.hostname;
    let addition = match state.views.iter_mut().rev().find(same_page) {
        Some(view) => {
            let millis = engaged.saturating_add(u32::from(view.rest));
            view.rest = (millis % 1000) as u16;
            let deeper = depth.map_or(0, |depth| depth.saturating_sub(view.depth));
            view.depth += deeper;
            let counted = Counted { engaged: millis / 1000, depth: u32::from(deeper), ..Counted::default() };
            (counted != Counted::default()).then(|| view.addition(now, counted))
        }
        None => unseen(),
    };
    let effects = Effects { tag: state.tag, context: state.context.clone(), additions: addition.into_iter().collect() };
    (Some(state), effects)
}

impl Counted {
    /// Nothing yet of an event with this name on the event's page.
    fn of(event: &Event, name: &str) -> Self {
        Self {
            name: name.into(),
            page: event.page.clone(),
            hostname: event.hostname.clone(),
            props: event.props.clone(),
            ..Self::default()
        }
    }
}

impl View {
    /// `counted` under this view's page and properties.
    fn addition(&self, at: Moment, counted: Counted) -> Addition {
        let counted = Counted {
            name: PAGEVIEW.into(),
            page: self.page.clone(),
            hostname: self.hostname.clone(),
            props: self.props.clone(),
            ..counted
        };
        Addition { at, started: false, went_on: false, counted: Some(counted) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use proptest::prelude::*;

    const START: u64 = 1_700_000_000_000;

    fn context_of(campaign: &str) -> Vec<u8> {
        let mut values = [""; VisitDimension::COUNT];
        values[VisitDimension::UtmSource as usize] = campaign;
        context::encode(&values)
    }

    fn event(second: u64, what: Happening, page: &str) -> Event {
        Event {
            at: Millis(START + second * 1000),
            visitor: VisitorHash(5),
            what,
            page: page.into(),
            hostname: "h".into(),
            props: vec![],
            context: context_of(""),
        }
    }

    fn custom(interactive: bool) -> Happening {
        Happening::Event { name: "Click".into(), interactive, currency: String::new(), value: None }
    }

    #[derive(Debug, Default, PartialEq, Eq)]
    struct Sums {
        visits: u32,
        visits_went_on: u32,
        views: u32,
        views_went_on: u32,
        events: u32,
        engaged: u32,
        depth: u32,
    }

    fn run(events: &[Event]) -> (Sums, Vec<Effects>) {
        let (mut state, mut sums, mut all) = (None, Sums::default(), vec![]);
        for event in events {
            let (after, effects) = next(state, event);
            state = after;
            for a in &effects.additions {
                sums.visits += u32::from(a.started);
                sums.visits_went_on += u32::from(a.went_on);
                if let Some(c) = &a.counted {
                    sums.views += if c.name == PAGEVIEW { c.count } else { 0 };
                    sums.events += c.count;
                    sums.views_went_on += c.went_on;
                    sums.engaged += c.engaged;
                    sums.depth += c.depth;
                }
            }
            all.push(effects);
        }
        (sums, all)
    }

    #[test]
    fn a_single_view_is_a_bounce_and_a_second_is_not() {
        let (sums, _) = run(&[event(0, Happening::View, "/a")]);
        assert_eq!(sums, Sums { visits: 1, views: 1, events: 1, ..Sums::default() });
        let (sums, effects) =
            run(&[event(0, Happening::View, "/a"), event(90, Happening::View, "/b"), event(200, Happening::View, "/c")]);
        assert_eq!(sums, Sums { visits: 1, visits_went_on: 1, views: 3, views_went_on: 2, events: 3, ..Sums::default() });
        // The view that went on is /a, in its own minute.
        let went_on = effects[1].additions[0].counted.clone().unwrap();
        assert_eq!((went_on.page.as_str(), went_on.went_on, went_on.count), ("/a", 1, 0));
        assert_eq!(effects[1].additions[0].at.minute, Millis(START).minute());
        // So is the visit.
        assert!(effects[1].additions[1].went_on && effects[1].additions[1].at.minute == Millis(START).minute());
    }

    #[test]
    fn interactive_events_make_a_visit_go_on_and_others_do_not() {
        let (sums, _) = run(&[event(0, Happening::View, "/"), event(5, custom(false), "/")]);
        assert_eq!((sums.visits_went_on, sums.events), (0, 2));
        let (sums, _) = run(&[event(0, Happening::View, "/"), event(5, custom(true), "/"), event(6, custom(true), "/")]);
        assert_eq!((sums.visits_went_on, sums.views_went_on), (1, 0));
        let (sums, effects) = run(&[event(0, custom(true), "/")]);
        assert_eq!((sums.visits, sums.visits_went_on, effects[0].additions.len()), (1, 1, 1));
    }

    #[test]
    fn half_an_hour_of_silence_and_a_new_campaign_end_a_visit() {
        let at = |second| event(second, Happening::View, "/");
        assert_eq!(run(&[at(0), at(1800)]).0.visits, 1);
        assert_eq!(run(&[at(0), at(1801)]).0.visits, 2);
        assert_eq!(run(&[at(0), at(1700), at(3400)]).0.visits, 1);
        let from = |second, campaign| Event { context: context_of(campaign), ..at(second) };
        assert_eq!(run(&[from(0, "x"), from(10, ""), from(20, "x")]).0.visits, 1);
        assert_eq!(run(&[from(0, "x"), from(10, "y"), from(20, "")]).0.visits, 2);
        assert_eq!(run(&[from(0, ""), from(10, "y")]).0.visits, 2);
    }

    #[test]
    fn an_older_event_joins_the_visit_near_it() {
        let at = |second| event(second, Happening::View, "/");
        assert_eq!(run(&[at(3600), at(3500), at(3600 - 1700)]).0.visits, 1);
        assert_eq!(run(&[at(36_000), at(0)]).0.visits, 2);
    }

    #[test]
    fn two_visits_that_name_one_moment_are_two_and_each_goes_on_once() {
        let from = |second, campaign| Event { context: context_of(campaign), ..event(second, Happening::View, "/") };
        // The same campaign and second, told twice with another visit in between, as late arrivals may be.
        let (sums, effects) = run(&[from(8449, "x"), from(6640, ""), from(10_250, ""), from(8449, "x"), from(8500, "")]);
        assert_eq!((sums.visits, sums.visits_went_on), (3, 2));
        assert_eq!(effects[0].tag, effects[3].tag);
    }

    #[test]
    fn over_midnight_the_old_hash_goes_on() {
        let first = event(0, Happening::View, "/a");
        let second = Event { visitor: VisitorHash(6), ..event(60, Happening::View, "/b") };
        let (_, effects) = run(&[first, second]);
        let who: Vec<_> = effects[1].additions.iter().map(|a| a.at.visitor.0).collect();
        assert_eq!(who, [5, 5, 6]);
        assert_eq!(effects[0].tag, effects[1].tag);
    }

    #[test]
    fn time_and_depth_add_up_to_what_was_reached() {
        let engaged = |second, engaged, depth| event(second, Happening::Engagement { engaged, depth: Some(depth) }, "/a");
        let (sums, _) =
            run(&[event(0, Happening::View, "/a"), engaged(5, 1700, 30), engaged(9, 1700, 20), engaged(12, 1700, 80)]);
        assert_eq!((sums.events, sums.engaged, sums.depth), (1, 5, 80));
        // Of the page before, though the next is there already.
        let (sums, effects) = run(&[event(0, Happening::View, "/a"), event(4, Happening::View, "/b"), engaged(5, 3000, 40)]);
        assert_eq!((sums.engaged, sums.depth), (3, 40));
        assert_eq!(effects[2].additions[0].counted.as_ref().unwrap().page, "/a");
        // Without a visit.
        let (sums, _) = run(&[engaged(0, 3000, 40)]);
        assert_eq!(sums, Sums { engaged: 3, ..Sums::default() });
    }

    #[test]
    fn a_state_comes_back_from_its_stored_form() {
        let (state, _) = next(None, &event(0, Happening::View, "/a"));
        let bytes = postcard::to_allocvec(&state).unwrap();
        assert_eq!(postcard::from_bytes::<Option<VisitState>>(&bytes).unwrap(), state);
    }

    fn any_event() -> impl Strategy<Value = Event> {
        let what = prop_oneof![
            Just(Happening::View),
            any::<bool>().prop_map(custom),
            (0..9000u32, 0..=100u8).prop_map(|(engaged, depth)| Happening::Engagement { engaged, depth: Some(depth) }),
        ];
        (0..20_000u64, what, "[ab]", "[xy]?")
            .prop_map(|(second, what, page, campaign)| Event { context: context_of(&campaign), ..event(second, what, &page) })
    }

    proptest! {
        #[test]
        fn in_any_order_bounces_and_exits_are_never_negative(events in prop::collection::vec(any_event(), 0..60)) {
            let (sums, effects) = run(&events);
            let counted = events.iter().filter(|e| !matches!(e.what, Happening::Engagement { .. })).count() as u32;
            prop_assert_eq!(sums.events, counted);
            prop_assert!(sums.visits_went_on <= sums.visits && sums.views_went_on <= sums.views);
            prop_assert!(sums.visits <= sums.events && (sums.visits > 0) == (sums.events > 0));
            prop_assert!(sums.depth <= 100 * sums.views);
            // Each went on stands where its visit started: same visitor, same minute, same tag. Two visits may share all three
            // (events of two visits that name the same moment, or 16 bits that happen to be equal): then both started there.
            let mut visits: BTreeMap<_, (u32, u32)> = BTreeMap::new();
            for (tag, addition) in effects.iter().flat_map(|e| e.additions.iter().map(move |a| (e.tag, a))) {
                let (started, went_on) = visits.entry((tag, addition.at.visitor.0, addition.at.minute)).or_default();
                *started += u32::from(addition.started);
                *went_on += u32::from(addition.went_on);
            }
            for (visit, (started, went_on)) in visits {
                prop_assert!(went_on <= started, "{visit:?}: {went_on} of {started} went on");
            }
        }
    }
}
