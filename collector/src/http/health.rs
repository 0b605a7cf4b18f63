//! `/healthz`, `/readyz` and `/metrics`.
use std::path::PathBuf;

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::watch;

use super::problem::Refused;
use crate::app::App;
use crate::edge_shell::{EdgeMetrics, EdgeShell};
use crate::metrics::Page;
use crate::store::StoreError;

/// `GET /healthz`: whether events can be taken, that is, made durable, now.
pub(crate) async fn health(State(app): State<App>) -> Result<&'static str, Refused> {
    writable(&app).await?;
    Ok("ok\n")
}

/// `GET /readyz`: whether requests should come here. Not while it stops.
pub(crate) async fn ready(State(app): State<App>) -> Result<&'static str, Refused> {
    running(&app.stopping).map(|()| "ready\n")
}

/// An error once the server stops.
pub(super) fn running(stopping: &watch::Sender<bool>) -> Result<(), Refused> {
    if *stopping.borrow() { Err(Refused::unavailable("the server is stopping")) } else { Ok(()) }
}

/// `GET /metrics`
pub(crate) async fn metrics(State(app): State<App>) -> Response {
    let mut page = app.metrics.render();
    let inbox = app.edge.as_ref().map(|_| ("inbox", app.options.data.join("inbox.db")));
    let database = ("database", app.store.path().to_owned());
    files(&mut page, &[Some(database), inbox].into_iter().flatten().collect::<Vec<_>>());
    page.gauge("headwater_sites", "Sites.", app.directory.accounts().sites().len() as u64);
    page.gauge("headwater_version", "Version of the buckets: grows with each batch.", *app.collector.version.borrow());
    if let Some(shell) = &app.edge {
        edge(shell, &mut page);
    }
    respond(page)
}

/// The page as an answer.
pub(super) fn respond(page: Page) -> Response {
    let mut response = page.into_text().into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"));
    response
}

/// The sizes of SQLite files and of their logs.
pub(super) fn files(page: &mut Page, files: &[(&str, PathBuf)]) {
    let size = |path: PathBuf| std::fs::metadata(path).map_or(0, |file| file.len());
    for (name, path) in files {
        page.gauge(&format!("headwater_{name}_bytes"), "Size of the file.", size(path.clone()));
        let log = size(path.with_extension("db-wal"));
        page.gauge(&format!("headwater_{name}_log_bytes"), "Size of its write-ahead log.", log);
    }
}

/// What an edge has counted.
pub(super) fn edge(shell: &EdgeShell, page: &mut Page) {
    let EdgeMetrics { commits, requests, accepted, duplicates, dropped, refused, batches, failures, waiting } = shell.metrics();
    page.gauge("headwater_inbox_waiting_bytes", "Bytes that wait for the collector.", waiting);
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

/// An error while the inbox can't be written.
pub(super) fn inbox(shell: &EdgeShell) -> Result<(), Refused> {
    if shell.is_healthy() { Ok(()) } else { Err(Refused::unavailable("the inbox cannot be written; is the disk full?")) }
}

/// Whether inbox and database take a write: tried, not guessed.
async fn writable(app: &App) -> Result<(), Refused> {
    app.edge.as_ref().map_or(Ok(()), inbox)?;
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
