//! `headwater live`
use std::net::TcpStream;
use std::thread::sleep;
use std::time::Duration;

use headwater_query::{Change, LiveFrame};
use serde_json::json;
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Message, WebSocket};

use super::DataArgs;
use super::client::{Server, ServerArgs};
use super::table::printable;
use crate::buckets::Cache;
use crate::clock::Clock;
use crate::failure::Failure;
use crate::live::{Feed, Rows, Sources};
use crate::settings::FileSettings;
use crate::store::sites::{self, SiteError};
use crate::store::{Store, StoreError};
use crate::text::iso_minute;

/// How often the store is looked at.
const PACE: Duration = Duration::from_secs(1);
/// Memory for decoded buckets, in bytes.
const CACHE_BYTES: usize = 16 << 20;

/// Watch a site: prints each row of the current minutes as it changes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Every line is a row that changed, with its values in that minute so far: minute, dimension, value, page views, events,
visitors. The total of the minute has no dimension. Ctrl-C ends it.")]
pub(super) struct Live {
    /// The site's name.
    #[arg(long)]
    site: String,
    /// One frame of the live feed a line, as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    server: ServerArgs,
}

impl Live {
    pub(super) fn run(self, file: &FileSettings, clock: &Clock) -> Result<(), Failure> {
        match self.server.server(file)? {
            Some(server) => self.follow_server(&server),
            None => self.follow_store(&self.data.open(file)?, clock),
        }
    }

    fn follow_store(&self, store: &Store, clock: &Clock) -> Result<(), Failure> {
        let site = store.read_now(|tx| sites::find(tx, &self.site))?.ok_or_else(|| SiteError::Unknown(self.site.clone()))?;
        let (cache, rows) = (Cache::new(CACHE_BYTES), Rows::default());
        let sources = Sources { cache: &cache, rows: &rows };
        let mut feed = Feed::new(site.id);
        let first = store.read_now(|tx| feed.first(tx, sources, None, clock.now()))?;
        self.show(&first)?;
        loop {
            sleep(PACE);
            let next = store.read_now(|tx| {
                // A site that was removed says nothing any more.
                if sites::find(tx, &self.site)?.is_none() {
                    return Ok(None);
                }
                feed.next(tx, sources, clock.now()).map(Some)
            });
            match next {
                Ok(Some(Some(frame))) => self.show(&frame)?,
                Ok(Some(None)) | Err(StoreError::Busy) => {}
                Ok(None) => return Err(SiteError::Unknown(self.site.clone()).into()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn follow_server(&self, server: &Server) -> Result<(), Failure> {
        let mut cursor = None;
        loop {
            let mut socket = self.connect(server, cursor.as_deref())?;
            while let Ok(message) = socket.read() {
                let Message::Text(text) = message else { continue };
                let frame: LiveFrame = serde_json::from_str(&text)
                    .map_err(|e| Failure::Failed(format!("a frame of the server is not understood: {e}")))?;
                cursor = match &frame {
                    LiveFrame::Changes { cursor, .. } => Some(cursor.clone()),
                    LiveFrame::Reset { .. } => None,
                };
                self.show(&frame)?;
            }
            eprintln!("the connection was cut; trying again");
            sleep(PACE);
        }
    }

    fn connect(&self, server: &Server, cursor: Option<&str>) -> Result<WebSocket<MaybeTlsStream<TcpStream>>, Failure> {
        let path = format!("/api/v1/sites/{}", self.site);
        let answer = server.post(&format!("{path}/live-ticket"), &json!({}))?;
        let ticket = answer.get("ticket").and_then(|ticket| ticket.as_str()).unwrap_or_default();
        let since = cursor.map(|cursor| format!("&since={cursor}")).unwrap_or_default();
        let url = server.websocket(&format!("{path}/live?ticket={ticket}{since}"));
        // The address holds the ticket, so it stays out of the message.
        let failed = |error: tungstenite::Error| Failure::Failed(format!("cannot watch {}: {error}", self.site));
        tungstenite::connect(url).map(|(socket, _)| socket).map_err(failed)
    }

    fn show(&self, frame: &LiveFrame) -> Result<(), Failure> {
        if self.json {
            let line = serde_json::to_string(frame).map_err(|e| Failure::Failed(e.to_string()))?;
            super::print(&format!("{line}\n"));
            return Ok(());
        }
        let LiveFrame::Changes { minutes, .. } = frame else { return Ok(()) };
        let mut text = String::new();
        for minute in minutes {
            // What is not known is left out: it says nothing that the total does not say.
            let known = |row: &&Change| row.dimension.is_empty() || !matches!(row.value.as_str(), "" | "(not set)");
            for row in minute.changes.iter().filter(known) {
                let name = if row.dimension.is_empty() {
                    "total".to_owned()
                } else {
                    format!("{} {}", row.dimension, printable(&row.value))
                };
                text.push_str(&format!(
                    "{}  {name}  {} views  {} events  {} visitors\n",
                    iso_minute(minute.minute),
                    row.pageviews,
                    row.events,
                    row.visitors
                ));
            }
        }
        super::print(&text);
        Ok(())
    }
}
