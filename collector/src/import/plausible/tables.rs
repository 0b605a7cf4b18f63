//! The tables of an export, as Plausible documents them (its "Import stats using CSV files"): which columns each has, and what a
//! row of it counts.
use headwater_core::beacon::MAX_STRING;
use headwater_edge::host::cut;
use headwater_edge::source::{Campaign, origin};
use headwater_query::{Date, ImportedRow};

use super::super::ImportError;
use super::days::Days;
use super::{Report, SHOWN, files};

/// A table.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    /// The columns that say of what a row is.
    keys: &'static [&'static str],
    /// The column that counts visits: entrances of entry pages, exits of exit pages.
    visits: &'static str,
    /// Columns that are known and mean something else than anything here.
    other: &'static [&'static str],
}

const fn table(name: &'static str, keys: &'static [&'static str]) -> Table {
    Table { name, keys, visits: "visits", other: &[] }
}

const TABLES: [Table; 10] = [
    table("imported_visitors", &[]),
    table("imported_sources", &["source", "referrer", "utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term"]),
    Table {
        other: &[
            "exits",
            "time_on_page",
            "active_visitors",
            "total_scroll_depth",
            "total_scroll_depth_visits",
            "total_time_on_page",
            "total_time_on_page_visits",
        ],
        ..table("imported_pages", &["hostname", "page"])
    },
    Table { visits: "entrances", ..table("imported_entry_pages", &["entry_page"]) },
    Table { visits: "exits", ..table("imported_exit_pages", &["exit_page"]) },
    table("imported_custom_events", &["name", "link_url", "path"]),
    table("imported_locations", &["country", "region", "city"]),
    table("imported_devices", &["device"]),
    table("imported_browsers", &["browser", "browser_version"]),
    table("imported_operating_systems", &["operating_system", "operating_system_version"]),
];

impl Table {
    /// The table of a file by its name: `imported_pages_20230209_20240123.csv`.
    pub(super) fn of_file(name: &str) -> Option<&'static Self> {
        let name = name.strip_suffix(".csv").or_else(|| name.strip_suffix(".CSV"))?;
        TABLES.iter().find(|table| {
            let dates = name.strip_prefix(table.name);
            dates.is_some_and(|dates| dates.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'_' | b'-')))
        })
    }
}

/// What a column of a file holds.
#[derive(Clone, Copy)]
enum Column {
    Date,
    Key(usize),
    Visitors,
    Visits,
    Bounces,
    Pageviews,
    Events,
    Seconds,
    Unread,
}

impl Column {
    fn of(name: &str, table: &Table) -> Option<Self> {
        if let Some(key) = table.keys.iter().position(|key| *key == name) {
            return Some(Self::Key(key));
        }
        Some(match name {
            "date" => Self::Date,
            "visitors" => Self::Visitors,
            "bounces" => Self::Bounces,
            "pageviews" => Self::Pageviews,
            "events" => Self::Events,
            "visit_duration" => Self::Seconds,
            _ if name == table.visits => Self::Visits,
            _ if table.other.contains(&name) => Self::Unread,
            _ => return None,
        })
    }
}

/// Reads a file into the days.
pub(super) fn read(file: files::Table, table: &'static Table, days: &mut Days, report: &mut Report) -> Result<(), ImportError> {
    let name = file.name;
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(file.content);
    let failed = |error: csv::Error| ImportError::Read(name.clone(), std::io::Error::other(error));
    let header = reader.headers().map_err(failed)?.clone();
    let mut columns = Vec::with_capacity(header.len());
    for column in &header {
        let column = column.trim_start_matches('\u{feff}').trim();
        columns.push(Column::of(column, table).unwrap_or_else(|| {
            report.unread.push(format!("{name}: column {column:?}"));
            Column::Unread
        }));
    }
    let has = |test: fn(&Column) -> bool| columns.iter().any(test);
    if !has(|c| matches!(c, Column::Date)) || (!table.keys.is_empty() && !has(|c| matches!(c, Column::Key(_)))) {
        let allowed =
            if table.keys.is_empty() { String::new() } else { format!(" and at least one of {}", table.keys.join(", ")) };
        return Err(ImportError::Export(format!(
            "{name} has no column \"date\"{allowed}; it has {}",
            Vec::from_iter(&header).join(", ")
        )));
    }
    let place = days.file(&name);
    let mut record = csv::StringRecord::new();
    loop {
        let line = reader.position().line();
        let read = reader.read_record(&mut record);
        let row = match read {
            Ok(false) => return Ok(()),
            Ok(true) => row(&record, &columns, table),
            Err(error) if matches!(error.kind(), csv::ErrorKind::Utf8 { .. }) => Err("it is not UTF-8".to_owned()),
            Err(error) => return Err(failed(error)),
        };
        report.rows += 1;
        let counted = row.and_then(|(date, keys, counts)| {
            days.claim(table.name, date, place)?;
            count(days, table, date, &keys, &counts);
            Ok(())
        });
        if let Err(why) = counted {
            report.malformed += 1;
            if report.examples.len() < SHOWN {
                report.examples.push(format!("{name}:{line}: {why}"));
            }
        }
    }
}

