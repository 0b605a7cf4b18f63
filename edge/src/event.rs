//! `POST /api/event`: Plausible's events API, with its long and its short keys.
//!
//! Each item stands alone: accepted, refused with its own status, or left out as a bot's. What needs the store (whether its
//! id has come before, which visit it belongs to) is decided later, in the transaction.
use std::net::IpAddr;

use headwater_core::beacon::{MAX_PROPS, MAX_STRING};
use headwater_core::{Millis, PAGEVIEW, VisitorHash};
use serde_json::{Map, Value};

use crate::beacon::Surroundings;
use crate::dedup::{ACCEPTED, id_key};
use crate::hints::Hints;
use crate::host::{Page, cut};
use crate::sender::{Landing, Located, Sender, visit_context};
use crate::spam::is_spam;
use crate::visit::{Event, Happening};
use crate::visitor::{Who, order_of};
use crate::{Refusal, amount, timestamp};

/// The longest body in bytes.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;
/// The most items in one request.
pub const MAX_ITEMS: usize = 1000;
/// An event may be this far in the future, in milliseconds, by the clock of its sender; it then counts as now.
const AHEAD: u64 = 5 * 60_000;

/// An event that was accepted, unless its id has come before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// For which site.
    pub site: headwater_core::SiteId,
    /// What its id is remembered by, if it has one.
    pub id: Option<[u8; 20]>,
    /// Orders values of one minute.
    pub order: u64,
    /// The visitor as they were known the day before.
    pub before: Option<VisitorHash>,
    /// What happened.
    pub event: Event,
}

/// What becomes of one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// To be stored.
    Store(Box<Accepted>),
    /// From a bot.
    Bot,
    /// Not counted, and why.
    Refused(Refusal),
}

/// Reads a body: each item by its place. `key` is the installation's, for hashing ids.
///
/// # Errors
/// When the body as a whole is no request, or a single limit concerns all of it.
pub fn judge(body: &[u8], key: &[u8; 32], sender: &Sender<'_>, around: &impl Surroundings) -> Result<Vec<Item>, Refusal> {
    if body.len() > MAX_BYTES {
        return Err(Refusal::TooLarge(MAX_BYTES));
    }
    let value: Value =
        serde_json::from_slice(body).map_err(|_| Refusal::Body("the body must be JSON: one event or an array of events"))?;
    let items = match value {
        Value::Array(items) => items,
        one @ Value::Object(_) => vec![one],
        _ => return Err(Refusal::Body("the body must be one event as an object, or an array of events")),
    };
    if items.is_empty() || items.len() > MAX_ITEMS {
        return Err(Refusal::Body("an array holds 1 to 1000 events"));
    }
    let mut limited = None;
    let judge = |item| match judge_item(item, key, sender, around, &mut limited) {
        // A token is the whole request's.
        Err(Refusal::Token) => Err(Refusal::Token),
        judged => Ok(judged.unwrap_or_else(Item::Refused)),
    };
    items.iter().map(judge).collect()
}

