//! Importing what Plausible exports: a zip file, or its CSV files, with sums by day. They are taken in day by day
//! ([`crate::store::aggregates`]): a day that is there with the same numbers is not taken again, one with other numbers is refused or
//! replaced.
//!
//! | file | what |
//! |---|---|
//! | `files` | the zip file or the folder, and the tables in it |
//! | `tables` | the columns of each table, and what a row of it counts |
//! | `days` | rows to days whose rows add up |
//! | `target` | the data directory or the server that takes them |
mod days;
mod files;
mod tables;
mod target;

pub use files::is_export;
pub use target::{Compared, DayTarget, PutError};
pub(crate) use target::{compare, put};

use std::collections::BTreeMap;
use std::path::PathBuf;

use headwater_query::Date;

use super::ImportError;
use crate::store::aggregates::{DayRows, Digest, Standing};
use days::Days;
use tables::Table;

/// How many malformed rows are shown.
const SHOWN: usize = 5;
/// The most rows that go to the target together.
const MOST_ROWS: usize = 20_000;
/// How many days are named in a message.
const NAMED: usize = 3;

/// The program whose exports these are.
pub const SOURCE: &str = "plausible";

/// What is to be imported, and how.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// A zip file, a folder, or CSV files.
    pub paths: Vec<PathBuf>,
    /// The last day that is taken.
    pub until: Option<Date>,
    /// Whether days that are there with other numbers are replaced.
    pub replace: bool,
}

/// What became of an export.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Rows read.
    pub rows: u64,
    /// Rows that can't be read.
    pub malformed: u64,
    /// The first of them: file, line and what is wrong.
    pub examples: Vec<String>,
    /// Files and columns that are not known here, and so not read.
    pub unread: Vec<String>,
    /// Days counted now.
    pub counted: u64,
    /// Page views of them.
    pub pageviews: u64,
    /// Days that were there already.
    pub before: u64,
    /// Days after the last that was asked for.
    pub late: u64,
    /// Days of those counted now on which this site also has counts of its own.
    pub own: u64,
}

/// Imports an export. `progress` is told how many days are done, and of how many.
///
/// # Errors
/// See [`ImportError`]. Days that were taken stay; the same command goes on with the others.
pub fn run(request: &Request, target: &mut dyn DayTarget, progress: &mut dyn FnMut(u64, u64)) -> Result<Report, ImportError> {
    let (mut report, mut days, mut totals) = (Report::default(), Days::default(), false);
    for file in files::open(&request.paths)? {
        let file = file?;
        match Table::of_file(&file.name) {
            Some(table) => {
                totals |= table.name == "imported_visitors";
                tables::read(file, table, &mut days, &mut report)?;
            }
            None => report.unread.push(file.name),
        }
    }
    if !totals {
        let detail = "there is no imported_visitors….csv, which holds the totals of the days; give the whole export of Plausible (Site settings, Imports & exports)";
        return Err(ImportError::Export(detail.to_owned()));
    }
    let mut days = days.finish();
    if let Some(until) = request.until {
        let late = days.split_off(&until.plus_days(1));
        report.late = late.len() as u64;
    }
    take(request, target, days, &mut report, progress)?;
    Ok(report)
}

/// Sends the days that are not there yet.
fn take(
    request: &Request,
    target: &mut dyn DayTarget,
    days: BTreeMap<Date, DayRows>,
    report: &mut Report,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(), ImportError> {
    let digests: Vec<(Date, Digest)> = days.iter().map(|(date, rows)| (*date, rows.digest())).collect();
    let content = content(&digests);
    let compared = target.compare(&digests)?;
    let other = |date: &Date| matches!(compared.get(date).map(|c| c.standing), Some(Standing::Other(_)));
    let others: Vec<Date> = digests.iter().map(|(date, _)| *date).filter(other).collect();
    if !others.is_empty() && !request.replace {
        return Err(conflict(&others, &compared));
    }
    let all = days.len() as u64;
    let (mut part, mut rows, mut done) = (BTreeMap::new(), 0, 0);
    let mut send = |part: &mut BTreeMap<Date, DayRows>, report: &mut Report| -> Result<(), ImportError> {
        let days = std::mem::take(part);
        if !days.is_empty() {
            target.put(content, &days, request.replace)?;
        }
        for (date, rows) in &days {
            report.counted += 1;
            report.pageviews += rows.0.get("").into_iter().flatten().map(|row| row.pageviews).sum::<u64>();
            report.own += u64::from(compared.get(date).is_some_and(|c| c.own));
        }
        Ok(())
    };
    for (date, day) in days {
        done += 1;
        if compared.get(&date).is_some_and(|compared| compared.standing == Standing::Same) {
            report.before += 1;
            continue;
        }
        rows += day.0.values().map(Vec::len).sum::<usize>();
        part.insert(date, day);
        if rows >= MOST_ROWS {
            send(&mut part, report)?;
            rows = 0;
            progress(done, all);
        }
    }
    send(&mut part, report)?;
    progress(all, all);
    Ok(())
}

/// The name of all that is imported together.
fn content(days: &[(Date, Digest)]) -> Digest {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"headwater export 1");
    for (date, digest) in days {
        hasher.update(&date.to_days().to_le_bytes()).update(digest);
    }
    let mut content = Digest::default();
    content.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    content
}

fn conflict(others: &[Date], compared: &BTreeMap<Date, Compared>) -> ImportError {
    let mut named: Vec<String> = others.iter().take(NAMED).map(ToString::to_string).collect();
    if others.len() > NAMED {
        named.push(format!("{} more", others.len() - NAMED));
    }
    let imports: std::collections::BTreeSet<i64> = others
        .iter()
        .filter_map(|date| match compared.get(date)?.standing {
            Standing::Other(import) => Some(import),
            _ => None,
        })
        .collect();
    let imports: Vec<String> = imports.iter().map(ToString::to_string).collect();
    ImportError::Export(format!(
        "nothing was imported: {} were imported with other numbers before (import {}); take these instead with --replace, or remove it first with `headwater import remove`",
        named.join(", "),
        imports.join(", ")
    ))
}
