//! GoatCounter's export: a CSV file with one row for each view or event, of which it tells session, time and more. So it is read
//! like a log, through the same path as events: visits, visitors and filters are those of whatever is counted here.
//!
//! Its format is that of GoatCounter's `export.go`: the first field of the first line is the format's version and `Path`.
use std::collections::HashMap;

use headwater_core::Millis;
use headwater_edge::sender::Located;
use headwater_edge::timestamp;

use super::ImportError;

/// The versions that are read.
const VERSIONS: [&str; 2] = ["1", "2"];

/// Columns whose meaning has no place here: titles, and what follows from the session.
const OTHER: [&str; 2] = ["Title", "FirstVisit"];

/// Names that GoatCounter gives to many hosts of one referrer, and a host that means the same.
const NAMED: [(&str, &str); 8] = [
    ("Google", "www.google.com"),
    ("Hacker News", "news.ycombinator.com"),
    ("Reddit", "www.reddit.com"),
    ("Twitter", "twitter.com"),
    ("Facebook", "www.facebook.com"),
    ("Telegram Messenger", "t.me"),
    ("Slack Chat", "app.slack.com"),
    ("Stack Exchange", "stackexchange.com"),
];

/// Whether a file with this first line is an export of GoatCounter.
#[must_use]
pub(super) fn is_header(line: &[u8]) -> bool {
    let digits = line.iter().take_while(|byte| byte.is_ascii_digit()).count();
    digits > 0 && line.get(digits..).is_some_and(|rest| rest.starts_with(b"Path,"))
}

/// Where the columns are.
#[derive(Clone, Debug, Default)]
pub(super) struct Columns {
    places: HashMap<String, usize>,
    len: usize,
    /// Those that are not known.
    pub(super) unread: Vec<String>,
}

const KNOWN: [&str; 12] = [
    "Path",
    "Event",
    "UserAgent",
    "Browser",
    "System",
    "Session",
    "Bot",
    "Referrer",
    "Referrer scheme",
    "Screen size",
    "Location",
    "Date",
];

impl Columns {
    /// Reads the first line.
    pub(super) fn parse(name: &str, header: &[u8]) -> Result<Self, ImportError> {
        let text = String::from_utf8_lossy(header);
        let version: String = text.chars().take_while(char::is_ascii_digit).collect();
        if !VERSIONS.contains(&version.as_str()) {
            let detail = format!("{name} is a GoatCounter export of version {version}; known are {}", VERSIONS.join(" and "));
            return Err(ImportError::Export(detail));
        }
        let mut columns = Self::default();
        for (at, field) in fields(text.get(version.len()..).unwrap_or_default()).into_iter().flatten().enumerate() {
            columns.len += 1;
            if KNOWN.contains(&field.as_str()) {
                columns.places.insert(field, at);
            } else if !OTHER.contains(&field.as_str()) {
                columns.unread.push(format!("{name}: column {field:?}"));
            }
        }
        let missing: Vec<&str> = ["Path", "Session", "Date"].into_iter().filter(|c| !columns.places.contains_key(*c)).collect();
        if !missing.is_empty() {
            return Err(ImportError::Export(format!("{name} is a GoatCounter export without the column {}", missing.join(", "))));
        }
        Ok(columns)
    }
}

/// A row: what happened once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) at: Millis,
    /// The path of a page, or the name of an event.
    pub(super) path: String,
    pub(super) is_event: bool,
    pub(super) is_bot: bool,
    pub(super) session: String,
    pub(super) user_agent: String,
    /// The address of the referring page, empty where there was none.
    pub(super) referrer: String,
    /// The campaign.
    pub(super) source: String,
    pub(super) located: Located,
    pub(super) screen: u16,
}

impl Hit {
    /// Reads a row.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(line: &str, columns: &Columns) -> Result<Self, &'static str> {
        let row = fields(line).ok_or("it is no row of CSV")?;
        if row.len() != columns.len {
            return Err("it has not as many fields as the first line");
        }
        let field = |name: &str| columns.places.get(name).and_then(|at| row.get(*at)).map_or("", String::as_str);
        let flag = |name: &str| !matches!(field(name), "" | "0" | "false");
        let at = timestamp::parse(field("Date")).ok_or("the date is not as in 2020-12-27T00:37:37Z")?;
        let (path, session) = (field("Path").to_owned(), field("Session").to_owned());
        if path.is_empty() || session.is_empty() {
            return Err("it has no path or no session");
        }
        let (referrer, source) = from(field("Referrer"), field("Referrer scheme"));
        let location = field("Location");
        let country = location.get(..2).unwrap_or_default().to_owned();
        let region = if location.contains('-') { location.to_owned() } else { String::new() };
        let user_agent = match field("UserAgent") {
            "" => user_agent(field("Browser"), field("System")),
            told => told.to_owned(),
        };
        Ok(Self {
            at,
            path,
            is_event: flag("Event"),
            is_bot: flag("Bot"),
            session,
            user_agent,
            referrer,
            source,
            located: Located { country, region, city: String::new() },
            screen: field("Screen size")
                .split(',')
                .next()
                .and_then(|width| width.trim().parse::<f32>().ok())
                .map_or(0, |w| w as u16),
        })
    }
}

