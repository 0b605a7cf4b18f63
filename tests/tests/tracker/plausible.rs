//! Plausible's own trackers, pointed at `/api/event`: the npm packages that package.json pins.
use std::path::Path;

use crate::stage::{Stage, eventually, pause};

/// Chromium says that it is driven, and both trackers heed that.
const UNDRIVEN: &str = "<script>Object.defineProperty(navigator, 'webdriver', {value: false})</script>";

/// A script of a package.
fn package(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../node_modules").join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("{} is not there: run `npm ci` first", path.display()))
}

#[test]
fn plausibles_official_tracker_is_counted() {
    let stage = Stage::new();
    let site = stage.site("official", &[]);
    let html = format!(
        "{UNDRIVEN}<script type=module>{}\n\
         init({{domain: '{site}', endpoint: 'http://127.0.0.1:{}/api/event', captureOnLocalhost: true, outboundLinks: true, \
         formSubmissions: true, customProperties: {{theme: 'dark'}}}});</script>\
         <button onclick=\"plausible('Purchase', {{props: {{plan: 'pro'}}, revenue: {{amount: 29.9, currency: 'EUR'}}}})\">buy</button>\
         <a href='{}'>out</a><div style=height:5000px></div>",
        package("@plausible-analytics/tracker/plausible.js"),
        stage.front.port,
        stage.url("other.localhost", "/there"),
    );
    stage.page("other.localhost", "/there", 200, "", "<h1>there</h1>");
    stage.page(&site, "/", 200, "", &html);

    // When a page is seen, something bought, the path changed and the site left by a link, this is counted.
    let start = std::time::Instant::now();
    stage.go(&site, "/?utm_source=letter");
    stage.counts(&site, [1, 1, 1, 1]);
    stage.browser.run("scrollTo(0, 9000)");
    stage.browser.click("button");
    stage.counts(&site, [1, 0, 1, 2]);
    assert!((stage.metric(&site, "Purchase", "total_revenue") - 29.9).abs() < 1e-9);
    pause(3100);
    stage.browser.run("history.pushState(0, '', '/second')");
    stage.counts(&site, [1, 0, 2, 3]);
    stage.browser.run("document.querySelector('a').click()");
    stage.browser.wait_for_text("h1", |text| text == "there");
    stage.counts(&site, [1, 0, 2, 4]);
    stage.events(&site, &[("Purchase", 1), ("Outbound Link: Click", 1)]);
    stage.rows(&site, "event:props:plan", "events", &[("pro", 1)]);
    stage.rows(&site, "event:props:theme", "events", &[("dark", 4)]);
    stage.rows(&site, "event:page", "pageviews", &[("/", 1), ("/second", 1)]);
    stage.rows(&site, "visit:source", "visits", &[("letter", 1)]);
    stage.rows(&site, "visit:exit_page", "visits", &[("/second", 1)]);
    // Its engagement events add time and depth, and are no events.
    eventually("the depth of the first page", &100, || {
        stage.by(&site, "event:page", "scroll_depth").get("/").copied().unwrap_or(0)
    });
    let (seconds, passed) = (stage.seconds(&site), start.elapsed().as_secs() + 2);
    assert!((3..=passed).contains(&seconds), "{seconds} seconds of {passed}");
}

#[test]
fn the_older_package_is_counted() {
    let stage = Stage::new();
    let site = stage.site("older", &[]);
    // The package's files are modules of each other: put together they are one script.
    let parts = ["request", "tracker"].map(|part| package(&format!("plausible-tracker/build/module/lib/{part}.js")));
    let script: String = parts
        .iter()
        .flat_map(|part| part.lines())
        .filter(|line| !line.starts_with("import "))
        .map(|line| format!("{}\n", line.trim_start_matches("export default ").trim_start_matches("export ")))
        .collect();
    let html = format!(
        "{UNDRIVEN}<script type=module>{script}\n\
         window.plausible = Plausible({{domain: '{site}', apiHost: 'http://127.0.0.1:{}', trackLocalhost: true}});\
         plausible.enableAutoPageviews();</script>\
         <button onclick=\"plausible.trackEvent('Signup', {{props: {{plan: 'free'}}}})\">sign up</button>",
        stage.front.port,
    );
    stage.page(&site, "/", 200, "", &html);
    stage.go(&site, "/");
    stage.counts(&site, [1, 1, 1, 1]);
    stage.browser.click("button");
    stage.browser.run("history.pushState(0, '', '/second')");
    stage.counts(&site, [1, 0, 2, 3]);
    stage.events(&site, &[("Signup", 1)]);
    stage.rows(&site, "event:props:plan", "events", &[("free", 1)]);
}
