//! Programs that are no people. By user agent: crawlers and monitors that run a page's scripts and say so.
//!
//! Two kinds are left in on purpose. A library that posts events (`curl`, `okhttp`) is a sender, not a crawler: nothing
//! that merely reads pages gets here without running their scripts. And a headless browser is judged in the page, where
//! `data-automated` decides; here it would make that attribute useless.

/// Parts of user agents in lower case, matched anywhere; sorted, so that those that begin with one letter stand together.
/// Crawlers, link previews, monitors, auditors, readers for language models, scripted browsers that say so: from the
/// publishers' own documentation; the generic ones (`bot`, `crawl`, `spider`) catch most newcomers.
const TOKENS: &[&str] = &[
    "ahrefs",
    "apis-google",
    "archiver",
    "bingpreview",
    "bot",
    "bytespider",
    "catchpoint",
    "ccbot",
    "censysinspect",
    "chatgpt-user",
    "checkly",
    "chrome-lighthouse",
    "claude-user",
    "claude-web",
    "cohere-ai",
    "crawl",
    "dareboost",
    "datadogsynthetics",
    "dataprovider",
    "embedly",
    "expanse",
    "facebookcatalog",
    "facebookexternalhit",
    "feedfetcher",
    "fetcher",
    "flipboardproxy",
    "google web preview",
    "google-inspectiontool",
    "google-read-aloud",
    "google-safety",
    "googleother",
    "gtmetrix",
    "ia_archiver",
    "lighthouse",
    "linkcheck",
    "masscan",
    "mediapartners-google",
    "meta-externalagent",
    "monitoring",
    "nessus",
    "netcraft",
    "newrelicpinger",
    "nikto",
    "outbrain",
    "pagespeed",
    "perplexity-user",
    "phantomjs",
    "pingdom",
    "prerender",
    "ptst/",
    "quora link preview",
    "rendertron",
    "scrape",
    "screaming frog",
    "semrush",
    "site24x7",
    "sitebulb",
    "siteimprove",
    "skypeuripreview",
    "slimerjs",
    "spider",
    "statuscake",
    "uptime",
    "validator",
    "vkshare",
    "whatsapp/",
    "yahoo! slurp",
    "yandeximages",
    "zgrab",
];

/// Where the tokens of each first letter stand: few are compared at each position of a user agent.
const STARTS: [(u8, u8); 128] = {
    let mut starts = [(0, 0); 128];
    let mut i = 0;
    while i < TOKENS.len() {
        let letter = TOKENS[i].as_bytes()[0] as usize;
        if starts[letter].1 == 0 {
            starts[letter].0 = i as u8;
        }
        i += 1;
        starts[letter].1 = i as u8;
    }
    starts
};

/// Whether a user agent says that it is no person.
#[must_use]
pub fn is_bot(user_agent: &str) -> bool {
    let bytes = user_agent.as_bytes();
    bytes.iter().enumerate().any(|(at, first)| {
        let (from, to) = STARTS[usize::from(first.to_ascii_lowercase() & 0x7f)];
        TOKENS[usize::from(from)..usize::from(to)].iter().any(|token| {
            let here = bytes[at..].get(..token.len());
            here.is_some_and(|here| here.eq_ignore_ascii_case(token.as_bytes())) && !is_phone(bytes, at, token)
        })
    })
}

/// Cubot makes telephones.
fn is_phone(bytes: &[u8], at: usize, token: &str) -> bool {
    token == "bot" && at >= 2 && bytes[at - 2..at].eq_ignore_ascii_case(b"cu")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_sorted_and_in_lower_case() {
        assert!(TOKENS.is_sorted() && TOKENS.len() < 256);
        assert!(TOKENS.iter().all(|token| token.is_ascii() && *token == token.to_ascii_lowercase()));
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
}
