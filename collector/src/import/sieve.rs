//! Which lines of a log are page views of people. What is left out is counted by why.
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher as _;
use std::sync::Arc;

use foldhash::quality::RandomState;
use headwater_core::Millis;
use headwater_edge::SiteFacts;
use headwater_edge::bots::is_program;
use headwater_edge::client::Agent;
use headwater_edge::spam::is_spam;

use super::line::Line;

/// As many views a minute as ingest takes from one visitor: no person reads more.
const MOST_A_MINUTE: u32 = 120;
/// How many user agents are remembered.
const AGENTS: usize = 4096;

/// Endings of what belongs to a page, or is fetched by programs.
const ASSETS: &[&str] = &[
    "css",
    "js",
    "mjs",
    "map",
    "json",
    "xml",
    "txt",
    "rss",
    "atom",
    "webmanifest",
    "wasm",
    "png",
    "jpg",
    "jpeg",
    "jfif",
    "gif",
    "svg",
    "webp",
    "avif",
    "bmp",
    "ico",
    "cur",
    "tif",
    "tiff",
    "woff",
    "woff2",
    "ttf",
    "otf",
    "eot",
    "mp3",
    "mp4",
    "m4a",
    "m4v",
    "mov",
    "ogg",
    "ogv",
    "oga",
    "wav",
    "webm",
    "flac",
    "avi",
    "m3u8",
    "ts",
    "vtt",
    "swf",
    "jar",
    "class",
    "zip",
    "gz",
    "tgz",
    "bz2",
    "xz",
    "7z",
    "rar",
    "tar",
    "exe",
    "msi",
    "dmg",
    "iso",
    "deb",
    "rpm",
    "apk",
    "pdf",
    "doc",
    "docx",
    "xls",
    "xlsx",
    "ppt",
    "pptx",
    "odt",
    "csv",
    "epub",
    "ics",
    "vcf",
    "env",
    "git",
    "sql",
    "bak",
    "log",
    "ini",
    "yml",
    "yaml",
    "conf",
];

/// Why a line is not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Left {
    /// A program, by its user agent or by what it did.
    Bot,
    /// A part of a page, a download, a feed.
    Asset,
    /// Not asked for with GET, or not answered with a page.
    NoPage,
    /// For a host that is not the site's.
    OtherHost,
}

/// Judges lines one after the other.
#[derive(Default)]
pub(super) struct Sieve {
    agents: HashMap<String, (bool, Arc<Agent>), RandomState>,
    /// Clients that asked for `/robots.txt`, or for more pages in a minute than anyone reads.
    programs: HashSet<u64, RandomState>,
    /// By client: a minute and its page views.
    busy: HashMap<u64, (u32, u32), RandomState>,
    hasher: RandomState,
}

impl Sieve {
    /// The reader of a page view, or why it is none.
    pub(super) fn judge(&mut self, line: &Line<'_>, site: &SiteFacts) -> Result<Arc<Agent>, Left> {
        let client = self.hasher.hash_one((line.client, &*line.user_agent));
        let path = path(&line.target);
        if path == "/robots.txt" {
            self.programs.insert(client);
            return Err(Left::Bot);
        }
        let (is_program, agent) = self.agent(&line.user_agent);
        if is_program || self.programs.contains(&client) {
            return Err(Left::Bot);
        }
        if line.method != "GET" || !(matches!(line.status, 200..300 | 304)) || path.is_empty() {
            return Err(Left::NoPage);
        }
        if is_asset(path) {
            return Err(Left::Asset);
        }
        if !line.vhost.is_empty() && !site.allows_host(line.vhost) {
            return Err(Left::OtherHost);
        }
        if is_spam(&line.referrer, site) || self.hurries(client, line.at) {
            return Err(Left::Bot);
        }
        Ok(agent)
    }

    /// What is made of a user agent, and whether it is a program's.
    pub(super) fn agent(&mut self, user_agent: &str) -> (bool, Arc<Agent>) {
        if let Some(known) = self.agents.get(user_agent) {
            return known.clone();
        }
        if self.agents.len() >= AGENTS {
            self.agents.clear();
        }
        let agent = Agent::parse(user_agent);
        let judged = (agent.is_bot || is_program(user_agent), Arc::new(agent));
        self.agents.insert(user_agent.to_owned(), judged.clone());
        judged
    }

