//! The demo site in a server, and a browser that looks at it.
use std::path::Path;
use std::time::{Duration, Instant};

use headwater_tests::browser::Browser;
use headwater_tests::server::{ADMIN, Server, free_port, headwater};
use serde_json::{Value, json};

/// How long the page may take to show what is waited for; a loaded machine is slow.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// WebDriver's name of the key.
pub(crate) const ESCAPE: &str = "\u{e00c}";

/// The demo site with a few days of visits, always the same.
pub(crate) struct Demo {
    pub(crate) server: Server,
    pub(crate) browser: Browser,
    _folder: tempfile::TempDir,
}

impl Demo {
    pub(crate) fn start(days: &str) -> Self {
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
    pub(crate) fn sign_in(&self) {
        let log = self.server.log();
        let link = log.split_whitespace().find(|word| word.contains("#sign-in=")).unwrap_or_else(|| panic!("no link in: {log}"));
        // From another page: where only the fragment changes, a browser loads nothing anew.
        self.browser.visit("about:blank");
        self.browser.visit(link);
        self.browser.wait_for_text("main", |text| text.contains("demo.localhost"));
    }

    /// Opens a view of the demo site and waits for its figures.
    pub(crate) fn open(&self, search: &str) {
        self.browser.visit(&format!("http://127.0.0.1:{}/demo.localhost{search}", self.server.port));
        self.until("figures", "document.querySelector('.card .figure')?.innerText ?? '–'", |text| text != "–");
        self.settle();
    }

    /// Waits until nothing is being asked for.
    pub(crate) fn settle(&self) {
        self.until("rest", "document.querySelector('.loading') ? 'loading' : ''", |text| text == "Some" || text.is_empty());
    }

    pub(crate) fn until(&self, what: &str, script: &str, wanted: impl Fn(&str) -> bool) -> String {
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

    /// The day that is so many days after today, by UTC.
    pub(crate) fn day(&self, after: i64) -> String {
        let script = format!("return new Date(Date.now() + {after} * 86400000).toISOString().slice(0, 10)");
        self.browser.run(&script).as_str().unwrap_or_default().to_owned()
    }

    /// Clicks what has these words.
    pub(crate) fn press_button(&self, words: &str) {
        let button = format!(
            "[...document.querySelectorAll('button, a, summary')].find(b => b.innerText.trim() == {words:?} && b.offsetParent)"
        );
        self.until(words, &format!("Boolean({button})"), |found| found == "true");
        self.browser.run(&format!("{button}.click()"));
    }

    /// Fills a field, as typing does.
    pub(crate) fn fill(&self, field: &str, text: &str) {
        self.until(field, &format!("Boolean(document.querySelector({field:?}))"), |found| found == "true");
        let script = "const field = document.querySelector(FIELD); field.value = TEXT;
            field.dispatchEvent(new Event('input', {bubbles: true})); field.dispatchEvent(new Event('change', {bubbles: true}));";
        self.browser.run(&script.replace("FIELD", &format!("{field:?}")).replace("TEXT", &json!(text).to_string()));
    }

    pub(crate) fn search(&self, what: &str, wanted: &str) {
        self.until(what, "location.search", |text| text == wanted);
    }

    pub(crate) fn figure(&self, card: usize) -> String {
        self.browser
            .run(&format!("return document.querySelectorAll('.card .figure')[{card}].innerText"))
            .as_str()
            .unwrap_or_default()
            .into()
    }

    /// Fails if the checker finds that somebody could not use what is shown.
    pub(crate) fn is_accessible(&self, view: &str) {
        is_accessible(&self.browser, view);
    }
}

/// Fails if the checker finds that somebody could not use what is shown.
pub(crate) fn is_accessible(browser: &Browser, view: &str) {
    let axe = Path::new(env!("CARGO_MANIFEST_DIR")).join("../node_modules/axe-core/axe.min.js");
    let axe = std::fs::read_to_string(&axe).unwrap_or_else(|error| panic!("{}: {error}: run `npm ci` first", axe.display()));
    // What moves while it is looked at is half transparent.
    std::thread::sleep(Duration::from_millis(600));
    browser.run(&format!(
        "if (!window.axe) {{ {axe} }}
         window.told = undefined;
         axe.run(document, {{resultTypes: ['violations']}}).then(
             told => window.told = told.violations.map(v => [v.id, v.help, v.nodes.slice(0, 3).map(n => n.html + ' ' + n.failureSummary)]),
             error => window.told = [String(error)])"
    ));
    let start = Instant::now();
    let told = loop {
        match browser.run("return window.told") {
            Value::Null => assert!(start.elapsed() < PATIENCE, "axe-core does not answer"),
            told => break told,
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    browser.screenshot(&format!("dashboard-{view}"));
    assert_eq!(told, json!([]), "{view}: {told:#}");
}
