//! Device, browser and operating system, from the user agent. Names as in Plausible's reports, so that filters written
//! for it keep working. Order matters: browsers name those they descend from, so the most particular comes first.
//! What client hints say goes before ([`crate::hints`]).
//!
//! Written by hand because it is small: the public lists of patterns (uap-core's, 206 KB of regular expressions) would not
//! fit beside a Worker. How well it does is measured with lists that others labelled: `tests/corpus.rs`.

/// What a user agent says of itself; empty where it says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Client {
    /// `Desktop`, `Mobile` or `Tablet`.
    pub device: &'static str,
    /// The browser's name.
    pub browser: &'static str,
    /// The browser's major version.
    pub browser_version: String,
    /// The operating system's name.
    pub os: &'static str,
    /// The operating system's version, as much as is told and useful.
    pub os_version: String,
}

/// All that is made of a user agent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agent {
    /// It says that it is no person.
    pub is_bot: bool,
    /// What it says of itself.
    pub client: Client,
}

impl Agent {
    /// Reads a user agent.
    #[must_use]
    pub fn parse(user_agent: &str) -> Self {
        Self { is_bot: crate::bots::is_bot(user_agent), client: Client::parse(user_agent) }
    }
}

/// A word before `/` and a version (or, with old ones, a space), and the browser it means.
const BROWSERS: &[(&str, &str)] = &[
    ("EdgA", "Microsoft Edge"),
    ("EdgiOS", "Microsoft Edge"),
    ("Edg", "Microsoft Edge"),
    ("Edge", "Microsoft Edge"),
    ("OPR", "Opera"),
    ("OPT", "Opera"),
    ("OPX", "Opera"),
    ("Opera", "Opera"),
    ("Mini", "Opera Mini"),
    ("SamsungBrowser", "Samsung Browser"),
    ("YaBrowser", "Yandex Browser"),
    ("Vivaldi", "Vivaldi"),
    ("UCBrowser", "UC Browser"),
    ("Whale", "Whale Browser"),
    ("DuckDuckGo", "DuckDuckGo Privacy Browser"),
    ("Ddg", "DuckDuckGo Privacy Browser"),
    ("HuaweiBrowser", "Huawei Browser"),
    ("MiuiBrowser", "MIUI Browser"),
    ("MQQBrowser", "QQ Browser"),
    ("QQBrowser", "QQ Browser"),
    ("QuarkPC", "Quark"),
    ("Silk", "Mobile Silk"),
    ("HeyTapBrowser", "HeyTap Browser"),
    ("VivoBrowser", "Vivo Browser"),
    ("OculusBrowser", "Oculus Browser"),
    ("coc_coc_browser", "Coc Coc"),
    ("Avast", "Avast Secure Browser"),
    ("AVG", "AVG Secure Browser"),
    ("Puffin", "Puffin"),
    ("Maxthon", "Maxthon"),
    ("Ecosia", "Ecosia"),
    ("MicroMessenger", "WeChat"),
    ("KAKAOTALK", "KakaoTalk"),
    ("Line", "LINE"),
    ("Pinterest", "Pinterest"),
    ("Snapchat", "Snapchat"),
    ("LinkedInApp", "LinkedIn"),
    ("musical_ly", "TikTok"),
    ("trill", "TikTok"),
    ("BytedanceWebview", "TikTok"),
    ("Epiphany", "GNOME Web"),
    ("Falkon", "Falkon"),
    ("Konqueror", "Konqueror"),
    ("Waterfox", "Waterfox"),
    ("Seamonkey", "SeaMonkey"),
    ("SeaMonkey", "SeaMonkey"),
    ("PaleMoon", "Pale Moon"),
    ("Focus", "Firefox Focus"),
    ("Klar", "Firefox Focus"),
    ("FxiOS", "Firefox"),
    ("Firefox", "Firefox"),
    ("GSA", "Google Search App"),
    ("FBAV", "Facebook"),
    ("Twitter", "Twitter"),
    ("Instagram", "Instagram"),
    ("CriOS", "Chrome"),
    ("HeadlessChrome", "Chrome"),
    ("Chromium", "Chromium"),
    ("Chrome", "Chrome"),
    ("MSIE", "Internet Explorer"),
];

