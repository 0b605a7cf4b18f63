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
/// Clicks from one beacon to the next: one a second, by the page's clock.
const CLICKS: usize = 10;
/// How long an answer may take to come, before what is timed next.
const PAUSE: Duration = Duration::from_millis(60);
/// What is traced: scripts, and marks of the page.
const TRACED: &str = "v8,v8.execute,devtools.timeline,blink.user_timing";
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
    let from = format!("http://127.0.0.1:{}", front.port);
    let page = |path: &str, head: &str| {
        let html = format!(
            "<!doctype html><title>bench</title><script>performance.mark('start')</script>{head}<h1>bench</h1>\
             <button data-headwater-event=Marked>x</button>"
        );
        front.page(&format!("{SITE}{path}"), (200, "", html));
        format!("http://{SITE}:{}{path}", front.port)
    };
    let tagged = page("/", &format!("<script defer data-site={SITE} data-local data-automated src={from}/t.js></script>"));
    let empty = page("/empty", "");
    let posting = page("/posting", &format!("<script>{}</script>", post_each_tenth_click(&from)));
    let calls = bare_calls(&from);
    let calling = |path: &str, calls: &str| page(path, &format!("<script type=module>{calls}</script>"));
    let bare = calling("/bare", &calls.each_ref().map(|(_, call)| call.as_str()).join(";"));

    println!("\nThe tracker on the main thread of a page in Chromium");
    println!("{:<66}{:>8}{:>8}{:>10}", "", "p50", "p90", "at most");

    let browser = Browser::start();
    browser.visit(&tagged);
    sleep(START);
    // Answers come in between two batches.
    let batches = |what: &str| -> Vec<f64> {
        let script = format!(
            "const mark = document.querySelector('button'), start = performance.now();\
             for (let event = 0; event < {EVENTS}; event++) {{ {what} }}\
             return (performance.now() - start) / {EVENTS} * 1000"
        );
        let batch = |_| {
            sleep(PAUSE);
            browser.run(&script).as_f64().unwrap_or(f64::NAN)
        };
        (0..BATCHES).map(batch).collect()
    };
    row("headwater('Click', …), µs", batches("headwater('Click', {props: {plan: 'pro'}, value: event})"), "50");
    row("a click on a marked element, µs", batches("mark.click()"), "50");
    drop(browser);

    row("a click a second, one of ten with a beacon and its answer, µs", clicks(&tagged), "50");
    row("  the same clicks, one of ten with a bare request, no tag, µs", clicks(&posting), "");
    row("  the same clicks and nothing else, µs", clicks(&empty), "");
    let (started, asked) = (starts(&tagged), starts(&bare));
    let own = median(&started) - median(&asked);
    row("start: scripts of the first 1.2 s, with compiling, ms", started, "2");
    row("  what the start asks of the browser, and nothing else, ms", asked, "");
    row("  what is between these two: the tracker's own, ms", vec![own], "");
    row("  a page without the tag, ms", starts(&empty), "");
    for (at, (what, call)) in calls.iter().enumerate() {
        row(&format!("    of what it asks, alone: {what}, ms"), starts(&calling(&format!("/call{at}"), call)), "");
    }
}

fn median(times: &[f64]) -> f64 {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    quantile(&times, 0.5)
}

fn row(what: &str, mut times: Vec<f64>, bound: &str) {
    times.sort_by(f64::total_cmp);
    println!("{what:<66}{:>8.2}{:>8.2}{bound:>10}", quantile(&times, 0.5), quantile(&times, 0.9));
}