fn judge_item(
    item: &Value,
    key: &[u8; 32],
    sender: &Sender<'_>,
    around: &impl Surroundings,
    limited: &mut Option<(headwater_core::SiteId, Result<(), Refusal>)>,
) -> Result<Item, Refusal> {
    let fields = Fields(item.as_object().ok_or(Refusal::Body("an event is an object"))?);
    let name =
        fields.text("name", &["name", "n"])?.ok_or(Refusal::Field("name", "1 to 1024 bytes; `pageview` for a page view"))?;
    if name.is_empty() || name.len() > MAX_STRING {
        return Err(Refusal::Field("name", "1 to 1024 bytes; `pageview` for a page view"));
    }
    let address = fields
        .text("url", &["url", "u"])?
        .ok_or(Refusal::Field("url", "the address of the page, as in https://example.com/path"))?;
    let page = Page::parse(address).ok_or(Refusal::Field("url", "the address of the page, as in https://example.com/path"))?;
    let domain = fields.text("domain", &["domain", "d"])?.ok_or(Refusal::Field("domain", "the site's domain"))?;
    let site = around.site(&domain.trim().to_ascii_lowercase())?.ok_or(Refusal::UnknownSite("domain"))?;
    if sender.token {
        around.token(&site)?;
    } else {
        // Servers send no Origin, and Plausible asks for none; but a page that names one must be the site's.
        let origin = sender.origin.and_then(crate::host::header_host);
        if origin.is_some_and(|host| !site.allows_host(&host)) {
            return Err(Refusal::Host);
        }
        if let Some(field) = ["ip", "user_agent", "timestamp"].into_iter().find(|field| fields.0.contains_key(*field)) {
            return Err(Refusal::NeedsToken(field));
        }
    }
    let user_agent = fields.text("user_agent", &["user_agent"])?.unwrap_or(sender.user_agent);
    let agent = around.agent(user_agent);
    let referrer = fields.text("referrer", &["referrer", "r"])?.unwrap_or("");
    // With a token, a bot is told by its user agent alone.
    if agent.is_bot || (!sender.token && is_spam(referrer, &site)) {
        around.bot(&site);
        return Ok(Item::Bot);
    }
    let ip =
        fields.text("ip", &["ip"])?.map(|ip| ip.parse::<IpAddr>().map_err(|_| Refusal::Field("ip", "an IPv4 or IPv6 address")));
    let ip = ip.transpose()?;
    let at = happened_at(&fields, sender.at)?;
    let id = fields.text("id", &["id"])?;
    if id.is_some_and(|id| id.is_empty() || id.len() > MAX_STRING) {
        return Err(Refusal::Field("id", "1 to 1024 bytes"));
    }
    let props = fields.props()?;
    let what = fields.happening(name)?;
    if !sender.token {
        // One request is one, however many items of the site it brings.
        match limited {
            Some((of, answer)) if *of == site.id => answer.clone()?,
            _ => {
                let answer = around.limit(&site, sender);
                *limited = Some((site.id, answer.clone()));
                answer?;
            }
        }
    }
    let minute = at.minute();
    let window = site.window(minute).ok_or(Refusal::NO_SALT)?;
    let who = Who { address: ip.or(sender.address), user_agent, device: [0; 8] };
    let visitor = who.hash(&site, minute).ok_or(Refusal::NO_SALT)?;
    let path = match fields.number("hash", &["h", "hash"]) {
        Some(1) if !page.fragment.is_empty() => format!("{}#{}", page.path, page.fragment),
        _ => page.path.to_owned(),
    };
    // A place that the platform told belongs to the request's address, not to one that an item names.
    let located = ip.map(|ip| around.locate(ip));
    let place = located.as_ref().map_or(sender.place, Located::place);
    let landing = Landing::of(&page);
    let told = landing.told(referrer, &path);
    // So do the hints to the request's own user agent.
    let hints = if fields.0.contains_key("user_agent") { Hints::default() } else { sender.hints };
    let context = visit_context(&site, &place, &hints.correct(&agent.client), &told);
    let order = match id {
        Some(id) => order_of(window, id.as_bytes()),
        // Without an id in order of arrival.
        None => sender.at.0 << 16,
    };
    let event = Event { at, visitor, what, page: cut(&path, MAX_STRING).to_owned(), hostname: page.host, props, context };
    let id = id.map(|id| id_key(key, site.id, id));
    Ok(Item::Store(Box::new(Accepted { site: site.id, id, order, before: who.hash_before(&site, minute), event })))
}

/// When an event happened: now, or as a request with a token says.
fn happened_at(fields: &Fields<'_>, arrived: Millis) -> Result<Millis, Refusal> {
    let allowed = Refusal::Field("timestamp", "ISO 8601 with a zone, as in 2026-01-31T12:00:00Z");
    let Some(text) = fields.text("timestamp", &["timestamp"])? else { return Ok(arrived) };
    let at = timestamp::parse(text).ok_or(allowed)?;
    if at.0.saturating_add(ACCEPTED) < arrived.0 {
        return Err(Refusal::TooOld("timestamp"));
    }
    if at.0 > arrived.0 + AHEAD {
        return Err(Refusal::Field("timestamp", "not in the future"));
    }
    Ok(at.min(arrived))
}

