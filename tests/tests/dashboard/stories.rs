//! What people come for, told from the first click to the last.
use serde_json::{Value, json};

use crate::demo::{Demo, ESCAPE, is_accessible};

const PHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.1 Mobile/15E148 Safari/604.1";

#[test]
fn a_newcomer_makes_an_account_adds_a_site_and_sees_the_first_visit_arrive() {
    let demo = Demo::start("1");
    let browser = &demo.browser;
    let home = format!("http://127.0.0.1:{}", demo.server.port);
    demo.sign_in();
    demo.press_button("Account");
    demo.fill("#account-name", "Ada");
    demo.fill("#account-email", "ada@example.com");
    demo.fill("#account-password", "correct horse");
    demo.press_button("Make the account");
    demo.until("signed in as a person", "document.querySelector('.settings')?.innerText ?? ''", |text| {
        text.contains("Done.") || text.contains("ada@")
    });

    // From now on by address and password.
    demo.press_button("Sign out");
    demo.fill("#person-email", "ada@example.com");
    demo.fill("#person-password", "wrong horse");
    browser.run("document.querySelector('.narrow form').requestSubmit()");
    demo.until("the refusal", "document.querySelector('#person-password-wrong')?.innerText ?? ''", |text| {
        text.contains("do not belong together")
    });
    demo.fill("#person-password", "correct horse");
    browser.run("document.querySelector('.narrow form').requestSubmit()");
    browser.wait_for_text("main", |text| text.contains("Account") || text.contains("Sites"));

    browser.visit(&home);
    demo.press_button("Add a site");
    demo.fill("#site-domain", "https://shop.example/");
    demo.fill("#site-timezone", "Europe/Berlin");
    demo.press_button("Add the site");
    browser.wait_for_text("main", |text| text.contains("Waiting for the first visit to shop.example"));
    let tag = browser.text(".tagline code");
    assert!(tag.contains("data-site=\"shop.example\"") && tag.contains("/t.js"), "{tag}");

    let view = json!({"name": "pageview", "url": "https://shop.example/", "domain": "shop.example"});
    let headers = [("user-agent", PHONE), ("origin", "https://shop.example"), ("content-type", "application/json")];
    let sent = demo.server.api().anonymous().send("/api/event", view.to_string().as_bytes(), &headers).expect("an answer");
    assert_eq!(sent.status, 202);
    // Nobody reloads the page.
    demo.until("the first visitor", "document.querySelector('.card .figure')?.innerText ?? ''", |text| text == "1");
    // Before it there was nothing that it could be more than.
    demo.until("why nothing is compared", "document.querySelector('.chart-head').innerText", |text| {
        text.contains("counting began on")
    });
    assert_eq!(browser.run("return document.querySelectorAll('.delta').length"), json!(0));
    assert_eq!(browser.console_errors().iter().filter(|line| !line.contains("401")).count(), 0, "{:?}", browser.console_errors());
}

#[test]
fn an_owner_finds_the_campaign_that_brought_signups_from_germany_on_phones_last_month_and_shares_it() {
    let demo = Demo::start("60");
    let browser = &demo.browser;
    demo.sign_in();
    demo.open("");
    browser.press("p");
    demo.search("last month", "?period=last-month");
    demo.settle();
    let pick = |value: &str| {
        let button = format!("[...document.querySelectorAll('.panel .value')].find(b => b.innerText == {value:?})");
        demo.until(value, &format!("Boolean({button})"), |found| found == "true");
        browser.run(&format!("{button}.click()"));
        demo.settle();
    };
    pick("Subscribe");
    pick("Germany");
    let devices = "[...document.querySelectorAll('.panel .tab')].find(b => b.innerText == 'Types' || b.innerText == 'Devices')";
    browser.run(&format!("{devices}.click()"));
    pick("Mobile");
    demo.until("three filters", "document.querySelectorAll('.chip').length", |count| count == "3");
    demo.fill("select[aria-label=Campaigns]", "campaigns");
    demo.until("campaigns", "document.querySelector('.panel h2').innerText", |text| text == "Campaigns");
    let campaign =
        demo.until("the campaign", "document.querySelector('.panel .row:not(.heads) .label')?.innerText ?? ''", |text| {
            !text.is_empty()
        });

    // Kept as a segment, which tells its size.
    demo.press_button("Save as a segment");
    demo.until("its size", "document.querySelector('.size')?.innerText ?? ''", |text| {
        text.contains("visitors last month") || text.contains("visitors in")
    });
    demo.fill("#segment-name", "Signups from German phones");
    demo.press_button("Save the segment");
    demo.search("the segment in the address", "?period=last-month&segment=1&tab=campaigns&tab=devices");
    demo.settle();
    let figure = demo.figure(0);

    // Shared by a link that asks for a password.
    demo.press_button("Settings of this site");
    demo.fill("#links-name", "the agency");
    demo.fill("#links-password", "correct horse");
    demo.press_button("Make a link");
    let link = demo.until(
        "the link",
        "[...document.querySelectorAll('.tagline code')].map(c => c.innerText).find(t => t.includes('/share/')) ?? ''",
        |text| text.contains("#link="),
    );
    let (path, secret) = link.split_once('#').expect("a secret behind the #");

    // Whoever has it is somebody else: no cookie of the owner's comes along with a new browser.
    let other = headwater_tests::browser::Browser::start();
    other.visit(&format!("{path}?period=last-month&segment=1&tab=campaigns#{secret}"));
    other.wait_for_text("main", |text| text.contains("shared with a password"));
    is_accessible(&other, "link-password");
    other.run("const f = document.querySelector('#link-password'); f.value = 'correct horse'; f.dispatchEvent(new Event('input', {bubbles: true})); f.form.requestSubmit()");
    other.wait_for_text("main", |text| text.contains(&campaign) && text.contains("Signups from German phones"));
    other.wait_for_text(".card .figure", |text| text == figure);
    other.wait_for_text(".state", |text| text == "Live");
    assert!(!other.text("body").contains("Settings of this site"), "who has a link changes nothing");
    is_accessible(&other, "shared");

    // Revoked, it shows nothing any more.
    assert_eq!(demo.server.api().delete("/api/v1/sites/demo.localhost/links/1").unwrap().status, 204);
    other.visit("about:blank");
    other.visit(&format!("{path}#{secret}"));
    other.wait_for_text("main", |text| text.contains("revoked"));
}

