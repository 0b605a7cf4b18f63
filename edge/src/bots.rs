//! Programs that are no people, by user agent: crawlers, previews and monitors, which run a page's scripts and say so.
//!
//! Two kinds are left in on purpose. A library or service that posts events (`curl`, `okhttp`, a webhook) is a sender, not a
//! crawler: nothing that merely reads pages gets here without running their scripts; whoever reads an access log asks
//! [`is_program`] too. And a headless browser is judged in the page, where `data-automated` decides; here it would make
//! that attribute useless.
//!
//! `data/bots.txt` and `data/programs.txt` are made from the list of the project crawler-user-agents 1.60 (MIT, Martin
//! Monperrus and contributors): its plain patterns in lower case, without those that the words below catch, and without
//! names that browsers of people carry too. A `^` stands for the start of the user agent.
use crate::table;

/// Found anywhere in a user agent; they catch most newcomers.
const WORDS: &[&str] = &[
    "bot",
    "crawl",
    "spider",
    "scrape",
    "+http",
    "fetcher",
    "validator",
    "linkcheck",
    "monitoring",
    "uptime",
    "archiver",
    "prerender",
];

/// Crawlers, previews, monitors, auditors, readers for language models.
static BOTS: &str = include_str!("../data/bots.txt");
/// Libraries, command lines, automation: senders of events, but no readers of pages.
static PROGRAMS: &str = include_str!("../data/programs.txt");

/// Whether a user agent says that it is no person.
#[must_use]
pub fn is_bot(user_agent: &str) -> bool {
    let lower = user_agent.to_ascii_lowercase();
    is_listed(BOTS, &lower) || WORDS.iter().any(|word| lower.match_indices(word).any(|(at, _)| !is_phone(&lower, at, word)))
}

/// Whether a user agent is that of a library, a tool or an automated browser: what asks for pages without a person. Every
/// browser but the telephones of the last century says that it is Mozilla or Opera.
#[must_use]
pub fn is_program(user_agent: &str) -> bool {
    let lower = user_agent.trim().to_ascii_lowercase();
    !(lower.starts_with("mozilla/") || lower.starts_with("opera/")) || is_listed(PROGRAMS, &lower)
}

/// Whether a word of a text in lower case begins as a line of the table.
fn is_listed(table: &str, lower: &str) -> bool {
    let bytes = lower.as_bytes();
    let is_start = |at: usize| at == 0 || !bytes[at].is_ascii_alphanumeric() || !bytes[at - 1].is_ascii_alphanumeric();
    (0..bytes.len()).any(|at| is_start(at) && table::begins(table, &bytes[at..]))
        || table::begins(table, format!("^{lower}").as_bytes())
}

/// Cubot makes telephones.
fn is_phone(lower: &str, at: usize, word: &str) -> bool {
    word == "bot" && lower[..at].ends_with("cu")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_can_be_searched() {
        for table in [BOTS, PROGRAMS] {
            assert!(table::is_prefix_free(table));
            assert!(table.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase()));
        }
    }

    #[test]
    fn bots_are_told_from_people() {
        for bot in [
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/116.0.1938.76 Safari/537.36",
            "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36 Chrome-Lighthouse",
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
            "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
        ] {
            assert!(is_bot(bot), "{bot}");
        }
        for person in [
            "",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 Safari/537.36",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/125.0.0.0 Safari/537.36",
            "Mozilla/5.0 (Linux; Android 9; CUBOT_X18_Plus) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/90.0.4430.91 Mobile Safari/537.36",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1",
            "curl/8.5.0",
            "python-requests/2.31",
            "okhttp/4.12",
        ] {
            assert!(!is_bot(person), "{person}");
        }
    }

    #[test]
    fn programs_read_no_pages() {
        for program in ["", "-", " ", "curl/8.5.0", "python-requests/2.31", "okhttp/4.12", "Wget/1.21", "Go-http-client/1.1"] {
            assert!(is_program(program), "{program}");
        }
        let person = "Mozilla/5.0 (X11; Linux x86_64; rv:126.0) Gecko/20100101 Firefox/126.0";
        assert!(!is_program(person) && is_program("Mozilla/5.0 (X11) HeadlessChrome/125.0.0.0 Safari/537.36"));
    }

    proptest::proptest! {
        #[test]
        fn anything_is_judged(user_agent in ".*") {
            let _ = (is_bot(&user_agent), is_program(&user_agent));
        }
    }
}
