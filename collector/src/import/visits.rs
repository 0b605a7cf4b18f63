//! From page views to a batch: the same steps that an event takes at an edge, with an inbox in memory.
use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr};

use foldhash::quality::RandomState;
use headwater_core::beacon::MAX_STRING;
use headwater_core::{Batch, Minute, NodeId};
use headwater_edge::client::{Agent, Client};
use headwater_edge::dedup::HOUR;
use headwater_edge::event::Accepted;
use headwater_edge::fold::Folder;
use headwater_edge::host::{Page, cut};
use headwater_edge::ingest::{Ingest, Work};
use headwater_edge::sender::{Landing, Located, Told, visit_context};
use headwater_edge::store::{Table, Transaction};
use headwater_edge::visit::{Event, Happening};
use headwater_edge::visitor::Who;
use headwater_edge::{SaltWindow, SiteFacts};

use super::goatcounter::Hit;
use super::line::Line;
use crate::geo::GeoDb;
use crate::site::Timeline;

/// How many identity windows are remembered: lines come nearly in order.
const WINDOWS: usize = 40;
/// Of how many sessions the last page is remembered.
const SESSIONS: usize = 1 << 16;

/// The visits of a log and what is not delivered of them yet.
pub(super) struct Visits<'a> {
    /// The site, with the salts of the last windows.
    pub(super) site: SiteFacts,
    timeline: Timeline,
    /// By what the salts of its windows are made.
    salt: [u8; 32],
    geo: Option<&'a GeoDb>,
    inbox: Inbox,
    latest: headwater_core::Millis,
    views: u64,
    /// The last page of GoatCounter's sessions.
    pages: HashMap<String, String, RandomState>,
}

/// What happened once, and who is known of it.
struct Seen<'a> {
    at: headwater_core::Millis,
    /// An address or another name of the client.
    who: &'a str,
    user_agent: &'a str,
    address: String,
    referrer: &'a str,
    /// The campaign, where the address names none.
    source: &'a str,
    client: &'a Client,
    located: Located,
    screen: u16,
    /// The name of an event that is no page view.
    event: Option<&'a str>,
}

impl<'a> Visits<'a> {
    pub(super) fn new(site: SiteFacts, timeline: Timeline, salt: [u8; 32], geo: Option<&'a GeoDb>) -> Self {
        Self {
            site,
            timeline,
            salt,
            geo,
            inbox: Inbox::default(),
            latest: headwater_core::Millis(0),
            views: 0,
            pages: HashMap::default(),
        }
    }

    /// Adds the page view of a line. One that is `counted` already only moves its visit.
    pub(super) fn view(&mut self, line: &Line<'_>, agent: &Agent, counted: bool) {
        let address = line.target.contains("://").then(|| line.target.to_string());
        let address = address.unwrap_or_else(|| {
            let host = if line.vhost.is_empty() { &self.site.domain } else { line.vhost };
            format!("https://{host}{}", line.target)
        });
        let located = match (self.geo, line.client.parse()) {
            (Some(geo), Ok(address)) => geo.locate(address),
            _ => Located::default(),
        };
        let seen = Seen {
            at: line.at,
            who: line.client,
            user_agent: &line.user_agent,
            address,
            referrer: &line.referrer,
            source: "",
            client: &agent.client,
            located,
            screen: 0,
            event: None,
        };
        self.add(&seen, counted);
    }

    /// Adds a row of GoatCounter's.
    pub(super) fn hit(&mut self, hit: &Hit, client: &Client, counted: bool) {
        // Where an event was, it does not say: on the page that its session saw last.
        let known = self.pages.get(&hit.session).map_or("/", String::as_str);
        let address = format!("https://{}{}", self.site.domain, if hit.is_event { known } else { &hit.path });
        if !hit.is_event {
            if self.pages.len() >= SESSIONS {
                self.pages.clear();
            }
            self.pages.insert(hit.session.clone(), hit.path.clone());
        }
        let seen = Seen {
            at: hit.at,
            who: &hit.session,
            user_agent: &hit.user_agent,
            address,
            referrer: &hit.referrer,
            source: &hit.source,
            client,
            located: hit.located.clone(),
            screen: hit.screen,
            event: hit.is_event.then_some(hit.path.as_str()),
        };
        self.add(&seen, counted);
    }