type Keys<'a> = [&'a str; 7];

fn row<'r>(record: &'r csv::StringRecord, columns: &[Column], table: &Table) -> Result<(Date, Keys<'r>, ImportedRow), String> {
    if record.len() != columns.len() {
        return Err(format!("it has {} fields, the first line {}", record.len(), columns.len()));
    }
    let (mut date, mut keys, mut counts) = (None, Keys::default(), ImportedRow::default());
    for (text, column) in record.iter().zip(columns) {
        let number = || text.trim().parse::<u64>().map_err(|_| "a count is not a whole number".to_owned());
        match column {
            Column::Date => date = Date::parse(text.trim()),
            Column::Key(key) => {
                if let Some(slot) = keys.get_mut(*key) {
                    *slot = cut(text, MAX_STRING);
                }
            }
            Column::Visitors => counts.visitors = number()?,
            Column::Visits => counts.visits = number()?,
            Column::Bounces => counts.bounces = number()?,
            Column::Pageviews => counts.pageviews = number()?,
            Column::Events => counts.events = number()?,
            Column::Seconds => counts.seconds = number()?,
            Column::Unread => {}
        }
    }
    let date = date.ok_or("the date is not as in 2026-11-22")?;
    if table.name == "imported_custom_events" && keys[0].is_empty() {
        return Err("the event has no name".to_owned());
    }
    Ok((date, keys, counts))
}

/// Adds what a row counts under each of its dimensions.
fn count(days: &mut Days, table: &Table, date: Date, keys: &Keys<'_>, counts: &ImportedRow) {
    let mut add = |dimension: &'static str, value: &str| days.add(date, dimension, value, counts);
    match (table.name, *keys) {
        ("imported_visitors", _) => add("", ""),
        ("imported_pages", [hostname, page, ..]) => {
            add("event:page", page);
            add("event:hostname", hostname);
        }
        ("imported_sources", [source, referrer, utm_source, medium, campaign, content, term]) => {
            let source = if matches!(source, "Direct / None" | "(direct)") { "" } else { source };
            let referrer = referrer.rsplit_once("://").map_or(referrer, |(_, rest)| rest).trim_end_matches('/');
            add("visit:source", source);
            add("visit:referrer", referrer);
            add("visit:channel", channel(source, referrer, utm_source, medium, campaign));
            for (dimension, value) in [
                ("visit:utm_source", utm_source),
                ("visit:utm_medium", medium),
                ("visit:utm_campaign", campaign),
                ("visit:utm_content", content),
                ("visit:utm_term", term),
            ] {
                add(dimension, value);
            }
        }
        ("imported_entry_pages", [page, ..]) => add("visit:entry_page", page),
        ("imported_exit_pages", [page, ..]) => add("visit:exit_page", page),
        ("imported_locations", [country, region, city, ..]) => {
            add("visit:country", country);
            add("visit:region", region);
            // Plausible tells cities by their numbers in GeoNames, and has not their names.
            let named = if matches!(city, "" | "0") { String::new() } else { format!("GeoNames {city}") };
            add("visit:city", &named);
        }
        ("imported_devices", [device, ..]) => add("visit:device", if device == "Laptop" { "Desktop" } else { set(device) }),
        ("imported_browsers", [browser, version, ..]) => {
            add("visit:browser", set(browser));
            add("visit:browser_version", set(version).split('.').next().unwrap_or_default());
        }
        ("imported_operating_systems", [system, version, ..]) => {
            add("visit:os", set(system));
            add("visit:os_version", set(version));
        }
        (_, [name, url, path, ..]) => {
            add("event:name", name);
            for (dimension, value) in [("event:props:url", url), ("event:props:path", path)] {
                if !value.is_empty() {
                    add(dimension, value);
                }
            }
        }
    }
}

fn set(value: &str) -> &str {
    if value == "(not set)" { "" } else { value }
}

/// The channel of a source, by the rules for what is counted here: Plausible's export has none.
fn channel(source: &str, referrer: &str, utm_source: &str, medium: &str, campaign: &str) -> &'static str {
    let host = referrer.split('/').next().unwrap_or_default().to_lowercase();
    let word = if utm_source.is_empty() && host.is_empty() { source } else { utm_source };
    origin(&host, &Campaign { source: word, medium, campaign, click: "" }).channel
}
