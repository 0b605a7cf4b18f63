//! The dashboard in a real browser: filters and their address, comparison, keys, lists, the realtime view, and what an accessibility
//! checker has to say about every view.
mod boards;
mod demo;
mod instant;
mod stories;
mod vitals;

use serde_json::json;

use demo::{Demo, ESCAPE};

#[test]
fn a_click_on_a_row_filters_everything_and_back_takes_it_away() {
    let demo = Demo::start("3");
    let browser = &demo.browser;
    demo.sign_in();
    demo.open("?period=7d");
    let all = demo.figure(0);
    let google = "[...document.querySelectorAll('.panel .value')].find(value => value.innerText == 'Google')";
    demo.until("Google among the sources", &format!("Boolean({google})"), |found| found == "true");
    browser.run(&format!("{google}.click()"));
    demo.search("the filter in the address", "?period=7d&f=is,visit:source,Google");
    demo.until("a chip", "document.querySelector('.chip .what')?.innerText", |text| text == "Source is Google");
    demo.until("fewer visitors", "document.querySelector('.card .figure').innerText", |text| text != all);
    demo.settle();
    let with = demo.figure(0);

    browser.click(".chip .not-button");
    demo.search("its opposite", "?period=7d&f=is_not,visit:source,Google");
    demo.until("everybody else", "document.querySelector('.card .figure').innerText", |text| text != with);
    demo.settle();
    let number = |text: &str| text.replace(',', "").parse::<u64>().unwrap_or_else(|_| panic!("{text:?} is no number"));
    assert_eq!(number(&with) + number(&demo.figure(0)), number(&all));

    browser.run("history.back()");
    demo.search("back", "?period=7d&f=is,visit:source,Google");
    demo.until("the visitors of before", "document.querySelector('.card .figure').innerText", |text| text == with);
    browser.run("history.back()");
    demo.search("back again", "?period=7d");
    demo.until("no chip", "document.querySelectorAll('.chip').length", |count| count == "0");
    demo.until("all visitors", "document.querySelector('.card .figure').innerText", |text| text == all);

    // An address tells everything: a country or another, another metric, another tab.
    demo.open("?period=28d&metric=bounce_rate&f=is,visit:country,DE,FR&f=is_not,event:page,/about&tab=exit-pages&compare=year");
    demo.until("both chips", "[...document.querySelectorAll('.chip .what')].map(c => c.innerText).join()", |text| {
        text == "Country is Germany or France,Page is not /about"
    });
    assert_eq!(browser.text(".chart h2"), "Bounce rate by day");
    let titles = browser.run("return [...document.querySelectorAll('.panel h2')].map(h => h.innerText)");
    assert!(titles.as_array().is_some_and(|titles| titles.contains(&json!("Exit pages"))), "{titles}");
    assert_eq!(browser.console_errors(), Vec::<String>::new());
}

#[test]
fn keys_do_what_plausibles_do() {
    let demo = Demo::start("3");
    let browser = &demo.browser;
    demo.sign_in();
    demo.open("");
    let keys = [
        ("e", "?period=yesterday"),
        ("w", "?period=7d"),
        ("f", "?period=28d"),
        ("t", "?period=30d"),
        ("n", "?period=91d"),
        ("m", "?period=month"),
        ("p", "?period=last-month"),
        ("y", "?period=year"),
        ("l", "?period=12mo"),
        ("a", "?period=all"),
        ("r", "?period=realtime"),
        ("d", ""),
        ("x", "?compare=off"),
        ("x", ""),
    ];
    for (key, search) in keys {
        browser.press(key);
        demo.search(key, search);
    }
    browser.press("?");
    demo.until("the keys", "document.querySelector('dialog[open] h2')?.innerText", |text| text == "Keys");
    // Letters belong to the dialog as long as it is open.
    browser.press("w");
    browser.press(ESCAPE);
    demo.until("no dialog", "document.querySelectorAll('dialog').length", |count| count == "0");
    demo.search("nothing changed", "");
    browser.press("c");
    demo.until("the calendar", "document.querySelector('dialog[open] h2')?.innerText", |text| text == "Days of your choice");
    browser.press(ESCAPE);
    demo.open("?f=is,visit:device,Desktop");
    browser.press(ESCAPE);
    demo.search("no filter", "");
}

