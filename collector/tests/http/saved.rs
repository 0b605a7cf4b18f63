use serde_json::{Value, json};

use crate::harness::{ADMIN, Server};

const SITE: &str = "/api/v1/sites/example.com";

#[tokio::test]
async fn segments_are_kept_changed_and_removed() {
    let server = Server::start();
    server.add("example.com").await;
    let path = format!("{SITE}/segments");
    let send = |method: &str, path: &str, body: Value| server.admin(method, path).json(&body).send();
    let filters = json!([
        ["is", "visit:country", ["DE"]],
        ["or", [["is", "visit:device", ["Mobile"]], ["not", ["is", "event:page", ["/"]]]]]
    ]);
    let made = send("POST", &path, json!({"name": "Germans", "filters": filters})).await;
    assert_eq!((made.status.as_u16(), &made.json()["filters"]), (201, &filters));
    assert_eq!((&made.json()["id"], &made.json()["name"]), (&json!(1), &json!("Germans")));
    let same = send("POST", &path, json!({"name": "Germans", "filters": filters})).await;
    assert_eq!(same.fault(), (409, "name".into()));
    let wrong = json!({"name": "x", "filters": [["is", "visit:nothing", ["DE"]]]});
    assert_eq!(send("POST", &path, wrong).await.fault(), (400, "filters[0][1]".into()));
    assert_eq!(send("POST", &path, json!({"name": "x", "filters": []})).await.fault(), (400, "filters".into()));
    let changed = json!({"name": "From Germany", "filters": [["is", "visit:country", ["DE"]]]});
    assert_eq!(send("PUT", &format!("{path}/1"), changed.clone()).await.json()["name"], "From Germany");
    let late = json!({"name": "x", "filters": filters, "version": made.json()["version"]});
    assert_eq!(send("PUT", &format!("{path}/1"), late).await.fault(), (409, "version".into()));
    assert_eq!(send("PUT", &format!("{path}/1"), json!({"filters": filters})).await.fault(), (400, "name".into()));
    assert_eq!(send("PUT", &format!("{path}/2"), changed.clone()).await.fault(), (404, "id".into()));
    let listed = server.admin("GET", &path).send().await.json();
    assert_eq!(listed["segments"][0]["filters"], changed["filters"]);
    assert_eq!(server.ask("GET", &path).send().await.fault().0, 401);
    assert_eq!(send("DELETE", &format!("{path}/1"), Value::Null).await.status, 204);
    assert_eq!(server.admin("GET", &path).send().await.json(), json!({"segments": []}));
}

#[tokio::test]
async fn annotations_have_a_day_and_words() {
    let server = Server::start();
    server.add("example.com").await;
    let path = format!("{SITE}/annotations");
    let add = |body: Value| server.admin("POST", &path).json(&body).send();
    let made = add(json!({"date": "2026-11-20", "text": " The autumn blend is out "})).await;
    let first = json!({"id": 1, "date": "2026-11-20", "text": "The autumn blend is out"});
    assert_eq!((made.status.as_u16(), made.json()), (201, first.clone()));
    assert_eq!(add(json!({"date": "20 November", "text": "x"})).await.fault(), (400, "date".into()));
    assert_eq!(add(json!({"date": "2026-11-20", "text": ""})).await.fault(), (400, "text".into()));
    let earlier = add(json!({"date": "2026-11-01", "text": "Moved"})).await.json();
    assert_eq!(server.admin("GET", &path).send().await.json(), json!({"annotations": [earlier, first]}));
    assert_eq!(server.admin("DELETE", &format!("{path}/1")).send().await.status, 204);
    assert_eq!(server.admin("DELETE", &format!("{path}/1")).send().await.fault(), (404, "id".into()));
}

#[tokio::test]
async fn tokens_are_made_and_revoked() {
    let server = Server::start();
    let made = server.admin("POST", "/api/v1/tokens").json(&json!({"name": "backend", "scope": "read"})).send().await;
    assert_eq!(made.status, 201);
    let token = made.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(server.ask("GET", "/api/v1/sites").token(&token).send().await.status, 200);
    assert_eq!(server.ask("GET", "/api/v1/tokens").token(&token).send().await.fault().0, 403);
    let listed = server.admin("GET", "/api/v1/tokens").send().await.json().to_string();
    assert!(listed.contains("backend") && !listed.contains(&token) && !listed.contains(ADMIN), "{listed}");
    assert_eq!(server.admin("DELETE", "/api/v1/tokens/2").send().await.status, 204);
    assert_eq!(server.ask("GET", "/api/v1/sites").token(&token).send().await.fault().0, 401);
    assert_eq!(
        server.admin("POST", "/api/v1/tokens").json(&json!({"name": "x", "scope": "all"})).send().await.fault(),
        (400, "scope".into())
    );
}

#[tokio::test]
async fn a_site_tells_since_when_it_counts() {
    let server = Server::start();
    let site = server.add("example.com").await;
    assert_eq!(server.admin("GET", SITE).send().await.json()["since"], Value::Null);
    server.deliver(1, site, &[(1, "/")]).await;
    assert_eq!(server.admin("GET", SITE).send().await.json()["since"], "2026-11-22T00:00:00Z");
}