    fn hurries(&mut self, client: u64, at: Millis) -> bool {
        let minute = at.minute().0;
        if self.busy.len() >= 1 << 16 {
            self.busy.retain(|_, (then, _)| *then == minute);
        }
        let (then, views) = self.busy.entry(client).or_default();
        if *then != minute {
            (*then, *views) = (minute, 0);
        }
        *views += 1;
        let hurries = *views > MOST_A_MINUTE;
        if hurries {
            self.programs.insert(client);
        }
        hurries
    }
}

/// The path of a target, which may be a whole address; empty for what is none.
fn path(target: &str) -> &str {
    let path = match target.split_once("://") {
        Some((_, rest)) if !target.starts_with('/') => rest.find('/').map_or("/", |slash| &rest[slash..]),
        _ => target,
    };
    let path = path.split(['?', '#']).next().unwrap_or("");
    if path.starts_with('/') { path } else { "" }
}

fn is_asset(path: &str) -> bool {
    let file = path.rsplit('/').next().unwrap_or("");
    let ending = file.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    path.starts_with("/.") || ending.is_some_and(|ending| ASSETS.contains(&ending.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:126.0) Gecko/20100101 Firefox/126.0";

    fn line<'a>(method: &'a str, target: &'a str, status: u16, user_agent: &'a str) -> Line<'a> {
        let client = "10.0.0.1";
        let (method, target, user_agent) = (method.into(), target.into(), user_agent.into());
        Line { vhost: "", client, at: Millis(60_000), method, target, status, referrer: "".into(), user_agent }
    }

    fn site() -> SiteFacts {
        SiteFacts { domain: "example.com".into(), ..SiteFacts::default() }
    }

    #[test]
    fn only_pages_for_people_are_counted() {
        let mut sieve = Sieve::default();
        let mut judge = |line: Line<'_>| sieve.judge(&line, &site()).map(|_| ());
        for target in
            ["/", "/a?b=c.css", "/v1.2/", "/john.doe", "/index.html", "/a.php", "https://example.com", "https://example.com/x?y"]
        {
            assert_eq!(judge(line("GET", target, 200, FIREFOX)), Ok(()), "{target}");
        }
        for target in ["/a.css", "/logo.PNG?v=3", "/.env", "/feed.xml", "https://example.com/a.js"] {
            assert_eq!(judge(line("GET", target, 200, FIREFOX)), Err(Left::Asset), "{target}");
        }
        assert_eq!(judge(line("GET", "/", 304, FIREFOX)), Ok(()));
        for (method, target, status) in
            [("POST", "/", 200), ("GET", "/", 404), ("GET", "/", 301), ("-", "", 408), ("GET", "*", 200)]
        {
            assert_eq!(judge(line(method, target, status, FIREFOX)), Err(Left::NoPage), "{method} {target} {status}");
        }
        for agent in ["", "curl/8.5.0", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"] {
            assert_eq!(judge(line("GET", "/", 200, agent)), Err(Left::Bot), "{agent}");
        }
        assert_eq!(judge(Line { vhost: "other.org", ..line("GET", "/", 200, FIREFOX) }), Err(Left::OtherHost));
        assert_eq!(judge(Line { vhost: "www.example.com", ..line("GET", "/", 200, FIREFOX) }), Ok(()));
    }

    #[test]
    fn programs_are_told_by_what_they_do() {
        let mut sieve = Sieve::default();
        let mut judge = |line: Line<'_>| sieve.judge(&line, &site()).map(|_| ());
        let views = (0..200).filter(|_| judge(line("GET", "/", 200, FIREFOX)).is_ok()).count();
        assert_eq!(views, MOST_A_MINUTE as usize);
        assert_eq!(judge(Line { at: Millis(600_000), ..line("GET", "/", 200, FIREFOX) }), Err(Left::Bot), "from then on");
        let other = |target| Line { client: "10.0.0.2", ..line("GET", target, 200, FIREFOX) };
        assert_eq!(judge(other("/")), Ok(()));
        assert_eq!(judge(other("/robots.txt")), Err(Left::Bot));
        assert_eq!(judge(other("/")), Err(Left::Bot));
    }
}
