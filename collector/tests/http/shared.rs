use serde_json::{Value, json};

use crate::harness::{Answer, Server};

const SITE: &str = "/api/v1/sites/example.com";
const LINKS: &str = "/api/v1/sites/example.com/links";

async fn share(server: &Server, body: Value) -> Answer {
    server.ask("POST", "/api/v1/share").json(&body).send().await
}

fn secret(link: &Value) -> String {
    link["path"].as_str().unwrap().strip_prefix("/share/example.com#link=").unwrap().to_owned()
}

#[tokio::test]
async fn a_link_shows_its_site_and_nothing_else_until_it_is_revoked() {
    let server = Server::start();
    server.add("example.com").await;
    server.add("other.example").await;
    let made = server.admin("POST", LINKS).json(&json!({"name": "for the agency"})).send().await;
    assert_eq!(made.status, 201);
    let link = made.json();
    assert_eq!(server.admin("POST", LINKS).json(&json!({"name": "for the agency"})).send().await.fault(), (409, "name".into()));
    assert_eq!(server.admin("GET", LINKS).send().await.json(), json!({"links": [link]}));

    let opened = share(&server, json!({"link": secret(&link)})).await;
    assert_eq!((opened.status.as_u16(), &opened.json()["domain"]), (200, &json!("example.com")));
    let token = opened.json()["token"].as_str().unwrap().to_owned();
    let ask = |method: &'static str, path: &'static str, body: Value| server.ask(method, path).token(&token).json(&body).send();
    let query = |site: &'static str| json!({"site_id": site, "metrics": ["visitors"], "date_range": "day"});
    assert_eq!(ask("POST", "/api/v2/query", query("example.com")).await.status, 200);
    assert_eq!(ask("POST", "/api/v2/query", query("other.example")).await.status, 404);
    let sites = ask("GET", "/api/v1/sites", Value::Null).await.json();
    assert_eq!((sites["sites"].as_array().unwrap().len(), &sites["sites"][0]["role"]), (1, &json!("viewer")));
    assert_eq!(ask("POST", "/api/v1/sites/example.com/live-ticket", Value::Null).await.status, 200);
    for (method, path) in [
        ("PATCH", SITE),
        ("DELETE", SITE),
        ("GET", LINKS),
        ("POST", "/api/v1/sites/example.com/goals"),
        ("POST", "/api/v1/sites"),
    ] {
        assert_eq!(ask(method, path, json!({})).await.fault().0, 403, "{method} {path}");
    }
    // It is no session of this server's pages.
    let cookie = format!("headwater_session={token}");
    assert_eq!(server.ask("GET", "/api/v1/session").header("cookie", &cookie).send().await.status, 401);

    assert_eq!(server.admin("DELETE", &format!("{LINKS}/1")).send().await.status, 204);
    assert_eq!(ask("POST", "/api/v2/query", query("example.com")).await.fault().0, 401);
    assert_eq!(share(&server, json!({"link": secret(&link)})).await.fault().0, 404);
}

#[tokio::test]
async fn a_link_may_ask_for_a_password_which_is_not_guessed() {
    let server = Server::with(|options| options.visitor_per_minute = 0);
    server.add("example.com").await;
    let link = server.admin("POST", LINKS).json(&json!({"name": "board", "password": "correct horse"})).send().await.json();
    assert_eq!(link["has_password"], true);
    let secret = secret(&link);
    assert_eq!(share(&server, json!({"link": secret})).await.fault(), (401, "password".into()));
    for _ in 0..10 {
        assert_eq!(share(&server, json!({"link": secret, "password": "wrong horse"})).await.fault(), (401, "password".into()));
    }
    assert_eq!(share(&server, json!({"link": secret, "password": "correct horse"})).await.status, 429);
    server.pass(15 * 60_000);
    assert_eq!(share(&server, json!({"link": secret, "password": "correct horse"})).await.status, 200);
}

#[tokio::test]
async fn only_what_is_shared_may_stand_in_a_frame() {
    let server = Server::start();
    let policy = async |path: &str| server.ask("GET", path).send().await.header("content-security-policy").to_owned();
    assert!(policy("/share/example.com").await.ends_with("frame-ancestors *"));
    for path in ["/", "/example.com", "/example.com/settings", "/api/v1/sites"] {
        assert!(policy(path).await.ends_with("frame-ancestors 'none'"), "{path}");
    }
    assert_eq!(server.ask("GET", "/share/no%20domain").send().await.status, 404);
}