/// Windows' own numbers, and the names people know.
const WINDOWS: &[(&str, &str)] =
    &[("10.0", "10"), ("6.3", "8.1"), ("6.2", "8"), ("6.1", "7"), ("6.0", "Vista"), ("5.2", "XP"), ("5.1", "XP")];

impl Client {
    /// Reads a user agent.
    #[must_use]
    pub fn parse(user_agent: &str) -> Self {
        let (os, os_version) = system(user_agent);
        let (browser, browser_version) = browser(user_agent, os);
        Self { device: device(user_agent, os), browser, browser_version, os, os_version }
    }
}

/// What follows `token`, if it is there.
fn after<'a>(text: &'a str, token: &str) -> Option<&'a str> {
    text.find(token).and_then(|at| text.get(at + token.len()..))
}

/// At most `parts` leading numbers of a version written with `.` or `_`.
pub(crate) fn version(text: &str, parts: usize) -> String {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_').unwrap_or(text.len());
    let numbers = text[..end].split(['.', '_']).take_while(|number| !number.is_empty() && number.len() <= 6);
    numbers.take(parts).collect::<Vec<_>>().join(".")
}

/// The words of a user agent, each with its version.
fn words(ua: &str) -> impl Iterator<Item = (&str, &str)> {
    let separate = |c: char| matches!(c, ' ' | '(' | ')' | ';' | ',' | '[' | ']');
    ua.split(separate).filter(|word| !word.is_empty()).map(|word| word.split_once('/').unwrap_or((word, "")))
}

fn browser(ua: &str, os: &str) -> (&'static str, String) {
    // One pass: a user agent has a dozen words, and most of them are nobody's name.
    let mut best: Option<(usize, &str)> = None;
    for (word, number) in words(ua) {
        let rank = BROWSERS.iter().position(|(token, _)| *token == word);
        if let Some(rank) = rank
            && best.is_none_or(|(known, _)| rank < known)
        {
            best = Some((rank, number));
        }
    }
    if let Some((rank, number)) = best
        && let Some((token, name)) = BROWSERS.get(rank)
    {
        // `MSIE 9.0` and `Instagram 300.0` have a space where others have a slash.
        let number = if number.is_empty() { after(ua, token).map_or("", str::trim_start) } else { number };
        return (name, version(number, 1));
    }
    if ua.contains("Trident/") {
        return ("Internet Explorer", after(ua, "rv:").map_or_else(String::new, |rest| version(rest, 1)));
    }
    match after(ua, "Version/") {
        Some(rest) if os == "Android" => ("Android Browser", version(rest, 1)),
        Some(rest) if ua.contains("Safari/") => ("Safari", version(rest, 1)),
        // A web view on iOS leaves out both.
        None if os == "iOS" && ua.contains("AppleWebKit/") => ("Mobile App", String::new()),
        _ => ("", String::new()),
    }
}

fn system(ua: &str) -> (&'static str, String) {
    if let Some(rest) = after(ua, "Windows NT ") {
        let number = version(rest, 2);
        let name = WINDOWS.iter().find(|(nt, _)| *nt == number).map_or("", |(_, name)| name);
        return ("Windows", name.into());
    }
    if ["iPhone", "iPad", "iPod"].iter().any(|device| ua.contains(device)) {
        let rest = after(ua, " OS ").unwrap_or("");
        return ("iOS", version(rest, 2));
    }
    if let Some(rest) = after(ua, "Android") {
        return ("Android", version(rest.trim_start(), 1));
    }
    if let Some(rest) = after(ua, "Mac OS X ") {
        return ("Mac", version(rest, 2));
    }
    let named = [
        ("CrOS", "Chrome OS"),
        ("KAIOS", "KaiOS"),
        ("Tizen", "Tizen"),
        ("Windows Phone", "Windows Phone"),
        ("Windows", "Windows"),
        ("Macintosh", "Mac"),
        ("Ubuntu", "Ubuntu"),
        ("Linux", "GNU/Linux"),
        ("FreeBSD", "FreeBSD"),
        ("OpenBSD", "OpenBSD"),
    ];
    (named.iter().find(|(token, _)| ua.contains(token)).map_or("", |(_, name)| name), String::new())
}

