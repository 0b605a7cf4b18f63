//! One click becomes a number: the whole path, in a real browser. ARCHITECTURE.md tells the same story, file by file.
use std::path::Path;
use std::time::{Duration, Instant};

use headwater_tests::api::Api;
use headwater_tests::browser::Browser;
use headwater_tests::server::{Server, free_port, headwater};
use headwater_tests::site::Site;
use serde_json::{Value, json};

const SHOP: &str = "shop.localhost";

/// A shop of two pages. `data-automated` because a driven browser says that it is one.
fn shop(server: &Server) -> Site {
    let script = format!("http://127.0.0.1:{}/t.js", server.port);
    let page = |title: &str, body: &str| {
        format!(
            "<!doctype html><title>{title}</title>\
             <script defer data-site={SHOP} data-local=250 data-automated data-off=LCP,FCP,TTFB,INP,CLS src={script}></script>\
             <h1>{title}</h1>{body}"
        )
    };
    let home = "<button data-headwater-event=Signup data-headwater-prop-plan=pro>Sign up</button> <a href=/pricing>Pricing</a>";
    let pricing = "<script>window.headwater ||= Object.assign(function () { headwater.q.push(arguments) }, {q: []})\n\
                   headwater('Looked', {props: {at: 'prices'}})</script>\
                   <button id=buy onclick=\"headwater('Purchase', {value: 29})\">Buy</button>";
    Site::serve(&[("/", page("Home", home)), ("/pricing", page("Pricing", pricing))])
}

