//! A click through the Worker, the rest of the contract, and what wrangler runs.
use std::time::Duration;

use headwater_tests::api::{Api, BROWSER};
use headwater_tests::browser::Browser;
use headwater_tests::server::{Server, free_port};
use headwater_tests::site::Site;
use headwater_tests::workerd::Workerd;
use serde_json::json;

use super::{beacon, events_of, eventually, post, temporary};

#[test]
fn a_click_reaches_the_numbers_through_the_worker() {
    const SITE: &str = "shop.localhost";
    let server = Server::start();
    server.add_site(SITE, &[]);
    let folder = temporary();
    let worker = Workerd::start(folder.path(), free_port(), server.port, &[]);
    let script = format!("http://127.0.0.1:{}/t.js", worker.port);
    let page = format!(
        "<!doctype html><title>Home</title><script defer data-site={SITE} data-local=250 data-automated src={script}>\
         </script><button data-headwater-event=Signup>Sign up</button>"
    );
    let shop = Site::serve(&[("/", page)]);
    let api = server.api();
    let browser = Browser::start();
    browser.visit(&format!("http://{SITE}:{}/", shop.port));
    eventually("a view", 20, &json!([1, 1]), || api.totals(SITE, &["visitors", "pageviews"]).into());
    browser.click("button");
    let took = eventually("a click", 20, &json!([1, 1, 2]), || api.totals(SITE, &["visitors", "pageviews", "events"]).into());
    println!("from the click to the number: {took:.1?}");
    assert!(took < Duration::from_secs(6), "{took:?}");
    // The platform says where that was.
    let by = |dimension: &str| {
        let ask = json!({"site_id": SITE, "metrics": ["visits"], "date_range": "all", "dimensions": [dimension]});
        api.query(&ask)["results"][0]["dimensions"][0].clone()
    };
    assert_eq!([by("visit:country"), by("visit:region"), by("visit:city")], [json!("US"), json!("US-TX"), json!("Austin")]);

    // The rest of the contract, as the server keeps it.
    let anyone = worker.anyone();
    let script = "text/javascript; charset=utf-8";
    for (path, kind) in [("/t.js", script), ("/t.auto.js", script), ("/t.wasm", "application/wasm")] {
        let at_server = if path == "/t.auto.js" { "/t.js?auto" } else { path };
        let (ours, theirs) = (anyone.get(path).expect("an answer"), server.api().anonymous().get(at_server).expect("an answer"));
        assert_eq!((ours.status, ours.header("content-type")), (200, kind));
        for header in ["content-type", "cache-control", "access-control-allow-origin", "cross-origin-resource-policy"] {
            assert_eq!(ours.header(header), theirs.header(header), "{header} of {path}");
        }
        assert!(!ours.header("etag").is_empty());
    }
    let event = |domain: &str, name: &str| json!({"name": name, "url": format!("https://{domain}/"), "domain": domain});
    let send = |path: &str, body: &[u8], headers: &[(&str, &str)]| {
        let browser = [("User-Agent", BROWSER), ("CF-Connecting-IP", "10.0.0.9")];
        let unless_given = browser.into_iter().filter(|(name, _)| headers.iter().all(|(given, _)| given != name));
        let given: Vec<(&str, &str)> = unless_given.chain(headers.iter().copied()).collect();
        anyone.send(path, body, &given).expect("an answer")
    };
    let origin = [("Origin", "http://shop.localhost")];
    let statuses = [
        send("/b", &beacon("nowhere.example", 1, "/"), &origin).status,
        send("/b", &beacon(SITE, 2, "/"), &[("Origin", "https://evil.example")]).status,
        send("/b", b"\x01\x00nonsense", &origin).status,
        send("/b", &vec![1; 70_000], &origin).status,
        send("/api/event", b"{", &origin).status,
        send("/api/event", event(SITE, "x").to_string().as_bytes(), &[("Authorization", "Bearer nobody")]).status,
        send("/api/event", event(SITE, "Googled").to_string().as_bytes(), &[("User-Agent", "Googlebot/2.1")]).status,
    ];
    assert_eq!(statuses, [404, 403, 400, 413, 400, 401, 202]);
    let foreign = send("/b", &beacon(SITE, 3, "/"), &[("Origin", "https://evil.example")]);
    assert_eq!(foreign.header("access-control-allow-origin"), "");
    let good = send("/b", &beacon(SITE, 4, "/"), &origin);
    assert_eq!((good.status, good.header("access-control-allow-origin")), (202, "http://shop.localhost"), "{}", good.text);
    // An array for two sites, one of which is none.
    let array = json!([event(SITE, "One"), event("nowhere.example", "Two"), {"name": "Three"}, event(SITE, "Four")]);
    let answer = send("/api/event", array.to_string().as_bytes(), &origin).json();
    assert_eq!((&answer["accepted"], &answer["duplicate"]), (&json!(2), &json!(0)), "{answer}");
    let rejected: Vec<_> =
        answer["rejected"].as_array().into_iter().flatten().map(|item| (&item["index"], &item["status"])).collect();
    assert_eq!(rejected, [(&json!(1), &json!(404)), (&json!(2), &json!(400))], "{answer}");
    eventually("five events", 20, &5, || events_of(&api, SITE));
}

#[test]
fn wrangler_runs_what_is_deployed() {
    const SITE: &str = "dev.example";
    let server = Server::start();
    server.add_site(SITE, &[]);
    let (folder, port) = (temporary(), free_port());
    let dev = headwater_tests::workerd::Dev::start(folder.path(), port, server.port);
    let api = Api::new(port, None);
    for path in ["/t.js", "/t.auto.js", "/t.wasm"] {
        let at_server = if path == "/t.auto.js" { "/t.js?auto" } else { path };
        let (ours, theirs) = (api.get(path).expect("an answer"), server.api().anonymous().get(at_server).expect("an answer"));
        assert_eq!(ours.status, 200);
        for header in ["content-type", "cache-control", "access-control-allow-origin", "cross-origin-resource-policy"] {
            assert_eq!(ours.header(header), theirs.header(header), "{header} of {path}");
        }
    }
    let answer = post(&api, SITE, "10.0.0.1", &beacon(SITE, 1, "/")).expect("an answer");
    assert_eq!(answer.status, 202, "{}\n{}", answer.text, dev.log());
    eventually("a view", 20, &1, || events_of(&server.api(), SITE));
}