#[test]
fn every_view_can_be_used_by_everybody() {
    let demo = Demo::start("30");
    let browser = &demo.browser;
    let home = format!("http://127.0.0.1:{}", demo.server.port);
    let wide = |height| browser.resize(1280, height);

    wide(1000);
    browser.visit(&home);
    browser.wait_for_text("main", |text| text.contains("token"));
    demo.is_accessible("sign-in");
    demo.sign_in();
    demo.is_accessible("sites");
    demo.open("?period=28d");
    // The 28 days before reach beyond the first day: nothing seems to have grown because it was not counted yet.
    demo.until("why nothing is compared", "document.querySelector('.chart-head').innerText", |text| {
        text.contains("counting began on")
    });
    assert_eq!(browser.run("return document.querySelectorAll('.delta').length"), json!(0));
    demo.open("?period=7d");
    demo.is_accessible("busy");
    assert!(browser.run("return document.querySelectorAll('.delta').length").as_u64() >= Some(5), "each card has its change");
    assert_eq!(browser.run("return document.querySelector('.line.before').getAttribute('d').length > 20"), json!(true));
    demo.open("?period=28d&f=is,visit:country,DE&f=is_not,visit:source,Google&tab=devices&tab=regions");
    demo.is_accessible("filtered");
    demo.open("?period=28d&all=top-pages");
    demo.until("a list", "document.querySelectorAll('.whole tbody tr').length", |rows| {
        rows.parse::<u32>().is_ok_and(|rows| rows > 5)
    });
    demo.is_accessible("list");
    demo.open("?period=28d");
    browser.press("/");
    demo.until("values", "document.querySelectorAll('.choice').length", |rows| rows.parse::<u32>().is_ok_and(|rows| rows > 3));
    demo.is_accessible("condition");
    browser.press(ESCAPE);
    browser.press("c");
    demo.is_accessible("calendar");
    browser.press(ESCAPE);
    browser.press("?");
    demo.is_accessible("keys");
    browser.press(ESCAPE);
    browser.click(".more-ranges");
    demo.is_accessible("ranges");
    demo.open("?period=realtime");
    demo.is_accessible("realtime");

    // Dark, by the switch, and still after another visit.
    browser.click(".quiet.icon");
    browser.click(".quiet.icon");
    assert_eq!(browser.run("return document.documentElement.dataset.theme"), json!("dark"));
    demo.open("?period=28d");
    assert_eq!(browser.run("return document.documentElement.dataset.theme"), json!("dark"));
    demo.is_accessible("dark");
    browser.click(".quiet.icon");

    browser.resize(500, 1000);
    demo.open("?period=28d&f=is,visit:country,DE");
    let overflow = browser.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth");
    assert_eq!(overflow, json!(0), "nothing stands out of a phone's screen");
    demo.is_accessible("phone");
    wide(1000);

    // What is kept and set.
    demo.server
        .api()
        .post("/api/v1/sites/demo.localhost/annotations", &json!({"date": demo.day(-9), "text": "The autumn blend is out"}))
        .unwrap();
    let segment =
        json!({"name": "Germans on phones", "filters": [["is", "visit:country", ["DE"]], ["is", "visit:device", ["Mobile"]]]});
    demo.server.api().post("/api/v1/sites/demo.localhost/segments", &segment).unwrap();
    demo.open("?period=28d&segment=1");
    demo.until("the segment's chip", "document.querySelector('.chip .seg')?.innerText", |text| {
        text == "Segment Germans on phones"
    });
    demo.until("a flag", "document.querySelectorAll('.flag').length", |count| count == "1");
    demo.is_accessible("segment");
    browser.run("[...document.querySelectorAll('.tool')].find(b => b.innerText == 'Segments').click()");
    demo.until("its size", "document.querySelector('.pop .n')?.innerText", |text| text.parse::<u32>().is_ok_and(|n| n > 0));
    demo.is_accessible("segments");
    browser.run("[...document.querySelectorAll('.pop button')].find(b => b.innerText.startsWith('Change')).click()");
    demo.until("boxes", "document.querySelectorAll('.boxes .line').length", |count| count == "2");
    demo.until("its size in words", "document.querySelector('.size')?.innerText", |text| text.contains("visitors"));
    demo.is_accessible("builder");
    browser.press(ESCAPE);
    browser.visit(&format!("{home}/demo.localhost/settings"));
    demo.until("lists", "document.querySelectorAll('.kept').length", |count| count.parse::<u32>().is_ok_and(|count| count >= 2));
    demo.is_accessible("settings");
    browser.visit(&format!("{home}/?server"));
    demo.until("tokens", "document.querySelectorAll('.kept').length", |count| count == "1");
    demo.is_accessible("account");

    // A note on the chart; the guest with an invitation.
    demo.open("?period=28d");
    demo.press_button("Add a note");
    demo.until("the dialog", "document.querySelectorAll('dialog[open]').length", |count| count == "1");
    demo.is_accessible("note");
    browser.press(ESCAPE);
    let invited = demo.server.api().post("/api/v1/people", &json!({"name": "Ada", "email": "ada@example.com"})).unwrap().json();
    let path = invited["invitation"].as_str().unwrap_or_else(|| panic!("no invitation in {invited}"));
    browser.visit("about:blank");
    browser.visit(&format!("{home}{path}"));
    browser.wait_for_text("main", |text| text.to_lowercase().contains("password"));
    demo.is_accessible("invitation");

    // A new site.
    demo.server.add_site("new.example", &[]);
    browser.visit(&format!("{home}/new.example"));
    browser.wait_for_text("main", |text| text.contains("Waiting for the first visit"));
    demo.is_accessible("empty");
}
