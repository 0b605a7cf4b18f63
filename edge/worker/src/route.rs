//! What arrives at the Worker: files are answered here, events by the object that counts them.
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::Stream as _;
use headwater_core::Millis;
use headwater_edge::answer::{Answer, Judged};
use headwater_edge::beacon::Surroundings;
use headwater_edge::headers::of_other_method;
use headwater_edge::join::{Part, join};
use headwater_edge::limit::Limit;
use headwater_edge::sender::Sender;
use headwater_edge::shard::Shard;
use headwater_edge::{Refusal, SiteFacts, beacon, event, shard};
use js_sys::Uint8Array;
use serde_json::Value;
use worker::{Env, Method, Request, Response, Result, console_error};

use crate::assets;
use crate::config::Config;
use crate::forward::{FORWARD, Forward, Name, News, Reply, Route, STATUS};
use crate::object::{ask_object, objects};
use crate::platform::{gather, head, now};
use crate::respond::{build, problem, response};

/// That there is no such site is believed for so many milliseconds.
const UNKNOWN: u64 = 30_000;
/// Sites that are remembered. Past that all are forgotten; those in use are back after one request each.
const CAPACITY: usize = 4096;
/// Names that nothing is known of may reach so many new objects in a second.
const NEW_NAMES: u32 = 50;
/// How many bytes of a body that is too large are read before it is refused, as at the server.
const DISCARDED: usize = 16 << 20;
/// How often a request is sent on to another object before it is asked to come again.
const HOPS: usize = 6;

/// What this isolate has been told of a site, and when.
#[derive(Clone, Copy)]
struct Known {
    news: News,
    told: Millis,
}

struct Sites {
    known: HashMap<String, Known>,
    new_names: Limit<()>,
    /// Names that were let through to an object whose answer is not in, and when: all that come together are one.
    asked: HashMap<String, Millis>,
}

thread_local! {
    static SITES: RefCell<Sites> = RefCell::new(Sites { known: HashMap::new(), new_names: Limit::new(NEW_NAMES, 1, 1), asked: HashMap::new() });
}

/// Answers a request.
pub(crate) async fn answer(request: Request, env: &Env) -> Result<Response> {
    let path = request.path();
    match (path.as_str(), request.method()) {
        ("/b", _) => ingest(request, env, Route::Beacon).await,
        ("/api/event", _) => ingest(request, env, Route::Event).await,
        ("/healthz", _) => health(env),
        (_, Method::Get | Method::Head) => match assets::answer(&path, &request) {
            Some(asset) => asset,
            None => status(&path, &request, env).await,
        },
        _ => problem(404, "There is nothing here", "this edge has /t.js and what it loads, /b and /api/event"),
    }
}

/// `GET /healthz`: whether it is set up.
fn health(env: &Env) -> Result<Response> {
    match Config::read(env) {
        Ok(_) => Response::ok("ok\n"),
        Err(error) => problem(503, "Not set up", &error),
    }
}

/// `GET /v1/edge/objects/{domain}/{index}`: how an object is, for who has the edge's token.
async fn status(path: &str, request: &Request, env: &Env) -> Result<Response> {
    let nothing = || problem(404, "There is nothing here", "this edge has /t.js and what it loads, /b and /api/event");
    let Some((domain, index)) = path.strip_prefix("/v1/edge/objects/").and_then(|rest| rest.split_once('/')) else {
        return nothing();
    };
    let Some(index) = index.parse().ok().filter(|index| *index < shard::MOST) else { return nothing() };
    let Ok(config) = Config::read(env) else { return health(env) };
    let bearer = request.headers().get("authorization")?.unwrap_or_default();
    // Hashes are compared: how long it takes says nothing about the token.
    if blake3::hash(bearer.as_bytes()) != blake3::hash(format!("Bearer {}", config.token).as_bytes()) {
        return problem(401, "Who is asking?", "send Authorization: Bearer with the edge's token");
    }
    ask_object(env, &Name { domain: domain.to_ascii_lowercase(), index }, STATUS, &[]).await
}

