use headwater_core::{Millis, RowDimension, Tally, VisitDimension};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{NOON, World, sender};
use crate::dedup::HOUR;
use crate::sender::Sender;

fn token(at: Millis) -> Sender<'static> {
    Sender { token: true, origin: None, user_agent: "my-server/1.0", ..sender(at) }
}

fn pageview(path: &str) -> String {
    json!({"name": "pageview", "url": format!("https://example.com{path}"), "domain": "example.com"}).to_string()
}

fn rows(world: &World, dimension: RowDimension) -> Vec<(String, String, u64)> {
    let mut rows = vec![];
    for partial in world.fold().partials {
        let tallies = &partial.aggregate.tallies;
        let text = |id| tallies.dict.get(id).to_owned();
        rows.extend(tallies.of(dimension).iter().map(|r| (text(r.key.key), text(r.key.value), r.tally.events)));
    }
    rows
}

#[test]
fn payloads_of_plausibles_trackers_are_counted() {
    // Long keys, short keys, props as object and as string, text that the old script sends, and what its API's docs show.
    let corpus = [
        r#"{"name":"pageview","url":"https://example.com/a","domain":"example.com","referrer":"https://www.google.com/"}"#,
        r#"{"n":"pageview","u":"https://example.com/a","d":"example.com","r":null}"#,
        r#"{"n":"pageview","v":25,"u":"https://example.com/a?ref=x","d":"example.com","r":"https://t.co/abc","h":1}"#,
        r#"{"n":"Signup","u":"https://example.com/a","d":"example.com","r":null,"p":{"plan":"pro","seats":3,"trial":true,"none":null}}"#,
        r#"{"n":"Signup","u":"https://example.com/a","d":"example.com","m":"{\"plan\":\"pro\"}"}"#,
        r#"{"name":"Signup","url":"https://example.com/a","domain":"example.com","meta":{"plan":"pro"}}"#,
        r#"{"name":"Purchase","url":"https://example.com/a","domain":"example.com","revenue":{"currency":"USD","amount":"1322.22"}}"#,
        r#"{"n":"Purchase","u":"https://example.com/a","d":"example.com","$":{"currency":"usd","amount":1.5}}"#,
        r#"{"n":"Purchase","u":"https://example.com/a","d":"example.com","$":"{\"currency\":\"USD\",\"amount\":2}"}"#,
        r#"{"n":"Outbound Link: Click","u":"https://example.com/a","d":"example.com","p":{"url":"https://x.org"},"i":false}"#,
        r#"{"n":"404","u":"app://localhost/home","d":"example.com","props":"","interactive":true}"#,
        r#"{"n":"engagement","u":"https://example.com/a","d":"example.com","sd":50,"e":4000,"h":0,"v":25}"#,
    ];
    let mut world = World::new();
    for body in corpus {
        let answer = world.post_event(body, &sender(NOON));
        assert_eq!((answer.status, answer.body), (202, Some(json!({"accepted": 1, "duplicate": 0, "rejected": []}))), "{body}");
    }
    let total = world.total();
    assert_eq!(
        (total.views, total.events, total.visits, total.engaged, total.depth),
        (3, 11, 2, 4, 50),
        "`ref` is another campaign"
    );
    let mut props = rows(&world, RowDimension::Prop);
    props.retain(|(key, ..)| key == "plan");
    assert_eq!(props, [("plan".into(), "pro".into(), 3)]);
    let partial = &world.fold().partials[0].aggregate.tallies;
    let purchase = partial.of(RowDimension::Name).iter().find(|row| partial.dict.get(row.key.value) == "Purchase").unwrap();
    let (currency, numbers) = &purchase.tally.numbers[0];
    assert_eq!((partial.dict.get(*currency), numbers.count, numbers.sum), ("USD", 3, 1_325_720_000));
}