/// The browser calls that no tracker with this design can do without: a module and a Wasm that are fetched, storage that is
/// read and written, the time zone, the vitals, and two bodies that are posted (what the page before left, and the first
/// beacon).
fn bare_calls(from: &str) -> [(&'static str, String); 7] {
    let post = format!("fetch('{from}/b', {{method: 'POST', keepalive: true, body: new Uint8Array(99)}})");
    [
        ("storage", "localStorage.bare = (localStorage.bare || '') && Date.now()".to_owned()),
        ("the time zone", "Intl.DateTimeFormat().resolvedOptions().timeZone".to_owned()),
        ("a module", format!("import('{from}/t.js?auto')")),
        ("a Wasm", format!("WebAssembly.instantiateStreaming(fetch('{from}/t.wasm'), {{e: {{k() {{}}, s() {{}}, p() {{}}}}}})")),
        (
            "the vitals",
            "for (const type of ['paint', 'largest-contentful-paint', 'event', 'layout-shift'])\
             new PerformanceObserver(() => {}).observe({type, buffered: true, durationThreshold: 40})"
                .to_owned(),
        ),
        ("a request at once", post.clone()),
        ("a request after 250 ms", format!("setTimeout(() => {post}, 250)")),
    ]
}

/// What no beacon can do without: a request.
fn post_each_tenth_click(from: &str) -> String {
    format!(
        "let clicks = 0; addEventListener('click', () => clicks++ % {CLICKS} ||\
         fetch('{from}/b', {{method: 'POST', keepalive: true, body: new Uint8Array(99)}}))"
    )
}

/// Microseconds a click, traced, of clicks that are a second apart by the page's clock, with everything that follows from them.
fn clicks(page: &str) -> Vec<f64> {
    let browser = Browser::traced(TRACED);
    browser.visit(page);
    sleep(START);
    let rounds = WARM + BATCHES;
    browser.run(&format!(
        "const now = Date.now, mark = document.querySelector('button'); let passed = 0; Date.now = () => now() + passed;\
         const pass = ms => new Promise(done => setTimeout(done, ms));\
         (async () => {{ for (let round = 0; round < {rounds}; round++) {{ performance.mark('round'); await pass(1);\
         for (let click = 0; click < {CLICKS}; click++) {{ passed += 1000; mark.click() }}\
         await pass({}) }} performance.mark('round') }})()",
        PAUSE.as_millis()
    ));
    sleep(PAUSE * 2 * rounds as u32);
    let trace = browser.trace();
    let marks: Vec<&Value> = marks(&trace, "round");
    let round = |pair: &[&Value]| scripts(&trace, pair[0], number(pair[1], "ts")) * 1000.0 / CLICKS as f64;
    marks.windows(2).skip(WARM).map(round).collect()
}

/// Milliseconds of the scripts of a page's start.
fn starts(page: &str) -> Vec<f64> {
    let browser = Browser::traced(TRACED);
    for _ in 0..WARM + LOADS {
        browser.visit(page);
        sleep(START);
    }
    browser.visit("about:blank");
    let trace = browser.trace();
    let start = |mark: &&Value| scripts(&trace, mark, number(mark, "ts") + START.as_micros() as f64);
    marks(&trace, "start").iter().skip(WARM).map(start).collect()
}

/// The page's own marks of a name, in order.
fn marks<'a>(trace: &'a [Value], name: &str) -> Vec<&'a Value> {
    let named = |event: &&Value| event["name"] == name && event["cat"].as_str().is_some_and(|cat| cat.contains("user_timing"));
    let mut marks: Vec<&Value> = trace.iter().filter(named).collect();
    marks.sort_by(|a, b| number(a, "ts").total_cmp(&number(b, "ts")));
    marks
}

fn number(event: &Value, what: &str) -> f64 {
    event[what].as_f64().unwrap_or(0.0)
}

/// Milliseconds of its thread's own time that scripts took from a mark on, nested ones once.
fn scripts(trace: &[Value], mark: &Value, until: f64) -> f64 {
    let same = |event: &&Value| event["pid"] == mark["pid"] && event["tid"] == mark["tid"] && event["ph"] == "X";
    let named = |event: &&Value| SCRIPTS.iter().any(|name| event["name"] == *name);
    let inside = |event: &&Value| (number(mark, "ts")..until).contains(&number(event, "ts"));
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
