//! What edges elsewhere ask, and what they bring.
use headwater_collector::Role;
use serde_json::{Value, json};

use crate::harness::Server;

#[tokio::test]
async fn an_edge_learns_what_it_must_know_of_a_site() {
    let server = Server::start();
    server.add("example.com").await;
    let facts = server.admin("GET", "/v1/edge/sites/EXAMPLE.com").send().await.json();
    assert_eq!((&facts["domain"], &facts["hosts"], &facts["shards"]), (&json!("example.com"), &json!([]), &json!(1)));
    // The administrator's token may send, so its hash is known at every edge.
    let hash = blake3::hash(crate::harness::ADMIN.as_bytes());
    assert_eq!(facts["senders"], json!([hash.as_bytes().to_vec()]));
    // One key for the installation, and it stays.
    server.add("example.org").await;
    let other = server.admin("GET", "/v1/edge/sites/example.org").send().await.json();
    assert_eq!(facts["key"], other["key"]);
    assert_ne!(facts["key"], json!(vec![0; 32]));
    assert_ne!(facts["salts"][0]["salt"], other["salts"][0]["salt"]);

    assert_eq!(server.admin("GET", "/v1/edge/sites/unknown.example").send().await.fault().0, 404);
    assert_eq!(server.ask("GET", "/v1/edge/sites/example.com").send().await.fault().0, 401, "salts are for edges only");
}

#[tokio::test]
async fn a_restored_inbox_can_ask_what_was_applied() {
    let server = Server::start();
    let site = server.add("example.com").await;
    let ask = || server.admin("GET", "/v1/edge/nodes/07070707070707070707070707070707").send();
    assert_eq!((ask().await.status.as_u16(), ask().await.json()), (200, Value::Null));
    server.deliver(3, site, &[(1, "/")]).await;
    let applied = ask().await.json();
    assert_eq!((&applied["seq"], &applied["position"]), (&json!(3), &json!(3)));
    assert_eq!(applied["digest"].as_array().map(Vec::len), Some(16));
    // The same number with other bytes is not applied, and does not change what is remembered.
    server.deliver(3, site, &[(2, "/")]).await;
    assert_eq!(ask().await.json(), applied);
    let wrong = server.admin("GET", "/v1/edge/nodes/07").send().await;
    assert_eq!(wrong.fault(), (400, "node".to_owned()));
    assert_eq!(server.ask("GET", "/v1/edge/nodes/07070707070707070707070707070707").send().await.fault().0, 401);
}

#[tokio::test]
async fn a_collector_takes_batches_and_no_events() {
    let server = Server::with(|options| options.role = Role::Collector);
    let site = server.add("example.com").await;
    assert_eq!(server.deliver(1, site, &[(1, "/"), (2, "/")]).await.status, 200);
    let query = json!({"site_id": "example.com", "metrics": ["visitors"], "date_range": "day"});
    assert_eq!(server.admin("POST", "/api/v2/query").json(&query).send().await.json()["results"][0]["metrics"], json!([2]));
    let event = json!({"name": "pageview", "url": "https://example.com/", "domain": "example.com"});
    assert_eq!(server.ask("POST", "/api/event").json(&event).send().await.status, 404);
    assert_eq!(server.ask("GET", "/healthz").send().await.status, 200);
    assert_eq!(server.admin("DELETE", "/api/v1/sites/example.com").send().await.status, 204);
}