#[test]
fn bad_items_are_refused_by_the_field_at_fault() {
    let mut world = World::new();
    let ok = json!({"name": "pageview", "url": "https://example.com/", "domain": "example.com"});
    let cases = [
        (json!({"name": null}), "name", 400),
        (json!({"name": ""}), "name", 400),
        (json!({"name": 5}), "name", 400),
        (json!({"name": "x".repeat(1025)}), "name", 400),
        (json!({"url": null}), "url", 400),
        (json!({"url": "/relative"}), "url", 400),
        (json!({"domain": null}), "domain", 400),
        (json!({"domain": "other.org"}), "domain", 404),
        (json!({"props": [1]}), "props", 400),
        (json!({"props": {"a": {"b": 1}}}), "props", 400),
        (json!({"props": "no json"}), "props", 400),
        (json!({"props": (0..31).map(|i| (i.to_string(), json!(1))).collect::<serde_json::Map<_, _>>()}), "props", 400),
        (json!({"name": "x", "revenue": {"amount": 1}}), "revenue", 400),
        (json!({"name": "x", "revenue": {"amount": "x", "currency": "EUR"}}), "revenue", 400),
        (json!({"name": "x", "value": 1e13}), "value", 400),
        (json!({"name": "x", "interactive": "yes"}), "interactive", 400),
        (json!({"referrer": 7}), "referrer", 400),
        (json!({"id": ""}), "id", 400),
        (json!({"ip": "1.2.3.4"}), "ip", 403),
        (json!({"user_agent": "x"}), "user_agent", 403),
        (json!({"timestamp": "2026-01-01T00:00:00Z"}), "timestamp", 403),
    ];
    for (change, field, status) in cases {
        let mut item = ok.clone();
        change.as_object().unwrap().iter().for_each(|(key, value)| item[key] = value.clone());
        let answer = world.post_event(&item.to_string(), &sender(NOON));
        let body = answer.body.unwrap();
        assert_eq!((answer.status, body["status"].as_u64()), (400, Some(400)), "{change}");
        assert_eq!(body["rejected"][0]["status"], status, "{change}");
        assert!(body["rejected"][0]["detail"].as_str().unwrap().starts_with(field), "{change}: {body}");
        assert!(body["detail"].as_str().unwrap().starts_with(field));
    }
    for body in ["", "[]", "5", "{", "[5]", "null", "\"x\""] {
        assert_eq!(world.post_event(body, &sender(NOON)).status, 400, "{body}");
    }
    let many = Value::Array(vec![ok; 1001]).to_string();
    assert_eq!(world.post_event(&many, &sender(NOON)).status, 400);
    assert!(world.store.blocks.is_empty());
}

#[test]
fn each_item_of_an_array_stands_alone() {
    let mut world = World::new();
    let item = |id: &str| json!({"name": "pageview", "url": "https://example.com/", "domain": "example.com", "id": id});
    let bot = json!({"name": "pageview", "url": "https://example.com/", "domain": "example.com", "user_agent": "Googlebot"});
    let other = json!({"name": "pageview", "url": "https://example.com/", "domain": "other.org"});
    let body = json!([item("a"), other, item("b"), item("a"), bot]).to_string();
    let answer = world.post_event(&body, &token(NOON));
    assert!(answer.status == 202 && answer.dropped);
    let body = answer.body.unwrap();
    assert_eq!((&body["accepted"], &body["duplicate"], &body["dropped"]), (&json!(2), &json!(1), &json!(1)));
    assert_eq!((&body["rejected"][0]["index"], &body["rejected"][0]["status"]), (&json!(1), &json!(404)));
    assert_eq!(world.total().views, 2);
    // All of it again, and days later.
    for days in [0, 1, 3] {
        let answer = world.post_event(&json!([item("a"), item("b")]).to_string(), &token(NOON.offset(days * 24 * HOUR as i64)));
        assert_eq!((answer.status, &answer.body.unwrap()["duplicate"]), (202, &json!(2)));
    }
    assert_eq!(world.total().views, 2);
}

#[test]
fn a_token_may_say_who_and_when() {
    let mut world = World::new();
    let item = |ip: &str, agent: &str, time: &str| json!({"name": "pageview", "url": "https://example.com/", "domain": "example.com", "ip": ip, "user_agent": agent, "timestamp": time});
    let body = json!([
        item("1.1.1.1", super::FIREFOX, "1970-04-11T11:00:00Z"),
        item("1.1.1.2", super::FIREFOX, "1970-04-11T12:59:30+01:00")
    ]);
    assert_eq!(world.post_event(&body.to_string(), &token(NOON)).status, 202);
    assert_eq!(world.visitors(), 2);
    let minutes: Vec<_> = world.fold().partials.iter().map(|p| NOON.minute().0 - p.minute.0).collect();
    assert_eq!(minutes, [60, 1]);
    let mut status = |time: &str| {
        let answer = world.post_event(&item("1.1.1.1", "x", time).to_string(), &token(NOON));
        answer.body.unwrap()["rejected"][0]["status"].as_u64()
    };
    assert_eq!(status("1970-04-08T11:59:59Z"), Some(410));
    assert_eq!(status("1970-04-08T12:00:00Z"), None);
    assert_eq!(status("1970-04-11T12:04:00Z"), None);
    assert_eq!(status("1970-04-11T12:06:00Z"), Some(400));
    assert_eq!(status("yesterday"), Some(400));
}

