//! The beacon: what one page load sends, added up by minute and page. `docs/wire.md` draws it byte by byte.
//!
//! A request body is `[VERSION][sent][frozen]`. *sent* is the time of this attempt by the sender's clock, four bytes in one
//! place, so that a page can repeat bytes that it does not read; *frozen* is [`Beacon`] in postcard's form, fixed before
//! the first attempt and sent again byte for byte. Every time inside is relative to the creation of the page load, so a
//! wrong clock moves nothing but the creation itself, which the receiver corrects.
use alloc::{borrow::Cow, vec::Vec};
use serde::{Deserialize, Serialize};

use crate::{BeaconId, Millis};

/// The first byte of every beacon.
pub const VERSION: u8 = 1;
/// The longest body of `POST /b` in bytes.
pub const MAX_BYTES: usize = 64 * 1024;
/// The longest string in bytes; the tracker cuts, the edge refuses.
pub const MAX_STRING: usize = 1024;
/// The most minutes in one beacon.
pub const MAX_MINUTES: usize = 64;
/// The most counted events in one beacon.
pub const MAX_COUNTS: u64 = 1000;
/// The most properties on one event.
pub const MAX_PROPS: usize = 30;
/// The largest magnitude of a value: 10^12, in millionths.
pub const MAX_VALUE: i64 = 1_000_000_000_000_000_000;
/// The most zeros at the end of a value that are counted instead of written.
pub const MOST_ZEROS: u64 = 7;
/// The longest engaged time of one delta in seconds: a beacon spans at most a day.
pub const MAX_ENGAGED: u32 = 86_400;

/// A string of [`Beacon::strings`]: 0 is the empty string, `n` is `strings[n - 1]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Str(pub u16);

/// What one page load did since its last beacon. Borrows its strings from the received bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beacon<'a> {
    /// The page load and the sequence number.
    pub id: BeaconId,
    /// When the page load (or its renewed id) was created, in seconds since 1970 by the sender's clock.
    pub created: u32,
    /// The site's domain, as in `data-site`.
    pub site: &'a str,
    /// Random id kept by the browser, for sites whose identity is `device`; otherwise all zero.
    pub device: [u8; 8],
    /// The width of the screen in CSS pixels; 0 when not known.
    pub screen: u16,
    /// The browser's preferred language (BCP 47), in [`Beacon::strings`].
    pub language: Str,
    /// The browser's IANA time zone.
    pub zone: Str,
    /// Every string used below, each once. The first three of a decoded beacon are site, language and zone.
    pub strings: Vec<&'a str>,
    /// The visits that this page load took part in; nearly always one.
    pub visits: Vec<VisitPart>,
}

/// The part of a visit that one beacon tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisitPart {
    /// 16 random bits that tell the visits of one visitor apart; 0 without storage.
    pub tag: u16,
    /// The external referrer of the visit, without query and fragment; empty when direct.
    pub referrer: Str,
    /// `utm_source`, or `ref` or `source`.
    pub source: Str,
    /// `utm_medium`.
    pub medium: Str,
    /// `utm_campaign`.
    pub campaign: Str,
    /// `utm_content`.
    pub content: Str,
    /// `utm_term`.
    pub term: Str,
    /// The name of the click id that came with the visit, as `gclid`: a sign that it was paid for. Never the id itself.
    pub click: Str,
    /// The path of the visit's first page.
    pub entry: Str,
    /// What happened, by minute of the sender's clock.
    pub minutes: Vec<MinutePart>,
}

/// What happened in one minute of one visit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MinutePart {
    /// Seconds from [`Beacon::created`] to the first thing in this minute; negative for what an earlier page began.
    pub at: i32,
    /// The visit started in this minute: 0 or 1.
    pub started: u8,
    /// The visit, which started in this minute, went on (maybe later): 0 or 1.
    pub went_on: u8,
    /// What was counted.
    pub deltas: Vec<Delta>,
}

/// Equal events of one minute, added up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delta {
    /// The event's name; 0 is a page view.
    pub name: Str,
    /// The path of the page.
    pub page: Str,
    /// The host of the page.
    pub hostname: Str,
    /// The properties, key and value.
    pub props: Vec<(Str, Str)>,
    /// ISO 4217 code of the values, or 0 where they are no money.
    pub currency: Str,
    /// How many such events.
    pub count: u32,
    /// How many of these views went on to another view.
    pub went_on: u32,
    /// Engaged seconds.
    pub engaged: u32,
    /// How much deeper the page was scrolled, in per cent: the increments of a view's deepest point.
    pub depth: u32,
    /// The values of the events that had one, in millionths.
    #[serde(with = "value")]
    pub values: Vec<i64>,
}

