use serde_json::{Value, json};

use crate::harness::Server;

const SITE: &str = "/api/v1/sites/example.com";
const DASHBOARDS: &str = "/api/v1/sites/example.com/dashboards";

fn widgets() -> Value {
    json!([
        {"show": "card", "metric": "visitors", "width": 1},
        {"show": "list", "metric": "visits", "dimension": "visit:source", "width": 2, "filters": [["is", "visit:country", ["DE"]]]}
    ])
}

#[tokio::test]
async fn dashboards_are_kept_changed_and_removed() {
    let server = Server::start();
    server.add("example.com").await;
    server.add("other.example").await;
    let send = |method: &str, path: &str, body: Value| server.admin(method, path).json(&body).send();
    let made = send("POST", DASHBOARDS, json!({"name": "Campaigns", "widgets": widgets()})).await;
    let first = made.json()["version"].clone();
    let told = json!({"id": 1, "name": "Campaigns", "widgets": widgets(), "version": first});
    assert_eq!((made.status.as_u16(), made.json()), (201, told));
    assert_eq!(send("POST", DASHBOARDS, json!({"name": "Campaigns"})).await.fault(), (409, "name".into()));
    assert_eq!(send("POST", DASHBOARDS, json!({"widgets": []})).await.fault(), (400, "name".into()));
    let wrong = json!({"name": "x", "widgets": [{"show": "card", "metric": "visitors", "width": 9}]});
    assert_eq!(send("POST", DASHBOARDS, wrong).await.fault(), (400, "widgets[0].width".into()));

    let one = format!("{DASHBOARDS}/1");
    let renamed = send("PATCH", &one, json!({"name": "Where they come from"})).await.json();
    assert_eq!((&renamed["name"], &renamed["widgets"]), (&json!("Where they come from"), &widgets()));
    assert_ne!(renamed["version"], first);
    // Who has read it before that does not undo it unawares.
    let late = send("PATCH", &one, json!({"widgets": [], "version": first})).await;
    assert_eq!(late.fault(), (409, "version".into()));
    let fewer = send("PATCH", &one, json!({"widgets": [], "version": renamed["version"]})).await.json();
    assert_eq!((&fewer["name"], &fewer["widgets"]), (&json!("Where they come from"), &json!([])));
    assert_eq!(send("POST", DASHBOARDS, json!({"name": "x", "version": first})).await.fault(), (400, "version".into()));
    assert_eq!(send("PATCH", "/api/v1/sites/other.example/dashboards/1", json!({"name": "x"})).await.fault(), (404, "id".into()));
    assert_eq!(server.admin("GET", DASHBOARDS).send().await.json(), json!({"dashboards": [fewer]}));
    assert_eq!(server.ask("GET", DASHBOARDS).send().await.fault().0, 401);
    assert_eq!(send("DELETE", &one, Value::Null).await.status, 204);
    assert_eq!(server.admin("GET", DASHBOARDS).send().await.json(), json!({"dashboards": []}));
}

#[tokio::test]
async fn a_link_may_show_a_dashboard_and_goes_with_it() {
    let server = Server::start();
    server.add("example.com").await;
    let links = format!("{SITE}/links");
    let add = |body: Value| server.admin("POST", &links).json(&body).send();
    server.admin("POST", DASHBOARDS).json(&json!({"name": "Board", "widgets": widgets()})).send().await;
    assert_eq!(add(json!({"name": "x", "dashboard": 2})).await.fault(), (400, "dashboard".into()));
    let link = add(json!({"name": "for the board", "dashboard": 1})).await.json();
    assert_eq!(link["dashboard"], 1);
    let path = link["path"].as_str().unwrap();
    let secret = path.strip_prefix("/share/example.com?dashboard=1#link=").unwrap_or_else(|| panic!("{path}"));
    let open = || server.ask("POST", "/api/v1/share").json(&json!({"link": secret})).send();
    let token = open().await.json()["token"].as_str().unwrap().to_owned();
    let ask = |method: &'static str, path: &'static str| server.ask(method, path).token(&token).json(&json!({})).send();
    assert_eq!(ask("GET", DASHBOARDS).await.json()["dashboards"][0]["widgets"], widgets());
    assert_eq!(ask("POST", DASHBOARDS).await.fault().0, 403, "who has a link looks");
    assert_eq!(ask("PATCH", "/api/v1/sites/example.com/dashboards/1").await.fault().0, 403);

    assert_eq!(server.admin("DELETE", &format!("{DASHBOARDS}/1")).send().await.status, 204);
    assert_eq!(open().await.fault().0, 404);
    assert_eq!(ask("GET", DASHBOARDS).await.fault().0, 401, "what it opened has ended, too");
}
