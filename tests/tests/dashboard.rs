//! The dashboard in a real browser: filters and their address, comparison, keys, lists, the realtime view, and what an accessibility
//! checker has to say about every view.
use std::path::Path;
use std::time::{Duration, Instant};

use headwater_tests::browser::Browser;
use headwater_tests::server::{ADMIN, Server, free_port, headwater};
use serde_json::{Value, json};

/// How long the page may take to show what is waited for; a loaded machine is slow.
const PATIENCE: Duration = Duration::from_secs(20);
/// WebDriver's name of the key.
const ESCAPE: &str = "\u{e00c}";

/// The demo site with a few days of visits, always the same.
struct Demo {
    server: Server,
    browser: Browser,
    _folder: tempfile::TempDir,
}

impl Demo {
    fn start(days: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let server = Server::start_as(headwater(&["serve", "--demo"]), folder.path(), free_port());
        let url = format!("http://127.0.0.1:{}", server.port);
        let arguments =
            ["simulate", "--url", &url, "--token", ADMIN, "--seed", "7", "--days", days, "--per-day", "120", "--visitors", "5"];
        let played = headwater(&arguments).output().expect("headwater simulate");
        assert!(played.status.success(), "{}", String::from_utf8_lossy(&played.stderr));
        Self { server, browser: Browser::start(), _folder: folder }
    }

    /// Signs in by the link that the server printed.
    fn sign_in(&self) {
        let log = self.server.log();
        let link = log.split_whitespace().find(|word| word.contains("#sign-in=")).unwrap_or_else(|| panic!("no link in: {log}"));
        // From another page: where only the fragment changes, a browser loads nothing anew.
        self.browser.visit("about:blank");
        self.browser.visit(link);
        self.browser.wait_for_text("main", |text| text.contains("demo.localhost"));
    }

    /// Opens a view of the demo site and waits for its figures.
    fn open(&self, search: &str) {
        self.browser.visit(&format!("http://127.0.0.1:{}/demo.localhost{search}", self.server.port));
        self.until("figures", "document.querySelector('.card .figure')?.innerText ?? '–'", |text| text != "–");
        self.settle();
    }

    /// Waits until nothing is being asked for.
    fn settle(&self) {
        self.until("rest", "document.querySelector('.loading') ? 'loading' : ''", |text| text == "Some" || text.is_empty());
    }