/// A referrer as an address, and a campaign, by the scheme: `h` a page, `c` a campaign, `g` a name that GoatCounter made of hosts, `o` others.
fn from(referrer: &str, scheme: &str) -> (String, String) {
    let host = NAMED.iter().find(|(name, _)| *name == referrer).map(|(_, host)| *host);
    match (scheme, host) {
        _ if referrer.is_empty() => (String::new(), String::new()),
        ("g", Some(host)) => (format!("https://{host}/"), String::new()),
        ("g" | "c", _) => (String::new(), referrer.to_owned()),
        _ if referrer.contains("://") => (referrer.to_owned(), String::new()),
        _ => (format!("https://{referrer}"), String::new()),
    }
}

/// A user agent that says what the columns say, where the export has not the real one.
fn user_agent(browser: &str, system: &str) -> String {
    let parted = |text: &str| match text.rsplit_once(' ') {
        Some((name, version)) if version.starts_with(|c: char| c.is_ascii_digit()) => (name.to_owned(), version.to_owned()),
        _ => (text.to_owned(), String::new()),
    };
    let ((browser, version), (system, release)) = (parted(browser), parted(system));
    let system = match (system.as_str(), release.as_str()) {
        ("Windows", "7") => "(Windows NT 6.1)".to_owned(),
        ("Windows", "8") => "(Windows NT 6.2)".to_owned(),
        ("Windows", "8.1") => "(Windows NT 6.3)".to_owned(),
        ("Windows", _) => "(Windows NT 10.0)".to_owned(),
        ("macOS" | "OS X", release) => format!("(Macintosh; Intel Mac OS X {})", release.replace('.', "_")),
        ("iOS", release) => format!("(iPhone; CPU iPhone OS {} like Mac OS X)", release.replace('.', "_")),
        ("Android", release) => format!("(Linux; Android {release}; Mobile)"),
        ("Chrome OS", _) => "(X11; CrOS)".to_owned(),
        ("", _) => String::new(),
        (name, _) => format!("(X11; {name})"),
    };
    let browser = match browser.as_str() {
        "Safari" => format!("Version/{version} Safari/605"),
        "Edge" | "Microsoft Edge" => format!("Edg/{version}"),
        "Samsung Browser" | "Samsung Internet" => format!("SamsungBrowser/{version}"),
        "" => String::new(),
        name => format!("{}/{version}", name.replace(' ', "")),
    };
    if browser.is_empty() && system.is_empty() { String::new() } else { format!("Mozilla/5.0 {system} {browser}") }
}

/// The fields of a row; `None` if its quotation marks do not fit.
fn fields(line: &str) -> Option<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(line.as_bytes());
    let record = reader.records().next()?.ok()?;
    Some(record.iter().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str =
        "2Path,Title,Event,UserAgent,Browser,System,Session,Bot,Referrer,Referrer scheme,Screen size,Location,FirstVisit,Date";

    fn hit(line: &str) -> Result<Hit, &'static str> {
        Hit::parse(line, &Columns::parse("x", HEADER.as_bytes()).unwrap())
    }

    #[test]
    fn rows_say_what_goatcounter_knows() {
        assert!(is_header(HEADER.as_bytes()) && !is_header(b"1.2.3.4 - - [x] \"GET /\"") && !is_header(b"Path,Title"));
        let hit = hit(r#"/a,"A ""page"", it is",0,,Safari 14.0,macOS 10.15,c8b7-bcd2,0,www.reddit.com,h,"1680,1050,2",US-CA,1,2020-12-27T00:37:37Z"#).unwrap();
        assert_eq!((hit.path.as_str(), hit.is_event, hit.is_bot, hit.session.as_str()), ("/a", false, false, "c8b7-bcd2"));
        assert_eq!((hit.referrer.as_str(), hit.screen), ("https://www.reddit.com", 1680));
        assert_eq!((hit.located.country.as_str(), hit.located.region.as_str()), ("US", "US-CA"));
        let client = headwater_edge::client::Client::parse(&hit.user_agent);
        assert_eq!((client.browser, &*client.browser_version, client.os, &*client.os_version), ("Safari", "14", "Mac", "10.15"));
        for (browser, system, expected) in [
            ("Chrome 86", "Windows 7", ("Chrome", "Windows", "7", "Desktop")),
            ("Firefox 109", "Linux", ("Firefox", "GNU/Linux", "", "Desktop")),
            ("Chrome 110", "Android 11", ("Chrome", "Android", "11", "Mobile")),
            ("Safari 16.1", "iOS 16.1", ("Safari", "iOS", "16.1", "Mobile")),
        ] {
            let client = headwater_edge::client::Client::parse(&user_agent(browser, system));
            assert_eq!((client.browser, client.os, &*client.os_version, client.device), expected, "{browser} {system}");
        }
    }

    #[test]
    fn what_is_something_else_says_why() {
        for (line, why) in [
            ("", "CSV"),
            ("/a,b", "fields"),
            ("/a,,0,,,,s,0,,,,,1,yesterday", "date"),
            (",,0,,,,s,0,,,,,1,2020-12-27T00:37:37Z", "path"),
            ("/a,,0,,,,,0,,,,,1,2020-12-27T00:37:37Z", "session"),
        ] {
            let error = hit(line).unwrap_err();
            assert!(error.contains(why), "{line}: {error}");
        }
        assert!(Columns::parse("x", b"7Path,Session,Date").unwrap_err().to_string().contains("version 7"));
        assert!(Columns::parse("x", b"2Path,Date").unwrap_err().to_string().contains("Session"));
        assert_eq!(Columns::parse("x", b"2Path,Session,Date,Mood").unwrap().unread, ["x: column \"Mood\""]);
    }
}
