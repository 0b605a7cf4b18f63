//! `POST /b` and `POST /api/event` as axum handlers: translates between HTTP and `headwater_edge`, and decides nothing.
use std::borrow::Cow;
use std::cell::RefCell;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use axum::routing::any;
use headwater_core::SiteId;
use headwater_edge::answer::{Answer, Judged};
use headwater_edge::beacon::Surroundings;
use headwater_edge::client::Agent;
use headwater_edge::facts::Look;
use headwater_edge::headers::{Header, of_answer, of_other_method};
use headwater_edge::hints::Hints;
use headwater_edge::sender::{Located, Sender};
use headwater_edge::{Refusal, SiteFacts, beacon, event};
use http_body_util::BodyExt as _;

use super::peer::sender as believed;
use super::{Parts, Sites};
use crate::clock::instant;

/// How many bytes of a body that is too large are read before it is refused.
const DISCARDED: usize = 16 << 20;
/// How long a request waits for what another one has asked of the collector, and how often it looks.
const PATIENCE: Duration = Duration::from_secs(3);
const LOOK_AGAIN: Duration = Duration::from_millis(10);
/// How long reading them may take.
const LINGER: Duration = Duration::from_secs(5);

/// The two routes and their preflights.
pub(super) fn routes(parts: Arc<Parts>) -> Router {
    Router::new().route("/b", any(post_b)).route("/api/event", any(post_event)).with_state(parts)
}

async fn post_b(State(parts): State<Arc<Parts>>, request: Request) -> Response {
    respond(&parts, request, headwater_core::beacon::MAX_BYTES, |body, sender, around| {
        beacon::judge(body, sender, around).map(Judged::from)
    })
    .await
}

async fn post_event(State(parts): State<Arc<Parts>>, request: Request) -> Response {
    let key = parts.identity.key;
    respond(&parts, request, event::MAX_BYTES, move |body, sender, around| {
        event::judge(body, &key, sender, around).map(Judged::from)
    })
    .await
}

/// A request from its headers to its answer.
async fn respond(
    parts: &Parts,
    request: Request,
    limit: usize,
    judge: impl Fn(&[u8], &Sender<'_>, &Around<'_>) -> Result<Judged, Refusal>,
) -> Response {
    let (head, body) = request.into_parts();
    let origin = text(&head.headers, &header::ORIGIN);
    if head.method != Method::POST {
        let (status, headers) = of_other_method(head.method == Method::OPTIONS, origin);
        return build(status, headers, Body::empty());
    }
    let at = parts.clock.now();
    let peer = head.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
    let bearer = text(&head.headers, &header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer ")).map(str::trim);
    let forwarded = forwarded(&head.headers);
    let (address, ignored) = believed(peer, forwarded.as_deref(), &parts.config.trusted_proxies, bearer.is_some());
    let located = address.map(|address| parts.locate(address)).unwrap_or_default();
    let sender = Sender {
        at,
        origin,
        referer: text(&head.headers, &header::REFERER),
        user_agent: text(&head.headers, &header::USER_AGENT).unwrap_or(""),
        hints: Hints::read(|name| head.headers.get(name).and_then(|value| value.to_str().ok())),
        address,
        place: located.place(),
        // Whether it is a good one is judged where the site is known; with a bad one nothing is taken.
        token: bearer.is_some(),
    };
    let judged = match read(&head.headers, body, limit).await {
        Err(refusal) => Err(refusal),
        Ok(body) => {
            let judge = |sender: Sender<'_>| {
                let around = Around { parts, bearer, asks: RefCell::default(), bots: RefCell::default() };
                let judged = judge(&body, &sender, &around);
                (judged, around.asks.into_inner(), around.bots.into_inner())
            };
            let (mut judged, asks, mut bots) = judge(sender);
            if !asks.is_empty() {
                ask(&parts.sites, asks).await;
                // The answer may have set the clock right.
                (judged, _, bots) = judge(Sender { at: parts.clock.now(), ..sender });
            }
            if judged.is_ok() && !bots.is_empty() {
                parts.sites.bots(&bots, at);
            }
            judged
        }
    };
    let answer = match judged {
        Err(refusal) => refusal.into(),
        Ok(mut judged) => match judged.take_work() {
            None => judged.answer(None),
            Some(work) => match parts.writer.ingest(work).await {
                Ok(done) => judged.answer(Some(done)),
                Err(refusal) => refusal.into(),
            },
        },
    };
    parts.counts.answered(answer.status, answer.dropped);
    response(&answer, origin, ignored)
}

