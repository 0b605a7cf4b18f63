//! Programs that are no people. By user agent: crawlers and monitors that run a page's scripts and say so.
//!
//! Two kinds are left in on purpose. A library that posts events (`curl`, `okhttp`) is a sender, not a crawler: nothing
//! that merely reads pages gets here without running their scripts. And a headless browser is judged in the page, where
//! `data-automated` decides; here it would make that attribute useless.

/// Parts of user agents in lower case, sorted by nothing: matched anywhere. From the publishers' own documentation and
/// server logs; the generic ones catch most newcomers.
const TOKENS: &[&str] = &[
    // generic
    "bot", "crawl", "spider", "scrape", "archiver", "fetcher", "monitoring", "validator", "linkcheck",
    // previews
    "facebookexternalhit", "facebookcatalog", "meta-externalagent", "whatsapp/", "skypeuripreview", "vkshare",
    "embedly", "quora link preview", "outbrain", "flipboardproxy", "google-read-aloud", "google web preview",
    "bingpreview", "yahoo! slurp", "yandeximages", "mediapartners-google", "google-inspectiontool", "googleother",
    "apis-google", "feedfetcher", "google-safety", "chrome-lighthouse", "lighthouse", "pagespeed", "ptst/",
    // monitors and auditors
    "pingdom", "uptime", "statuscake", "site24x7", "newrelicpinger", "datadogsynthetics", "checkly", "gtmetrix",
    "catchpoint", "dareboost", "siteimprove", "screaming frog", "sitebulb", "semrush", "ahrefs", "dataprovider",
    "netcraft", "nessus", "nikto", "zgrab", "masscan", "expanse", "censysinspect",
    // readers for language models
    "chatgpt-user", "claude-web", "claude-user", "perplexity-user", "cohere-ai", "ia_archiver", "ccbot", "bytespider",
    // scripted browsers that say so
    "phantomjs", "slimerjs", "prerender", "rendertron",
];

/// Which letters a token begins with: most positions of a user agent are passed over at once.
const FIRST: [bool; 256] = {
    let mut first = [false; 256];
    let mut i = 0;
    while i < TOKENS.len() {
        first[TOKENS[i].as_bytes()[0] as usize] = true;
        i += 1;
    }
    first
};

/// Whether a user agent says that it is no person.
#[must_use]
pub fn is_bot(user_agent: &str) -> bool {
    let bytes = user_agent.as_bytes();
    (0..bytes.len()).any(|at| {
        FIRST[usize::from(bytes[at].to_ascii_lowercase())] && {
            let rest = &bytes[at..];
            TOKENS.iter().any(|token| {
                rest.len() >= token.len() && rest[..token.len()].eq_ignore_ascii_case(token.as_bytes()) && !is_phone(bytes, at, token)
            })
        }
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
