//! Visits: when they begin, go on and end, and what was spent on their pages.
use std::time::Instant;

use headwater_tests::browser::Kind;

use crate::stage::{Stage, eventually, pause};

#[test]
fn visits_are_told_in_the_browser() {
    let stage = Stage::new();

    // When somebody reads three pages and leaves, that is one visit, which did not bounce, and they leave from the third.
    let site =
        stage.site("reader", &[("/", "", "<a href=/two>on</a>"), ("/two", "", "<a href=/three>on</a>"), ("/three", "", "")]);
    stage.go(&site, "/?utm_source=letter&utm_campaign=may&gclid=secret");
    stage.counts(&site, [1, 1, 1, 1]);
    stage.browser.click("a");
    stage.counts(&site, [1, 0, 2, 2]);
    stage.browser.click("a");
    stage.counts(&site, [1, 0, 3, 3]);
    stage.leave();
    stage.rows(&site, "visit:entry_page", "visits", &[("/", 1)]);
    stage.rows(&site, "visit:exit_page", "visits", &[("/three", 1)]);
    stage.rows(&site, "visit:utm_campaign", "visits", &[("may", 1)]);
    stage.rows(&site, "event:page", "pageviews", &[("/", 1), ("/two", 1), ("/three", 1)]);

    // When they open another page in another tab, the visit goes on there; when they come with another campaign, a new one begins.
    let tab = stage.browser.new_tab();
    stage.go(&site, "/two");
    stage.counts(&site, [1, 0, 4, 4]);
    stage.go(&site, "/two?utm_source=advert");
    stage.counts(&site, [2, 1, 5, 5]);
    stage.browser.close_tab(&tab);

    // When the page may use no storage, visits are told from the referrer and the links that are followed.
    let none = "data-storage=none";
    let site = stage.site("bare", &[("/", none, "<a href=/two>on</a>"), ("/two", none, "")]);
    stage.stay(&site, "/");
    stage.browser.click("a");
    stage.counts(&site, [1, 0, 2, 2]);
    assert_eq!(stage.browser.run("return localStorage.length"), 0, "nothing is stored");
    stage.leave();
    stage.counts(&site, [1, 0, 2, 2]);
}

#[test]
fn a_visit_outlives_the_browser() {
    let mut stage = Stage::new();
    if stage.browser.kind != Kind::Chromium {
        return;
    }
    let site = stage.site("later", &[("/", "", ""), ("/two", "", "")]);
    stage.go(&site, "/?utm_source=letter");
    stage.counts(&site, [1, 1, 1, 1]);
    // When the browser is closed and opened again, the visit goes on there, and what was sent on leaving counts once.
    stage.browser = stage.browser.reopened();
    stage.go(&site, "/two");
    stage.counts(&site, [1, 0, 2, 2]);
    stage.leave();
    stage.rows(&site, "visit:source", "pageviews", &[("letter", 2)]);
    stage.rows(&site, "visit:exit_page", "visits", &[("/two", 1)]);
    // When it was closed for more than half an hour, another one begins.
    let later = "<script>{ const now = Date.now; Date.now = () => now() + 18e5 }</script>";
    stage.page(&site, "/three", 200, "", &format!("{later}{}", stage.tag(&site, "")));
    stage.browser = stage.browser.reopened();
    stage.go(&site, "/three");
    stage.counts(&site, [2, 1, 3, 3]);
}

#[test]
fn time_and_depth_are_those_of_a_reader() {
    let stage = Stage::new();
    let tall = "<div style=height:9000px></div>";
    let site = stage.site("tall", &[("/", "", tall), ("/off", "data-off=engagement", tall), ("/next", "", "short")]);

    // When a page is looked at for some seconds and scrolled to its end, so many seconds and 100 % are counted.
    stage.go(&site, "/");
    let start = Instant::now();
    pause(1500);
    stage.browser.run("scrollTo(0, 9000)");
    pause(1200);
    stage.leave();
    let spent = start.elapsed().as_secs_f64();
    stage.counts(&site, [1, 1, 1, 1]);
    eventually("a hundred per cent", &100, || stage.by(&site, "event:page", "scroll_depth").get("/").copied().unwrap_or(0));
    let counted = stage.seconds(&site) as f64;
    assert!((counted - spent).abs() <= 1.0, "{counted} seconds of {spent}");

    // When another tab is in front, no time passes here.
    let page = stage.browser.window();
    stage.go(&site, "/next");
    let start = Instant::now();
    stage.browser.new_tab();
    let seen = start.elapsed().as_secs_f64();
    pause(2500);
    stage.browser.close_tab(&page);
    let start = Instant::now();
    stage.leave();
    let spent = counted + seen + start.elapsed().as_secs_f64();
    stage.counts(&site, [1, 0, 2, 2]);
    let counted = stage.seconds(&site) as f64;
    assert!((counted - spent).abs() <= 1.5, "{counted} seconds of {spent}");

    // When the tag says so, neither is counted.
    stage.go(&site, "/off");
    pause(1200);
    stage.leave();
    stage.counts(&site, [1, 0, 3, 3]);
    assert_eq!(stage.by(&site, "event:page", "scroll_depth").get("/off"), None);
}
