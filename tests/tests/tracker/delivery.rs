//! Delivery: what is done on a page is counted once, whatever becomes of the line and of the page.
use std::time::Duration;

use headwater_tests::front::Line;

use crate::stage::{Stage, VITALS, eventually, pause};

const BUTTON: &str = "<button onclick=\"headwater('Click', {value: 1})\">click</button>";

#[test]
fn a_bad_line_loses_nothing_and_doubles_nothing() {
    let stage = Stage::new();
    let click = |times| (0..times).for_each(|_| stage.browser.click("button"));

    // When the server answers 500, says when to come again, is slow, cannot be reached, or its answers are lost, everything
    // counts once when it is well again.
    let bad = [
        ("failing", Line::Answers(500, 0)),
        ("busy", Line::Answers(429, 1)),
        ("slow", Line::Slow(Duration::from_millis(1500))),
        ("down", Line::Down),
        ("deaf", Line::Deaf),
    ];
    for (name, line) in bad {
        let site = stage.site(name, &[("/", "", BUTTON)]);
        stage.front.line(line);
        stage.go(&site, "/");
        click(3);
        pause(600);
        click(2);
        stage.front.line(Line::Good);
        stage.counts(&site, [1, 0, 1, 6]);
        assert_eq!(stage.metric(&site, "Click", "sum"), 5.0, "{name}");
        stage.leave();
        stage.counts(&site, [1, 0, 1, 6]);
    }

    // When it refuses for good, nothing is asked again.
    let site = stage.site("refusing", &[("/", "", BUTTON)]);
    stage.front.line(Line::Answers(403, 0));
    stage.front.requests();
    stage.go(&site, "/");
    pause(2500);
    assert_eq!(stage.front.requests().len(), 1);
}

#[test]
fn what_a_page_left_is_sent_by_the_next() {
    let stage = Stage::new();
    let strict = "Content-Security-Policy: script-src 'self' 'unsafe-inline' http://127.0.0.1:*\r\n";
    for (name, headers) in [("left", ""), ("left-plain", strict)] {
        for line in [Line::Down, Line::Deaf, Line::Answers(503, 0)] {
            let name = format!("{name}-{}", format!("{line:?}").chars().filter(char::is_ascii_alphabetic).collect::<String>());
            let site = stage.site(&name.to_ascii_lowercase(), &[]);
            let tag = stage.tag(&site, "");
            stage.page(&site, "/", 200, headers, &format!("{tag}{BUTTON}<a href=/next>on</a>"));
            stage.page(&site, "/next", 200, headers, &format!("{tag}<h1>next</h1>"));

            // When the server is away while a page is seen, clicked on and left, the next page that reaches it tells that too.
            stage.front.line(line);
            stage.stay(&site, "/");
            stage.browser.click("button");
            stage.browser.click("button");
            pause(400);
            stage.leave();
            stage.front.line(Line::Good);
            stage.stay(&site, "/next");
            stage.leave();
            stage.stay(&site, "/next");
            let bounces = 0;
            let visits = if headers.is_empty() { 1 } else { 3 };
            stage.counts(&site, [visits, if visits == 1 { bounces } else { 2 }, 3, 5]);
            assert_eq!(stage.metric(&site, "Click", "sum"), 2.0);
            // What is acknowledged is kept no longer; without Wasm the last page's own signals wait for the next.
            if headers.is_empty() {
                let left = format!("return (localStorage['headwater:{site}:'] || '').length");
                eventually("nothing is left", &serde_json::json!(0), || stage.browser.run(&left));
            }
            stage.leave();
        }
    }
}

#[test]
fn ten_events_are_two_requests_of_three_hundred_bytes() {
    let stage = Stage::new();
    for (name, vitals) in [("ten", false), ("ten-vitals", true)] {
        let site = stage.site(name, &[]);
        // The tag as it is for visitors: a beacon in ten seconds.
        let mut tag = stage.tag(&site, "").replace("data-local=250", "data-local");
        if vitals {
            tag = tag.replace(&format!("data-off={VITALS}"), "");
        }
        stage.page(&site, "/", 200, "", &format!("{tag}{BUTTON}"));
        stage.front.requests();
        stage.go(&site, "/");
        for _ in 0..10 {
            stage.browser.click("button");
            pause(60);
        }
        stage.leave();
        eventually("ten clicks", &Some(10), || stage.by(&site, "event:name", "events").get("Click").copied());
        let requests = stage.front.requests();
        let bytes: usize = requests.iter().map(|request| request.body.len()).sum();
        let told = stage.by(&site, "event:name", "events").len() - 2;
        println!("a view, ten events and {told} vitals: {} requests, {bytes} bytes", requests.len());
        assert_eq!(told > 0, vitals);
        assert!(requests.len() <= 2 && bytes <= 300, "{} requests, {bytes} bytes", requests.len());
    }
}

#[test]
fn a_page_without_network_counts_in_its_right_minute() {
    let stage = Stage::new();
    let site = stage.site("offline", &[("/", "", BUTTON)]);
    stage.front.line(Line::Down);
    // When a clock of the page says that twenty minutes pass offline, each click counts in the minute in which it was made.
    let clock = "<script>{ const now = Date.now; window.passed = -1.2e6; Date.now = () => now() + window.passed }</script>";
    stage.page(&site, "/", 200, "", &format!("{clock}{}{BUTTON}", stage.tag(&site, "")));
    stage.go(&site, "/");
    pause(400);
    stage.browser.run("window.passed = -6e5");
    stage.browser.click("button");
    pause(400);
    stage.browser.run("window.passed = 0");
    stage.browser.click("button");
    stage.front.line(Line::Good);
    stage.counts(&site, [1, 0, 1, 3]);
    let minutes = stage.by(&site, "time:minute", "events");
    assert_eq!(minutes.values().copied().collect::<Vec<_>>(), [1, 1, 1], "{minutes:?}");
}
