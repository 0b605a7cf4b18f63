//! What an object asks the collector, and what it brings.
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use headwater_core::{Millis, NodeId};
use headwater_edge::SiteFacts;
use headwater_edge::resume::Applied;
use js_sys::Uint8Array;
use serde_json::Value;
use worker::{AbortController, AbortSignal, Delay, Fetch, Headers, Method, Request, RequestInit};

use crate::config::Config;
use crate::platform::now;

/// An answer is waited for this long.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why something has to be asked or brought again.
#[derive(Debug, Default)]
pub(crate) struct Failure {
    /// For the log.
    pub(crate) message: String,
    /// How long the collector asked to wait, in milliseconds.
    pub(crate) retry_after: Option<u64>,
}

impl From<worker::Error> for Failure {
    fn from(error: worker::Error) -> Self {
        Self { message: error.to_string(), retry_after: None }
    }
}

/// The collector's clock, as an answer told it.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// When the request was sent and answered, by the platform's clock.
    pub(crate) sent: Millis,
    /// See `sent`.
    pub(crate) answered: Millis,
    /// The header `Date`; empty without one.
    pub(crate) date: String,
}

struct Reply {
    status: u16,
    body: Value,
    retry_after: Option<u64>,
    told: Told,
}

impl Reply {
    fn failure(&self) -> Failure {
        let detail = self.body["detail"].as_str().unwrap_or("no problem document; is COLLECTOR_URL right?");
        Failure { message: format!("status {}: {detail}", self.status), retry_after: self.retry_after }
    }
}

/// Asks, and waits only so long. Not by `AbortSignal.timeout`: its clock would run on when the answer is there, and keep the
/// object awake, which is paid for.
async fn ask(config: &Config, path: &str, batch: Option<&[u8]>) -> Result<Reply, Failure> {
    let controller = AbortController::default();
    let signal = controller.signal();
    let (answer, patience) = (pin!(exchange(config, path, batch, &signal)), Delay::from(PATIENCE));
    match select(answer, pin!(patience)).await {
        Either::Left((reply, _)) => reply,
        Either::Right(_) => {
            controller.abort();
            Err(Failure { message: "no answer in time".to_owned(), retry_after: None })
        }
    }
}

async fn exchange(config: &Config, path: &str, batch: Option<&[u8]>, signal: &AbortSignal) -> Result<Reply, Failure> {
    let headers = Headers::new();
    headers.set("authorization", &format!("Bearer {}", config.token))?;
    let mut init = RequestInit::new();
    if let Some(batch) = batch {
        headers.set("content-type", "application/octet-stream")?;
        init.with_method(Method::Post).with_body(Some(Uint8Array::from(batch).into()));
    }
    init.with_headers(headers);
    let request = Request::new_with_init(&format!("{}{path}", config.collector), &init)?;
    let sent = now();
    let mut response = Fetch::Request(request).send_with_signal(signal).await?;
    let answered = now();
    let header = |name| response.headers().get(name).ok().flatten();
    let retry_after = header("retry-after").and_then(|seconds| seconds.parse::<u64>().ok()).map(|seconds| seconds * 1000);
    let date = header("date").unwrap_or_default();
    let status = response.status_code();
    let body = serde_json::from_slice(&response.bytes().await?).unwrap_or_default();
    Ok(Reply { status, body, retry_after, told: Told { sent, answered, date } })
}

/// What an edge must know of a site, `None` if there is none.
///
/// # Errors
/// When it has to be asked again.
pub(crate) async fn facts(config: &Config, domain: &str) -> Result<(Option<SiteFacts>, Told), Failure> {
    let name: String = domain.bytes().map(escaped).collect();
    let reply = ask(config, &format!("/v1/edge/sites/{name}"), None).await?;
    match reply.status {
        200 => match serde_json::from_value(reply.body) {
            Ok(facts) => Ok((Some(facts), reply.told)),
            Err(error) => Err(Failure { message: format!("this is not a site: {error}"), retry_after: None }),
        },
        // Only a collector says so in a problem document; a proxy in between may not know where it is.
        404 if reply.body["status"] == 404 => Ok((None, reply.told)),
        // A name that can't be one.
        400 if reply.body["status"] == 400 => Ok((None, reply.told)),
        _ => Err(reply.failure()),
    }
}

/// The last batch of this node that was applied.
///
/// # Errors
/// When it has to be asked again.
pub(crate) async fn applied(config: &Config, node: NodeId) -> Result<(Option<Applied>, Told), Failure> {
    let reply = ask(config, &format!("/v1/edge/nodes/{node}"), None).await?;
    if reply.status != 200 {
        return Err(reply.failure());
    }
    match serde_json::from_value(reply.body) {
        Ok(applied) => Ok((applied, reply.told)),
        Err(error) => Err(Failure { message: format!("this is not what was applied: {error}"), retry_after: None }),
    }
}

/// Brings a batch; `Ok` only once it is durable there.
///
/// # Errors
/// When it has to be brought again, byte for byte.
pub(crate) async fn deliver(config: &Config, batch: &[u8]) -> Result<Told, Failure> {
    let reply = ask(config, "/v1/partials", Some(batch)).await?;
    // Not any 2xx: a captive page that answers everything with 200 has applied nothing.
    if reply.status == 200 && reply.body["already"].is_boolean() { Ok(reply.told) } else { Err(reply.failure()) }
}

/// One byte of a path's segment (RFC 3986).
fn escaped(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
}
