//! What a made-up visitor does.
use super::Sums;
use super::random::Random;

/// Pages, the most visited first.
const PAGES: &[&str] = &[
    "/",
    "/coffees",
    "/brewing",
    "/subscriptions",
    "/coffees/yirgacheffe",
    "/about",
    "/coffees/huila",
    "/brewing/v60",
    "/journal",
    "/coffees/antigua",
    "/journal/harvest",
    "/shipping",
    "/contact",
];

/// Referring pages and the campaigns they came with: source, medium, campaign.
const SOURCES: &[(&str, [&str; 3])] = &[
    ("", ["", "", ""]),
    ("https://www.google.com/", ["", "", ""]),
    ("https://news.ycombinator.com/item", ["", "", ""]),
    ("https://duckduckgo.com/", ["", "", ""]),
    ("", ["newsletter", "email", "autumn"]),
    ("https://www.reddit.com/r/Coffee", ["", "", ""]),
    ("https://www.bing.com/", ["bing", "cpc", "beans"]),
    ("https://mastodon.social/", ["", "", ""]),
];

/// User agents, the width of the screen in CSS pixels.
const BROWSERS: &[(&str, u16)] = &[
    ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Safari/537.36", 1920),
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.1 Mobile/15E148 Safari/604.1",
        390,
    ),
    (
        "Mozilla/5.0 (Linux; Android 16; Pixel 10) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Mobile Safari/537.36",
        412,
    ),
    (
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.1 Safari/605.1.15",
        1512,
    ),
    ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", 1680),
    ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0", 1366),
    (
        "Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
        820,
    ),
];

/// Zones and languages of visitors.
const PLACES: &[(&str, &str)] = &[
    ("Europe/Berlin", "de-DE"),
    ("America/New_York", "en-US"),
    ("Europe/London", "en-GB"),
    ("Asia/Kolkata", "en-IN"),
    ("America/Sao_Paulo", "pt-BR"),
    ("Europe/Paris", "fr-FR"),
    ("Asia/Tokyo", "ja-JP"),
    ("Europe/Warsaw", "pl-PL"),
];

/// One visit of one visitor who comes once.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    /// Bits that nobody else has.
    pub who: u64,
    /// The user agent.
    pub user_agent: &'static str,
    /// Screen width in CSS pixels.
    pub screen: u16,
    /// IANA zone.
    pub zone: &'static str,
    /// BCP 47 language.
    pub language: &'static str,
    /// The referring page.
    pub referrer: &'static str,
    /// Source, medium and campaign of the link.
    pub campaign: [&'static str; 3],
    /// The page loads, each with what was done there.
    pub views: Vec<View>,
}

/// One page load.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// Its path.
    pub page: &'static str,
    /// Seconds since the visit began.
    pub after: u32,
    /// Events that were emitted there.
    pub events: Vec<Event>,
}

/// A custom event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    /// Its name.
    pub name: &'static str,
    /// A property.
    pub prop: (&'static str, &'static str),
    /// A value in millionths, and its currency.
    pub value: Option<(i64, &'static str)>,
}

impl Visit {
    /// Draws a visit.
    #[must_use]
    pub(crate) fn draw(random: &mut Random) -> Self {
        let (user_agent, screen) = random.popular(BROWSERS).copied().unwrap_or_default();
        let (zone, language) = random.popular(PLACES).copied().unwrap_or_default();
        let (referrer, campaign) = random.popular(SOURCES).copied().unwrap_or_default();
        let count = 1 + if random.chance(45) { 0 } else { 1 + random.below(5) };
        let mut after = 0;
        let views = (0..count).map(|_| {
            let page = random.popular(PAGES).copied().unwrap_or("/");
            let view = View { page, after, events: events(page, random) };
            after += 5 + random.below(90) as u32;
            view
        });
        let views = views.collect();
        Self { who: random.bits(), user_agent, screen, zone, language, referrer, campaign, views }
    }

    /// Whether the visit goes on: at its second view or first event.
    #[must_use]
    pub(crate) fn goes_on(&self) -> bool {
        self.views.len() > 1 || self.views.iter().any(|view| !view.events.is_empty())
    }

    /// How long the `n`th view was read, in seconds, and how far down, in per cent. Told by the visitor's own bits, so that nothing else that is
    /// drawn depends on it; nobody reads on after the next view.
    #[must_use]
    pub(crate) fn engagement(&self, n: usize) -> (u64, u64) {
        let bits = self.who.rotate_left(n as u32 * 11 + 17);
        let next = self.views.get(n).zip(self.views.get(n + 1)).map_or(120, |(this, next)| next.after - this.after);
        let seconds = (4 + bits % 71).min(next.into());
        (seconds, 20 + (bits >> 8) % 81)
    }

    /// The web vitals of its page load, those that its browser would tell: names, and values in millionths. Told by the visitor's own bits, too;
    /// on phones all of it takes longer.
    #[must_use]
    pub(crate) fn vitals(&self) -> Vec<(&'static str, i64)> {
        let slow = if self.screen < 1000 { 1.6 } else { 1.0 };
        let drawn = |n: u32| (self.who.rotate_left(n * 13) % 1000) as f64 / 1000.0;
        // Most are near the least; a few take several times as long.
        let takes = |n: u32, least: f64, more: f64| ((least + more * drawn(n).powi(3)) * slow).round() as i64 * 1_000_000;
        let (chrome, firefox) = (self.user_agent.contains("Chrome/"), self.user_agent.contains("Firefox/"));
        let mut vitals = vec![("TTFB", takes(1, 90.0, 1100.0)), ("FCP", takes(2, 420.0, 2400.0))];
        if chrome || firefox {
            vitals.push(("LCP", takes(3, 700.0, 4200.0)));
            vitals.extend(self.goes_on().then(|| ("INP", takes(4, 40.0, 420.0))));
        }
        vitals.extend(chrome.then(|| ("CLS", (drawn(5).powi(4) * 400_000.0) as i64)));
        vitals
    }

    /// What it adds to the counts.
    #[must_use]
    pub(crate) fn sums(&self) -> Sums {
        let pageviews = self.views.len() as i64;
        let events = self.views.iter().map(|view| view.events.len()).sum::<usize>() + self.vitals().len();
        Sums { visitors: 1, visits: 1, pageviews, events: pageviews + events as i64 }
    }
}

fn events(page: &str, random: &mut Random) -> Vec<Event> {
    let mut events = Vec::new();
    if page == "/subscriptions" && random.chance(30) {
        let plan = random.popular(&["monthly", "fortnightly", "yearly"]).copied().unwrap_or("monthly");
        events.push(Event { name: "Subscribe", prop: ("plan", plan), value: Some((18_500_000, "EUR")) });
    }
    if page.starts_with("/coffees/") && random.chance(25) {
        let grind = random.popular(&["beans", "filter", "espresso"]).copied().unwrap_or("beans");
        events.push(Event { name: "Add to basket", prop: ("grind", grind), value: Some((14_000_000, "EUR")) });
    }
    if page.starts_with("/journal") && random.chance(10) {
        events.push(Event { name: "Share", prop: ("by", "link"), value: None });
    }
    events
}
