//! Referrer spam: programs that pretend to come from a shop, so that its address is read in reports.
//!
//! `data/spam.txt` is the list of matomo-org/referrer-spam-list of 2026 (public domain) in lower case, without two names under
//! which many have their sites (`kharkov.ua`, `ucoz.ru`). A host stands for its subdomains too.
use crate::host::{Page, parents};
use crate::{SiteFacts, table};

static SPAM: &str = include_str!("../data/spam.txt");

/// Whether a visit to `site` says that it came from an address that only spam comes from.
#[must_use]
pub fn is_spam(referrer: &str, site: &SiteFacts) -> bool {
    !referrer.is_empty()
        && Page::parse(referrer).is_some_and(|page| {
            let host = page.host.as_str();
            parents(host).any(|host| table::value(SPAM, host).is_some()) && !site.owns_host(host)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spam_is_told_from_pages() {
        let lines: Vec<&str> = SPAM.lines().collect();
        assert!(lines.is_sorted() && lines.iter().all(|line| !line.contains(['\t', ' ', '/']) && line.contains('.')));
        let site = SiteFacts { domain: "semalt.com".into(), hosts: vec!["semalt.com".into()], ..SiteFacts::default() };
        for spam in
            ["https://darodar.com/", "http://www.Darodar.com", "https://forum.topic.darodar.com/a?b#c", "http://1-99seo.com/x"]
        {
            assert!(is_spam(spam, &site), "{spam}");
        }
        for page in [
            "",
            "-",
            "darodar.com",
            "https://darodar.com.example/",
            "https://notdarodar.com/",
            "https://news.example/darodar.com",
        ] {
            assert!(!is_spam(page, &site), "{page}");
        }
        assert!(!is_spam("https://semalt.com/own", &site), "who is listed may look at their own visits");
        assert!(is_spam("https://semalt.com/", &SiteFacts::default()));
    }
}
