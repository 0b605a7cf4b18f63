use serde_json::{Value, json};

use crate::harness::{Answer, Server};

const GOALS: &str = "/api/v1/sites/example.com/goals";

async fn add(server: &Server, body: Value) -> Answer {
    server.admin("POST", GOALS).json(&body).send().await
}

#[tokio::test]
async fn goals_are_added_listed_and_deleted() {
    let server = Server::start();
    server.add("example.com").await;
    assert_eq!(server.admin("GET", GOALS).send().await.json(), json!({"goals": []}));
    let event = add(&server, json!({"event_name": "Signup", "value": 29.5, "currency": "eur"})).await;
    let signup = json!({"id": 1, "display_name": "Signup", "goal_type": "event", "event_name": "Signup", "value": 29.5, "currency": "EUR"});
    assert_eq!((event.status.as_u16(), event.json()), (201, signup.clone()));
    assert_eq!(event.header("location"), "/api/v1/sites/example.com/goals/1");
    let page = add(&server, json!({"page": "/blog/*"})).await.json();
    assert_eq!(page, json!({"id": 2, "display_name": "Visit /blog/*", "goal_type": "page", "page_path": "/blog/*"}));
    let named = add(&server, json!({"goal_type": "page", "page_path": "/thanks", "display_name": "Bought"})).await.json();
    assert_eq!(named["display_name"], "Bought");
    assert_eq!(server.admin("GET", GOALS).send().await.json(), json!({"goals": [signup, page, named]}));

    let deleted = |path: &str, body: Value| server.admin("DELETE", path).json(&body).send();
    assert_eq!(server.admin("DELETE", &format!("{GOALS}/1")).send().await.status, 204);
    assert_eq!(deleted(GOALS, json!({"display_name": "Bought"})).await.status, 204);
    assert_eq!(server.admin("DELETE", &format!("{GOALS}?id=2")).send().await.status, 204);
    assert_eq!(deleted(GOALS, json!({"id": 2})).await.fault(), (404, "id".to_owned()));
    assert_eq!(server.admin("GET", GOALS).send().await.json(), json!({"goals": []}));
    // With the site go its goals.
    add(&server, json!({"event": "Signup"})).await;
    server.admin("DELETE", "/api/v1/sites/example.com").send().await;
    server.add("example.com").await;
    assert_eq!(server.admin("GET", GOALS).send().await.json(), json!({"goals": []}));
}

#[tokio::test]
async fn a_goal_that_is_none_is_refused_with_the_field() {
    let server = Server::start();
    server.add("example.com").await;
    add(&server, json!({"event_name": "Signup"})).await;
    let cases = [
        (json!({}), 400, "event_name"),
        (json!({"event_name": ""}), 400, "event_name"),
        (json!({"event_name": "a", "page_path": "/"}), 400, "page_path"),
        (json!({"page_path": "blog"}), 400, "page_path"),
        (json!({"event_name": 7}), 400, "event_name"),
        (json!({"event_name": "a", "goal_type": "page"}), 400, "goal_type"),
        (json!({"event_name": "a", "value": "much"}), 400, "value"),
        (json!({"event_name": "a", "value": 1e13}), 400, "value"),
        (json!({"event_name": "a", "currency": "EUR"}), 400, "currency"),
        (json!({"event_name": "a", "value": 1, "currency": "euro"}), 400, "currency"),
        (json!({"event_name": "a", "colour": "red"}), 400, "colour"),
        (json!({"event_name": "a", "display_name": "Signup"}), 409, "display_name"),
        (json!({"event_name": "Signup", "display_name": "Other"}), 409, "event_name"),
    ];
    for (body, status, field) in cases {
        assert_eq!(add(&server, body.clone()).await.fault(), (status, field.to_owned()), "{body}");
    }
    assert_eq!(server.admin("DELETE", GOALS).json(&json!({})).send().await.fault(), (400, "id".to_owned()));
    assert_eq!(server.admin("DELETE", &format!("{GOALS}/x")).send().await.fault(), (400, "id".to_owned()));
    assert_eq!(server.ask("GET", GOALS).send().await.fault().0, 401);
    assert_eq!(server.ask("POST", GOALS).json(&json!({"event_name": "a"})).send().await.fault().0, 401);
}

#[tokio::test]
async fn goals_are_asked_for() {
    let server = Server::start();
    let site = server.add("example.com").await;
    server.deliver(1, site, &[(1, "/"), (2, "/"), (3, "/"), (4, "/"), (1, "/blog/a"), (1, "/blog/b"), (2, "/thanks")]).await;
    let ask = |body: Value| server.admin("POST", "/api/v2/query").json(&body).send();
    let conversions = json!({
        "site_id": "example.com", "date_range": "day", "metrics": ["visitors", "events", "conversion_rate", "total_revenue"],
        "dimensions": ["event:goal"],
    });
    assert_eq!(ask(conversions.clone()).await.json()["results"], json!([]), "without goals there are no rows");
    add(&server, json!({"page_path": "/blog/*", "display_name": "Reads"})).await;
    add(&server, json!({"page_path": "/thanks", "value": 10, "currency": "USD"})).await;
    let rows = json!([
        {"dimensions": ["Reads"], "metrics": [1, 2, 25.0, null]},
        {"dimensions": ["Visit /thanks"], "metrics": [1, 1, 25.0, {"value": 10.0, "currency": "USD"}]},
    ]);
    assert_eq!(ask(conversions).await.json()["results"], rows);
    let filtered = |filters: Value, metrics: Value| {
        ask(json!({"site_id": "example.com", "date_range": "day", "metrics": metrics, "filters": filters}))
    };
    let reads = filtered(json!([["is", "event:goal", ["Reads"]]]), json!(["visitors", "conversion_rate"])).await;
    assert_eq!(reads.json()["results"][0]["metrics"], json!([1, 25.0]));
    let did = filtered(json!([["has_done", ["is", "event:goal", ["Reads"]]]]), json!(["pageviews"])).await;
    assert_eq!(did.json()["results"][0]["metrics"], json!([3]));
    let unknown = filtered(json!([["not", ["is", "event:goal", ["Reads", "Writes"]]]]), json!(["visitors"])).await;
    assert_eq!(unknown.fault(), (400, "filters[0][1][2][1]".to_owned()));
    let alone = filtered(json!([]), json!(["visitors", "conversion_rate"])).await;
    assert_eq!(alone.fault(), (400, "metrics[1]".to_owned()));
}
