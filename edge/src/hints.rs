//! Client hints: what a Chromium says of itself in headers of their own. Where they are sent they go before the user agent,
//! which has been frozen for years: there every Windows is 10, every macOS 10.15, and Brave is Chrome.
//!
//! The first three come with every request over TLS; versions only where the page's own server asks for them and lets
//! ours have them: `Accept-CH: Sec-CH-UA-Platform-Version, Sec-CH-UA-Full-Version-List` and a `Permissions-Policy`.
//! <https://wicg.github.io/ua-client-hints/>
use std::borrow::Cow;

use crate::client::{Client, version};

/// The headers, empty where they are not sent. Lives as long as the request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hints<'a> {
    /// `Sec-CH-UA-Full-Version-List`, else `Sec-CH-UA`: brands and their versions.
    pub brands: &'a str,
    /// `Sec-CH-UA-Mobile`: `?1` or `?0`.
    pub mobile: &'a str,
    /// `Sec-CH-UA-Platform`, in quotation marks.
    pub platform: &'a str,
    /// `Sec-CH-UA-Platform-Version`, in quotation marks.
    pub platform_version: &'a str,
}

/// Brands, the most particular first, and the names of browsers. What is in no list ("Not.A/Brand") says nothing.
const BRANDS: &[(&str, &str)] = &[
    ("Brave", "Brave"),
    ("Microsoft Edge", "Microsoft Edge"),
    ("Microsoft Edge WebView2", "Microsoft Edge"),
    ("Opera GX", "Opera"),
    ("Opera", "Opera"),
    ("OperaMobile", "Opera"),
    ("Opera Mobile", "Opera"),
    ("Vivaldi", "Vivaldi"),
    ("Yandex", "Yandex Browser"),
    ("YaBrowser", "Yandex Browser"),
    ("Samsung Internet", "Samsung Browser"),
    ("DuckDuckGo", "DuckDuckGo Privacy Browser"),
    ("Whale", "Whale Browser"),
    ("HuaweiBrowser", "Huawei Browser"),
    ("Ecosia", "Ecosia"),
    ("CocCoc", "Coc Coc"),
    ("Avast Secure Browser", "Avast Secure Browser"),
    ("AVG Secure Browser", "AVG Secure Browser"),
    ("Oculus Browser", "Oculus Browser"),
    ("Google Chrome", "Chrome"),
    ("HeadlessChrome", "Chrome"),
];

/// Platforms and the names of systems.
const PLATFORMS: &[(&str, &str)] = &[
    ("Windows", "Windows"),
    ("macOS", "Mac"),
    ("Android", "Android"),
    ("iOS", "iOS"),
    ("Chrome OS", "Chrome OS"),
    ("Chromium OS", "Chrome OS"),
    ("Linux", "GNU/Linux"),
];

impl<'a> Hints<'a> {
    /// The hints of a request; `header` gives a header by its name in lower case.
    #[must_use]
    pub fn read(header: impl Fn(&str) -> Option<&'a str>) -> Self {
        let get = |name| header(name).unwrap_or("");
        let full = get("sec-ch-ua-full-version-list");
        Self {
            brands: if full.is_empty() { get("sec-ch-ua") } else { full },
            mobile: get("sec-ch-ua-mobile"),
            platform: get("sec-ch-ua-platform"),
            platform_version: get("sec-ch-ua-platform-version"),
        }
    }

    /// What the user agent says, corrected.
    #[must_use]
    pub fn correct<'c>(&self, client: &'c Client) -> Cow<'c, Client> {
        if *self == Self::default() {
            return Cow::Borrowed(client);
        }
        let mut client = client.clone();
        self.correct_browser(&mut client);
        self.correct_system(&mut client);
        match self.mobile.trim() {
            "?1" => client.device = "Mobile",
            "?0" => client.device = if client.os == "Android" { "Tablet" } else { "Desktop" },
            _ => {}
        }
        Cow::Owned(client)
    }

    fn correct_browser(&self, client: &mut Client) {
        let named = brands(self.brands)
            .filter_map(|(brand, number)| BRANDS.iter().position(|(known, _)| *known == brand).map(|rank| (rank, number)));
        let Some((rank, number)) = named.min_by_key(|(rank, _)| *rank) else { return };
        let Some((_, name)) = BRANDS.get(rank) else { return };
        // Chrome inside an app: the user agent says whose.
        if *name == "Chrome" && !matches!(client.browser, "" | "Chrome" | "Chromium") {
            return;
        }
        client.browser = name;
        client.browser_version = version(number, 1);
    }

    fn correct_system(&self, client: &mut Client) {
        let platform = unquoted(self.platform);
        let Some((_, name)) = PLATFORMS.iter().find(|(known, _)| *known == platform) else { return };
        // Where the user agent knows it better (Ubuntu), it stays.
        let better = *name == "GNU/Linux" && client.os == "Ubuntu";
        if client.os != *name && !better {
            client.os = name;
            client.os_version.clear();
        }
        let number = unquoted(self.platform_version);
        let major = || number.split('.').next().and_then(|major| major.parse::<u32>().ok());
        match (client.os, major()) {
            (_, None) => {}
            // Microsoft's table: 13 and above is Windows 11, 0 is older than 10, of which the user agent tells.
            ("Windows", Some(13..)) => client.os_version = "11".into(),
            ("Windows", Some(1..)) => client.os_version = "10".into(),
            ("Mac" | "iOS", Some(_)) => client.os_version = version(number, 2),
            ("Android", Some(_)) => client.os_version = version(number, 1),
            _ => {}
        }
    }
}

