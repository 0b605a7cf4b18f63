//! `GET /api/v1/sites/{site}/live`: the WebSocket, and `POST …/live-ticket`, which opens one without a cookie.
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use headwater_query::LiveFrame;
use serde::Deserialize;
use serde_json::json;
use tokio::time::{Instant, sleep_until, timeout};

use super::access::{Access, is_own_page};
use super::extract::Named;
use super::problem::Refused;
use crate::app::App;
use crate::directory::Entry;
use crate::live::{Feed, Sources};
use crate::secret::SecretHash;
use crate::store::{StoreError, once};

/// At most one frame in this time.
const PACE: Duration = Duration::from_secs(1);
/// After this long without a frame a ping keeps proxies from cutting the connection.
const PING: Duration = Duration::from_secs(30);
/// A watcher that does not take a frame in this time is gone.
const STUCK: Duration = Duration::from_secs(30);
/// Feeds open at once.
const MOST: u64 = 1_000;

/// What may stand behind the `?`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ask {
    since: Option<String>,
    ticket: Option<String>,
}

/// `POST /api/v1/sites/{site}/live-ticket`
pub(crate) async fn ticket(State(app): State<App>, access: Access, Named(domain): Named) -> Result<Response, Refused> {
    let entry = access.reads(&app, "site", &domain)?;
    let now = app.now();
    let ticket = app.store.write(move |tx| once::live_ticket(tx, entry.site.id, now)).await?;
    Ok(Json(json!({ "ticket": ticket.reveal(), "expires_in": once::TICKET_MS / 1000 })).into_response())
}

/// `GET /api/v1/sites/{site}/live`
pub(crate) async fn open(
    State(app): State<App>,
    access: Access,
    Named(domain): Named,
    ask: Result<Query<Ask>, QueryRejection>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Refused> {
    let Query(ask) = ask.map_err(|_| Refused::field("since, ticket", "are all that may follow the ?"))?;
    let cursor = |text: String| text.parse::<u64>().map_err(|_| Refused::field("since", "must be the cursor of a frame"));
    let since = ask.since.map(cursor).transpose()?;
    let entry = match ask.ticket {
        Some(ticket) => with_ticket(&app, &access, &domain, &ticket).await?,
        None => {
            // The browser sends the cookie along whichever page opens the connection.
            if access.holder().is_some() && !headers.contains_key(header::AUTHORIZATION) && !is_own_page(&headers) {
                return Err(Refused::origin());
            }
            access.reads(&app, "site", &domain)?
        }
    };
    let upgrade = upgrade.map_err(|_| Refused::body("this address is a WebSocket; ask with `Upgrade: websocket`"))?;
    if app.metrics.live_open.load(Relaxed) >= MOST {
        return Err(Refused::unavailable("too many live feeds are open"));
    }
    // Nothing that a watcher says matters: one small message at a time is enough.
    Ok(upgrade.max_message_size(4096).on_upgrade(move |socket| async move {
        app.metrics.live_open.fetch_add(1, Relaxed);
        let told = tell(&app, &entry, since, socket).await;
        app.metrics.live_open.fetch_sub(1, Relaxed);
        if let Err(error) = told {
            tracing::warn!("a live feed ended: {error}");
        }
    }))
}

async fn with_ticket(app: &App, access: &Access, domain: &str, ticket: &str) -> Result<Arc<Entry>, Refused> {
    access.limit(app, 1)?;
    let entry = app.directory.site(domain).ok_or_else(Refused::bad_token)?;
    let (hash, site, now) = (SecretHash::of(ticket), entry.site.id, app.now());
    // A guess is answered without a write.
    if !app.store.read(move |tx| once::is_good(tx, hash, Some(site), now)).await? {
        return Err(Refused::bad_token());
    }
    let spent = app.store.write(move |tx| once::spend(tx, hash, Some(site), now)).await?;
    if spent { Ok(entry) } else { Err(Refused::bad_token()) }
}

/// Sends frames until the watcher leaves, the site goes, or the server stops.
async fn tell(app: &App, entry: &Arc<Entry>, since: Option<u64>, mut socket: WebSocket) -> Result<(), StoreError> {
    let mut version = app.collector.version.subscribe();
    let mut stopping = app.stopping.subscribe();
    let mut feed = Feed::new(entry.site.id);
    let mut frame;
    (feed, frame) = next(app, feed, Some(since)).await?;
    let mut quiet_until = Instant::now();
    loop {
        if let Some(frame) = frame.take() {
            let text = serde_json::to_string(&frame).unwrap_or_default();
            if !send(&mut socket, Message::Text(text.into())).await {
                return Ok(());
            }
            quiet_until = Instant::now() + PACE;
        }
        tokio::select! {
            changed = async { sleep_until(quiet_until).await; version.changed().await } => {
                if changed.is_err() || app.directory.accounts().by_id(entry.site.id).is_none() {
                    return close(socket, close_code::NORMAL, "the site is gone").await;
                }
                (feed, frame) = next(app, feed, None).await?;
            }
            // The guard that `wait_for` gives must not be held while the farewell is sent.
            () = async { drop(stopping.wait_for(|stopping| *stopping).await) } => return close(socket, close_code::AWAY, "the server stops").await,
            said = socket.recv() => match said {
                None | Some(Err(_) | Ok(Message::Close(_))) => return Ok(()),
                Some(Ok(_)) => {}
            },
            () = tokio::time::sleep(PING) => {
                if !send(&mut socket, Message::Ping(axum::body::Bytes::new())).await {
                    return Ok(());
                }
            }
        }
    }
}

/// The next frame, or with `first` the first one.
async fn next(app: &App, mut feed: Feed, first: Option<Option<u64>>) -> Result<(Feed, Option<LiveFrame>), StoreError> {
    let (asked, now) = (app.clone(), app.now());
    let read = move |tx: &rusqlite::Transaction<'_>| {
        let sources = Sources { cache: &asked.cache, rows: &asked.rows };
        let frame = match first {
            Some(since) => Some(feed.first(tx, sources, since, now)?),
            None => feed.next(tx, sources, now)?,
        };
        Ok::<_, StoreError>((feed, frame))
    };
    app.store.read(read).await
}

async fn send(socket: &mut WebSocket, message: Message) -> bool {
    matches!(timeout(STUCK, socket.send(message)).await, Ok(Ok(())))
}

async fn close(mut socket: WebSocket, code: u16, reason: &'static str) -> Result<(), StoreError> {
    send(&mut socket, Message::Close(Some(CloseFrame { code, reason: reason.into() }))).await;
    Ok(())
}
