//! What is counted without being called for.
use std::time::Duration;

use headwater_tests::browser::Kind;

use crate::stage::{Stage, VITALS, pause};

#[test]
fn single_page_sites_are_followed() {
    let stage = Stage::new();
    let app = "<button id=a onclick=\"history.pushState(0, '', '/a')\">a</button>\
               <button id=b onclick=\"history.replaceState(0, '', '/b?page=2')\">b</button>\
               <button id=same onclick=\"history.replaceState(0, '', '/b?page=3')\">same</button>\
               <button id=hash onclick=\"location.hash = 'part'\">hash</button>";
    let site = stage.site("app", &[("/", "", app)]);

    // When the path changes by pushState, replaceState or the back button, that is a view; when only the query or the
    // fragment does, it is none.
    stage.stay(&site, "/");
    // Without the Navigation API the path is looked at once a second.
    let settle = if stage.browser.kind == Kind::WebKit { 1200 } else { 0 };
    for button in ["#a", "#b", "#same", "#hash"] {
        stage.browser.click(button);
        pause(settle);
    }
    stage.browser.run("history.go(-2)");
    stage.counts(&site, [1, 0, 4, 4]);
    stage.rows(&site, "event:page", "pageviews", &[("/", 2), ("/a", 1), ("/b", 1)]);
    stage.leave();
    stage.rows(&site, "visit:exit_page", "visits", &[("/", 1)]);

    // In hash mode the fragment is part of the page.
    let site = stage.site("hash", &[("/", "data-hash", app)]);
    stage.stay(&site, "/#top");
    stage.browser.click("#hash");
    stage.counts(&site, [1, 0, 2, 2]);
    stage.rows(&site, "event:page", "pageviews", &[("/#top", 1), ("/#part", 1)]);

    // When the tag asks for queries, they are too; else they are dropped.
    let site = stage.site("query", &[("/", "data-query", app)]);
    stage.stay(&site, "/?q=1");
    stage.browser.click("#b");
    pause(settle);
    stage.browser.click("#same");
    stage.counts(&site, [1, 0, 3, 3]);
    stage.rows(&site, "event:page", "pageviews", &[("/?q=1", 1), ("/b?page=2", 1), ("/b?page=3", 1)]);

    // When the tag says that navigation is not to be counted, it is not.
    let site = stage.site("still", &[("/", "data-off=navigation", app)]);
    stage.stay(&site, "/");
    stage.browser.click("#a");
    pause(1200);
    stage.leave();
    stage.counts(&site, [1, 1, 1, 1]);
}

#[test]
fn pages_that_come_back_or_were_made_before_are_seen_once_each() {
    let stage = Stage::new();

    // When a page comes back from the back-forward cache, it is seen again.
    let site = stage.site("back", &[("/", "", "<h1>home</h1>"), ("/next", "", "<h1>next</h1>")]);
    stage.go(&site, "/");
    stage.browser.run("window.made = 1");
    stage.go(&site, "/next");
    stage.counts(&site, [1, 0, 2, 2]);
    stage.browser.run("history.back()");
    stage.browser.wait_for_text("h1", |text| text == "home");
    stage.counts(&site, [1, 0, 3, 3]);
    stage.rows(&site, "event:page", "pageviews", &[("/", 2), ("/next", 1)]);

    // When a page is prerendered, it is seen when it is opened, not before.
    let rules = "<script type=speculationrules>{\"prerender\": [{\"urls\": [\"/made\"]}]}</script><a href=/made>on</a>";
    let site = stage.site("before", &[("/", "", rules), ("/made", "", "<h1>made</h1>")]);
    stage.go(&site, "/");
    pause(1500);
    stage.counts(&site, [1, 1, 1, 1]);
    stage.browser.click("a");
    stage.browser.wait_for_text("h1", |text| text == "made");
    stage.counts(&site, [1, 0, 2, 2]);
}