fn device(ua: &str, os: &str) -> &'static str {
    let has = |token: &str| ua.contains(token);
    match os {
        "iOS" if has("iPad") => "Tablet",
        "iOS" | "KaiOS" | "Windows Phone" => "Mobile",
        // Android's convention: telephones say Mobile, tablets do not.
        "Android" if has("Mobile") && !has("Tablet") => "Mobile",
        "Android" => "Tablet",
        "Windows" if has("Tablet PC") && has("Touch") && has("Mobile") => "Tablet",
        "Tizen" if has("Mobile") => "Mobile",
        "" if has("Mobi") => "Mobile",
        "" => "",
        _ if has("Mobile") && !has("Firefox/") && os != "Windows" && os != "Mac" => "Mobile",
        _ => "Desktop",
    }
}

/// The class of a screen's width in CSS pixels, by the bounds that Plausible uses; empty when not known.
#[must_use]
pub const fn screen_class(width: u16) -> &'static str {
    match width {
        0 => "",
        1..576 => "Mobile",
        576..992 => "Tablet",
        992..1440 => "Laptop",
        _ => "Desktop",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_browsers_are_known() {
        let cases = [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 Safari/537.36",
                "Desktop/Chrome/125/Windows/10",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 Safari/537.36 Edg/125.0.2535.51",
                "Desktop/Microsoft Edge/125/Windows/10",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4.1 Safari/605.1.15",
                "Desktop/Safari/17/Mac/10.15",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:126.0) Gecko/20100101 Firefox/126.0",
                "Desktop/Firefox/126/Mac/10.15",
            ),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:126.0) Gecko/20100101 Firefox/126.0", "Desktop/Firefox/126/GNU/Linux/"),
            (
                "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 Safari/537.36",
                "Desktop/Chrome/125/Chrome OS/",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4.1 Mobile/15E148 Safari/604.1",
                "Mobile/Safari/17/iOS/17.4",
            ),
            (
                "Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/125.0.6422.80 Mobile/15E148 Safari/604.1",
                "Tablet/Chrome/125/iOS/16.6",
            ),
            (
                "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.6422.113 Mobile Safari/537.36",
                "Mobile/Chrome/125/Android/14",
            ),
            (
                "Mozilla/5.0 (Linux; Android 13; SM-X906C) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/25.0 Chrome/121.0.0.0 Safari/537.36",
                "Tablet/Samsung Browser/25/Android/13",
            ),
            ("Mozilla/5.0 (Android 14; Mobile; rv:126.0) Gecko/126.0 Firefox/126.0", "Mobile/Firefox/126/Android/14"),
            ("Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko", "Desktop/Internet Explorer/11/Windows/7"),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36",
                "Desktop/Chrome/156/GNU/Linux/",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36 OPR/110.0.0.0",
                "Desktop/Opera/110/Windows/10",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
                "Mobile/Mobile App//iOS/17.4",
            ),
            ("curl/8.5.0", "////"),
            ("", "////"),
        ];
        for (ua, expected) in cases {
            let c = Client::parse(ua);
            let got = format!("{}/{}/{}/{}/{}", c.device, c.browser, c.browser_version, c.os, c.os_version);
            assert_eq!(got, expected, "{ua}");
        }
    }

    proptest::proptest! {
        #[test]
        fn anything_is_read(ua in "(Mozilla|Android|Version/|Windows NT |OS |€|[0-9._/ ;()])*") {
            let client = Client::parse(&ua);
            proptest::prop_assert!(client.browser_version.len() <= 6 && client.os_version.len() <= 13);
        }
    }

    #[test]
    fn screens_have_classes() {
        assert_eq!(
            [0, 1, 575, 576, 991, 992, 1439, 1440, 5000].map(screen_class),
            ["", "Mobile", "Mobile", "Tablet", "Tablet", "Laptop", "Laptop", "Desktop", "Desktop"]
        );
    }
}
