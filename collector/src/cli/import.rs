//! `headwater import`
use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;

use super::DataArgs;
use super::client::ServerArgs;
use super::table::table;
use crate::clock::Clock;
use crate::failure::Failure;
use crate::geo::GeoDb;
use crate::import::{self, ImportError, Left, Local, Log, Remote, Tally, Target};
use crate::settings::FileSettings;

/// Count what web servers have logged.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  headwater import --site example.com /var/log/nginx/access.log*
  zcat old.gz | headwater import --site example.com -
  headwater import --site example.com --url https://stats.example.com --token TOKEN access.log

Reads the combined format of Apache, nginx and others, packed with gzip or not. Page views of people are counted; bots,
parts of pages, failed requests and other hosts are left out and their number is shown. The same lines are counted once,
however often they are imported: after an interruption, or when a log has grown, run the same command again. Lines
that Headwater has counted itself meanwhile it can't know: import what is older than your first day with it.")]
pub(super) struct Import {
    /// The site's name.
    #[arg(long)]
    site: String,
    /// Logs, in any order; - is standard input.
    #[arg(required = true, value_name = "LOG")]
    logs: Vec<PathBuf>,
    /// A file in MaxMind's format that says where addresses are.
    #[arg(long, value_name = "FILE", env = "HEADWATER_GEO_DB")]
    geo_db: Option<PathBuf>,
    /// Print what became of the lines as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    server: ServerArgs,
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl Import {
    pub(super) fn run(self, file: &FileSettings, clock: &Clock) -> Result<(), Failure> {
        let open =
            |path: &PathBuf| Log::open(path).map_err(|error| Failure::Failed(format!("cannot read {}: {error}", path.display())));
        let logs = self.logs.iter().map(open).collect::<Result<Vec<_>, _>>()?;
        let geo = self.geo_db.as_deref().or(file.geo_db.as_deref()).map(GeoDb::open).transpose();
        let geo = geo.map_err(|error| Failure::Usage(format!("--geo-db: {error}")))?;
        let now = || clock.now();
        let mut target: Box<dyn Target + '_> = match self.server.address(file)? {
            Some((url, token)) => Box::new(Remote::new(&url, token, &self.site)),
            None => Box::new(Local::new(self.data.open(file)?, &self.site, &now)?),
        };
        let tally = import::run(logs, &mut *target, geo.as_ref(), clock.now(), &mut show)?;
        super::print(&if self.json { json(&tally) } else { text(&tally) });
        if tally.malformed > 0 && tally.malformed == tally.lines {
            return Err(Failure::Failed("no line is in the combined format; docs/import.md shows it".into()));
        }
        Ok(())
    }
}

/// A line that is written over on a terminal, and one for each chunk elsewhere.
fn show(log: &str, (read, size): (u64, u64), tally: &Tally) {
    let share = (100 * read.min(size)).checked_div(size).map_or_else(String::new, |share| format!(", {share} %"));
    let mut err = std::io::stderr().lock();
    let is_terminal = err.is_terminal();
    let (begin, end) = if is_terminal { ("\r\u{1b}[K", if read >= size { "\n" } else { "" }) } else { ("", "\n") };
    // Nobody can be told that telling failed.
    let _ = write!(err, "{begin}{log}: {} lines{share}, {} counted{end}", tally.lines, tally.counted).and_then(|()| err.flush());
}

/// What is said of each reason.
const REASONS: [(Left, &str, &str); 4] = [
    (Left::Bot, "bots", "bots and other programs"),
    (Left::Asset, "assets", "parts of pages, downloads, feeds"),
    (Left::NoPage, "no_page", "not GET, or not answered with a page"),
    (Left::OtherHost, "other_host", "for another host"),
];

fn text(tally: &Tally) -> String {
    let mut rows = vec![
        ["lines read".to_owned(), tally.lines.to_string()],
        ["page views counted".to_owned(), tally.counted.to_string()],
        ["counted before".to_owned(), tally.before.to_string()],
    ];
    for (left, _, words) in REASONS {
        rows.push([format!("left out: {words}"), tally.left.get(&left).copied().unwrap_or(0).to_string()]);
    }
    rows.push(["malformed".to_owned(), tally.malformed.to_string()]);
    let rows: Vec<Vec<String>> = rows.into_iter().map(Vec::from).collect();
    let mut text = table(&["what", "number"], &rows, |column| column > 0);
    for example in &tally.examples {
        text.push_str(&format!("  {example}\n"));
    }
    text
}

fn json(tally: &Tally) -> String {
    let left: serde_json::Map<String, serde_json::Value> =
        REASONS.iter().map(|(left, name, _)| ((*name).to_owned(), tally.left.get(left).copied().unwrap_or(0).into())).collect();
    let all = serde_json::json!({
        "lines": tally.lines, "counted": tally.counted, "before": tally.before, "left": left,
        "malformed": tally.malformed, "examples": tally.examples,
    });
    format!("{all}\n")
}