#[test]
fn what_may_come_again_says_so() {
    let mut world = World::new();
    world.limits = crate::limit::Limits::new(1, 0).into();
    let two = format!("[{},{}]", pageview("/"), pageview("/b"));
    assert_eq!(world.post_event(&two, &sender(NOON)).status, 202, "one request is one");
    let answer = world.post_event(&two, &sender(NOON));
    assert_eq!((answer.status, answer.retry_after.is_some()), (429, true));
    world.site = std::sync::Arc::new(crate::SiteFacts { salts: vec![], ..(*world.site).clone() });
    let answer = world.post_event(&pageview("/"), &token(NOON));
    assert_eq!((answer.status, answer.retry_after), (503, Some(30)));
}

#[test]
fn pages_of_other_hosts_may_not_send_and_servers_may() {
    let mut world = World::new();
    let answer = world.post_event(&pageview("/"), &Sender { origin: Some("https://evil.org"), ..sender(NOON) });
    assert!(answer.status == 400 && answer.foreign);
    assert_eq!(world.post_event(&pageview("/"), &Sender { origin: None, ..sender(NOON) }).status, 202);
}

#[test]
fn a_visit_goes_on_over_midnight() {
    let mut world = World::new();
    let midnight = Millis(100 * 24 * HOUR);
    world.post_event(&pageview("/a"), &sender(midnight.offset(-60_000)));
    world.post_event(&pageview("/b"), &sender(midnight.offset(60_000)));
    let total = world.total();
    assert_eq!((total.visits, total.visits_went_on, total.views, total.views_went_on), (1, 1, 2, 1));
    assert_eq!(world.visitors(), 2);
    world.assert_never_negative();
    // The second day adds a view to a visit that it did not start; entry page and tag are the first day's.
    let partials = world.fold().partials;
    assert_eq!(partials.len(), 2);
    let entry = |i: usize| rows_of(&partials[i].aggregate.tallies, RowDimension::Visit(VisitDimension::EntryPage));
    assert_eq!((entry(0), entry(1)), (vec!["/a".to_owned()], vec!["/a".to_owned()]));
    let tag = |i: usize| partials[i].aggregate.people.visits[0].tag;
    assert!(tag(0) == tag(1) && tag(0) != 0);
}

fn rows_of(tallies: &headwater_core::Tallies, dimension: RowDimension) -> Vec<String> {
    tallies.of(dimension).iter().map(|row| tallies.dict.get(row.key.value).to_owned()).collect()
}

#[test]
fn campaigns_and_pages_are_read_from_the_address() {
    let mut world = World::new();
    let url =
        "https://www.example.com/a%20b?utm_source=fb&utm_medium=paid&utm_campaign=x+y&utm_content=c&utm_term=t&other=secret#frag";
    let body = json!({"name": "pageview", "url": url, "domain": "EXAMPLE.com", "referrer": "https://example.com/before"});
    assert_eq!(world.post_event(&body.to_string(), &sender(NOON)).status, 202);
    let tallies = &world.fold().partials[0].aggregate.tallies;
    let one = |dimension| rows_of(tallies, dimension).join("|");
    assert_eq!(one(RowDimension::Page), "/a%20b");
    assert_eq!(one(RowDimension::Hostname), "www.example.com");
    for (dimension, value) in [
        (VisitDimension::Source, "Facebook"),
        (VisitDimension::Channel, "Paid Social"),
        (VisitDimension::Referrer, ""),
        (VisitDimension::UtmCampaign, "x y"),
        (VisitDimension::UtmTerm, "t"),
        (VisitDimension::Browser, "Firefox"),
        (VisitDimension::Device, "Desktop"),
    ] {
        assert_eq!(one(RowDimension::Visit(dimension)), value);
    }
    let hash = json!({"n": "pageview", "u": "https://example.com/#/route?x", "d": "example.com", "h": 1});
    world.post_event(&hash.to_string(), &sender(NOON.offset(120_000)));
    assert_eq!(rows_of(&world.fold().partials[1].aggregate.tallies, RowDimension::Page), ["/#/route?x"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn whatever_is_sent_adds_up(events in prop::collection::vec((0..4u8, 0..3u8, 0..3u8, 0..2_400_000u64), 1..60)) {
        let mut world = World::new();
        let mut at = NOON;
        let mut sent = Tally::default();
        for (who, what, page, pause) in events {
            at = at.offset(pause as i64);
            let name = ["pageview", "Click", "engagement"][what as usize];
            let body = json!({"n": name, "u": format!("https://example.com/{page}"), "d": "example.com", "e": 1000, "sd": 10});
            let from = Sender { address: Some([10, 0, 0, who].into()), ..sender(at) };
            prop_assert_eq!(world.post_event(&body.to_string(), &from).status, 202);
            sent.views += u64::from(what == 0);
            sent.events += u64::from(what < 2);
            sent.engaged += u64::from(what == 2);
        }
        let total = world.total();
        prop_assert_eq!((total.views, total.events, total.engaged), (sent.views, sent.events, sent.engaged));
        prop_assert!(total.visits <= total.events);
        world.assert_never_negative();
    }
}
