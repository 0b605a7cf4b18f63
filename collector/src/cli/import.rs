//! `headwater import`
use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;

use clap::Subcommand;
use headwater_query::Date;

use super::DataArgs;
use super::client::ServerArgs;
use super::table::table;
use crate::clock::Clock;
use crate::failure::Failure;
use crate::geo::GeoDb;
use crate::import::plausible::{self, DayTarget, Report};
use crate::import::{self, ImportError, Left, Local, Log, Remote, Tally, Target};
use crate::settings::FileSettings;

/// Count what web servers have logged, or take in what Plausible or GoatCounter export.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "\
Examples:
  headwater import --site example.com /var/log/nginx/access.log*
  zcat old.gz | headwater import --site example.com -
  headwater import --site example.com --url https://stats.example.com --token TOKEN access.log
  headwater import --site example.com example_com_20261101.zip               Plausible's export, or its folder of CSV files
  headwater import --site example.com goatcounter-export-example.csv.gz      GoatCounter's
  headwater import list --site example.com
  headwater import remove --site example.com 3

Of logs it reads the combined format of Apache, nginx and others, packed with gzip or not. Page views of people are counted;
bots, parts of pages, failed requests and other hosts are left out and their number is shown. The same lines are counted once,
however often they are imported: after an interruption, or when a log has grown, run the same command again. GoatCounter's
export is read like a log. Plausible's holds sums by day: each day is taken once, and all of it can be removed again. What
Headwater has counted itself meanwhile it can't know: import what is older than your first day with it (--until)."
)]
pub(super) struct Import {
    #[command(subcommand)]
    command: Option<ImportCommand>,
    /// The site's name.
    #[arg(long, required = true)]
    site: Option<String>,
    /// Logs, in any order; - is standard input. Or an export: a zip file, a folder, CSV files.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// A file in MaxMind's format that says where addresses are.
    #[arg(long, value_name = "FILE", env = "HEADWATER_GEO_DB")]
    geo_db: Option<PathBuf>,
    /// The last day that is taken of Plausible's export, as in 2026-11-22.
    #[arg(long, value_name = "DATE", value_parser = date)]
    until: Option<Date>,
    /// Take days of Plausible's export instead of those that were imported with other numbers before.
    #[arg(long)]
    replace: bool,
    /// Print what became of the lines as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    server: ServerArgs,
}

/// What was imported as sums by day.
#[derive(Debug, Subcommand)]
enum ImportCommand {
    /// List what Plausible counted and was imported.
    List(Imports),
    /// Remove such an import, by its number in the list.
    Remove {
        /// Its number.
        id: i64,
        #[command(flatten)]
        imports: Imports,
    },
}

/// The imports of a site.
#[derive(Debug, clap::Args)]
struct Imports {
    /// The site's name.
    #[arg(long)]
    site: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    server: ServerArgs,
}

fn date(text: &str) -> Result<Date, String> {
    Date::parse(text).ok_or_else(|| "write a date as in 2026-11-22".to_owned())
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl Import {
    pub(super) fn run(self, file: &FileSettings, clock: &Clock) -> Result<(), Failure> {
        match &self.command {
            Some(ImportCommand::List(imports)) => imports.list(file, clock),
            Some(ImportCommand::Remove { id, imports }) => imports.remove(*id, file, clock),
            None => {
                let exports = self.files.iter().filter(|path| plausible::is_export(path)).count();
                match exports {
                    0 => self.logs(file, clock),
                    all if all == self.files.len() => self.export(file, clock),
                    _ => Err(Failure::Usage("import logs and Plausible's export one after the other".into())),
                }
            }
        }
    }

    fn site(&self) -> &str {
        self.site.as_deref().unwrap_or_default()
    }

    fn logs(&self, file: &FileSettings, clock: &Clock) -> Result<(), Failure> {
        if self.until.is_some() || self.replace {
            return Err(Failure::Usage(
                "--until and --replace are for Plausible's export; there is none among these files".into(),
            ));
        }
        let open =
            |path: &PathBuf| Log::open(path).map_err(|error| Failure::Failed(format!("cannot read {}: {error}", path.display())));
        let logs = self.files.iter().map(open).collect::<Result<Vec<_>, _>>()?;
        let geo = self.geo_db.as_deref().or(file.geo_db.as_deref()).map(GeoDb::open).transpose();
        let geo = geo.map_err(|error| Failure::Usage(format!("--geo-db: {error}")))?;
        let now = || clock.now();
        let mut target: Box<dyn Target + '_> = match self.server.address(file)? {
            Some((url, token)) => Box::new(Remote::new(&url, token, self.site())),
            None => Box::new(Local::new(self.data.open(file)?, self.site(), &now)?),
        };
        let tally = import::run(logs, &mut *target, geo.as_ref(), clock.now(), &mut show)?;
        super::print(&if self.json { json(&tally) } else { text(&tally) });
        if tally.malformed > 0 && tally.malformed == tally.lines {
            return Err(Failure::Failed(
                "no line is in the combined format, nor as GoatCounter exports it; docs/import.md shows both".into(),
            ));
        }
        Ok(())
    }

    fn export(&self, file: &FileSettings, clock: &Clock) -> Result<(), Failure> {
        let request = plausible::Request { paths: self.files.clone(), until: self.until, replace: self.replace };
        let now = || clock.now();
        let mut target = days(self.site(), &self.data, &self.server, file, &now)?;
        let report = plausible::run(&request, &mut *target, &mut show_days)?;
        super::print(&if self.json { export_json(&report) } else { export_text(&report) });
        if report.malformed > 0 && report.malformed == report.rows {
            return Err(Failure::Failed("no row is as in Plausible's exports; docs/import.md shows them".into()));
        }
        Ok(())
    }
}

