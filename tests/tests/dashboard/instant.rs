//! What needs no request, and what needs one.
use std::time::Duration;

use headwater_tests::browser::Browser;
use serde_json::{Value, json};

use crate::demo::Demo;

/// Notes what is asked of the API from now on, but for what is asked now and then by itself. What follows from opening the page has ended then.
fn listen(browser: &Browser) {
    let count = || browser.run("return performance.getEntriesByType('resource').length");
    let mut before = Value::Null;
    for _ in 0..20 {
        let now = count();
        if now == before {
            break;
        }
        before = now;
        std::thread::sleep(Duration::from_millis(1500));
    }
    browser.run(
        "window.asked = []; window.bodies = [];
         window.plain ??= window.fetch;
         window.fetch = (...all) => { if (!String(all[0]).endsWith('/realtime')) { asked.push(String(all[0])); bodies.push(all[1]?.body ?? ''); } return plain(...all); }",
    );
}

fn asked(browser: &Browser) -> Vec<String> {
    serde_json::from_value(browser.run("return window.asked")).expect("addresses")
}

/// All was here but web vitals, of which rows tell nothing: so many times they were asked for, and nothing else.
fn only_vitals(browser: &Browser, times: usize) {
    assert_eq!(asked(browser), vec!["/api/v2/queries"; times]);
    let bodies: Vec<String> = serde_json::from_value(browser.run("return window.bodies")).expect("bodies");
    for body in bodies {
        let questions: Vec<Value> = serde_json::from_str(&body).expect("questions");
        assert!(questions.len() == 1 && body.contains("p75"), "{body}");
    }
}

/// The table under the chart.
fn table(demo: &Demo) -> Vec<(String, u64)> {
    let script = "[...document.querySelectorAll('.chart table tbody tr')].map(row => [row.querySelector('th').innerText, row.querySelector('td').innerText.replaceAll(',', '')].join('=')).join(';')";
    let text = demo.until("rows", script, |text| !text.is_empty());
    let row = |row: &str| row.rsplit_once('=').map(|(label, value)| (label.to_owned(), value.parse().unwrap_or(u64::MAX)));
    text.split(';').filter_map(row).collect()
}

fn api(demo: &Demo, metric: &str, range: &Value, unit: Option<&str>) -> Vec<u64> {
    let dimensions: Vec<&str> = unit.into_iter().collect();
    let query = json!({"site_id": "demo.localhost", "metrics": [metric], "date_range": range, "dimensions": dimensions});
    let answer = demo.server.api().query(&query);
    let rows = answer["results"].as_array().expect("rows");
    rows.iter().map(|row| row["metrics"][0].as_u64().expect("a count")).collect()
}

/// The first rows of a list in a part of the page: names, and the figures of the first column.
fn rows(demo: &Demo, part: &str) -> Vec<(String, u64)> {
    let script = format!(
        "return [...document.querySelectorAll('{part} .rows .row:not(.heads), {part} .whole tbody tr')].slice(0, 9)
            .map(row => [row.querySelector('bdi').innerText, row.querySelector('.n').innerText.replaceAll(',', '')])"
    );
    let shown: Vec<(String, String)> = serde_json::from_value(demo.browser.run(&script)).expect("rows");
    shown.into_iter().map(|(name, figure)| (name, figure.parse().unwrap_or(u64::MAX))).collect()
}

/// The same as the server tells it; `more` is what else is asked.
fn list(demo: &Demo, dimension: &str, metric: &str, range: &Value, more: &str) -> Vec<(String, u64)> {
    let query = format!(
        r#"{{"site_id": "demo.localhost", "metrics": ["{metric}", "pageviews"], "dimensions": ["{dimension}"], "date_range": {range}, "pagination": {{"limit": 9}}{more}}}"#
    );
    let answer = demo.server.api().query(&serde_json::from_str(&query).expect("a query"));
    let row =
        |row: &Value| (row["dimensions"][0].as_str().expect("a value").to_owned(), row["metrics"][0].as_u64().expect("a count"));
    answer["results"].as_array().expect("rows").iter().map(row).collect()
}

