//! `POST /b`: from a body to the record that is stored. The order of the checks is the contract's.
use core::mem::take;
use std::net::IpAddr;
use std::sync::Arc;

use headwater_core::beacon::{Delta, MAX_BYTES, Str, open};
use headwater_core::{Beacon, BeaconId, Millis, Minute};
use headwater_tracker_logic::{Report, ReportError};

use crate::client::Agent;
use crate::dedup::{ACCEPTED, load_key};
use crate::record::{MinuteRow, Record, VisitRow};
use crate::sender::{Located, Sender, Told, visit_context};
use crate::spam::is_spam;
use crate::visitor::{Who, order_of};
use crate::{Refusal, SiteFacts};

/// A sender's clock that is this close, in milliseconds, is taken as right: a minute that two beacons tell is then the
/// same minute, whatever their ways here took.
pub const CLOCK_TOLERANCE: u64 = 30_000;
/// What a beacon tells may have begun this long before its page load was made, in seconds: with the age of an id that
/// makes 96 hours, for which salts are kept.
const BEFORE_LOAD: i32 = 86_400;

/// A beacon that was accepted, unless it has come before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Its page load, by [`load_key`].
    pub load: [u8; 16],
    /// Its number in the page load.
    pub seq: u32,
    /// The record, encoded.
    pub record: Vec<u8>,
    /// Its [`Record::weight`].
    pub weight: usize,
}

/// What becomes of a beacon that is not refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// To be stored.
    Store(Accepted),
    /// From a bot: answered 202, not counted.
    Bot,
}

/// What a request needs from its surroundings.
pub trait Surroundings {
    /// The site of this domain, `None` if there is none.
    ///
    /// # Errors
    /// `Unavailable` when that is not known here.
    fn site(&self, domain: &str) -> Result<Option<Arc<SiteFacts>>, Refusal>;

    /// Whether the token that the request carries may send for the site.
    ///
    /// # Errors
    /// `Token` or `Forbidden`.
    fn token(&self, site: &SiteFacts) -> Result<(), Refusal>;

    /// What a user agent says. Few send most requests, so a shell may remember some.
    fn agent(&self, user_agent: &str) -> Arc<Agent> {
        Arc::new(Agent::parse(user_agent))
    }

    /// Told of what a bot sends for a site, which is counted apart. A request may be judged again.
    fn bot(&self, _: &SiteFacts) {}

    /// Where an address is that an event names; the sender's own comes with the sender.
    fn locate(&self, _: IpAddr) -> Located {
        Located::default()
    }

