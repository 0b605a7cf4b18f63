//! What the tracker costs a page, in Chromium: main-thread time of an event, and of the start.
use headwater_tests::browser::Browser;
use headwater_tests::front::Front;
use headwater_tests::server::Server;
use serde_json::json;

use crate::quantile;

const SITE: &str = "bench.localhost";
/// Page loads with the tag, and as many without it.
const LOADS: usize = 21;
/// Batches of events, and events in each: the page's clock is coarse, so one event cannot be timed.
const BATCHES: usize = 40;
const EVENTS: usize = 50;

/// Prints both, beside what they may be.
pub(crate) fn print() {
    let server = Server::start();
    server.add_site(SITE, &[]);
    let front = Front::of(&server.api());
    let port = front.port;
    let page =
        |tag: &str| (200, "", format!("<!doctype html><title>bench</title>{tag}<button data-headwater-event=Marked>x</button>"));
    let tag = format!("<script defer data-site={SITE} data-local data-automated src=http://127.0.0.1:{port}/t.js></script>");
    front.page(&format!("{SITE}/with"), page(&tag));
    front.page(&format!("{SITE}/without"), page(""));
    let browser = Browser::start();
    let go = |path: &str| browser.visit(&format!("http://{SITE}:{port}/{path}"));

    // Loads with the tag and without it take turns, so that what else the machine does falls on both; in one process, as the
    // pages of a site are. What a browser does once in a process (time zones, opening storage) falls on the first.
    // What counts is the main thread's own time, not that of others on this machine.
    browser.devtools("Performance.enable", &json!({"timeDomain": "threadTicks"}));
    let mut loads = [Vec::new(), Vec::new()];
    for at in 0..2 * LOADS {
        go(["without", "with"][at % 2]);
        std::thread::sleep(std::time::Duration::from_millis(400));
        let metrics = browser.devtools("Performance.getMetrics", &json!({}));
        let script = metrics["metrics"].as_array().into_iter().flatten().find(|metric| metric["name"] == "ScriptDuration");
        loads[at % 2].push(script.and_then(|metric| metric["value"].as_f64()).unwrap_or(f64::NAN) * 1000.0);
    }
    loads.iter_mut().for_each(|times| times.sort_by(f64::total_cmp));
    let [without, with] = &loads;
    let start = quantile(with, 0.5) - quantile(without, 0.5);

    go("with");
    std::thread::sleep(std::time::Duration::from_millis(1000));
    let time = |what: &str| {
        let script = format!(
            "const mark = document.querySelector('button'), times = [];\
             for (let batch = 0; batch < {BATCHES}; batch++) {{\
               const start = performance.now();\
               for (let event = 0; event < {EVENTS}; event++) {what};\
               times.push((performance.now() - start) / {EVENTS} * 1000)\
             }} return times"
        );
        let mut times: Vec<f64> =
            browser.run(&script).as_array().into_iter().flatten().filter_map(|time| time.as_f64()).collect();
        times.sort_by(f64::total_cmp);
        times
    };
    let calls = time("headwater('Click', {props: {plan: 'pro'}, value: event})");
    let clicks = time("mark.click()");

    println!("\nThe tracker on the main thread of a page in Chromium");
    println!("{:<44}{:>10}{:>10}{:>10}", "", "p50", "p90", "at most");
    println!("{:<44}{:>10.1}{:>10.1}{:>10}", "headwater('Click', …), µs", quantile(&calls, 0.5), quantile(&calls, 0.9), 50);
    println!(
        "{:<44}{:>10.1}{:>10.1}{:>10}",
        "a click on a marked element, µs",
        quantile(&clicks, 0.5),
        quantile(&clicks, 0.9),
        50
    );
    println!("{:<44}{start:>10.2}{:>10}{:>10}", "start, ms (scripts, above a page without it)", "", 2);
}
