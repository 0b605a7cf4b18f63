//! What a page says by itself: the snippets of docs/tracker.md, as they stand there.
use headwater_tests::browser::{ELSEWHERE, Kind};
use serde_json::json;

use crate::stage::{Stage, VITALS, pause, without_vitals};

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
fn only_pages_that_the_tag_includes_count() {
    let stage = Stage::new();
    let only = "data-include=/shop/** data-exclude=/shop/bin/*";
    let html = "<button id=click onclick=\"headwater('Click')\">x</button><a href=/shop/cups>cups</a>\
                <button id=in onclick=\"history.pushState(0, '', '/shop/plates')\">in</button>\
                <button id=out onclick=\"history.pushState(0, '', '/shop/bin/x')\">out</button>";
    let pages = [("/about", only, html), ("/shop/cups", only, "<h1>cups</h1>")];

    // When a page is not among them, neither it nor what is done there counts; the visit begins with the first that is.
    let site = stage.site("part", &pages);
    // Without the Navigation API the path is looked at once a second.
    let settle = if stage.browser.kind == Kind::WebKit { 1200 } else { 0 };
    stage.stay(&site, "/about");
    for button in ["#click", "#in", "#click", "#out", "#click"] {
        stage.browser.click(button);
        pause(settle);
    }
    stage.leave();
    stage.counts(&site, [1, 0, 1, 2]);
    stage.rows(&site, "event:page", "events", &[("/shop/plates", 2)]);

    // When they come to that one over a link, too.
    let site = stage.site("linked", &pages);
    stage.stay(&site, "/about");
    stage.browser.click("a");
    stage.browser.wait_for_text("h1", |text| text == "cups");
    stage.leave();
    stage.counts(&site, [1, 1, 1, 1]);
    stage.rows(&site, "visit:entry_page", "visits", &[("/shop/cups", 1)]);
}

#[test]
fn a_device_is_one_visitor_as_long_as_it_keeps_its_id() {
    let stage = Stage::new();
    stage.server.add_site("house.localhost", &[]);
    stage.device_site("device.localhost");
    for (site, identity, visitors) in [("house.localhost", "", 1), ("device.localhost", "data-identity=device", 2)] {
        stage.page(site, "/", 200, "", &stage.tag(site, identity));
        // When somebody comes back, that is the same visitor.
        for views in 1..=2 {
            stage.go(site, "/");
            stage.counts(site, [1, u64::from(views == 1), views, views]);
            stage.leave();
        }
        assert_eq!(stage.visitors(site), 1, "{site}");
        // When the browser has forgotten everything, it is another one by the device's id, and the same by the address.
        let forget = format!("<script>localStorage.clear()</script>{}", stage.tag(site, identity));
        stage.page(site, "/", 200, "", &forget);
        stage.go(site, "/");
        stage.counts(site, [2, 1, 3, 3]);
        assert_eq!(stage.visitors(site), visitors, "{site}");
        stage.leave();
    }
}

#[test]
fn beacons_follow_each_other_faster_on_localhost_only() {
    let stage = Stage::new();
    for site in ["here.localhost", ELSEWHERE] {
        if site == ELSEWHERE && stage.browser.kind == Kind::WebKit {
            continue;
        }
        stage.server.add_site(site, &[]);
        stage.page(site, "/", 200, "", &format!("{}<button data-headwater-event=Click>x</button>", stage.tag(site, "")));
        stage.front.requests();
        stage.stay(site, "/");
        for _ in 0..6 {
            stage.browser.click("button");
            pause(400);
        }
        // When the tag names an interval, it holds on this machine; for visitors it stays ten seconds.
        let requests = stage.front.requests().len();
        assert_eq!(requests > 2, site == "here.localhost", "{requests} requests from {site}");
        assert!(requests > 0, "the view is told at once");
        stage.leave();
        stage.counts(site, [1, 0, 1, 7]);
    }
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
    pause(300);
    stage.front.requests();
    stage.go(&site, "/");
    stage.browser.click("button");
    stage.leave();
    stage.go(&site, "/");
    stage.browser.click("button");
    pause(300);
    assert_eq!(stage.browser.run("return window.done"), json!(1));
    stage.browser.run("localStorage.clear()");
    for signal in ["navigator, 'globalPrivacyControl', {value: true}", "navigator, 'doNotTrack', {value: '1'}"] {
        let page = format!("<script>Object.defineProperty({signal})</script>{}", stage.tag(&site, "data-exclude=/asks"));
        stage.page(&site, "/asks", 200, "", &page);
        stage.go(&site, "/asks");
        assert_eq!(stage.browser.run("return localStorage.length"), json!(0), "nothing is stored");
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