/// The fields of one item.
struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    /// The first of `names` that is there and not null.
    fn get(&self, names: &[&str]) -> Option<&'a Value> {
        names.iter().filter_map(|name| self.0.get(*name)).find(|value| !value.is_null())
    }

    fn text(&self, field: &'static str, names: &[&str]) -> Result<Option<&'a str>, Refusal> {
        self.get(names).map(|value| value.as_str().ok_or(Refusal::Field(field, "a string"))).transpose()
    }

    fn number(&self, _field: &'static str, names: &[&str]) -> Option<u64> {
        let value = self.get(names)?;
        value.as_u64().or_else(|| value.as_bool().map(u64::from))
    }

    /// An object, or the JSON of one in a string, as old trackers send it.
    fn object(&self, field: &'static str, names: &[&str]) -> Result<Map<String, Value>, Refusal> {
        match self.get(names) {
            None => Ok(Map::new()),
            Some(Value::Object(map)) => Ok(map.clone()),
            Some(Value::String(text)) if text.is_empty() => Ok(Map::new()),
            Some(Value::String(text)) => match serde_json::from_str(text) {
                Ok(Value::Object(map)) => Ok(map),
                Ok(Value::Null) => Ok(Map::new()),
                _ => Err(Refusal::Field(field, "an object, or the JSON of one")),
            },
            Some(_) => Err(Refusal::Field(field, "an object, or the JSON of one")),
        }
    }

    fn props(&self) -> Result<Vec<(String, String)>, Refusal> {
        let map = self.object("props", &["props", "p", "meta", "m"])?;
        if map.len() > MAX_PROPS {
            return Err(Refusal::Field("props", "at most 30 on an event"));
        }
        let mut props = Vec::with_capacity(map.len());
        for (key, value) in map {
            let value = match value {
                Value::String(text) => text,
                Value::Number(number) => number.to_string(),
                Value::Bool(truth) => truth.to_string(),
                Value::Null => continue,
                Value::Array(_) | Value::Object(_) => {
                    return Err(Refusal::Field("props", "values are strings, numbers, true or false"));
                }
            };
            // As Plausible's: a property without a value is none.
            if !value.is_empty() && !key.is_empty() {
                props.push((cut(&key, MAX_STRING).to_owned(), cut(&value, MAX_STRING).to_owned()));
            }
        }
        Ok(props)
    }

    fn happening(&self, name: &str) -> Result<Happening, Refusal> {
        if name == "engagement" {
            let engaged = self.get(&["engagement_time", "e"]).and_then(Value::as_f64).unwrap_or(0.0);
            // A day, as in a beacon; a saturating cast makes 0 of what is negative or no number.
            let engaged = engaged.min(86_400_000.0) as u32;
            // Plausible writes 255 where the depth is not known.
            let depth = self.get(&["scroll_depth", "sd"]).and_then(Value::as_u64).filter(|depth| *depth <= 100);
            return Ok(Happening::Engagement { engaged, depth: depth.map(|depth| depth as u8) });
        }
        if name == PAGEVIEW {
            return Ok(Happening::View);
        }
        let interactive = match self.get(&["interactive", "i"]) {
            None => true,
            Some(value) => value.as_bool().ok_or(Refusal::Field("interactive", "true or false"))?,
        };
        let revenue = self.object("revenue", &["revenue", "$"])?;
        let mut currency = String::new();
        let mut value = self
            .get(&["value"])
            .map(|value| amount::of(value).ok_or(Refusal::Field("value", "a number within 10^12 of zero")))
            .transpose()?;
        if !revenue.is_empty() {
            let allowed = Refusal::Field("revenue", "{amount, currency}: a number within 10^12 of zero and an ISO 4217 code");
            let code = revenue.get("currency").and_then(Value::as_str).unwrap_or("");
            if code.len() != 3 || !code.bytes().all(|b| b.is_ascii_alphabetic()) {
                return Err(allowed);
            }
            currency = code.to_ascii_uppercase();
            value = Some(revenue.get("amount").and_then(amount::of).ok_or(allowed)?);
        }
        Ok(Happening::Event { name: name.to_owned(), interactive, currency, value })
    }
}
