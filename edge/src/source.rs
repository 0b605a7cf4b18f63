//! Where a visit came from: source and channel, from the referrer and the campaign parameters.
//!
//! Channels follow Google Analytics' default channel group, as Plausible's do. The lists hold what most sites see; a
//! host that is not in them is a source under its own name.

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

/// Hosts (with their subdomains; a trailing dot stands for any country's ending), the source's name, its kind, and words
/// that mean it in `utm_source`.
const SOURCES: &[(&[&str], &str, Kind, &[&str])] = &[
    (&["mail.google.com"], "Gmail", Email, &["gmail"]),
    (&["gemini.google.com"], "Gemini", Assistant, &["gemini"]),
    (&["news.google.com"], "Google News", Other, &[]),
    (&["shopping.google.com"], "Google Shopping", Shopping, &["google_shopping"]),
    (&["google.", "com.google.android.googlequicksearchbox"], "Google", Search, &["google", "adwords", "googleads"]),
    (&["bing.com"], "Bing", Search, &["bing"]),
    (&["duckduckgo.com"], "DuckDuckGo", Search, &["duckduckgo", "ddg"]),
    (&["search.yahoo.com", "search.yahoo.co.jp", "yahoo."], "Yahoo!", Search, &["yahoo"]),
    (&["yandex.", "ya.ru"], "Yandex", Search, &["yandex"]),
    (&["baidu.com"], "Baidu", Search, &["baidu"]),
    (&["ecosia.org"], "Ecosia", Search, &["ecosia"]),
    (&["qwant.com"], "Qwant", Search, &["qwant"]),
    (&["startpage.com"], "Startpage", Search, &["startpage"]),
    (&["search.brave.com"], "Brave", Search, &["brave"]),
    (&["kagi.com"], "Kagi", Search, &["kagi"]),
    (&["mojeek.com"], "Mojeek", Search, &["mojeek"]),
    (&["naver.com"], "Naver", Search, &["naver"]),
    (&["seznam.cz"], "Seznam", Search, &["seznam"]),
    (&["sogou.com"], "Sogou", Search, &["sogou"]),
    (&["so.com"], "360 Search", Search, &[]),
    (&["facebook.com", "fb.com", "fb.me", "com.facebook.katana"], "Facebook", Social, &["facebook", "fb", "facebookads"]),
    (&["instagram.com"], "Instagram", Social, &["instagram", "ig"]),
    (&["threads.net", "threads.com"], "Threads", Social, &["threads"]),
    (&["twitter.com", "t.co", "x.com"], "Twitter", Social, &["twitter", "x"]),
    (&["linkedin.com", "lnkd.in"], "LinkedIn", Social, &["linkedin"]),
    (&["reddit.com", "redd.it", "com.reddit.frontpage"], "Reddit", Social, &["reddit"]),
    (&["news.ycombinator.com", "hckrnews.com"], "Hacker News", Social, &["hackernews", "hn"]),
    (&["lobste.rs"], "Lobsters", Social, &["lobsters"]),
    (&["pinterest."], "Pinterest", Social, &["pinterest"]),
    (&["tiktok.com"], "TikTok", Social, &["tiktok"]),
    (&["snapchat.com"], "Snapchat", Social, &["snapchat"]),
    (&["bsky.app"], "Bluesky", Social, &["bluesky"]),
    (&["mastodon.social", "fosstodon.org", "hachyderm.io", "mas.to", "mstdn.social"], "Mastodon", Social, &["mastodon"]),
    (&["vk.com"], "VKontakte", Social, &["vk"]),
    (&["weibo.com"], "Weibo", Social, &["weibo"]),
    (&["quora.com"], "Quora", Social, &["quora"]),
    (&["t.me", "telegram.org", "org.telegram.messenger"], "Telegram", Social, &["telegram"]),
    (&["whatsapp.com", "wa.me"], "WhatsApp", Social, &["whatsapp"]),
    (&["discord.com", "discordapp.com"], "Discord", Social, &["discord"]),
    (&["producthunt.com"], "Product Hunt", Social, &["producthunt"]),
    (&["stackoverflow.com"], "Stack Overflow", Other, &["stackoverflow"]),
    (&["github.com"], "GitHub", Other, &["github"]),
    (&["wikipedia.org"], "Wikipedia", Other, &["wikipedia"]),
    (&["youtube.com", "youtu.be"], "YouTube", Video, &["youtube", "yt"]),
    (&["vimeo.com"], "Vimeo", Video, &["vimeo"]),
    (&["twitch.tv"], "Twitch", Video, &["twitch"]),
    (&["dailymotion.com"], "Dailymotion", Video, &["dailymotion"]),
    (&["outlook.live.com", "outlook.office.com", "outlook.office365.com"], "Outlook", Email, &["outlook"]),
    (&["mail.yahoo.com"], "Yahoo! Mail", Email, &[]),
    (&["mail.proton.me"], "Proton Mail", Email, &[]),
    (&["amazon."], "Amazon", Shopping, &["amazon"]),
    (&["ebay."], "eBay", Shopping, &["ebay"]),
    (&["etsy.com"], "Etsy", Shopping, &["etsy"]),
    (&["chatgpt.com", "chat.openai.com"], "ChatGPT", Assistant, &["chatgpt.com", "chatgpt", "openai"]),
    (&["perplexity.ai"], "Perplexity", Assistant, &["perplexity", "perplexity.ai"]),
    (&["claude.ai"], "Claude", Assistant, &["claude", "claude.ai"]),
    (&["copilot.microsoft.com"], "Microsoft Copilot", Assistant, &["copilot", "copilot.com"]),
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
}