/// What a request says besides its body. Owned, because the request is consumed for its body.
struct Head {
    origin: Option<String>,
    referer: Option<String>,
    user_agent: String,
    hints: [String; 4],
    bearer: Option<String>,
    address: String,
    place: (String, String, String),
    warning: Option<&'static str>,
    /// The announced length of the body.
    length: Option<u64>,
}

impl Head {
    fn read(request: &Request) -> Self {
        let head = head(request.inner());
        let mut parts = head.split('\0');
        let mut next = || parts.next().unwrap_or_default();
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let (origin, referer, user_agent) = (some(next()), some(next()), next().to_owned());
        let (full, brands) = (next(), next());
        let hints = [if full.is_empty() { brands } else { full }, next(), next(), next()].map(ToOwned::to_owned);
        let bearer = next().strip_prefix("Bearer ").map(|token| token.trim().to_owned());
        let peer = next().to_owned();
        let (address, warning) = address(peer, some(next()).as_deref(), bearer.is_some());
        let length = next().parse().ok();
        let place = place(next(), next(), next());
        Self { origin, referer, user_agent, hints, bearer, address, place, warning, length }
    }

    fn forward<'a>(&'a self, to: Name, objects: u16, route: Route, body: &'a [u8]) -> Forward<'a> {
        let (country, region, city) = &self.place;
        let [brands, mobile, platform, version] = &self.hints;
        Forward {
            to,
            objects,
            route,
            origin: self.origin.as_deref(),
            referer: self.referer.as_deref(),
            user_agent: &self.user_agent,
            address: &self.address,
            place: (country, region, city),
            hints: [brands, mobile, platform, version],
            bearer: self.bearer.as_deref(),
            warning: self.warning,
            body,
        }
    }
}

/// The sender's address. Cloudflare names it; a list that came with the request counts only if it has a token, and then its
/// last hop that is not Cloudflare's own addition.
fn address(peer: String, forwarded: Option<&str>, token: bool) -> (String, Option<&'static str>) {
    let hop = forwarded.and_then(|list| list.rsplit(',').map(str::trim).find(|hop| !hop.is_empty() && *hop != peer));
    match hop {
        Some(hop) if token => (hop.to_owned(), None),
        Some(_) => (peer, Some("X-Forwarded-For was ignored: the request has no token")),
        None => (peer, None),
    }
}

/// Where Cloudflare says the sender is: country (ISO 3166-1), region (ISO 3166-2) and city.
fn place(country: &str, region: &str, city: &str) -> (String, String, String) {
    // XX is nobody's code and T1 is Tor: neither is a country.
    if country.len() != 2 || country == "XX" || !country.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Default::default();
    }
    let region = if region.is_empty() { String::new() } else { format!("{country}-{region}") };
    (country.to_owned(), region, city.to_owned())
}

/// `POST /b` and `POST /api/event`.
async fn ingest(mut request: Request, env: &Env, route: Route) -> Result<Response> {
    let head = Head::read(&request);
    let origin = head.origin.as_deref();
    if request.method() != Method::Post {
        let (status, headers) = of_other_method(request.method() == Method::Options, origin);
        return build(status, headers.iter(), None);
    }
    let limit = if route == Route::Beacon { headwater_core::beacon::MAX_BYTES } else { event::MAX_BYTES };
    let body = match read(&mut request, head.length, limit).await {
        Ok(body) => body,
        Err(refusal) => return response(Answer::from(refusal).into_text(), origin, head.warning),
    };
    let answer = match route {
        Route::Beacon => one_beacon(&head, env, &body).await,
        Route::Event => events(&head, env, &body).await,
    };
    response(answer, origin, head.warning)
}

