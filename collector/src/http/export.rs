//! `GET /api/v1/sites/{site}/export`: what is kept of a site, streamed.
use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use http_body_util::channel::{Channel, Sender};
use serde_json::{Map, Value};
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::access::Access;
use super::extract::Named;
use super::fields::Fields;
use super::problem::Refused;
use crate::app::App;
use crate::export::{self, Format, Request};

/// Exports at work at once: each reads all that there is.
pub(crate) const MOST: usize = 2;
/// How large the pieces are that are sent, in bytes.
const PIECE: usize = 64 * 1024;
/// How long a reader may take for one before it is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// Streams an export: `date_range` (as in a query, or FROM,TO; by default everything), `interval` (`day` or `hour`) and `format`
/// (`csv`, `json`, `ndjson` or `parquet`).
pub(crate) async fn stream(
    State(app): State<App>,
    access: Access,
    Named(domain): Named,
    Query(asked): Query<Vec<(String, String)>>,
) -> Result<Response, Refused> {
    access.signed_in()?;
    let entry = access.reads(&app, "site", &domain)?;
    let asked: Map<String, Value> = asked.into_iter().map(|(name, value)| (name, Value::String(value))).collect();
    let mut fields = Fields::from(asked);
    let range = fields.text("date_range")?.unwrap_or_else(|| "all".to_owned());
    let grain = fields.parsed("interval", Request::grain)?.unwrap_or(headwater_core::Grain::Day);
    let format = fields.parsed("format", Format::from_name)?.unwrap_or(Format::Csv);
    fields.end("date_range, interval, format")?;
    let request = Request { date_range: Request::range(&range), grain, format };
    let room = app.exports.clone().try_acquire_owned();
    let room = room.map_err(|_| Refused::unavailable("two exports are at work; try again when one has ended"))?;
    let (site, range, now) = (entry.site.clone(), request.date_range.clone(), app.now());
    let asked = app.clone();
    let span = app.store.read(move |tx| export::span(tx, &asked.cache, &site, &range, now)).await?;
    let (sender, body) = Channel::<Bytes, io::Error>::new(2);
    let (store, site) = (app.store.clone(), entry.site.clone());
    tokio::task::spawn_blocking(move || {
        let mut pipe = Pipe { sender, piece: Vec::new(), runtime: Handle::current() };
        let done = export::write(&store, &site, &request, span, now, &mut pipe);
        // Before the answer ends: who has it may ask for the next.
        drop(room);
        if let Err(error) = done {
            tracing::warn!("an export ended early: {error}");
            // The reader is told by an answer that is cut off: half an export must not look like a whole one.
            pipe.sender.abort(io::Error::other("the export ended early"));
        }
    });
    let name = format!("attachment; filename=\"{}.{}\"", entry.site.domain, format.ending());
    let headers = [(header::CONTENT_TYPE, format.media_type().to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, Body::new(body)).into_response())
}

/// What is written goes to the reader in pieces.
struct Pipe {
    sender: Sender<Bytes, io::Error>,
    piece: Vec<u8>,
    runtime: Handle,
}

impl Pipe {
    fn send(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = Bytes::from(std::mem::take(&mut self.piece));
        let sent = self.runtime.block_on(timeout(PATIENCE, self.sender.send_data(piece)));
        match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(io::Error::new(io::ErrorKind::BrokenPipe, "the reader has gone")),
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "the reader takes nothing")),
        }
    }
}

impl io::Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE {
            self.send()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send()
    }
}
