//! What the tracker costs a page, in Chromium: main-thread time of an event, and of the start.
use std::thread::sleep;
use std::time::Duration;

use headwater_tests::browser::Browser;
use headwater_tests::front::Front;
use headwater_tests::server::Server;
use serde_json::Value;

use crate::quantile;

const SITE: &str = "bench.localhost";
/// Page loads; those before them, in which the browser learns (it keeps compiled code, opens storage), are left out.
const LOADS: usize = 21;
const WARM: usize = 4;
/// How long a page is watched: what is left of the page before is sent, and the first beacon goes.
const START: Duration = Duration::from_millis(1200);
/// Batches of events, and events in each: the page's clock is coarse, so one event cannot be timed.
const BATCHES: usize = 40;
const EVENTS: usize = 50;
/// What runs scripts on a thread, as a trace names it: a file, a callback of the page, promises, and compiling. One may be in
/// another. (`ScriptDuration` of the DevTools leaves promises out.)
const SCRIPTS: [&str; 8] = [
    "EvaluateScript",
    "v8.run",
    "v8.callFunction",
    "FunctionCall",
    "RunMicrotasks",
    "v8.evaluateModule",
    "v8.compile",
    "v8.compileModule",
];

/// Prints both, beside what they may be.
pub(crate) fn print() {
    let server = Server::start();
    server.add_site(SITE, &[]);
    let front = Front::of(&server.api());
    let port = front.port;
    let tag = format!("<script defer data-site={SITE} data-local data-automated src=http://127.0.0.1:{port}/t.js></script>");
    let html = format!("<!doctype html><title>bench</title>{tag}<h1>bench</h1><button data-headwater-event=Marked>x</button>");
    front.page(&format!("{SITE}/"), (200, "", html));
    let page = format!("http://{SITE}:{port}/");

    println!("\nThe tracker on the main thread of a page in Chromium");
    println!("{:<58}{:>8}{:>8}{:>10}", "", "p50", "p90", "at most");
    let row = |what: &str, mut times: Vec<f64>, bound: &str| {
        times.sort_by(f64::total_cmp);
        println!("{what:<58}{:>8.1}{:>8.1}{bound:>10}", quantile(&times, 0.5), quantile(&times, 0.9));
    };

    let browser = Browser::start();
    browser.visit(&page);
    sleep(START);
    // Answers come in between two batches. `later` is how much the page's clock goes on with each event.
    browser.run("const now = Date.now; window.passed = 0; Date.now = () => now() + passed");
    let time = |what: &str, later: u32| -> Vec<f64> {
        let script = format!(
            "const mark = document.querySelector('button'), start = performance.now();\
             for (let event = 0; event < {EVENTS}; event++) {{ passed += {later}; {what} }}\
             return (performance.now() - start) / {EVENTS} * 1000"
        );
        let batch = |_| {
            sleep(Duration::from_millis(20));
            browser.run(&script).as_f64().unwrap_or(f64::NAN)
        };
        (0..BATCHES).map(batch).collect()
    };
    row("headwater('Click', …), µs", time("headwater('Click', {props: {plan: 'pro'}, value: event})", 0), "50");
    row("a click on a marked element, µs", time("mark.click()", 0), "50");
    row("a click a second after another, with all beacons, µs", time("mark.click()", 1000), "50");
    drop(browser);

    let browser = Browser::traced("v8,v8.execute,devtools.timeline");
    for _ in 0..WARM + LOADS {
        browser.visit(&page);
        sleep(START);
    }
    browser.visit("about:blank");
    let trace = browser.trace();
    let starts = trace.iter().filter(|event| event["name"] == "EvaluateScript" && is_tracker(event));
    let times: Vec<f64> = starts.skip(WARM).map(|start| scripts(&trace, start)).collect();
    row("start: scripts of the first 1.2 s, with compiling, ms", times, "2");
}

fn is_tracker(event: &Value) -> bool {
    event["args"]["data"]["url"].as_str().is_some_and(|url| url.ends_with("/t.js"))
}

/// Milliseconds of its thread's own time that scripts took from `start` on, nested ones once.
fn scripts(trace: &[Value], start: &Value) -> f64 {
    let number = |event: &Value, what: &str| event[what].as_f64().unwrap_or(0.0);
    let begin = number(start, "ts");
    let until = begin + START.as_micros() as f64;
    let same = |event: &&Value| event["pid"] == start["pid"] && event["tid"] == start["tid"] && event["ph"] == "X";
    let named = |event: &&Value| SCRIPTS.iter().any(|name| event["name"] == *name);
    let inside = |event: &&Value| (begin..until).contains(&number(event, "ts"));
    let mut events: Vec<&Value> = trace.iter().filter(same).filter(named).filter(inside).collect();
    events.sort_by(|a, b| number(a, "ts").total_cmp(&number(b, "ts")).then(number(b, "dur").total_cmp(&number(a, "dur"))));
    let (mut sum, mut end) = (0.0, 0.0);
    for event in events {
        if number(event, "ts") >= end {
            end = number(event, "ts") + number(event, "dur");
            sum += number(event, "tdur");
        }
    }
    sum / 1000.0
}