#[test]
fn links_forms_marks_and_missing_pages_are_counted() {
    let stage = Stage::new();
    let other = stage.url("other.localhost", "/there?q=1#x");
    stage.page("other.localhost", "/there", 200, "", "<h1>there</h1>");
    let page = format!(
        "<a id=out href='{other}'><b>out</b></a> <a id=file href=/files/price.PDF.pdf?x>file</a> <a id=in href=/in>in</a>\
         <form action=/sent><input name=a><input id=send type=submit></form>\
         <form data-headwater-event=Subscribe data-headwater-prop-list=news action=/sent><input id=named type=submit></form>\
         <button id=mark data-headwater-event=Signup data-headwater-prop-plan=pro><i>Sign up</i></button>"
    );
    let pages = |attributes| [("/", attributes, ""), ("/in", attributes, "inside"), ("/sent", attributes, "it is sent")];
    let site = stage.site("links", &pages(""));
    let tag = stage.tag(&site, "");
    stage.page(&site, "/", 200, "", &format!("{tag}{page}"));

    // When a link leads to another host, that is an outbound link; it does not matter that the page is left at once.
    stage.stay(&site, "/");
    stage.browser.click("#out b");
    stage.browser.wait_for_text("h1", |text| text == "there");
    stage.events(&site, &[("Outbound Link: Click", 1)]);
    stage.rows(&site, "event:props:url", "events", &[(&stage.url("other.localhost", "/there"), 1)]);

    // When it leads to a file, that is a download; to a page of the site, neither.
    let click_through = |site: &str, selector: &str, then: &str| {
        stage.stay(site, "/");
        stage.browser.click(selector);
        stage.browser.wait_for_text("body", |text| text.contains(then));
    };
    click_through(&site, "#file", "nothing here");
    click_through(&site, "#in", "inside");
    stage.events(&site, &[("Outbound Link: Click", 1), ("File Download", 1)]);

    // When a form is sent, that is a submission; a marked one is the event that it names.
    click_through(&site, "#send", "it is sent");
    click_through(&site, "#named", "it is sent");
    let forms = [("Outbound Link: Click", 1), ("File Download", 1), ("Form: Submission", 1), ("Subscribe", 1)];
    stage.events(&site, &forms);
    stage.rows(&site, "event:props:list", "events", &[("news", 1)]);

    // When something in a marked element is clicked, the mark's event counts with its properties.
    stage.stay(&site, "/");
    stage.browser.click("#mark i");
    stage.browser.click("#mark");
    stage.rows(&site, "event:props:plan", "events", &[("pro", 2)]);

    // When a page is missing, it is a view and a 404, which nobody did: the visit bounces.
    let site = stage.site("gone", &[]);
    stage.page(&site, "/nowhere", 404, "", &stage.tag(&site, ""));
    stage.go(&site, "/nowhere");
    // (WebKit does not tell a page its status.)
    if stage.browser.kind != Kind::WebKit {
        stage.counts(&site, [1, 1, 1, 2]);
        stage.events(&site, &[("404", 1)]);
        stage.rows(&site, "event:props:path", "events", &[("/nowhere", 1)]);
    }

    // What the tag names is left out.
    let site = stage.site("quiet", &pages(""));
    let off = "data-off='Outbound Link: Click, File Download, Form: Submission, 404'";
    stage.page(&site, "/", 404, "", &format!("{}{page}", stage.tag(&site, off)));
    for (button, then) in [("#out", "there"), ("#file", "nothing here"), ("#send", "it is sent"), ("#named", "it is sent")] {
        click_through(&site, button, then);
    }
    stage.events(&site, &[("Subscribe", 1)]);
}

#[test]
fn what_is_done_before_the_tracker_is_all_there_counts() {
    let stage = Stage::new();
    // What a page does once the tag's own script has run, while the others are still on their way.
    let page = |tag: &str| {
        format!(
            "{tag}<button data-headwater-event=Signup>x</button><form onsubmit='return false'><input type=submit></form>\
             <a href=https://away.example/to onclick='return false'>away</a>\
             <script type=module>document.querySelector('button').click(); document.forms[0].requestSubmit(); \
             document.querySelector('a').click(); headwater('Called')</script>"
        )
    };
    let done = [("Signup", 1), ("Form: Submission", 1), ("Outbound Link: Click", 1), ("Called", 1)];
    // When the page is left before they came, its view and its calls count, but nobody knows yet what was clicked. The page leaves
    // by itself: Firefox takes a page for loaded, and lets us leave, when all is there.
    stage.front.files_take(Duration::from_secs(4));
    let site = stage.site("hasty", &[]);
    let html = page(&stage.tag(&site, "")) + "<script type=module>setTimeout(() => location.href = '/gone', 100)</script>";
    stage.page(&site, "/", 200, "", &html);
    stage.page(&site, "/gone", 200, "", "gone");
    stage.go(&site, "/");
    stage.leave();
    stage.counts(&site, [1, 0, 1, 2]);
    stage.events(&site, &[("Called", 1)]);

    // When something is clicked or submitted before the second part is there, it counts when that has come.
    stage.front.files_take(Duration::from_millis(700));
    let site = stage.site("eager", &[]);
    stage.page(&site, "/", 200, "", &page(&stage.tag(&site, "")));
    stage.stay(&site, "/");
    stage.counts(&site, [1, 0, 1, 5]);
    stage.events(&site, &done);
    stage.leave();
}

#[test]
fn web_vitals_are_numbers_of_a_page_load() {
    let stage = Stage::new();
    let site = stage.site("vitals", &[]);
    let html = format!(
        "{}<h1>big words</h1><div id=late></div><p>moved</p><button onclick=\"let t = Date.now(); \
         while (Date.now() - t < 120);\">slow</button>",
        stage.tag(&site, "").replace(&format!("data-off={VITALS}"), "")
    );
    stage.page(&site, "/", 200, "", &html);
    stage.go(&site, "/");
    pause(300);
    stage.browser.run("document.getElementById('late').style.height = '300px'");
    pause(300);
    stage.browser.click("button");
    pause(300);
    stage.leave();
    // When the page is left, each counts once, and the visit bounces all the same.
    stage.counts(&site, [1, 1, 1, 6]);
    stage.events(&site, &[("LCP", 1), ("FCP", 1), ("TTFB", 1), ("INP", 1), ("CLS", 1)]);
    let value = |name| stage.metric(&site, name, "sum");
    let (fcp, lcp, ttfb, inp, cls) = (value("FCP"), value("LCP"), value("TTFB"), value("INP"), value("CLS"));
    assert!(0.0 < ttfb && ttfb <= fcp && fcp <= lcp && lcp < 60_000.0, "{ttfb} {fcp} {lcp}");
    assert!((100.0..60_000.0).contains(&inp), "the click kept the page busy for 120 ms: {inp}");
    assert!(cls > 0.0 && cls < 2.0, "the text moved: {cls}");
}
