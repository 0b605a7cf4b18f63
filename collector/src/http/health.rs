//! `/healthz`, `/readyz` and `/metrics`.
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::problem::Refused;
use crate::app::App;
use crate::edge_shell::EdgeMetrics;
use crate::metrics::Page;
use crate::store::StoreError;

/// `GET /healthz`: whether events can be taken, that is, made durable, now.
pub(crate) async fn health(State(app): State<App>) -> Result<&'static str, Refused> {
    writable(&app).await?;
    Ok("ok\n")
}

/// `GET /readyz`: whether requests should come here. Not while it stops.
pub(crate) async fn ready(State(app): State<App>) -> Result<&'static str, Refused> {
    if *app.stopping.borrow() {
        return Err(Refused::unavailable("the server is stopping"));
    }
    Ok("ready\n")
}

/// `GET /metrics`
pub(crate) async fn metrics(State(app): State<App>) -> Response {
    let mut page = app.metrics.render();
    let size = |path: std::path::PathBuf| std::fs::metadata(path).map_or(0, |file| file.len());
    let database = app.store.path().to_owned();
    let log = database.with_extension("db-wal");
    page.gauge("headwater_database_bytes", "Size of headwater.db.", size(database));
    page.gauge("headwater_database_log_bytes", "Size of its write-ahead log.", size(log));
    let inbox = app.options.data.join("inbox.db");
    page.gauge("headwater_inbox_log_bytes", "Size of the inbox's write-ahead log.", size(inbox.with_extension("db-wal")));
    page.gauge("headwater_inbox_bytes", "Size of inbox.db.", size(inbox));
    page.gauge("headwater_sites", "Sites.", app.directory.accounts().sites().len() as u64);
    page.gauge("headwater_version", "Version of the buckets: grows with each batch.", *app.collector.version.borrow());
    edge(&app, &mut page);
    let mut response = page.into_text().into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"));
    response
}

/// What the embedded edge has counted.
fn edge(app: &App, page: &mut Page) {
    let EdgeMetrics { commits, requests, accepted, duplicates, dropped, refused, batches, failures } = app.edge.metrics();
    let counters = [
        ("headwater_ingest_accepted_total", "Beacons and events counted.", accepted),
        ("headwater_ingest_duplicates_total", "Beacons and events that had come before.", duplicates),
        ("headwater_ingest_dropped_bots_total", "Requests with something from a bot.", dropped),
        ("headwater_ingest_refused_total", "Requests that were refused; by status under the request durations.", refused),
        ("headwater_inbox_requests_total", "Requests written to the inbox.", requests),
        ("headwater_inbox_commits_total", "Transactions that wrote them.", commits),
        ("headwater_edge_batches_total", "Batches delivered.", batches),
        ("headwater_edge_failures_total", "Attempts at delivery that failed.", failures),
    ];
    for (name, help, value) in counters {
        page.counter(name, help, value);
    }
}

/// Whether inbox and database take a write: tried, not guessed.
async fn writable(app: &App) -> Result<(), Refused> {
    if !app.edge.is_healthy() {
        return Err(Refused::unavailable("the inbox cannot be written; is the disk full?"));
    }
    let now = app.now().0.cast_signed();
    app.store
        .write(move |tx| {
            // Once a second is often enough, however often it is asked.
            tx.execute("UPDATE meta SET value = ?1 WHERE key = 'probe' AND value / 1000 <> ?1 / 1000", [now])?;
            Ok::<_, StoreError>(())
        })
        .await
        .map_err(|error| Refused::unavailable(format!("the database cannot be written: {error}")))
}
