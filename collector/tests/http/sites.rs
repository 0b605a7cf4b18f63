use headwater_collector::data_dir::DataDir;
use headwater_collector::secret::Secret;
use headwater_collector::store::tokens::{self, Scope};
use headwater_collector::store::{Store, StoreError};
use serde_json::json;

use crate::harness::{NOW, Server};

#[tokio::test]
async fn a_site_is_added_shown_changed_and_removed() {
    let server = Server::start();
    let body = json!({"domain": "Example.com", "timezone": "europe/berlin", "identity": "month", "hosts": ["*.example.com"]});
    let added = server.admin("POST", "/api/v1/sites").json(&body).send().await;
    assert_eq!((added.status.as_u16(), added.header("location")), (201, "/api/v1/sites/example.com"));
    let expected = json!({"domain": "example.com", "timezone": "Europe/Berlin", "identity": "month", "hosts": ["*.example.com"], "public": false, "shards": 1,
        "retention": {"minutes": 2, "hours": 90, "hour_samples": 9, "days": null, "day_samples": null}});
    assert_eq!(added.json(), expected);
    let mut owned = expected;
    owned["role"] = json!("owner");
    assert_eq!(server.admin("GET", "/api/v1/sites").send().await.json(), json!({"sites": [owned]}));
    assert_eq!(server.admin("GET", "/api/v1/sites/EXAMPLE.com").send().await.json(), owned);

    let again = server.admin("POST", "/api/v1/sites").json(&json!({"domain": "example.com"})).send().await;
    assert_eq!(again.fault(), (409, "domain".to_owned()));

    let change = json!({"public": true, "hosts": [], "shards": 16, "retention": {"minutes": 3}});
    let changed = server.admin("PATCH", "/api/v1/sites/example.com").json(&change).send().await.json();
    assert_eq!((&changed["public"], &changed["hosts"]), (&json!(true), &json!([])));
    assert_eq!((&changed["retention"]["minutes"], &changed["retention"]["hours"]), (&json!(3), &json!(90)));
    let facts = server.admin("GET", "/v1/edge/sites/example.com").send().await.json();
    assert_eq!((&changed["shards"], &facts["shards"]), (&json!(16), &json!(16)));
    for wrong in [json!(0), json!(257), json!("4"), json!(1.5)] {
        let refused = server.admin("PATCH", "/api/v1/sites/example.com").json(&json!({"shards": wrong})).send().await;
        assert_eq!(refused.fault(), (400, "shards".to_owned()));
    }

    let removed = server.admin("DELETE", "/api/v1/sites/example.com").send().await;
    assert_eq!(removed.status, 204);
    assert_eq!(server.admin("GET", "/api/v1/sites/example.com").send().await.fault().0, 404);
    assert_eq!(server.admin("DELETE", "/api/v1/sites/example.com").send().await.fault().0, 404);
    let back = server.admin("POST", "/api/v1/sites").json(&json!({"domain": "example.com"})).send().await;
    assert_eq!(back.status, 201);
    let facts = server.admin("GET", "/v1/edge/sites/example.com").send().await.json();
    assert_eq!(facts["id"], 2, "a number is never used again");
}

#[tokio::test]
async fn a_new_zone_waits_for_midnight() {
    let server = Server::start();
    server.add("example.com").await;
    let change = json!({"timezone": "Asia/Kolkata", "identity": "device"});
    let changed = server.admin("PATCH", "/api/v1/sites/example.com").json(&change).send().await.json();
    assert_eq!((&changed["timezone"], &changed["identity"]), (&json!("UTC"), &json!("day")));
    assert_eq!(changed["next"], json!({"from": "2026-11-23T00:00:00Z", "timezone": "Asia/Kolkata", "identity": "device"}));
    // The salts follow: days until midnight, then one for the site's life.
    let facts = server.admin("GET", "/v1/edge/sites/example.com").send().await.json();
    let salts = facts["salts"].as_array().unwrap();
    let last = salts.last().unwrap();
    assert_eq!((&last["identity"], &last["to"]), (&json!("device"), &json!(u32::MAX)));
    assert_eq!(last["from"].as_u64().unwrap() % 1440, 0);
    assert!(salts.windows(2).all(|pair| pair[0]["to"] == pair[1]["from"]), "without gaps: {salts:?}");
    assert!(salts.iter().all(|salt| salt["salt"].as_array().unwrap().len() == 32));

    server.pass(86_400_000);
    let shown = server.admin("GET", "/api/v1/sites/example.com").send().await.json();
    assert_eq!((&shown["timezone"], &shown["identity"], shown.get("next")), (&json!("Asia/Kolkata"), &json!("device"), None));
}