#[test]
fn another_metric_another_unit_and_a_part_of_the_range_are_there_at_once_and_right() {
    let demo = Demo::start("30");
    let browser = &demo.browser;
    demo.sign_in();
    demo.open("?period=28d");
    demo.press_button("Show as a table");
    let range = json!("28d");
    listen(browser);
    for (card, metric) in [(0, "visitors"), (1, "visits"), (2, "pageviews"), (6, "events")] {
        browser.run(&format!("document.querySelectorAll('.card')[{card}].click()"));
        for (words, unit) in [("Weeks", "time:week"), ("Days", "time:day")] {
            // In the same turn: nothing is waited for.
            let heading = browser.run(&format!(
                "[...document.querySelectorAll('.units .tab')].find(b => b.innerText == {words:?}).click(); return document.querySelector('.chart h2').innerText"
            ));
            assert!(heading.as_str().is_some_and(|text| text.ends_with(&unit.replace("time:", "by "))), "{heading}");
            let shown: Vec<u64> = table(&demo).into_iter().map(|row| row.1).filter(|n| *n > 0).collect();
            assert_eq!(shown, api(&demo, metric, &range, Some(unit)), "{metric} by {unit}");
        }
    }
    assert_eq!(asked(browser), Vec::<String>::new(), "all of it was here");

    // A stretch of the chart, by dragging over it: cards, chart and panels follow at once.
    browser.run("document.querySelectorAll('.card')[0].click()");
    let before = demo.figure(0);
    let told = browser.run(
        "const plot = document.querySelector('.plot'), box = plot.getBoundingClientRect();
         const go = (kind, x) => plot.dispatchEvent(new PointerEvent(kind, {clientX: box.left + box.width * x, clientY: box.top + 80, bubbles: true}));
         go('pointerdown', 0.3); go('pointermove', 0.5); const band = document.querySelectorAll('.stretch').length; go('pointerup', 0.5);
         return [band, location.search, document.querySelector('.card .figure').innerText, document.querySelectorAll('.sheet.loading .card').length]",
    );
    let address = told[1].as_str().unwrap_or_default();
    let (from, to) = address
        .strip_prefix("?period=")
        .and_then(|days| days.split('&').next()?.split_once(','))
        .unwrap_or_else(|| panic!("{told}"));
    let range = json!([from, to]);
    assert_eq!((&told[0], &told[3]), (&json!(1), &json!(0)), "{told}");
    assert_ne!(told[2], json!(before));
    let visitors = api(&demo, "visitors", &range, None)[0].to_string();
    assert_eq!(told[2].as_str().map(|text| text.replace(',', "")), Some(visitors.clone()));
    demo.settle();
    assert_eq!(demo.figure(0).replace(',', ""), visitors, "the server says the same");
    for (panel, dimension) in [(0, "visit:source"), (1, "event:page"), (3, "visit:browser")] {
        assert_eq!(
            rows(&demo, &format!(".panel:nth-of-type({})", panel + 1)),
            list(&demo, dimension, "visitors", &range, ""),
            "{dimension}"
        );
    }
    // What it is compared with, too: as many days before.
    let compared = demo.server.api().query(&json!({
        "site_id": "demo.localhost", "metrics": ["visitors"], "date_range": range, "include": {"comparisons": {"mode": "previous_period"}},
    }));
    let change = compared["results"][0]["comparison"]["change"][0].as_f64().expect("a change");
    let shown = browser.run("return document.querySelector('.card .delta').innerText");
    assert!(shown.as_str().is_some_and(|text| text.contains(&format!("{}%", change.abs()))), "{shown}, {change}");
    let shown: Vec<u64> = table(&demo).into_iter().map(|row| row.1).filter(|n| *n > 0).collect();
    assert_eq!(shown, api(&demo, "visitors", &range, Some("time:day")));

    // A whole list by another column, the smallest first, searched; and out of it.
    browser.run("[...document.querySelectorAll('.panel .more button')][1].click()");
    demo.until("a whole list", "document.querySelectorAll('dialog .whole tbody tr').length", |rows| rows != "0");
    for order in ["desc", "asc"] {
        browser.run(
            "[...document.querySelectorAll('dialog .whole thead button')].find(b => b.innerText.startsWith('Views')).click()",
        );
        let query = format!(r#", "order_by": [["pageviews", "{order}"]]"#);
        assert_eq!(rows(&demo, "dialog"), list(&demo, "event:page", "visitors", &range, &query), "{order}");
    }
    browser.run("const field = document.querySelector('dialog input'); field.value = 'E'; field.dispatchEvent(new Event('input', {bubbles: true}))");
    let query =
        r#", "order_by": [["pageviews", "asc"]], "filters": [["contains", "event:page", ["e"], {"case_sensitive": false}]]"#;
    assert_eq!(rows(&demo, "dialog"), list(&demo, "event:page", "visitors", &range, query));
    browser.run("history.back()");
    demo.settle();
    only_vitals(browser, 1);

    // Back is out again.
    browser.run("history.back()");
    demo.until("all of it", "document.querySelector('.card .figure').innerText", |text| text == before);
    demo.settle();
    assert_eq!(rows(&demo, ".panel:nth-of-type(2)"), list(&demo, "event:page", "visitors", &json!("28d"), ""));
    only_vitals(browser, 2);

    // By keys: three days, then Enter.
    browser.run("document.querySelector('.plot').focus()");
    browser.press("\u{e011}");
    browser.run("for (let n = 0; n < 2; n++) document.querySelector('.plot').dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowRight', shiftKey: true, bubbles: true}))");
    browser.press("\u{e007}");
    demo.until("three days", "location.search", |text| text.contains("period=") && text.contains(','));
    demo.settle();
    assert_eq!(browser.console_errors(), Vec::<String>::new());
}

#[test]
fn a_filter_is_one_request() {
    let demo = Demo::start("10");
    let browser = &demo.browser;
    demo.sign_in();
    demo.open("?period=7d");
    // On the map: who is there has a place that can be reached by keys, too.
    let germany = "[...document.querySelectorAll('.map [role=button]')].find(shape => shape.getAttribute('aria-label').startsWith('Germany: '))";
    demo.until("Germany on the map", &format!("{germany}?.getAttribute('tabindex')"), |found| found == "0");
    listen(browser);
    browser.run(&format!("{germany}.dispatchEvent(new KeyboardEvent('keydown', {{key: 'Enter', bubbles: true}}))"));
    demo.until("a chip", "document.querySelectorAll('.chip').length", |count| count == "1");
    demo.settle();
    assert_eq!(asked(browser), ["/api/v2/queries"]);
    let query = json!({"site_id": "demo.localhost", "metrics": ["visitors"], "date_range": "7d", "filters": [["is", "visit:country", ["DE"]]]});
    let told = demo.server.api().query(&query)["results"][0]["metrics"][0].to_string();
    assert_eq!(demo.figure(0).replace(',', ""), told);
    // Of what is filtered only the server can tell another unit: by one request.
    demo.press_button("Hours");
    demo.until("hours", "document.querySelector('.chart h2').innerText", |text| text == "Visitors by hour");
    assert_eq!(asked(browser), ["/api/v2/queries", "/api/v2/queries"]);
    assert_eq!(browser.console_errors(), Vec::<String>::new());
}

#[test]
fn the_chart_is_a_file_and_a_picture_that_stands_alone() {
    let demo = Demo::start("10");
    let browser = &demo.browser;
    demo.sign_in();
    demo.open("?period=7d");
    browser.run("window.saved = []; HTMLAnchorElement.prototype.click = function () { saved.push(this.download, decodeURIComponent(this.href)); }");
    demo.press_button("Download CSV");
    demo.press_button("Download SVG");
    let saved: Vec<String> = serde_json::from_value(browser.run("return saved")).expect("two files");
    let [csv, rows, svg, picture] = saved.as_slice() else { panic!("{saved:?}") };
    assert_eq!((csv.as_str(), svg.as_str()), ("demo.localhost-chart.csv", "demo.localhost-chart.svg"));
    assert_eq!(rows.lines().count(), 8, "a head and seven days: {rows}");
    // Read as XML by itself, its line has the colour that it has in the page.
    let script = "const svg = new DOMParser().parseFromString(PICTURE, 'image/svg+xml'); const own = svg.querySelector('.line:not(.before)');
        return [svg.querySelectorAll('parsererror').length, svg.documentElement.namespaceURI, own.getAttribute('stroke') == getComputedStyle(document.querySelector('.plot .line:not(.before)')).stroke]";
    let text = picture.split_once(',').map(|(_, text)| text).unwrap_or_default();
    let told = browser.run(&script.replace("PICTURE", &json!(text).to_string()));
    assert_eq!(told, json!([0, "http://www.w3.org/2000/svg", true]));
    assert_eq!(browser.console_errors(), Vec::<String>::new());
}