#[test]
fn with_the_keyboard_alone_one_filters_reads_the_chart_and_goes_back() {
    let demo = Demo::start("10");
    let browser = &demo.browser;
    demo.sign_in();
    demo.open("?period=7d");
    browser.press("/");
    demo.until("the dialog's field has the focus", "document.activeElement?.type", |kind| kind == "search");
    // The contract's own characters are typed, not taken for keys.
    browser.press("brewing");
    demo.until("what fits", "[...document.querySelectorAll('.choice bdi')].every(b => b.innerText.includes('brewing')) && document.querySelectorAll('.choice').length", |n| n.parse::<u32>().is_ok_and(|n| n > 0));
    browser.press("\u{e007}");
    demo.until("a filter", "document.querySelectorAll('.chip').length", |count| count == "1");
    demo.settle();
    browser.run("document.querySelector('.plot').focus()");
    browser.press("\u{e014}");
    demo.until("the value of a point", "document.querySelector('.tip b')?.innerText ?? ''", |text| !text.is_empty());
    browser.press(ESCAPE);
    browser.run("document.activeElement.blur()");
    browser.press(ESCAPE);
    demo.search("nothing filtered", "?period=7d");
    assert_eq!(browser.console_errors(), Vec::<String>::new());
}

#[test]
fn a_screen_reader_is_told_what_is_seen() {
    let demo = Demo::start("10");
    let browser = &demo.browser;
    demo.sign_in();
    demo.open("?period=7d");
    let visitors = demo.figure(0);
    let source = browser.run("return document.querySelector('.panel .row:not(.heads) .label').innerText");
    let source = source.as_str().expect("a source");

    // The browser's own tree: what is announced, in order.
    let tree = browser.devtools("Accessibility.getFullAXTree", &json!({}));
    let nodes: Vec<&Value> = tree["nodes"].as_array().expect("nodes").iter().filter(|node| node["ignored"] == false).collect();
    let text = |node: &Value, what: &str| node[what]["value"].as_str().unwrap_or_default().to_owned();
    let of = |role: &str| nodes.iter().filter(|node| text(node, "role") == role).copied().collect::<Vec<_>>();
    let names = |role: &str| of(role).iter().map(|node| text(node, "name")).collect::<Vec<_>>();
    let has = |role: &str, name: &str| {
        assert!(names(role).iter().any(|known| known == name), "{role} {name:?} among {:?}", names(role));
    };
    has("link", "Skip to the figures");
    assert_eq!(of("main").len(), 1);
    for heading in ["demo.localhost", "Sources", "Top pages", "Countries", "Browsers", "Events", "Web vitals"] {
        assert!(names("heading").iter().any(|name| name.contains(heading)), "{heading} among {:?}", names("heading"));
    }
    // Cards are buttons that say their figure and which of them is chosen.
    let cards: Vec<&Value> = of("button").into_iter().filter(|node| text(node, "name").contains(&visitors)).collect();
    let pressed = |node: &Value| {
        let properties = node["properties"].as_array().cloned().unwrap_or_default();
        properties.iter().find(|p| p["name"] == "pressed").map(|p| p["value"]["value"].clone())
    };
    let card = cards.iter().find(|node| text(node, "name").starts_with("Visitors")).expect("the card of visitors");
    assert_eq!(pressed(card), Some(json!("true")));
    // Lists are tables, whose rows have heads that filter.
    has("table", "Sources");
    has("columnheader", "Visitors");
    assert!(names("rowheader").iter().any(|name| name.contains(source)), "{source} among {:?}", names("rowheader"));
    assert!(names("button").iter().any(|name| name.starts_with(source)), "{source} among {:?}", names("button"));
    // The chart says that it has a table, and what changes is spoken.
    has("DisclosureTriangle", "Show as a table");
    assert!(of("status").iter().any(|node| node["properties"].to_string().contains("polite")), "nothing is spoken");
}
