//! A saved dashboard: made of what is shown, arranged by keys and by dragging, saved, shared by a link.
use headwater_tests::browser::Browser;
use serde_json::json;

use crate::demo::{Demo, is_accessible};

/// The headings of the widgets, in their order.
const HEADINGS: &str = "[...document.querySelectorAll('.widget')].map(w => w.querySelector('.name, h2')?.innerText).join()";
const FIRST: &str = "Visitors,Visits,Page views,Bounce rate,Visitors,Sources,Top pages,Countries,Browsers,Events";

#[test]
fn a_team_arranges_a_dashboard_and_shares_it() {
    let demo = Demo::start("20");
    let browser = &demo.browser;
    let board = |script: &str| browser.run(&format!("const widgets = [...document.querySelectorAll('.widget')]; {script}"));
    let headings = |wanted: &str| demo.until("the widgets", HEADINGS, |text| text == wanted);
    demo.sign_in();
    demo.open("?period=7d");
    let visitors = demo.figure(0);

    // It begins with what is shown.
    demo.press_button("Overview");
    demo.press_button("Make a dashboard…");
    demo.fill("#dashboard-name", "Campaigns");
    demo.press_button("Make the dashboard");
    demo.search("the dashboard in the address", "?dashboard=1&period=7d");
    demo.until("the widgets", HEADINGS, |text| text.starts_with(FIRST));
    demo.until("the same figure", "document.querySelector('.widget .figure')?.innerText", |text| text == visitors);
    demo.settle();
    demo.is_accessible("arranging");
    let count = board("return widgets.length").as_u64().unwrap_or_default();

    // By keys: the first widget goes behind the second, and its button keeps the focus.
    browser.run("document.querySelector('.widget [aria-label=\"Move behind\"]').focus()");
    browser.press("\u{e007}");
    demo.until("another order", HEADINGS, |text| text.starts_with("Visits,Visitors,Page views"));
    demo.until("the focus", "document.activeElement?.closest('.widget')?.querySelector('.name')?.innerText", |text| {
        text == "Visitors"
    });
    // By dragging it is back before the first.
    board(
        "const drag = (of, kind) => of.dispatchEvent(new DragEvent(kind, {bubbles: true, cancelable: true}));
         drag(widgets[1], 'dragstart'); drag(widgets[0], 'dragover'); drag(widgets[0], 'drop'); drag(widgets[1], 'dragend');",
    );
    demo.until("the order of before", HEADINGS, |text| text.starts_with("Visitors,Visits,Page views"));
    // Everything goes but a card and the chart.
    for _ in 0..count - 2 {
        board("(widgets[4] ? widgets[5] ?? widgets[0] : widgets[0]).querySelector('[aria-label=Remove]').click()");
    }
    headings("Bounce rate,Visitors");

    // A list with a filter of its own, and a wider card.
    demo.press_button("Cancel");
    headings(&demo.until("what was saved", HEADINGS, |text| text.split(',').count() as u64 == count));
    demo.open("?dashboard=1&period=7d&f=is,visit:country,DE");
    demo.press_button("Campaigns");
    demo.press_button("Arrange this dashboard");
    for _ in 0..count - 2 {
        board("(widgets[4] ? widgets[5] ?? widgets[0] : widgets[0]).querySelector('[aria-label=Remove]').click()");
    }
    demo.press_button("Add a widget");
    demo.fill("#widget-metric", "visits");
    demo.fill("#widget-dimension", "visit:source");
    demo.fill("#widget-title", "Where Germans come from");
    demo.is_accessible("widget");
    browser.run("document.querySelector('dialog .check input').click()");
    demo.press_button("Put it on the dashboard");
    headings("Bounce rate,Visitors,Where Germans come from");
    demo.fill(".widget select[aria-label=Width]", "2");
    demo.press_button("Save");
    demo.until("saved", "document.querySelectorAll('.arranging').length", |count| count == "0");

    // Whoever opens it sees it so, and the list keeps its filter.
    demo.open("?dashboard=1&period=7d");
    headings("Bounce rate,Visitors,Where Germans come from");
    assert_eq!(board("return widgets.map(w => w.className.match(/w(\\d)/)[1]).join()"), json!("2,4,2"));
    assert_eq!(browser.text(".widget .own"), "Country is Germany");
    let query = json!({"site_id": "demo.localhost", "metrics": ["visits"], "date_range": "7d", "dimensions": ["visit:source"],
        "filters": [["is", "visit:country", ["DE"]]]});
    let told = demo.server.api().query(&query);
    let told: Vec<String> = told["results"].as_array().into_iter().flatten().map(|row| row["metrics"][0].to_string()).collect();
    let shown = board("return [...widgets[2].querySelectorAll('.row:not(.heads) .n:not(.second)')].map(n => n.innerText)");
    let shown: Vec<String> = serde_json::from_value(shown).expect("figures");
    assert_eq!(shown, told[..shown.len()]);
    demo.until("a line beside it", "document.querySelector('.line.before')?.getAttribute('d')?.length > 20", |long| {
        long == "true"
    });
    demo.is_accessible("board");
    browser.run("window.saved = []; HTMLAnchorElement.prototype.click = function () { saved.push(this.download, decodeURIComponent(this.href)); }");
    browser.run("document.querySelectorAll('.widget .save').forEach(button => button.click())");
    let saved: Vec<String> = serde_json::from_value(browser.run("return saved")).expect("two files");
    let [line, days, list, rows] = saved.as_slice() else { panic!("{saved:?}") };
    assert_eq!((line.as_str(), days.lines().count()), ("Visitors.csv", 8));
    assert_eq!((list.as_str(), rows.lines().count()), ("Where Germans come from.csv", shown.len() + 1));
    browser.resize(500, 1000);
    let overflow = browser.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth");
    assert_eq!(overflow, json!(0), "nothing stands out of a phone's screen");
    browser.resize(1280, 1000);

    // Shared, it opens for whoever has the link, who arranges nothing.
    demo.press_button("Campaigns");
    demo.press_button("Share this dashboard…");
    demo.fill("#links-name", "the agency");
    demo.press_button("Make a link");
    demo.until("a link", "document.querySelectorAll('dialog .kept').length", |count| count == "1");
    demo.is_accessible("board-share");
    let link = demo.until(
        "the link",
        "[...document.querySelectorAll('.tagline code')].map(c => c.innerText).find(t => t.includes('/share/')) ?? ''",
        |text| text.contains("?dashboard=1#link="),
    );
    let other = Browser::start();
    other.visit(&link);
    other.wait_for_text("main", |text| text.contains("Where Germans come from"));
    other.wait_for_text(".state", |text| text == "Live");
    is_accessible(&other, "board-shared");
    other.run("[...document.querySelectorAll('.tool')].find(b => b.innerText.trim() == 'Campaigns').click()");
    assert_eq!(other.text(".pop"), "Overview\nCampaigns");
    assert_eq!(other.console_errors(), Vec::<String>::new());

    // Somebody else saves it while it is arranged here: nothing of theirs is lost unawares.
    demo.press_button("Campaigns");
    demo.press_button("Arrange this dashboard");
    let one = "/api/v1/sites/demo.localhost/dashboards/1";
    let theirs = json!({"widgets": [{"show": "card", "metric": "events", "width": 1}]});
    assert_eq!(demo.server.api().patch(one, &theirs).expect("an answer").status, 200);
    demo.press_button("Save");
    demo.until("words", "document.querySelector('.arranging .wrong')?.innerText", |text| text.contains("Cancel shows theirs"));
    demo.press_button("Cancel");
    headings("Events");
    assert_eq!(browser.console_errors().iter().filter(|line| !line.contains("409")).count(), 0);

    // Removed, it says so, and its link opens nothing.
    demo.server.api().delete("/api/v1/sites/demo.localhost/dashboards/1").expect("an answer");
    browser.visit(&format!("http://127.0.0.1:{}/demo.localhost?dashboard=1", demo.server.port));
    browser.wait_for_text("main", |text| text.contains("This dashboard is no more"));
    other.visit("about:blank");
    other.visit(&link);
    other.wait_for_text("main", |text| text.contains("revoked"));
    assert_eq!(browser.console_errors(), Vec::<String>::new());
}