/// The source and channel of a visit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The source's name; empty for a direct visit.
    pub source: String,
    /// The channel's name.
    pub channel: &'static str,
}

/// A host and its parents: `a.b.c`, `b.c`, `c`.
fn parents(host: &str) -> impl Iterator<Item = &str> {
    core::iter::successors(Some(host), |host| host.split_once('.').map(|(_, parent)| parent))
}

/// Whether `host` itself is what is listed.
fn is_listed(host: &str, listed: &str) -> bool {
    match listed.strip_suffix('.') {
        // `google.` is google.de and google.co.uk, but not google.example.com.
        Some(name) => host.strip_prefix(name).and_then(|rest| rest.strip_prefix('.')).is_some_and(is_country_ending),
        None => host == listed,
    }
}

fn is_country_ending(ending: &str) -> bool {
    match ending.split_once('.') {
        None => ending.len() == 2 || ending == "com",
        Some((second, country)) => matches!(second, "co" | "com") && country.len() == 2,
    }
}

fn known_host(host: &str) -> Option<(&'static str, Kind)> {
    // From the whole host up, so that a search engine's mail and assistant are found before the engine.
    parents(host).filter(|host| !host.is_empty()).find_map(|host| {
        let known = SOURCES.iter().find(|(hosts, ..)| hosts.iter().any(|listed| is_listed(host, listed)));
        known.map(|(_, name, kind, _)| (*name, *kind))
    })
}

fn known_word(word: &str) -> Option<(&'static str, Kind)> {
    let by_word = SOURCES
        .iter()
        .find(|(_, name, _, words)| words.iter().any(|w| w.eq_ignore_ascii_case(word)) || name.eq_ignore_ascii_case(word));
    by_word.map(|(_, name, kind, _)| (*name, *kind)).or_else(|| known_host(&word.to_ascii_lowercase()))
}

/// The source and channel of a visit with this external referrer host (lower case, empty without one) and campaign.
#[must_use]
pub fn origin(referrer_host: &str, campaign: &Campaign<'_>) -> Origin {
    let host = referrer_host.strip_prefix("www.").unwrap_or(referrer_host);
    let known = if campaign.source.is_empty() { known_host(host) } else { known_word(campaign.source) };
    let source = match known {
        Some((name, _)) => name.to_owned(),
        None if campaign.source.is_empty() => host.to_owned(),
        None => campaign.source.to_owned(),
    };
    let kind = known.map_or(Other, |(_, kind)| kind);
    Origin { channel: channel(&source, kind, campaign), source }
}

fn channel(source: &str, kind: Kind, campaign: &Campaign<'_>) -> &'static str {
    let medium = campaign.medium.to_lowercase();
    let name = campaign.campaign.to_lowercase();
    let word = campaign.source.to_lowercase();
    let is = |words: &[&str]| words.contains(&medium.as_str());
    let paid = medium.contains("cp") || is(&["ppc", "retargeting"]) || medium.starts_with("paid");
    let shop = kind == Shopping || name.contains("shopping") || name.split(|c: char| !c.is_alphanumeric()).any(|w| w == "shop");
    let mails = ["email", "e-mail", "e_mail", "e mail", "newsletter"];
    if name.contains("cross-network") {
        "Cross-network"
    } else if shop && paid {
        "Paid Shopping"
    } else if is(&["display", "banner", "expandable", "interstitial", "cpm"]) {
        "Display"
    } else if paid {
        match kind {
            Search => "Paid Search",
            Social => "Paid Social",
            Video => "Paid Video",
            _ => "Paid Other",
        }
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
        let origin = origin(host, &Campaign { source, medium, campaign: "" });
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
        let shop = origin("", &Campaign { source: "google", medium: "cpc", campaign: "spring-shopping" });
        assert_eq!(shop.channel, "Paid Shopping");
    }

    proptest::proptest! {
        #[test]
        fn anything_has_a_channel(host in ".*", source in ".*", medium in ".*", campaign in ".*") {
            let origin = origin(&host, &Campaign { source: &source, medium: &medium, campaign: &campaign });
            proptest::prop_assert!(!origin.channel.is_empty());
        }
    }
}
