//! The dashboard in Chromium over a month of traffic: until the first figures, until a card is drawn, until a filter is answered.
//!
//! One million events, or as many as `HEADWATER_BENCH_EVENTS` says.
use std::time::{Duration, Instant};

use headwater_tests::browser::Browser;
use headwater_tests::server::Server;
use serde_json::{Value, json};

use crate::{month, quantile};

/// How often each is measured.
const TIMES: usize = 9;
/// How long one of them may take at most before there is something wrong.
const PATIENCE: Duration = Duration::from_secs(60);

/// Notes when the first figures stood in the page.
const NOTE: &str = "new MutationObserver((_, observer) => {
    const figure = document.querySelector('.card .figure');
    if (figure && figure.textContent !== '–') { window.figuresAt = performance.now(); observer.disconnect(); }
}).observe(document, {subtree: true, childList: true, characterData: true});";

/// Clicks, and notes how long it took until the frame with what it changed was done.
const CLICK: &str = "window.took = null; const start = performance.now(); CLICKED.click();
    requestAnimationFrame(() => setTimeout(() => { window.took = performance.now() - start; }));";

/// Clicks, and notes how long it took until other figures stood in the cards, until everything was told, and until the last byte of the answer was
/// there: the rest is the page's own.
const FILTER: &str = "window.took = null; const start = performance.now();
    const figures = () => [...document.querySelectorAll('.card .figure')].map(figure => figure.textContent).join();
    const before = figures(); performance.clearResourceTimings(); CLICKED.click(); let changed = null;
    const look = () => {
        changed ??= figures() === before ? null : performance.now() - start;
        if (changed !== null && !document.querySelector('.loading')) {
            const answers = performance.getEntriesByType('resource').filter(entry => entry.name.endsWith('/queries'));
            window.took = [changed, performance.now() - start, Math.max(...answers.map(entry => entry.responseEnd)) - start];
        }
        else { requestAnimationFrame(look); }
    };
    requestAnimationFrame(look);";

/// Drags over a part of the chart, and notes how long it took until other figures stood in the cards and everything was told, and how many requests
/// there were.
const ZOOM: &str = "window.took = null; const start = performance.now();
    const plot = document.querySelector('.plot'), box = plot.getBoundingClientRect();
    const figures = () => [...document.querySelectorAll('.card .figure')].map(figure => figure.textContent).join();
    const before = figures(); performance.clearResourceTimings();
    const go = (kind, x) => plot.dispatchEvent(new PointerEvent(kind, {clientX: box.left + box.width * x, clientY: box.top + 80, bubbles: true}));
    go('pointerdown', FROM); go('pointermove', FROM + 0.12); go('pointerup', FROM + 0.12);
    const look = () => {
        if (figures() !== before && !document.querySelector('.loading')) {
            window.took = [performance.now() - start, performance.getEntriesByType('resource').filter(entry => entry.name.includes('/api/')).length];
        }
        else { requestAnimationFrame(look); }
    };
    requestAnimationFrame(look);";

/// Prints all of it.
pub(crate) fn print() {
    let events = std::env::var("HEADWATER_BENCH_EVENTS").ok().and_then(|events| events.parse().ok()).unwrap_or(1_000_000);
    let server = Server::start();
    server.add_site(month::SITE, &[]);
    month::fill(&server.api(), events, events / 20);
    month::wait_until_settled(&server.data());
    let browser = Browser::start();
    browser.resize(1280, 1000);
    let log = server.log();
    browser.visit(log.split_whitespace().find(|word| word.contains("#sign-in=")).expect("a sign-in link"));
    browser.wait_for_text("main", |text| text.contains(month::SITE));
    browser.devtools("Page.addScriptToEvaluateOnNewDocument", &json!({"source": NOTE}));

    println!("\nThe dashboard in Chromium, {events} events over {} days, in ms", month::DAYS);
    println!("{:<52}{:>10}{:>10}", "", "p50", "most");
    let address = format!("http://127.0.0.1:{}/{}?period=28d&compare=off", server.port, month::SITE);
    let mut painted = Vec::new();
    let mut figured = Vec::new();
    for _ in 0..TIMES {
        browser.visit("about:blank");
        browser.visit(&address);
        figured.push(told(&browser, "figuresAt"));
        let paint = browser.run("return performance.getEntriesByName('first-contentful-paint')[0]?.startTime");
        painted.push(paint.as_f64().unwrap_or(f64::NAN));
    }
    line("first paint", painted);
    line("first figures", figured);

    rest(&browser);
    let mut drawn = Vec::new();
    for n in 0..TIMES * 3 {
        let card = format!("document.querySelectorAll('.card')[{}]", (n + 1) % 7);
        browser.run(&CLICK.replace("CLICKED", &card));
        drawn.push(told(&browser, "took"));
    }
    line("another card, until the chart is drawn", drawn);

    // What lists need comes a moment after the figures.
    std::thread::sleep(Duration::from_secs(2));
    let (mut zoomed, mut requests) = (Vec::new(), 0);
    for n in 0..TIMES {
        browser.run(&ZOOM.replace("FROM", &format!("0.{}", n + 1)));
        let took = until(&browser, "took");
        zoomed.push(took.get(0).and_then(Value::as_f64).unwrap_or(f64::NAN));
        requests += took.get(1).and_then(Value::as_u64).unwrap_or(0);
        browser.run("history.back()");
        std::thread::sleep(Duration::from_millis(100));
        rest(&browser);
    }
    line("zoomed into days, until every panel is told", zoomed);
    println!("{:<52}{requests:>10}", "requests of all of these together");

    let (mut cards, mut all, mut answers) = (Vec::new(), Vec::new(), Vec::new());
    for n in 0..TIMES {
        // Another country each time, with nothing filtered before.
        let row = format!("document.querySelectorAll('.panel')[2].querySelectorAll('button.value')[{}]", n % 3);
        browser.run(&FILTER.replace("CLICKED", &row));
        let took = until(&browser, "took");
        let part = |n: usize| took.get(n).and_then(Value::as_f64).unwrap_or(f64::NAN);
        cards.push(part(0));
        all.push(part(1));
        answers.push(part(2));
        browser.run("document.querySelector('.chip .away').click()");
        rest(&browser);
    }
    line("a filter, until its answer is there", answers);
    line("a filter, until the cards change", cards);
    line("a filter, until every panel is told", all);
    let errors = browser.console_errors();
    assert!(errors.is_empty(), "{errors:?}");
}

fn line(name: &str, mut times: Vec<f64>) {
    times.sort_by(f64::total_cmp);
    println!("{name:<52}{:>10.0}{:>10.0}", quantile(&times, 0.5), quantile(&times, 1.0));
}

/// Waits until nothing is asked for any more.
fn rest(browser: &Browser) {
    let start = Instant::now();
    while browser.run("return Boolean(document.querySelector('.loading'))") == json!(true) {
        assert!(start.elapsed() < PATIENCE, "the dashboard goes on loading");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn told(browser: &Browser, name: &str) -> f64 {
    until(browser, name).as_f64().unwrap_or(f64::NAN)
}

fn until(browser: &Browser, name: &str) -> Value {
    let start = Instant::now();
    loop {
        match browser.run(&format!("return window.{name}")) {
            Value::Null => assert!(start.elapsed() < PATIENCE, "{name} is never told"),
            value => return value,
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