/// What judging needs, from this shell.
struct Around<'a> {
    parts: &'a Parts,
    bearer: Option<&'a str>,
    /// The sites that the collector has to be asked about, here or, as another request does, somewhere else.
    asks: RefCell<Vec<(String, bool)>>,
    /// The sites for which bots sent something, once for each of it.
    bots: RefCell<Vec<SiteId>>,
}

/// Learns about sites, all at once. Whatever comes of it, the request is judged again afterwards.
async fn ask(sites: &Arc<dyn Sites>, domains: Vec<(String, bool)>) {
    let (here, elsewhere): (Vec<_>, Vec<_>) = domains.into_iter().partition(|(_, here)| *here);
    let ask = |(domain, _): (String, bool)| {
        let sites = sites.clone();
        tokio::task::spawn_blocking(move || sites.ask(&domain))
    };
    for asked in here.into_iter().map(ask).collect::<Vec<_>>() {
        let _ = asked.await; // a panic in it was reported by the runtime
    }
    let deadline = instant() + PATIENCE;
    for (domain, _) in elsewhere {
        while sites.look(&domain) == Look::Asked && instant() < deadline {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}

impl Surroundings for Around<'_> {
    fn site(&self, domain: &str) -> Result<Option<Arc<SiteFacts>>, Refusal> {
        match self.parts.sites.look(domain) {
            Look::Known(facts) => Ok(Some(facts)),
            Look::Unknown => Ok(None),
            Look::Away => Err(Refusal::NO_FACTS),
            look @ (Look::Ask | Look::Asked) => {
                self.asks.borrow_mut().push((domain.to_owned(), look == Look::Ask));
                Err(Refusal::NO_FACTS)
            }
        }
    }

    fn token(&self, site: &SiteFacts) -> Result<(), Refusal> {
        let good = self.bearer.is_some_and(|bearer| self.parts.sites.may_send(bearer, site));
        if good { Ok(()) } else { Err(Refusal::Token) }
    }

    fn agent(&self, user_agent: &str) -> Arc<Agent> {
        self.parts.agents.lock().unwrap_or_else(PoisonError::into_inner).of(user_agent)
    }

    fn bot(&self, site: &SiteFacts) {
        self.bots.borrow_mut().push(site.id);
    }

    fn locate(&self, address: IpAddr) -> Located {
        self.parts.locate(address)
    }

    fn limit(&self, site: &SiteFacts, sender: &Sender<'_>) -> Result<(), Refusal> {
        self.parts.limits.lock().unwrap_or_else(PoisonError::into_inner).take(site.id, sender)
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// All `X-Forwarded-For` headers as one list: a proxy may add its own instead of appending.
fn forwarded(headers: &HeaderMap) -> Option<String> {
    let all: Vec<&str> = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).collect();
    (!all.is_empty()).then(|| all.join(","))
}

/// Reads the beginning of a body and keeps nothing of it: a sender that is still writing when the connection closes
/// never gets to read why.
async fn discard(mut body: Body) {
    let mut left = DISCARDED;
    while left > 0
        && let Some(Ok(frame)) = body.frame().await
    {
        left = left.saturating_sub(frame.data_ref().map_or(0, axum::body::Bytes::len));
    }
}

/// The body, refused by its announced length before a byte of it is kept, else at the limit.
async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<axum::body::Bytes, Refusal> {
    let announced = text(headers, &header::CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit as u64) {
        // No sender is owed more than this time, and one that goes on for ever gets no answer.
        let _ = tokio::time::timeout(LINGER, discard(body)).await;
        return Err(Refusal::TooLarge(limit));
    }
    to_bytes(body, limit).await.map_err(|error| {
        let too_large = std::error::Error::source(&error).is_some_and(|source| source.is::<http_body_util::LengthLimitError>());
        if too_large { Refusal::TooLarge(limit) } else { Refusal::Body("the body ended early") }
    })
}

fn response(answer: &Answer, origin: Option<&str>, forwarded_ignored: bool) -> Response {
    let warning = "X-Forwarded-For was ignored: the peer is not trusted; see --trusted-proxy";
    let body = answer.body.as_ref().map_or_else(Body::empty, |body| Body::from(body.to_string()));
    build(answer.status, of_answer(answer, origin, forwarded_ignored.then_some(warning)), body)
}

/// Headers that every answer of the server gets besides these.
const EVERYWHERE: usize = 5;

fn build(status: u16, headers: Vec<Header>, body: Body) -> Response {
    let mut response = Response::new(body);
    response.headers_mut().reserve(headers.len() + EVERYWHERE);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in headers {
        // An origin is repeated as it came, which was a header's value.
        let value = match value {
            Cow::Borrowed(constant) => Ok(HeaderValue::from_static(constant)),
            Cow::Owned(text) => HeaderValue::try_from(text),
        };
        if let Ok(value) = value {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