/// Asks until the answer is the wanted one; fails with the last one after ten seconds.
fn eventually(what: &str, wanted: &Value, mut ask: impl FnMut() -> Value) {
    let start = Instant::now();
    loop {
        let found = ask();
        if found == *wanted {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(10), "{what}: {found} instead of {wanted}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn totals(api: &Api) -> Value {
    api.totals(SHOP, &["visitors", "visits", "pageviews", "events", "bounce_rate", "views_per_visit"]).into()
}

fn by(api: &Api, dimension: &str, metrics: &[&str]) -> Value {
    let answer = api.query(&json!({"site_id": SHOP, "metrics": metrics, "date_range": "all", "dimensions": [dimension]}));
    answer["results"].as_array().into_iter().flatten().map(|row| json!([row["dimensions"][0], row["metrics"]])).collect()
}

/// What stands on a card of the dashboard.
fn card(browser: &Browser, name: &str) -> String {
    let script = format!(
        "const card = [...document.querySelectorAll('.card')].find(card => card.querySelector('.name').innerText.trim() == {});\
         return card?.querySelector('.figure').innerText.trim() ?? ''",
        json!(name)
    );
    browser.run(&script).as_str().unwrap_or_default().to_owned()
}

/// The rows of a panel of the dashboard: label and figures.
fn panel(browser: &Browser, title: &str) -> Value {
    let script = format!(
        "const panel = [...document.querySelectorAll('.panel')].find(panel => panel.querySelector('h2').innerText.trim() == {});\
         const rows = [...panel?.querySelectorAll('.row:not(.heads)') ?? []];\
         return rows.map(row => [...row.querySelectorAll('.label, .n')].map(cell => cell.innerText.trim()))",
        json!(title)
    );
    browser.run(&script)
}

/// Signs in to the dashboard by the link that the server printed.
fn sign_in(browser: &Browser, server: &Server) {
    let log = server.log();
    let link =
        log.split_whitespace().find(|word| word.contains("#sign-in=")).unwrap_or_else(|| panic!("no sign-in link in: {log}"));
    browser.visit(link);
    browser.wait_for_text("main", |text| text.contains("localhost"));
}

#[test]
fn one_click_becomes_a_number() {
    let server = Server::start();
    server.add_site(SHOP, &[]);
    let api = server.api();
    let shop = shop(&server);
    let page = |path: &str| format!("http://{SHOP}:{}{path}", shop.port);

    // Somebody comes, signs up (and once more), reads the prices, buys, and closes the tab.
    let browser = Browser::start();
    browser.visit("about:blank");
    let other_tab = browser.new_tab();
    browser.visit(&page("/"));
    eventually("a view", &json!([1, 1, 1, 1, 100.0, 1.0]), || numbers(totals(&api)));
    browser.click("button");
    browser.click("button");
    eventually("two clicks, and it is no bounce any more", &json!([1, 1, 1, 3, 0.0, 1.0]), || numbers(totals(&api)));
    browser.click("a");
    browser.wait_for_text("h1", |title| title == "Pricing");
    eventually("a second page, and an event called at once", &json!([1, 1, 2, 5, 0.0, 2.0]), || numbers(totals(&api)));
    browser.click("#buy");
    browser.close_tab(&other_tab);
    eventually("a purchase in the last moment", &json!([1, 1, 2, 6, 0.0, 2.0]), || numbers(totals(&api)));

    // Somebody else, with another browser, looks at one page and leaves.
    {
        let other = Browser::start_as(Some(
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_0) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15",
        ));
        other.visit(&page("/?utm_source=newsletter"));
        eventually("another visitor", &json!([2, 2, 3, 7, 50.0, 1.5]), || numbers(totals(&api)));
    }

    // The API tells it in detail.
    let pages = json!([["/", [2, 2, 4]], ["/pricing", [1, 1, 3]]]);
    eventually("pages", &pages, || by(&api, "event:page", &["visitors", "pageviews", "events"]));
    let names = json!([["pageview", [3]], ["Signup", [2]], ["Looked", [1]], ["Purchase", [1]]]);
    eventually("events", &names, || by(&api, "event:name", &["events"]));
    eventually("entry pages", &json!([["/", [2]]]), || by(&api, "visit:entry_page", &["visits"]));
    eventually("sources", &json!([["Direct / None", [1]], ["newsletter", [1]]]), || by(&api, "visit:source", &["visits"]));

    // And the dashboard says the same to whoever follows the link that the server printed.
    sign_in(&browser, &server);
    browser.visit(&format!("http://127.0.0.1:{}/{SHOP}", server.port));
    let cards =
        json!({"Visitors": "2", "Visits": "2", "Page views": "3", "Views per visit": "1.5", "Bounce rate": "50%", "Events": "7"});
    eventually("the cards", &cards, || {
        cards
            .as_object()
            .into_iter()
            .flat_map(|cards| cards.keys())
            .map(|name| (name.clone(), json!(card(&browser, name))))
            .collect()
    });
    eventually("top pages", &json!([["/", "2", "2"], ["/pricing", "1", "1"]]), || panel(&browser, "Top pages"));
    // Drawn and come to rest.
    std::thread::sleep(Duration::from_millis(500));
    browser.screenshot("story");
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

#[test]
fn the_dashboard_moves_by_itself_while_someone_visits_the_demo() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let server = Server::start_as(headwater(&["serve", "--demo"]), folder.path(), free_port());
    let home = format!("http://127.0.0.1:{}", server.port);
    let owner = Browser::start();
    sign_in(&owner, &server);
    owner.visit(&format!("{home}/demo.localhost"));

    let visitor = Browser::start();
    visitor.visit(&format!("{home}/demo/"));
    let shows = |name: &str, wanted: &str| {
        let start = Instant::now();
        while card(&owner, name) != wanted {
            let found = card(&owner, name);
            assert!(start.elapsed() < Duration::from_secs(10), "{name}: {found:?} on the dashboard instead of {wanted}");
            std::thread::sleep(Duration::from_millis(20));
        }
        start.elapsed()
    };
    shows("Events", "1");
    visitor.visit(&format!("{home}/demo/playground.html"));
    shows("Page views", "2");
    // The first page told its web vitals when it was left.
    std::thread::sleep(Duration::from_millis(1500));
    let events: u32 = card(&owner, "Events").parse().expect("a number of events");
    assert!(events > 2, "views and web vitals: {events}");
    visitor.click("[data-headwater-event]");
    let took = shows("Events", &(events + 1).to_string());
    println!("from the click to the dashboard: {took:.0?}");
    assert!(took < Duration::from_secs(3), "it should be there within a second, and took {took:?}");
    assert_eq!(card(&owner, "Visitors"), "1");
    std::thread::sleep(Duration::from_millis(500));
    owner.screenshot("demo-dashboard");
    visitor.screenshot("demo-playground");
    assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/screenshots/demo-dashboard.png").is_file());
}

/// The same with every number as JSON writes it when it is whole: 100.0 and 100 are equal to a reader.
fn numbers(values: Value) -> Value {
    let wanted_as_float = [false, false, false, false, true, true];
    let row = values.as_array().cloned().unwrap_or_default();
    row.into_iter()
        .zip(wanted_as_float)
        .map(|(value, float)| if float { json!(value.as_f64().unwrap_or(f64::NAN)) } else { value })
        .collect()
}