/// The body, refused by its announced length before a byte of it is kept, else at the limit.
async fn read(request: &mut Request, announced: Option<u64>, limit: usize) -> std::result::Result<Vec<u8>, Refusal> {
    let early = |_| Refusal::Body("the body ended early");
    match announced {
        Some(length) if length > limit as u64 => {
            discard(request).await;
            Err(Refusal::TooLarge(limit))
        }
        Some(_) => request.bytes().await.map_err(early),
        None if request.inner().body().is_none() => Ok(Vec::new()),
        None => {
            let mut stream = request.stream().map_err(early)?;
            let mut body = Vec::new();
            while let Some(part) = poll_fn(|context| Pin::new(&mut stream).poll_next(context)).await {
                body.extend(part.map_err(early)?);
                if body.len() > limit {
                    return Err(Refusal::TooLarge(limit));
                }
            }
            Ok(body)
        }
    }
}

/// Reads the beginning of a body and keeps nothing of it: a sender that is still writing when the connection closes never
/// gets to read why.
async fn discard(request: &mut Request) {
    let Ok(mut stream) = request.stream() else { return };
    let mut left = DISCARDED;
    while left > 0
        && let Some(Ok(part)) = poll_fn(|context| Pin::new(&mut stream).poll_next(context)).await
    {
        left = left.saturating_sub(part.len());
    }
}

/// Judging without a site: what is refused before one is looked for.
struct Nowhere;

impl Surroundings for Nowhere {
    fn site(&self, _: &str) -> std::result::Result<Option<Arc<SiteFacts>>, Refusal> {
        Ok(None)
    }

    fn token(&self, _: &SiteFacts) -> std::result::Result<(), Refusal> {
        Err(Refusal::Token)
    }

    fn limit(&self, _: &SiteFacts, _: &Sender<'_>) -> std::result::Result<(), Refusal> {
        Ok(())
    }
}

/// The answer to what names no site, or one that there is not.
fn nowhere(head: &Head, route: Route, body: &[u8]) -> Answer<String> {
    let forward = head.forward(Name { domain: String::new(), index: 0 }, 0, route, body);
    let sender = forward.sender(now());
    let judged = match route {
        Route::Beacon => beacon::judge(body, &sender, &Nowhere).map(Judged::from),
        Route::Event => event::judge(body, &[0; 32], &sender, &Nowhere).map(Judged::from),
    };
    judged.map_or_else(Answer::from, |judged| judged.answer(None)).into_text()
}

/// What is known of a site. An unknown name may reach a new object only so often: names cost nothing, objects do.
fn known(domain: &str) -> std::result::Result<Option<News>, Refusal> {
    SITES.with_borrow_mut(|sites| {
        let at = now();
        let believed = |known: &&Known| known.news.objects > 0 || at.0.abs_diff(known.told.0) < UNKNOWN;
        let known = sites.known.get(domain).filter(believed).map(|known| known.news);
        if known.is_some() || sites.asked.get(domain).is_some_and(|asked| at.0.abs_diff(asked.0) < UNKNOWN) {
            return Ok(known);
        }
        if domain.len() > 253 || sites.new_names.take(at, ()).is_err() {
            return Err(Refusal::NO_FACTS);
        }
        if sites.asked.len() >= CAPACITY {
            sites.asked.clear();
        }
        sites.asked.insert(domain.to_owned(), at);
        Ok(None)
    })
}

/// Takes up what an object told of its site.
fn learn(domain: &str, news: News) {
    SITES.with_borrow_mut(|sites| {
        if sites.known.len() >= CAPACITY {
            sites.known.clear();
        }
        sites.known.insert(domain.to_owned(), Known { news, told: now() });
    });
}

/// Sends a request to an object; `None` if another has to take it. One that can't be reached is as good as not durable.
async fn send(env: &Env, forward: &Forward<'_>) -> Option<Answer<String>> {
    match reply(env, forward).await {
        Ok(Reply { news, answer }) => {
            if let Some(news) = news {
                learn(&forward.to.domain, news);
            }
            answer
        }
        Err(error) => {
            console_error!("an object can't be reached: {error}");
            Some(Answer::from(Refusal::NOT_DURABLE).into_text())
        }
    }
}

