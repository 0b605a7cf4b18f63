//! How well user agents and referrers are read, measured with lists that others wrote (`corpus/README.md`). The floors are
//! what was reached when they were written, rounded down; each failure prints what was missed.
use headwater_edge::bots::{is_bot, is_program};
use headwater_edge::client::Client;
use headwater_edge::host::Page;
use headwater_edge::source::{Campaign, origin};

const PEOPLE: &str = include_str!("corpus/people.tsv");
const PROGRAMS: &str = include_str!("corpus/programs.tsv");
const WOOTHEE: &str = include_str!("corpus/woothee.tsv");
const REFERRERS: &str = include_str!("corpus/referrers.tsv");

/// The lines of a table, each in its columns.
fn rows<const N: usize>(table: &'static str) -> impl Iterator<Item = [&'static str; N]> {
    table.lines().map(|line| {
        let columns: Vec<&str> = line.split('\t').collect();
        assert_eq!(columns.len(), N, "{line}");
        columns.try_into().unwrap_or([""; N])
    })
}

/// Holds at least `floor` per cent of the cases to be right.
fn reaches(floor: f64, what: &str, cases: impl Iterator<Item = (bool, String)>) {
    let cases: Vec<_> = cases.collect();
    let wrong: Vec<&str> = cases.iter().filter(|(right, _)| !right).map(|(_, case)| case.as_str()).collect();
    let share = 100.0 * (cases.len() - wrong.len()) as f64 / cases.len() as f64;
    println!("{what}: {share:.1} % of {}", cases.len());
    assert!(share >= floor, "{what}: {share:.1} % of {}, not {floor} %; wrong:\n{}", cases.len(), wrong.join("\n"));
}

/// The names that the list of people has for what we call otherwise.
fn browser(theirs: &str) -> &str {
    match theirs {
        "Mobile Safari" => "Safari",
        "Chrome Mobile" | "Chrome Mobile iOS" => "Chrome",
        "Edge" | "Edge Mobile" => "Microsoft Edge",
        "Google" => "Google Search App",
        "Samsung Internet" => "Samsung Browser",
        "Firefox Mobile" | "Firefox iOS" => "Firefox",
        "Opera Mobile" => "Opera",
        "Amazon Silk" => "Mobile Silk",
        "DuckDuckGo Mobile" => "DuckDuckGo Privacy Browser",
        "Mobile Safari UI/WKWebView" | "Apple Mail" => "Mobile App",
        other => other,
    }
}

fn system(theirs: &str) -> &str {
    match theirs {
        "Mac OS X" | "Mac OSX" => "Mac",
        "Linux" => "GNU/Linux",
        "iPhone" | "iPad" | "iPod" => "iOS",
        "Windows 10" | "Windows 8.1" | "Windows 8" | "Windows 7" | "Windows Vista" | "Windows 2000" | "Windows XP" => "Windows",
        "Windows Phone OS" => "Windows Phone",
        "BSD" => "FreeBSD",
        other => other,
    }
}

#[test]
fn browsers_of_people_are_known() {
    let of = |test: fn(&Client, &[&str; 6]) -> bool| {
        rows::<6>(PEOPLE).map(move |row| {
            let client = Client::parse(row[5]);
            (test(&client, &row), format!("{row:?} read as {client:?}"))
        })
    };
    reaches(99.0, "device", of(|client, row| client.device.eq_ignore_ascii_case(row[0])));
    reaches(99.0, "browser", of(|client, row| client.browser == browser(row[1])));
    reaches(98.0, "browser's version", of(|client, row| client.browser != browser(row[1]) || client.browser_version == row[2]));
    reaches(99.0, "system", of(|client, row| client.os == system(row[3])));
    reaches(99.0, "system's version", of(|client, row| client.os_version.is_empty() || row[4].starts_with(&client.os_version)));
}

#[test]
fn people_are_no_bots() {
    let people =
        rows::<6>(PEOPLE).map(|row| row[5]).chain(rows::<6>(WOOTHEE).filter(|row| row[0] != "crawler").map(|row| row[5]));
    reaches(97.0, "people", people.map(|ua| (!is_bot(ua) && !is_program(ua), ua.to_owned())));
}

#[test]
fn programs_are_told_from_people() {
    // Those that only send events are no bots to the edge, but no readers of pages either.
    reaches(
        99.0,
        "programs in an access log",
        rows::<2>(PROGRAMS).map(|[kind, ua]| (is_bot(ua) || is_program(ua), format!("{kind}: {ua}"))),
    );
    let crawlers = rows::<2>(PROGRAMS).filter(|[kind, _]| !matches!(*kind, "http-library" | "browser-automation"));
    reaches(94.0, "crawlers", crawlers.map(|[kind, ua]| (is_bot(ua), format!("{kind}: {ua}"))));
    let independent = rows::<6>(WOOTHEE).filter(|row| row[0] == "crawler");
    reaches(98.0, "crawlers of another list", independent.map(|row| (is_bot(row[5]) || is_program(row[5]), row[5].to_owned())));
}

#[test]
fn systems_of_another_list_are_known() {
    let known = rows::<6>(WOOTHEE).filter(|row| row[0] != "crawler" && row[3] != "UNKNOWN");
    reaches(
        83.0,
        "systems of another list",
        known.map(|row| {
            let client = Client::parse(row[5]);
            (client.os == system(row[3]), format!("{row:?} read as {client:?}"))
        }),
    );
}

#[test]
fn referrers_have_their_channel() {
    reaches(
        98.0,
        "channels",
        rows::<3>(REFERRERS).map(|[medium, name, address]| {
            let host = Page::parse(address).map(|page| page.host).unwrap_or_default();
            let origin = origin(&host, &Campaign::default());
            let channel = match medium {
                "search" => "Organic Search",
                "social" => "Organic Social",
                _ => "Email",
            };
            (origin.channel == channel, format!("{name} {address} read as {origin:?}"))
        }),
    );
}