    fn add(&mut self, line: &Seen<'_>, counted: bool) {
        let minute = line.at.minute();
        self.prepare(minute);
        let Some(accepted) = self.accept(line) else { return };
        // The tables of visits go by the time of arrival, which never goes back.
        let hour = |at: headwater_core::Millis| at.0 / HOUR;
        if hour(line.at) > hour(self.latest) {
            self.inbox.forget_before((hour(line.at) as u32).saturating_sub(1));
        }
        self.latest = self.latest.max(line.at);
        self.inbox.counted = counted;
        let mut ingest = Ingest::new(&mut self.inbox, self.latest);
        let Ok(_) = ingest.request(Work::Events(vec![(0, accepted)]));
        let Ok(()) = ingest.finish();
    }

    /// Everything that was added since the last batch, `None` if that is nothing.
    pub(super) fn batch(&mut self, node: NodeId, position: u64) -> Option<Batch> {
        let folder = std::mem::take(&mut self.inbox.folder);
        (!folder.is_empty()).then(|| folder.finish(node, 1, position))
    }

    fn accept(&mut self, seen: &Seen<'_>) -> Option<Accepted> {
        let minute = seen.at.minute();
        let site = &self.site;
        let page = Page::parse(&seen.address)?;
        let who = Who { address: Some(address_of(seen.who)), user_agent: seen.user_agent, device: [0; 8] };
        let landing = Landing::of(&page);
        let mut told = Told { screen: seen.screen, ..landing.told(seen.referrer, page.path) };
        if told.source.is_empty() {
            told.source = seen.source;
        }
        let context = visit_context(site, &seen.located.place(), seen.client, &told);
        let what = match seen.event {
            None => Happening::View,
            Some(name) => Happening::Event {
                name: cut(name, MAX_STRING).to_owned(),
                interactive: true,
                currency: String::new(),
                value: None,
            },
        };
        self.views += 1;
        Some(Accepted {
            site: site.id,
            id: None,
            order: self.views,
            before: who.hash_before(site, minute),
            event: Event {
                at: seen.at,
                visitor: who.hash(site, minute)?,
                what,
                page: cut(page.path, MAX_STRING).to_owned(),
                hostname: page.host,
                props: Vec::new(),
                context,
            },
        })
    }

    /// Has the salts of a minute's window and of the one before it.
    fn prepare(&mut self, minute: Minute) {
        let window = self.window(minute);
        if let Some(before) = window.from.0.checked_sub(1) {
            self.window(Minute(before));
        }
    }

    fn window(&mut self, minute: Minute) -> SaltWindow {
        if let Some(known) = self.site.window(minute) {
            return known.clone();
        }
        let span = self.timeline.window(minute);
        let mut salt = blake3::Hasher::new_keyed(&self.salt);
        salt.update(&span.start.0.to_le_bytes()).update(&span.end.0.to_le_bytes());
        let salt = *salt.finalize().as_bytes();
        let window = SaltWindow { from: span.start, to: span.end, identity: self.timeline.at(minute).identity, salt };
        if self.site.salts.len() >= WINDOWS {
            self.site.salts.remove(0);
        }
        self.site.salts.push(window.clone());
        window
    }
}

/// An address for a client of which the log has the name: of the range for documentation, so nobody else's.
fn address_of(client: &str) -> IpAddr {
    client.parse().unwrap_or_else(|_| {
        let mut address = [0; 16];
        address[..8].copy_from_slice(&blake3::hash(client.as_bytes()).as_bytes()[..8]);
        (address[0], address[1]) = (0x3f, 0xff);
        IpAddr::V6(Ipv6Addr::from(address))
    })
}

/// The tables of visits, and what is appended, folded at once.
#[derive(Default)]
struct Inbox {
    visits: BTreeMap<Table, HashMap<Vec<u8>, Vec<u8>, RandomState>>,
    folder: Folder,
    /// What is appended has been counted before.
    counted: bool,
}

impl Inbox {
    fn forget_before(&mut self, hour: u32) {
        self.visits.retain(|table, _| !matches!(table, Table::Visits(known) if *known < hour));
    }
}

impl Transaction for Inbox {
    type Error = Infallible;

    fn get(&mut self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(self.visits.get(&table).and_then(|visits| visits.get(key)).cloned())
    }

    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<(), Infallible> {
        self.visits.entry(table).or_default().insert(key.to_vec(), value.to_vec());
        Ok(())
    }

    fn append(&mut self, block: &[u8]) -> Result<(), Infallible> {
        if !self.counted {
            self.folder.add(block);
        }
        Ok(())
    }
}