async fn reply(env: &Env, forward: &Forward<'_>) -> Result<Reply> {
    let request = postcard::to_allocvec(forward).map_err(|error| error.to_string())?;
    let Name { domain, index } = &forward.to;
    let reply = gather(&objects(env)?, &Name::of(domain, *index), FORWARD, Uint8Array::from(&*request)).await?;
    Ok(postcard::from_bytes(&Uint8Array::from(reply).to_vec()).map_err(|error| error.to_string())?)
}

async fn one_beacon(head: &Head, env: &Env, body: &[u8]) -> Answer<String> {
    let Some((site, shard)) = shard::of_beacon(body) else { return nowhere(head, Route::Beacon, body) };
    let domain = site.to_ascii_lowercase();
    for _ in 0..HOPS {
        let objects = match known(&domain) {
            Ok(Some(News { objects: 0, .. })) => return nowhere(head, Route::Beacon, body),
            Ok(known) => known.map_or(0, |known| known.objects),
            Err(refusal) => return Answer::from(refusal).into_text(),
        };
        let to = Name { domain: domain.clone(), index: shard.object(objects) };
        if let Some(answer) = send(env, &head.forward(to, objects, Route::Beacon, body)).await {
            return answer;
        }
    }
    Answer::from(Refusal::BUSY).into_text()
}

async fn events(head: &Head, env: &Env, body: &[u8]) -> Answer<String> {
    let items = shard::items(body);
    let sites: Vec<Option<String>> = items.iter().map(shard::site_of).collect();
    // An item that names no site is refused wherever it is judged.
    let Some(any) = sites.iter().flatten().next().cloned() else { return nowhere(head, Route::Event, body) };
    let (mut parts, mut pending): (Vec<Part>, Vec<usize>) = (Vec::new(), (0..items.len()).collect());
    for _ in 0..HOPS {
        let sender = head.forward(Name { domain: String::new(), index: 0 }, 0, Route::Event, body).sender(now());
        let mut groups: BTreeMap<(&str, u16), Vec<usize>> = BTreeMap::new();
        let mut told: HashMap<&str, std::result::Result<Option<News>, Refusal>> = HashMap::new();
        for place in std::mem::take(&mut pending) {
            let domain = sites.get(place).and_then(Option::as_deref).unwrap_or(&any);
            let known = told.entry(domain).or_insert_with(|| known(domain)).as_ref().ok().copied().flatten();
            let shard = known
                .map_or(Shard(0), |known| items.get(place).map_or(Shard(0), |item| shard::of_item(&known.key, item, &sender)));
            groups.entry((domain, shard.object(known.map_or(0, |known| known.objects)))).or_default().push(place);
        }
        for ((domain, index), places) in groups {
            let whole = places.len() == items.len();
            let some = if whole { Vec::new() } else { array_of(&items, &places) };
            let body = if whole { body } else { &some };
            let answer = match told.get(domain) {
                Some(Err(refusal)) => Some(Answer::from(refusal.clone()).into_text()),
                Some(Ok(Some(News { objects: 0, .. }))) => Some(nowhere(head, Route::Event, body)),
                Some(Ok(known)) => {
                    let objects = known.map_or(0, |known| known.objects);
                    let to = Name { domain: domain.to_owned(), index };
                    send(env, &head.forward(to, objects, Route::Event, body)).await
                }
                None => continue,
            };
            match answer {
                None => pending.extend(places),
                Some(answer) if whole => return answer,
                Some(answer) => parts.push(part(places, &answer)),
            }
        }
        if pending.is_empty() {
            break;
        }
    }
    if !pending.is_empty() {
        parts.push(part(pending, &Answer::from(Refusal::BUSY).into_text()));
    }
    join(&parts).into_text()
}

fn array_of(items: &[Value], places: &[usize]) -> Vec<u8> {
    let some: Vec<&Value> = places.iter().filter_map(|place| items.get(*place)).collect();
    serde_json::to_vec(&some).unwrap_or_default()
}

fn part(places: Vec<usize>, answer: &Answer<String>) -> Part {
    let body = answer.body.as_ref().and_then(|body| serde_json::from_str(body).ok()).unwrap_or_default();
    Part { places, status: answer.status, body, retry_after: answer.retry_after }
}