    /// Takes one from the limits of the visitor and the site; not asked for requests with a token.
    ///
    /// # Errors
    /// `TooMany`.
    fn limit(&self, site: &SiteFacts, sender: &Sender<'_>) -> Result<(), Refusal>;
}

/// Judges a beacon.
///
/// # Errors
/// Why it is refused.
pub fn judge(body: &[u8], sender: &Sender<'_>, around: &impl Surroundings) -> Result<Verdict, Refusal> {
    if body.len() <= MAX_BYTES && body.trim_ascii_start().first() == Some(&b'[') {
        return judge_signals(body, sender, around);
    }
    let (sent, frozen) = open(body)?;
    let beacon = Beacon::decode(frozen)?;
    judge_beacon(&beacon, sent.0.saturating_sub(beacon.created().0), sender, around)
}

/// Judges the signals of a page whose policy refuses Wasm: the tracker's own code makes a beacon of them here.
fn judge_signals(body: &[u8], sender: &Sender<'_>, around: &impl Surroundings) -> Result<Verdict, Refusal> {
    let report: Report = serde_json::from_slice(body)
        .map_err(|_| Refusal::Body("signals: a JSON array of texts; docs/wire.md describes the format"))?;
    let made = report.beacon().map_err(|error| {
        Refusal::Body(match error {
            ReportError::Empty => "signals: a head and at least one new signal; docs/wire.md describes the format",
            ReportError::TooMany => "signals: at most 1000 events, 64 minutes and 2000 texts in a body",
        })
    })?;
    judge_beacon(&Beacon::decode(&made.frozen)?, made.now, sender, around)
}

/// Judges a decoded beacon that was sent `now` milliseconds after its creation.
///
/// # Errors
/// Why it is refused.
pub fn judge_beacon(beacon: &Beacon<'_>, now: u64, sender: &Sender<'_>, around: &impl Surroundings) -> Result<Verdict, Refusal> {
    check_times(beacon, now)?;
    let site = around.site(beacon.site)?.ok_or(Refusal::UnknownSite("site"))?;
    if sender.token {
        around.token(&site)?;
    } else if !sender.page_host().is_some_and(|host| site.allows_host(&host)) {
        return Err(Refusal::Host);
    }
    let agent = around.agent(sender.user_agent);
    let is_spam = || beacon.visits.iter().any(|visit| is_spam(beacon.string(visit.referrer), &site));
    if agent.is_bot || sender.is_no_browser() || (!sender.token && is_spam()) {
        around.bot(&site);
        return Ok(Verdict::Bot);
    }
    if now > ACCEPTED {
        return Err(Refusal::TooOld("created"));
    }
    if !sender.token {
        around.limit(&site, sender)?;
    }
    let created = corrected(beacon.created(), now, sender.at);
    let (record, weight) = record(beacon, created, sender, &agent, &site)?;
    let load = load_key(beacon.created, site.id, beacon.id);
    Ok(Verdict::Store(Accepted { load, seq: beacon.id.seq, record, weight }))
}

/// The creation by the clock of this edge.
const fn corrected(created: Millis, now: u64, arrived: Millis) -> Millis {
    let sent = Millis(created.0.saturating_add(now));
    if sent.0.abs_diff(arrived.0) <= CLOCK_TOLERANCE { created } else { Millis(arrived.0.saturating_sub(now)) }
}

fn check_times(beacon: &Beacon<'_>, now: u64) -> Result<(), Refusal> {
    let latest = i64::try_from(now / 1000).unwrap_or(i64::MAX);
    for minute in beacon.visits.iter().flat_map(|visit| &visit.minutes) {
        if minute.at < -BEFORE_LOAD {
            return Err(Refusal::Field("at", "at most a day before the page load"));
        }
        // A second for the creation, which is told in whole ones.
        if i64::from(minute.at) > latest + 1 {
            return Err(Refusal::Field("at", "not after the beacon was sent"));
        }
    }
    Ok(())
}

/// 64 bits for a beacon, which order its values among those of the same minute.
fn id_bytes(id: BeaconId) -> [u8; 12] {
    let mut bytes = [0; 12];
    bytes[..8].copy_from_slice(&id.load);
    bytes[8..].copy_from_slice(&id.seq.to_le_bytes());
    bytes
}

/// The record of a beacon whose page load was created at `created` by the clock of this edge.
fn record(
    beacon: &Beacon<'_>,
    created: Millis,
    sender: &Sender<'_>,
    agent: &Agent,
    site: &SiteFacts,
) -> Result<(Vec<u8>, usize), Refusal> {
    let who = Who { address: sender.address, user_agent: sender.user_agent, device: beacon.device };
    let created_in = site.window(created.minute()).ok_or(Refusal::NO_SALT)?;
    let order = order_of(created_in, &id_bytes(beacon.id));
    let client = sender.hints.correct(&agent.client);
    let mut strings = Strings::new(beacon);
    // Tag, context and minutes of each visit that adds something.
    let mut visits: Vec<(u16, Vec<u8>, Vec<MinuteRow>)> = Vec::with_capacity(beacon.visits.len());
    // Nearly always there is one minute, or few of one day.
    let mut known: Option<(Minute, [u8; 8])> = None;
    for visit in &beacon.visits {
        let mut rows = Vec::with_capacity(visit.minutes.len());
        for part in &visit.minutes {
            let minute = created.offset(i64::from(part.at) * 1000).minute();
            let visitor = match known {
                Some((same, visitor)) if same == minute => visitor,
                _ => who.hash(site, minute).ok_or(Refusal::NO_SALT)?.0.to_le_bytes(),
            };
            known = Some((minute, visitor));
            let mut deltas = Vec::with_capacity(part.deltas.len());
            deltas.extend(part.deltas.iter().filter(|d| adds(d)).map(|d| strings.keep(d)));
            if part.started > 0 || part.went_on > 0 || !deltas.is_empty() {
                rows.push(MinuteRow { visitor, minute, started: part.started, went_on: part.went_on, deltas });
            }
        }
        if !rows.is_empty() {
            let told = Told {
                referrer: beacon.string(visit.referrer),
                source: beacon.string(visit.source),
                medium: beacon.string(visit.medium),
                campaign: beacon.string(visit.campaign),
                content: beacon.string(visit.content),
                term: beacon.string(visit.term),
                click: beacon.string(visit.click),
                entry: beacon.string(visit.entry),
                language: beacon.string(beacon.language),
                zone: beacon.string(beacon.zone),
                screen: beacon.screen,
            };
            visits.push((visit.tag, visit_context(site, &sender.place, &client, &told), rows));
        }
    }
    let visits = visits.iter_mut().map(|(tag, context, minutes)| VisitRow { tag: *tag, context, minutes: take(minutes) });
    let record = Record { site: site.id, order, visits: visits.collect(), strings: strings.kept };
    Ok((record.encode(), record.weight()))
}

/// Whether a delta adds anything: one that does not would only leave a trace of its strings.
fn adds(delta: &Delta) -> bool {
    delta.count > 0 || delta.went_on > 0 || delta.engaged > 0 || delta.depth > 0
}

/// The strings that deltas use. Those of visits (a referrer with its query, say) are not carried over.
struct Strings<'a> {
    all: &'a [&'a str],
    new: Vec<u16>,
    kept: Vec<&'a str>,
}

impl<'a> Strings<'a> {
    fn new(beacon: &'a Beacon<'a>) -> Self {
        let count = beacon.strings.len();
        Self { all: &beacon.strings, new: vec![0; count], kept: Vec::with_capacity(count) }
    }

    fn keep_one(&mut self, string: Str) -> Str {
        let Some(at) = usize::from(string.0).checked_sub(1) else { return Str(0) };
        match (self.new.get_mut(at), self.all.get(at)) {
            (Some(new), Some(text)) => {
                if *new == 0 {
                    self.kept.push(text);
                    *new = self.kept.len() as u16; // at most as many as the beacon's own
                }
                Str(*new)
            }
            _ => Str(0),
        }
    }

    fn keep(&mut self, delta: &Delta) -> Delta {
        Delta {
            name: self.keep_one(delta.name),
            page: self.keep_one(delta.page),
            hostname: self.keep_one(delta.hostname),
            currency: self.keep_one(delta.currency),
            props: delta.props.iter().map(|(key, value)| (self.keep_one(*key), self.keep_one(*value))).collect(),
            values: delta.values.clone(),
            ..*delta
        }
    }
}