/// A beacon as it is written: site, language and zone are the first strings, so that what is the same as one of them (the
/// host, mostly) is written once.
#[derive(Serialize, Deserialize)]
struct Wire<'a> {
    id: BeaconId,
    created: u32,
    device: u64,
    screen: u16,
    #[serde(borrow)]
    strings: Vec<&'a str>,
    visits: Cow<'a, [VisitPart]>,
}

/// How values are written: without the zeros at their end, and how many these were. 29 is 29,000,000 millionths, and two bytes.
mod value {
    use alloc::vec::Vec;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::MOST_ZEROS;

    pub(super) fn serialize<S: Serializer>(values: &[i64], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().map(|value| {
            let (mut value, mut zeros) = (*value, 0);
            while zeros < MOST_ZEROS && value % 10 == 0 {
                value /= 10;
                zeros += 1;
            }
            // The largest value takes 61 bits and its sign; what is larger is no value and loses its highest bits.
            ((value << 1 ^ value >> 63) as u64) << 3 | zeros
        }))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<i64>, D::Error> {
        let read = |coded: u64| {
            let (size, zeros) = (coded >> 3, (coded & MOST_ZEROS) as u32);
            ((size >> 1) as i64 ^ -((size & 1) as i64)).checked_mul(10i64.pow(zeros))
        };
        let values = Vec::<u64>::deserialize(deserializer)?.into_iter().map(read).collect::<Option<_>>();
        values.ok_or_else(|| D::Error::custom("a value within 64 bits"))
    }
}

/// Why bytes are no beacon. Each says what is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BeaconError {
    /// More than [`MAX_BYTES`].
    TooLarge,
    /// The first byte is not [`VERSION`].
    Version(u8),
    /// The bytes end early, go on past the end, or are not the format.
    Malformed,
    /// A field is outside its limits; the field's name and what is allowed.
    Field(&'static str, &'static str),
}

impl core::fmt::Display for BeaconError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::TooLarge => f.write_str("a beacon is at most 65536 bytes"),
            Self::Version(v) => write!(f, "version {v} of the beacon is not known; this server reads version 1"),
            Self::Malformed => f.write_str("these bytes are not a beacon; docs/wire.md describes the format"),
            Self::Field(field, allowed) => write!(f, "{field}: {allowed}"),
        }
    }
}

impl core::error::Error for BeaconError {}

/// Writes the part of a request body that changes with every attempt: version and the time of it, by the sender's clock.
/// The frozen bytes follow.
pub fn envelope(sent: Millis, out: &mut Vec<u8>) {
    out.push(VERSION);
    // As JavaScript's `DataView.setUint32` writes it; good until 2106.
    out.extend(((sent.0 / 1000) as u32).to_be_bytes());
}

/// A received body, split: when it was sent, and the frozen bytes.
///
/// # Errors
/// `TooLarge`, `Version` and `Malformed` as named.
pub fn open(body: &[u8]) -> Result<(Millis, &[u8]), BeaconError> {
    if body.len() > MAX_BYTES {
        return Err(BeaconError::TooLarge);
    }
    let (&version, rest) = body.split_first().ok_or(BeaconError::Malformed)?;
    if version != VERSION {
        return Err(BeaconError::Version(version));
    }
    let (sent, frozen) = rest.split_first_chunk().ok_or(BeaconError::Malformed)?;
    Ok((Millis(u64::from(u32::from_be_bytes(*sent)) * 1000), frozen))
}

impl<'a> Beacon<'a> {
    /// Reads the frozen bytes and checks every limit, so that a `Beacon` from here is safe to add up.
    ///
    /// # Errors
    /// `Malformed` if the bytes are not the format, `Field` if one is outside its limits.
    pub fn decode(frozen: &'a [u8]) -> Result<Self, BeaconError> {
        let (wire, rest) = postcard::take_from_bytes::<Wire<'_>>(frozen).map_err(|_| BeaconError::Malformed)?;
        if !rest.is_empty() {
            return Err(BeaconError::Malformed);
        }
        let &[site, _, _, ..] = wire.strings.as_slice() else {
            return Err(BeaconError::Field("strings", "site, language and time zone first"));
        };
        let beacon = Self {
            id: wire.id,
            created: wire.created,
            site,
            device: wire.device.to_le_bytes(),
            screen: wire.screen,
            language: Str(2),
            zone: Str(3),
            strings: wire.strings,
            visits: wire.visits.into_owned(),
        };
        beacon.check()?;
        Ok(beacon)
    }

