//! What a page says by itself: the snippets of docs/tracker.md, as they stand there.
use serde_json::json;

use crate::stage::{Stage, VITALS, without_vitals};

/// The snippet of docs/tracker.md under a heading: its first block of code.
fn snippet(heading: &str) -> String {
    let docs = include_str!("../../../docs/tracker.md");
    let part = docs.split(&format!("## {heading}\n")).nth(1).unwrap_or_else(|| panic!("no heading {heading}"));
    let code = part.split("```html\n").nth(1).and_then(|code| code.split("```").next());
    code.unwrap_or_else(|| panic!("no code under {heading}")).to_owned()
}

/// The same for this stage: its server, and counting on localhost.
fn on_stage(stage: &Stage, site: &str, heading: &str) -> String {
    without_vitals_in(&snippet(heading))
        .replace("https://stats.example.com", &format!("http://127.0.0.1:{}", stage.front.port))
        .replace("data-site=\"example.com\"", &format!("data-site=\"{site}\" data-local=250 data-automated"))
}

/// The same HTML, but its tag leaves out web vitals.
fn without_vitals_in(html: &str) -> String {
    let tag = "<script defer ";
    match html.split_once(tag) {
        Some((before, attributes)) => format!("{before}{tag}{}", without_vitals(attributes)),
        None => html.to_owned(),
    }
}

/// A site whose page `/` is a snippet, with more HTML after it.
fn documented(stage: &Stage, name: &str, heading: &str, more: &str) -> String {
    let site = stage.site(name, &[]);
    let html = on_stage(stage, &site, heading);
    let tag = if html.contains("data-site") { String::new() } else { stage.tag(&site, "") };
    for path in ["/", "/users/17", "/admin/secret", "/blog/a/b"] {
        stage.page(&site, path, 200, "", &format!("{html}{tag}{more}"));
    }
    site
}

#[test]
fn the_snippets_of_the_documentation_do_what_it_says() {
    let stage = Stage::new();

    let site = documented(&stage, "tag", "The tag", "");
    stage.go(&site, "/?utm_source=x&secret=1#part");
    stage.counts(&site, [1, 1, 1, 1]);
    stage.rows(&site, "event:page", "pageviews", &[("/", 1)]);

    let site = documented(&stage, "calls", "Events", "");
    stage.go(&site, "/");
    stage.browser.click("button");
    stage.events(&site, &[("Signup", 1), ("Purchase", 1), ("Heartbeat", 1)]);
    stage.rows(&site, "event:props:plan", "events", &[("pro", 1)]);
    assert!((stage.metric(&site, "Purchase", "total_revenue") - 29.9).abs() < 1e-9);
    assert_eq!(stage.browser.run("return window.done"), json!(1), "the callback was called");

    let site = documented(&stage, "marks", "Marked elements", "");
    stage.stay(&site, "/");
    stage.browser.click("button");
    stage.events(&site, &[("Signup", 1)]);
    stage.rows(&site, "event:props:plan", "events", &[("pro", 1)]);

    let site =
        documented(&stage, "props", "Properties of every event", "<script defer>onload = () => headwater('Read')</script>");
    stage.go(&site, "/");
    stage.counts(&site, [1, 0, 1, 2]);
    stage.rows(&site, "event:props:author", "events", &[("Ann", 2)]);

    let site = documented(&stage, "manual", "Page views by hand", "");
    stage.go(&site, "/");
    stage.counts(&site, [1, 1, 1, 1]);
    stage.rows(&site, "event:page", "pageviews", &[("/checkout/payment", 1)]);
    stage.rows(&site, "event:props:step", "events", &[("2", 1)]);

    // (The title of a page on the stage is its path.)
    let site = documented(&stage, "title", "The title", "");
    stage.go(&site, "/blog/a/b");
    stage.counts(&site, [1, 1, 1, 1]);
    stage.rows(&site, "event:props:title", "events", &[("/blog/a/b", 1)]);

    let site = documented(&stage, "groups", "Which pages", "");
    // (A page that is left before it knows which pages count is not counted, so each has its time.)
    for (path, views) in [("/users/17", 1), ("/admin/secret", 1), ("/blog/a/b", 2), ("/", 3)] {
        stage.stay(&site, path);
        stage.counts(&site, [1, u64::from(views == 1), views, views]);
    }
    stage.leave();
    stage.rows(&site, "event:page", "pageviews", &[("/users/*", 1), ("/blog/**", 1), ("/", 1)]);
}

#[test]
fn the_package_for_bundlers_puts_the_tag_into_the_page() {
    let stage = Stage::new();
    let site = stage.site("bundled", &[]);
    let html = format!(
        "<script type=module>{}\n\
         track('Early'); init({{site: '{site}', src: 'http://127.0.0.1:{}/t.js', group: ['/users/*', '/x'], local: 250, \
         automated: true, query: false, off: '{VITALS}', props: {{author: 'Ann'}}}});\
         track('Signup', {{value: 2}}); setTimeout(() => track('Late'), 1000)</script>",
        include_str!("../../../tracker-js/npm/index.js"),
        stage.front.port
    );
    stage.page(&site, "/users/7", 200, "", &html);
    stage.go(&site, "/users/7?q=1");
    stage.counts(&site, [1, 0, 1, 4]);
    stage.events(&site, &[("Early", 1), ("Signup", 1), ("Late", 1)]);
    stage.rows(&site, "event:page", "events", &[("/users/*", 4)]);
    stage.rows(&site, "event:props:author", "events", &[("Ann", 4)]);
}

#[test]
fn those_who_do_not_want_to_be_counted_are_not() {
    let stage = Stage::new();
    let site = stage.site("quiet", &[("/", "", "<button onclick=\"headwater('X', {callback() {window.done = 1}})\">x</button>")]);
    stage.go(&site, "/");
    stage.counts(&site, [1, 1, 1, 1]);

    // When they opted out, or their browser asks not to be tracked, nothing is sent; the page's callbacks are called all the same.
    stage.browser.run("localStorage.headwater_ignore = 'true'");
    stage.leave();
    crate::stage::pause(300);
    stage.front.requests();
    stage.go(&site, "/");
    stage.browser.click("button");
    stage.leave();
    stage.go(&site, "/");
    stage.browser.click("button");
    crate::stage::pause(300);
    assert_eq!(stage.browser.run("return window.done"), json!(1));
    stage.browser.run("delete localStorage.headwater_ignore");
    for signal in ["navigator, 'globalPrivacyControl', {value: true}", "navigator, 'doNotTrack', {value: '1'}"] {
        let page = format!("<script>Object.defineProperty({signal})</script>{}", stage.tag(&site, ""));
        stage.page(&site, "/asks", 200, "", &page);
        stage.go(&site, "/asks");
        stage.leave();
    }

    // When the browser is driven or the page is on this machine, it counts only if the tag says so.
    let tag = |drop: &str| stage.tag(&site, "").replace(drop, "");
    stage.page(&site, "/driven", 200, "", &tag("data-automated"));
    stage.go(&site, "/driven");
    stage.page("127.0.0.1", "/here", 200, "", &tag("data-local"));
    stage.go("127.0.0.1", "/here");
    stage.leave();
    assert!(stage.front.requests().iter().all(|request| request.body.is_empty()), "something was sent");
    stage.counts(&site, [1, 1, 1, 1]);
}