fn unquoted(text: &str) -> &str {
    text.trim().trim_matches('"')
}

/// The brands of a list as `"Chromium";v="125", "Brave";v="125"`. A brand may hold commas and semicolons, but no quotation
/// mark that is not escaped; such a one is nobody we know.
fn brands(list: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut parts = list.split('"').skip(1);
    core::iter::from_fn(move || {
        let brand = parts.next()?;
        let has_version = parts.next().is_some_and(|between| between.contains("v="));
        let number = if has_version { parts.next().unwrap_or("") } else { "" };
        if has_version {
            parts.next();
        }
        Some((brand, number))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHROME: &str =
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 Safari/537.36";
    const PIXEL: &str =
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 Safari/537.36";

    fn of(ua: &str, headers: &[(&str, &'static str)]) -> String {
        let hints = Hints::read(|name| headers.iter().find(|(known, _)| *known == name).map(|(_, value)| *value));
        let client = Client::parse(ua);
        let c = hints.correct(&client);
        format!("{}/{}/{}/{}/{}", c.device, c.browser, c.browser_version, c.os, c.os_version)
    }

    #[test]
    fn hints_go_before_the_user_agent() {
        assert_eq!(of(CHROME, &[]), "Desktop/Chrome/125/Windows/10");
        let brave = ("sec-ch-ua", r#""Chromium";v="126", "Brave";v="126", "Not.A/Brand";v="24""#);
        let windows = ("sec-ch-ua-platform", "\"Windows\"");
        assert_eq!(of(CHROME, &[brave, windows]), "Desktop/Brave/126/Windows/10");
        assert_eq!(of(CHROME, &[brave, windows, ("sec-ch-ua-platform-version", "\"15.0.0\"")]), "Desktop/Brave/126/Windows/11");
        let full = ("sec-ch-ua-full-version-list", r#""Not/A)Brand";v="8.0.0.0", "Google Chrome";v="127.0.6533.72""#);
        assert_eq!(of(CHROME, &[brave, full]), "Desktop/Chrome/127/Windows/10");
        assert_eq!(
            of(
                PIXEL,
                &[
                    ("sec-ch-ua-mobile", "?0"),
                    ("sec-ch-ua-platform", "\"Android\""),
                    ("sec-ch-ua-platform-version", "\"14.0.0\"")
                ]
            ),
            "Tablet/Chrome/125/Android/14"
        );
    }

    #[test]
    fn a_desktop_site_on_a_telephone_and_an_app_are_told() {
        let linux = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 Safari/537.36";
        assert_eq!(of(linux, &[("sec-ch-ua-platform", "\"Android\""), ("sec-ch-ua-mobile", "?1")]), "Mobile/Chrome/125/Android/");
        let app = "Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/X; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/125.0.0.0 Mobile Safari/537.36 Instagram 330.0.0.40.92 Android";
        assert!(of(app, &[("sec-ch-ua", r#""Google Chrome";v="125""#)]).starts_with("Mobile/Instagram/330/"));
    }

    proptest::proptest! {
        #[test]
        fn anything_is_read(brands in "[\" ;v=0-9.,A-Za-z€]{0,60}", mobile in ".{0,4}", platform in ".{0,12}", number in "[\"0-9.]{0,12}") {
            let hints = Hints { brands: &brands, mobile: &mobile, platform: &platform, platform_version: &number };
            let client = Client::parse(CHROME);
            let corrected = hints.correct(&client);
            proptest::prop_assert!(corrected.browser_version.len() <= 6 && corrected.os_version.len() <= 13);
        }
    }
}
