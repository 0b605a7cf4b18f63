//! `headwater export`
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use super::DataArgs;
use super::client::ServerArgs;
use crate::ask::AskError;
use crate::buckets::Cache;
use crate::clock::Clock;
use crate::export::{self, ExportError, Format, Request};
use crate::failure::Failure;
use crate::settings::FileSettings;
use crate::store::sites::{self, SiteError};

/// Memory for decoded buckets, in bytes.
const CACHE_BYTES: usize = 16 << 20;

/// Write what is kept of a site as CSV, JSON or Parquet.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  headwater export --site example.com > example.csv
  headwater export --site example.com --date-range 2026-01-01,2026-12-31 --format json --output 2026.json
  headwater export --site example.com --interval hour --date-range 7d
  headwater export --site example.com --format parquet --output example.parquet

One row for each bucket, dimension and value: time, dimension, value, visitors (distinct in the bucket), visits, bounces,
pageviews, exits, events, engaged_seconds, depth (per cent, added up); and for events with values one for each currency:
count, sum, min, max. The rows without a dimension are the totals.")]
pub(super) struct Export {
    /// The site's name.
    #[arg(long)]
    site: String,
    /// A range as of `headwater query`.
    #[arg(long, default_value = "all")]
    date_range: String,
    /// How long the buckets are: day or hour.
    #[arg(long, default_value = "day", value_parser = Request::grain)]
    interval: headwater_core::Grain,
    /// csv, json, ndjson or parquet.
    #[arg(long, default_value = "csv", value_parser = Format::from_name)]
    format: Format,
    /// The file to write [default: standard output].
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    server: ServerArgs,
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Ask(AskError::Query(error)) => Self::Usage(error.to_string()),
            ExportError::Write(error) if error.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
            other => Self::Failed(other.to_string()),
        }
    }
}

impl Export {
    pub(super) fn run(self, file: &FileSettings, clock: &Clock) -> Result<(), Failure> {
        let server = self.server.server(file)?;
        let failed = |error: std::io::Error| Failure::Failed(format!("cannot write the export: {error}"));
        let mut out: Box<dyn Write> = match &self.output {
            Some(path) => Box::new(BufWriter::new(File::create(path).map_err(failed)?)),
            None => Box::new(BufWriter::new(std::io::stdout().lock())),
        };
        if let Some(server) = server {
            let interval = self.interval.name();
            let path =
                format!("/api/v1/sites/{}/export?interval={interval}&format={}&date_range=", self.site, self.format.ending());
            // Nothing in a range has a meaning in an address but `+`.
            let range = self.date_range.replace('%', "%25").replace('+', "%2B").replace('&', "%26").replace(' ', "%20");
            return server.copy(&(path + &range), &mut out);
        }
        let store = self.data.open(file)?;
        let now = clock.now();
        let request = Request { date_range: Request::range(&self.date_range), grain: self.interval, format: self.format };
        let (site, span) = store.read_now(|tx| {
            let site = sites::find(tx, &self.site)?.ok_or_else(|| SiteError::Unknown(self.site.clone()))?;
            let span = export::span(tx, &Cache::new(CACHE_BYTES), &site, &request.date_range, now).map_err(ExportError::from)?;
            Ok::<_, Failure>((site, span))
        })?;
        Ok(export::write(&store, &site, &request, span, now, &mut out)?)
    }
}