#[tokio::test]
async fn what_is_wrong_with_a_site_is_named() {
    let server = Server::start();
    for (body, field) in [
        (json!({}), "domain"),
        (json!({"domain": "https://example.com/"}), "domain"),
        (json!({"domain": 5}), "domain"),
        (json!({"domain": "example.com", "timezone": "Mars/Base"}), "timezone"),
        (json!({"domain": "example.com", "identity": "week"}), "identity"),
        (json!({"domain": "example.com", "hosts": "a"}), "hosts"),
        (json!({"domain": "example.com", "hosts": ["a.example.com", "x/y"]}), "hosts[1]"),
        (json!({"domain": "example.com", "public": "yes"}), "public"),
        (json!({"domain": "example.com", "colour": "blue"}), "colour"),
        (json!(["example.com"]), ""),
    ] {
        let answer = server.admin("POST", "/api/v1/sites").json(&body).send().await;
        assert_eq!(answer.fault(), (400, field.to_owned()), "{body}");
    }
    server.add("example.com").await;
    for (body, field) in [
        (json!({"domain": "other.com"}), "domain"),
        (json!({"retention": {"weeks": 2}}), "retention"),
        (json!({"retention": {"minutes": 0}}), "retention.minutes"),
        (json!({"retention": {"hours": 5}}), "retention.hour_samples"),
    ] {
        let answer = server.admin("PATCH", "/api/v1/sites/example.com").json(&body).send().await;
        assert_eq!(answer.fault(), (400, field.to_owned()), "{body}");
    }
    let huge = server.admin("POST", "/api/v1/sites").bytes(vec![b' '; 300_000]).send().await;
    assert_eq!(huge.fault().0, 413);
}

#[tokio::test]
async fn only_administrators_change_sites() {
    let server = Server::start();
    server.add("example.com").await;
    let store = Store::open(&DataDir::existing(server.dir.path()).unwrap(), false).unwrap();
    let make = |scope| {
        store.write_now(|tx| {
            let secret = Secret::random()?;
            let id = tokens::add(tx, "", scope, &secret, NOW)?;
            Ok::<_, StoreError>((secret, id))
        })
    };
    // Made beside the running server, as `headwater token create` does, and good a moment later.
    let (reader, id) = make(Scope::Read).unwrap();
    assert_eq!(server.ask("GET", "/api/v1/sites").token(reader.reveal()).send().await.status, 200);
    let adding = server.ask("POST", "/api/v1/sites").token(reader.reveal()).json(&json!({"domain": "b.com"})).send().await;
    assert_eq!(adding.fault().0, 403);
    assert_eq!(server.ask("GET", "/v1/edge/sites/example.com").token(reader.reveal()).send().await.fault().0, 403);
    assert_eq!(server.ask("POST", "/v1/partials").token(reader.reveal()).send().await.fault().0, 403);

    let nobody = server.ask("GET", "/api/v1/sites").send().await;
    assert_eq!((nobody.fault().0, nobody.header("www-authenticate")), (401, "Bearer"));
    assert_eq!(server.ask("GET", "/api/v1/sites").token("hw_wrong").send().await.fault().0, 401);

    store.write_now(|tx| tokens::revoke(tx, id)).unwrap();
    server.app.poll().unwrap();
    assert_eq!(server.ask("GET", "/api/v1/sites").token(reader.reveal()).send().await.fault().0, 401);
}