/// Who has the imports of a site.
fn days<'a>(
    site: &str,
    data: &DataArgs,
    server: &ServerArgs,
    file: &FileSettings,
    now: &'a dyn Fn() -> headwater_core::Millis,
) -> Result<Box<dyn DayTarget + 'a>, Failure> {
    Ok(match server.address(file)? {
        Some((url, token)) => Box::new(Remote::new(&url, token, site)),
        None => Box::new(Local::new(data.open(file)?, site, now)?),
    })
}

impl Imports {
    fn list(&self, file: &FileSettings, clock: &Clock) -> Result<(), Failure> {
        let now = || clock.now();
        let imports = days(&self.site, &self.data, &self.server, file, &now)?.list()?;
        if self.json {
            super::print(&format!("{}\n", serde_json::json!({ "imports": imports })));
            return Ok(());
        }
        let row = |import: crate::store::aggregates::Aggregate| {
            let at = headwater_query::DateTime::from_unix((import.at / 1000).cast_signed()).date;
            vec![
                import.id.to_string(),
                import.source,
                at.to_string(),
                import.from,
                import.to,
                import.days.to_string(),
                import.pageviews.to_string(),
            ]
        };
        let rows: Vec<Vec<String>> = imports.into_iter().map(row).collect();
        super::print(&table(&["id", "source", "imported", "from", "to", "days", "pageviews"], &rows, |column| {
            column == 0 || column > 4
        }));
        Ok(())
    }

    fn remove(&self, id: i64, file: &FileSettings, clock: &Clock) -> Result<(), Failure> {
        let now = || clock.now();
        if days(&self.site, &self.data, &self.server, file, &now)?.remove(id)? {
            return Ok(());
        }
        Err(Failure::Failed(format!("{} has no import {id}; `headwater import list` shows those that it has", self.site)))
    }
}

fn show_days(done: u64, all: u64) {
    let mut err = std::io::stderr().lock();
    let (begin, end) = if err.is_terminal() { ("\r\u{1b}[K", if done >= all { "\n" } else { "" }) } else { ("", "\n") };
    // Nobody can be told that telling failed.
    let _ = write!(err, "{begin}{done} of {all} days{end}").and_then(|()| err.flush());
}

fn export_text(report: &Report) -> String {
    let rows = [
        ("rows read", report.rows),
        ("days counted", report.counted),
        ("page views of them", report.pageviews),
        ("days imported before", report.before),
        ("days left out: after --until", report.late),
        ("malformed", report.malformed),
    ];
    let rows: Vec<Vec<String>> = rows.iter().map(|(what, number)| vec![(*what).to_owned(), number.to_string()]).collect();
    let mut text = table(&["what", "number"], &rows, |column| column > 0);
    for example in &report.examples {
        text.push_str(&format!("  {example}\n"));
    }
    for unread in &report.unread {
        text.push_str(&format!("not read, because it is not known here: {unread}\n"));
    }
    if report.own > 0 {
        text.push_str(&format!(
            "On {} of the days this site has counts of its own, too: they are added up. If both counted the same visits, remove the\nimport (`headwater import list`, `import remove`) and import it again with --until and your last day without Headwater.\n",
            report.own
        ));
    }
    text
}

fn export_json(report: &Report) -> String {
    let all = serde_json::json!({
        "rows": report.rows, "counted": report.counted, "pageviews": report.pageviews, "before": report.before,
        "late": report.late, "own": report.own, "malformed": report.malformed, "examples": report.examples,
        "unread": report.unread,
    });
    format!("{all}\n")
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
    if tally.events > 0 {
        rows.insert(2, ["events among them".to_owned(), tally.events.to_string()]);
    }
    for (left, _, words) in REASONS {
        rows.push([format!("left out: {words}"), tally.left.get(&left).copied().unwrap_or(0).to_string()]);
    }
    rows.push(["malformed".to_owned(), tally.malformed.to_string()]);
    let rows: Vec<Vec<String>> = rows.into_iter().map(Vec::from).collect();
    let mut text = table(&["what", "number"], &rows, |column| column > 0);
    for example in &tally.examples {
        text.push_str(&format!("  {example}\n"));
    }
    for unread in &tally.unread {
        text.push_str(&format!("not read, because it is not known here: {unread}\n"));
    }
    text
}

fn json(tally: &Tally) -> String {
    let left: serde_json::Map<String, serde_json::Value> =
        REASONS.iter().map(|(left, name, _)| ((*name).to_owned(), tally.left.get(left).copied().unwrap_or(0).into())).collect();
    let all = serde_json::json!({
        "lines": tally.lines, "counted": tally.counted, "events": tally.events, "unread": tally.unread, "before": tally.before, "left": left,
        "malformed": tally.malformed, "examples": tally.examples,
    });
    format!("{all}\n")
}
