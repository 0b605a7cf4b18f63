//! What stands on the page beside counts of visitors: how fast pages are, and what events are worth; as it is written where the reader is.
use headwater_tests::api::Api;
use headwater_tests::server::ADMIN;
use serde_json::{Value, json};

use crate::demo::Demo;

const SITE: &str = "shop.example";

/// Of the events of twelve page loads: nine of `/` with fast and three of `/slow` with slow drawings, and a purchase.
fn events() -> Value {
    let event = |n: usize, name: &str, path: &str, more: Value| {
        let mut event = json!({"domain": SITE, "name": name, "url": format!("http://{SITE}{path}"),
            "ip": format!("10.1.0.{n}"), "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"});
        if let (Some(event), Value::Object(more)) = (event.as_object_mut(), more) {
            event.extend(more);
        }
        event
    };
    let load = |n: usize| {
        let (path, lcp) = if n < 9 { ("/", 1200) } else { ("/slow", 4800) };
        let value = |value: Value| json!({"value": value, "interactive": false});
        [
            event(n, "pageview", path, json!({})),
            event(n, "LCP", path, value(json!(lcp))),
            event(n, "CLS", path, value(json!(0.125))),
        ]
    };
    let bought = event(1, "Purchase", "/", json!({"revenue": {"amount": 1234.5, "currency": "EUR"}}));
    (0..12).flat_map(load).chain([bought]).collect()
}

#[test]
fn slow_pages_are_found_and_numbers_are_the_readers_own() {
    let demo = Demo::start("2");
    let browser = &demo.browser;
    let api = Api::new(demo.server.port, Some(ADMIN));
    let open = |search: &str| {
        browser.visit(&format!("http://127.0.0.1:{}/{SITE}{search}", demo.server.port));
        demo.until("figures", "document.querySelector('.card .figure')?.innerText ?? '–'", |text| text != "–");
        demo.settle();
    };
    demo.server.add_site(SITE, &[]);
    demo.sign_in();
    let visit = json!({"domain": SITE, "name": "pageview", "url": format!("http://{SITE}/")});
    assert_eq!(api.post("/api/event", &visit).expect("an answer").status, 202);
    open("?period=day");
    assert_eq!(browser.run("return document.querySelectorAll('.vital').length"), json!(0), "nobody measured anything");

    assert_eq!(api.post("/api/event", &events()).expect("an answer").status, 202);
    let words = "[...document.querySelectorAll('.vital')].map(vital => vital.innerText.replace(/\\s+/g, ' ')).join('; ')";
    let lcp = demo.until("the vitals, live", words, |text| text.contains("12 page loads"));
    assert!(lcp.starts_with("LCP , Largest Contentful Paint 1.2 s Good, 12 page loads; INP"), "{lcp}");
    assert!(lcp.contains("– Not measured"), "{lcp}");
    assert!(lcp.contains("CLS , Cumulative Layout Shift 0.13 Needs work, 12 page loads"), "{lcp}");
    let listed = browser.run("return document.querySelector('.panels').innerText").to_string();
    assert!(!listed.contains("LCP"), "they are not among the events: {listed}");

    // Page by page, and from there to one page.
    browser.run("document.querySelector('.vital').click()");
    let rows =
        "[...document.querySelectorAll('dialog tbody tr')].map(row => [...row.cells].map(c => c.innerText).join(' ')).join('; ')";
    demo.until("its pages", rows, |text| text == "/ 1.2 s Good 9; /slow 4.8 s Poor 3");
    demo.is_accessible("a vital page by page");
    demo.press_button("/slow");
    demo.until("the slow page's", words, |text| text.contains("4.8 s Poor, 3 page loads"));

    // What events are worth.
    open("?period=day&all=events");
    demo.until("what was bought", "document.querySelector('dialog tbody')?.innerText ?? ''", |text| text.contains("1,234.5 EUR"));

    // The same in Germany.
    let german = json!({"userAgent": "Mozilla/5.0 (X11; Linux x86_64)", "acceptLanguage": "de-DE"});
    browser.devtools("Emulation.setUserAgentOverride", &german);
    open("?period=day&all=events");
    demo.until("what was bought", "document.querySelector('dialog tbody')?.innerText ?? ''", |text| text.contains("1.234,5 EUR"));
    open("?period=day");
    demo.until("the vitals", words, |text| text.contains("1,2 s Good") && text.contains("0,13 Needs work"));
    demo.until("the hours", "[...document.querySelectorAll('svg text')].map(t => t.textContent).join()", |text| {
        text.contains("04:00")
    });
    demo.is_accessible("in Germany");
}