    /// The frozen bytes. Encoding into memory cannot fail; a failure gives no bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let first = [self.site, self.string(self.language), self.string(self.zone)];
        let wire = Wire {
            id: self.id,
            created: self.created,
            device: u64::from_le_bytes(self.device),
            screen: self.screen,
            strings: self.strings.clone(),
            visits: Cow::Borrowed(&self.visits),
        };
        let wire = if self.strings.starts_with(&first) {
            wire
        } else {
            let visits = self.visits.iter().map(|visit| visit.after(first.len() as u16)).collect();
            Wire { strings: [&first, self.strings.as_slice()].concat(), visits, ..wire }
        };
        postcard::to_allocvec(&wire).unwrap_or_default()
    }

    /// The string that `index` names; empty for 0 and, after [`Beacon::decode`], never missing.
    #[must_use]
    pub fn string(&self, index: Str) -> &'a str {
        match index.0 {
            0 => "",
            n => self.strings.get(usize::from(n) - 1).copied().unwrap_or(""),
        }
    }

    /// The moment of creation by the sender's clock.
    #[must_use]
    pub const fn created(&self) -> Millis {
        Millis(self.created as u64 * 1000)
    }

    fn check(&self) -> Result<(), BeaconError> {
        let fail = |field, allowed| Err(BeaconError::Field(field, allowed));
        if self.site.is_empty() || self.site.len() > MAX_STRING {
            return fail("site", "1 to 1024 bytes");
        }
        if self.strings.iter().any(|s| s.len() > MAX_STRING) {
            return fail("strings", "each at most 1024 bytes");
        }
        let strings = self.strings.len();
        let known = |s: Str| usize::from(s.0) <= strings;
        let mut minutes = 0;
        let mut counts = 0u64;
        for visit in &self.visits {
            let campaign = [visit.source, visit.medium, visit.campaign, visit.content, visit.term];
            let named = [visit.referrer, visit.click, visit.entry];
            if !named.into_iter().chain(campaign).all(known) {
                return fail("visits", "strings by an index into strings");
            }
            minutes += visit.minutes.len();
            for minute in &visit.minutes {
                if minute.started > 1 || minute.went_on > 1 {
                    return fail("started, went_on", "0 or 1 in a minute of a visit");
                }
                for delta in &minute.deltas {
                    delta.check(known)?;
                    counts += u64::from(delta.count);
                }
            }
        }
        if minutes > MAX_MINUTES {
            return fail("minutes", "at most 64 in a beacon");
        }
        if counts > MAX_COUNTS {
            return fail("count", "at most 1000 events in a beacon");
        }
        Ok(())
    }
}

impl VisitPart {
    /// The same with so many more strings in front of its own.
    fn after(&self, more: u16) -> Self {
        let after = |s: Str| if s.0 == 0 { s } else { Str(s.0.saturating_add(more)) };
        let mut visit = self.clone();
        for s in [&mut visit.referrer, &mut visit.source, &mut visit.medium, &mut visit.campaign] {
            *s = after(*s);
        }
        for s in [&mut visit.content, &mut visit.term, &mut visit.click, &mut visit.entry] {
            *s = after(*s);
        }
        for delta in visit.minutes.iter_mut().flat_map(|minute| &mut minute.deltas) {
            for s in [&mut delta.name, &mut delta.page, &mut delta.hostname, &mut delta.currency] {
                *s = after(*s);
            }
            delta.props.iter_mut().for_each(|(key, value)| (*key, *value) = (after(*key), after(*value)));
        }
        visit
    }
}

impl Delta {
    fn check(&self, known: impl Fn(Str) -> bool) -> Result<(), BeaconError> {
        let fail = |field, allowed| Err(BeaconError::Field(field, allowed));
        let named = [self.name, self.page, self.hostname, self.currency];
        if !named.into_iter().all(&known) || !self.props.iter().all(|(k, v)| known(*k) && known(*v)) {
            return fail("deltas", "strings by an index into strings");
        }
        if self.props.len() > MAX_PROPS {
            return fail("props", "at most 30 on an event");
        }
        if self.values.len() > self.count as usize {
            return fail("values", "at most one for each counted event");
        }
        if self.values.iter().any(|v| v.unsigned_abs() > MAX_VALUE as u64) {
            return fail("values", "within 10^12 of zero");
        }
        // A view goes on at most once, but it may have been counted by an earlier beacon.
        if u64::from(self.went_on) > MAX_COUNTS {
            return fail("went_on", "at most 1000 in a beacon");
        }
        if self.engaged > MAX_ENGAGED {
            return fail("engaged", "at most 86400 seconds");
        }
        if u64::from(self.depth) > 100 * MAX_COUNTS {
            return fail("depth", "at most 100 per cent for each view");
        }
        Ok(())
    }
}