    fn until(&self, what: &str, script: &str, wanted: impl Fn(&str) -> bool) -> String {
        let start = Instant::now();
        loop {
            let found = self.browser.run(&format!("return String({script})"));
            let found = found.as_str().unwrap_or_default();
            if wanted(found) {
                return found.to_owned();
            }
            assert!(start.elapsed() < PATIENCE, "{what}: {found:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn search(&self, what: &str, wanted: &str) {
        self.until(what, "location.search", |text| text == wanted);
    }

    fn figure(&self, card: usize) -> String {
        self.browser
            .run(&format!("return document.querySelectorAll('.card .figure')[{card}].innerText"))
            .as_str()
            .unwrap_or_default()
            .into()
    }

    /// Fails if the checker finds that somebody could not use what is shown.
    fn is_accessible(&self, view: &str) {
        let axe = Path::new(env!("CARGO_MANIFEST_DIR")).join("../node_modules/axe-core/axe.min.js");
        let axe = std::fs::read_to_string(&axe).unwrap_or_else(|error| panic!("{}: {error}: run `npm ci` first", axe.display()));
        // What moves while it is looked at is half transparent.
        std::thread::sleep(Duration::from_millis(600));
        self.browser.run(&format!(
            "if (!window.axe) {{ {axe} }}
             window.told = undefined;
             axe.run(document, {{resultTypes: ['violations']}}).then(
                 told => window.told = told.violations.map(v => [v.id, v.help, v.nodes.slice(0, 3).map(n => n.html + ' ' + n.failureSummary)]),
                 error => window.told = [String(error)])"
        ));
        let start = Instant::now();
        let told = loop {
            match self.browser.run("return window.told") {
                Value::Null => assert!(start.elapsed() < PATIENCE, "axe-core does not answer"),
                told => break told,
            }
            std::thread::sleep(Duration::from_millis(50));
        };
        self.browser.screenshot(&format!("dashboard-{view}"));
        assert_eq!(told, json!([]), "{view}: {told:#}");
    }
}

#[test]
fn a_click_on_a_row_filters_everything_and_back_takes_it_away() {
    let demo = Demo::start("3");
    let browser = &demo.browser;
    demo.sign_in();
    demo.open("?period=7d");
    let all = demo.figure(0);
    let google = "[...document.querySelectorAll('.panel .value')].find(value => value.innerText == 'Google')";
    demo.until("Google among the sources", &format!("Boolean({google})"), |found| found == "true");
    browser.run(&format!("{google}.click()"));
    demo.search("the filter in the address", "?period=7d&f=is,visit:source,Google");
    demo.until("a chip", "document.querySelector('.chip .what')?.innerText", |text| text == "Source is Google");
    demo.until("fewer visitors", "document.querySelector('.card .figure').innerText", |text| text != all);
    demo.settle();
    let with = demo.figure(0);

    browser.click(".chip .not-button");
    demo.search("its opposite", "?period=7d&f=is_not,visit:source,Google");
    demo.until("everybody else", "document.querySelector('.card .figure').innerText", |text| text != with);
    demo.settle();
    let number = |text: &str| text.replace(',', "").parse::<u64>().unwrap_or_else(|_| panic!("{text:?} is no number"));
    assert_eq!(number(&with) + number(&demo.figure(0)), number(&all));

    browser.run("history.back()");
    demo.search("back", "?period=7d&f=is,visit:source,Google");
    demo.until("the visitors of before", "document.querySelector('.card .figure').innerText", |text| text == with);
    browser.run("history.back()");
    demo.search("back again", "?period=7d");
    demo.until("no chip", "document.querySelectorAll('.chip').length", |count| count == "0");
    demo.until("all visitors", "document.querySelector('.card .figure').innerText", |text| text == all);

    // An address tells everything: a country or another, another metric, another tab.
    demo.open("?period=28d&metric=bounce_rate&f=is,visit:country,DE,FR&f=is_not,event:page,/about&tab=exit-pages&compare=year");
    demo.until("both chips", "[...document.querySelectorAll('.chip .what')].map(c => c.innerText).join()", |text| {
        text == "Country is Germany or France,Page is not /about"
    });
    assert_eq!(browser.text(".chart h2"), "Bounce rate by day");
    let titles = browser.run("return [...document.querySelectorAll('.panel h2')].map(h => h.innerText)");
    assert!(titles.as_array().is_some_and(|titles| titles.contains(&json!("Exit pages"))), "{titles}");
    assert_eq!(browser.console_errors(), Vec::<String>::new());
}

#[test]
fn keys_do_what_plausibles_do() {
    let demo = Demo::start("3");
    let browser = &demo.browser;
    demo.sign_in();
    demo.open("");
    let keys = [
        ("e", "?period=yesterday"),
        ("w", "?period=7d"),
        ("f", "?period=28d"),
        ("t", "?period=30d"),
        ("n", "?period=91d"),
        ("m", "?period=month"),
        ("p", "?period=last-month"),
        ("y", "?period=year"),
        ("l", "?period=12mo"),
        ("a", "?period=all"),
        ("r", "?period=realtime"),
        ("d", ""),
        ("x", "?compare=off"),
        ("x", ""),
    ];
    for (key, search) in keys {
        browser.press(key);
        demo.search(key, search);
    }
    browser.press("?");
    demo.until("the keys", "document.querySelector('dialog[open] h2')?.innerText", |text| text == "Keys");
    // Letters belong to the dialog as long as it is open.
    browser.press("w");
    browser.press(ESCAPE);
    demo.until("no dialog", "document.querySelectorAll('dialog').length", |count| count == "0");
    demo.search("nothing changed", "");
    browser.press("c");
    demo.until("the calendar", "document.querySelector('dialog[open] h2')?.innerText", |text| text == "Days of your choice");
    browser.press(ESCAPE);
    demo.open("?f=is,visit:device,Desktop");
    browser.press(ESCAPE);
    demo.search("no filter", "");
}

#[test]
fn every_view_can_be_used_by_everybody() {
    let demo = Demo::start("30");
    let browser = &demo.browser;
    let home = format!("http://127.0.0.1:{}", demo.server.port);
    let wide = |height| browser.resize(1280, height);

    wide(1000);
    browser.visit(&home);
    browser.wait_for_text("main", |text| text.contains("token"));
    demo.is_accessible("sign-in");
    demo.sign_in();
    demo.is_accessible("sites");
    demo.open("?period=28d");
    demo.is_accessible("busy");
    assert!(browser.run("return document.querySelectorAll('.delta').length").as_u64() >= Some(5), "each card has its change");
    assert_eq!(browser.run("return document.querySelector('.line.before').getAttribute('d').length > 20"), json!(true));
    demo.open("?period=28d&f=is,visit:country,DE&f=is_not,visit:source,Google&tab=devices&tab=regions");
    demo.is_accessible("filtered");
    demo.open("?period=28d&all=top-pages");
    demo.until("a list", "document.querySelectorAll('.whole tbody tr').length", |rows| {
        rows.parse::<u32>().is_ok_and(|rows| rows > 5)
    });
    demo.is_accessible("list");
    demo.open("?period=28d");
    browser.press("/");
    demo.until("values", "document.querySelectorAll('.choice').length", |rows| rows.parse::<u32>().is_ok_and(|rows| rows > 3));
    demo.is_accessible("condition");
    browser.press(ESCAPE);
    browser.press("c");
    demo.is_accessible("calendar");
    browser.press(ESCAPE);
    browser.press("?");
    demo.is_accessible("keys");
    browser.press(ESCAPE);
    browser.click(".more-ranges");
    demo.is_accessible("ranges");
    demo.open("?period=realtime");
    demo.is_accessible("realtime");

    // Dark, by the switch, and still after another visit.
    browser.click(".quiet.icon");
    browser.click(".quiet.icon");
    assert_eq!(browser.run("return document.documentElement.dataset.theme"), json!("dark"));
    demo.open("?period=28d");
    assert_eq!(browser.run("return document.documentElement.dataset.theme"), json!("dark"));
    demo.is_accessible("dark");
    browser.click(".quiet.icon");

    browser.resize(500, 1000);
    demo.open("?period=28d&f=is,visit:country,DE");
    let overflow = browser.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth");
    assert_eq!(overflow, json!(0), "nothing stands out of a phone's screen");
    demo.is_accessible("phone");
    wide(1000);

    // A new site.
    demo.server.add_site("new.example", &[]);
    browser.visit(&format!("{home}/new.example"));
    browser.wait_for_text("main", |text| text.contains("Waiting for the first visit"));
    demo.is_accessible("empty");
}
