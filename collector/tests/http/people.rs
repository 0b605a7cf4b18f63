use serde_json::{Value, json};

use crate::harness::{Answer, Server};

const HOST: &str = "127.0.0.1:8700";
const OWN: &str = "http://127.0.0.1:8700";
const SITE: &str = "/api/v1/sites/example.com";

async fn post(server: &Server, path: &str, body: Value) -> Answer {
    server.ask("POST", path).header("host", HOST).header("origin", OWN).json(&body).send().await
}

/// A request of whoever has this session.
async fn with(server: &Server, cookie: &str, method: &str, path: &str, body: Value) -> Answer {
    let ask = server.ask(method, path).header("cookie", cookie).header("host", HOST).header("origin", OWN);
    ask.json(&body).send().await
}

fn cookie(answer: &Answer) -> String {
    let set = answer.header("set-cookie");
    assert!(set.contains("; HttpOnly") && set.contains("; SameSite=Strict"), "{set}");
    set.split(';').next().unwrap().to_owned()
}

fn invitation(answer: &Answer) -> String {
    let told = answer.json();
    told["invitation"].as_str().unwrap_or_else(|| panic!("{told}")).strip_prefix("/#invitation=").unwrap().to_owned()
}

/// Somebody with a role at example.com; their session.
async fn member(server: &Server, role: &str) -> String {
    let email = format!("{role}@example.com");
    let told = server.admin("POST", &format!("{SITE}/people")).json(&json!({"email": email, "role": role})).send().await;
    assert_eq!(told.status, 201);
    let token = invitation(&told);
    cookie(&post(server, "/api/v1/invitation", json!({"token": token, "name": role, "password": "correct horse"})).await)
}

#[tokio::test]
async fn an_invitation_sets_a_password_once_and_signs_in() {
    let server = Server::start();
    let add = |body: Value| server.admin("POST", "/api/v1/people").json(&body).send();
    let told = add(json!({"email": " Ada@Example.com ", "admin": true})).await;
    assert_eq!((told.status.as_u16(), &told.json()["email"]), (201, &json!("ada@example.com")));
    assert_eq!(told.json()["invited"], true);
    let token = invitation(&told);
    assert_eq!(add(json!({"email": "ada@example.com"})).await.fault(), (409, "email".into()));

    let sign_in =
        |password: &'static str| post(&server, "/api/v1/session", json!({"email": "ADA@example.com", "password": password}));
    assert_eq!(sign_in("correct horse").await.fault(), (401, "password".into()), "nothing is set yet");
    let accept = |password: &'static str| {
        post(&server, "/api/v1/invitation", json!({"token": token, "name": "Ada", "password": password}))
    };
    assert_eq!(accept("short").await.fault(), (400, "password".into()));
    let accepted = accept("correct horse").await;
    assert_eq!((accepted.status.as_u16(), &accepted.json()["scope"]), (200, &json!("admin")));
    assert_eq!(accept("correct horse").await.fault().0, 401, "it works once");

    let signed = sign_in("correct horse").await;
    assert_eq!(signed.status, 200);
    let mine = cookie(&signed);
    let who = with(&server, &mine, "GET", "/api/v1/session", Value::Null).await.json();
    assert_eq!((&who["person"]["name"], &who["person"]["invited"]), (&json!("Ada"), &json!(false)));
    assert_eq!(with(&server, &mine, "POST", "/api/v1/sites", json!({"domain": "example.com"})).await.status, 201);

    // A password never stands in the database.
    let file = std::fs::read(server.dir.path().join("headwater.db")).unwrap();
    let log = std::fs::read(server.dir.path().join("headwater.db-wal")).unwrap_or_default();
    assert!([file, log].iter().all(|bytes| !bytes.windows(13).any(|window| window == b"correct horse")));
}

#[tokio::test]
async fn an_invitation_ends_after_seven_days_or_by_the_next() {
    let server = Server::start();
    let first = server.admin("POST", "/api/v1/people").json(&json!({"email": "ada@example.com"})).send().await;
    let again = server.admin("POST", "/api/v1/people/1/invitation").send().await;
    let accept = |token: String| post(&server, "/api/v1/invitation", json!({"token": token, "password": "correct horse"}));
    assert_eq!(accept(invitation(&first)).await.fault().0, 401);
    server.pass(8 * 86_400_000);
    assert_eq!(accept(invitation(&again)).await.fault().0, 401);
    let last = server.admin("POST", "/api/v1/people/1/invitation").send().await;
    assert_eq!(accept(invitation(&last)).await.status, 200);
    assert_eq!(server.admin("POST", "/api/v1/people/7/invitation").send().await.fault(), (404, "id".into()));
}

#[tokio::test]
async fn a_role_is_what_somebody_may_do_at_one_site() {
    let server = Server::start();
    server.add("example.com").await;
    server.add("other.example").await;
    let (viewer, editor, owner) =
        (member(&server, "viewer").await, member(&server, "editor").await, member(&server, "owner").await);
    let goal = json!({"event_name": "Signup"});
    let link = json!({"name": "for the agency"});
    let person = json!({"email": "new@example.com", "role": "viewer"});
    // What is asked, and whether viewer, editor and owner may.
    let cases = [
        ("GET", SITE.to_owned(), Value::Null, [200, 200, 200]),
        ("GET", format!("{SITE}/realtime"), Value::Null, [200, 200, 200]),
        (
            "POST",
            "/api/v2/query".into(),
            json!({"site_id": "example.com", "metrics": ["visitors"], "date_range": "day"}),
            [200, 200, 200],
        ),
        ("POST", format!("{SITE}/goals"), goal, [403, 201, 409]),
        ("POST", format!("{SITE}/links"), link, [403, 201, 409]),
        ("GET", format!("{SITE}/links"), Value::Null, [403, 200, 200]),
        ("GET", format!("{SITE}/people"), Value::Null, [403, 403, 200]),
        ("POST", format!("{SITE}/people"), person, [403, 403, 201]),
        ("PATCH", SITE.into(), json!({"public": false}), [403, 403, 200]),
        ("GET", "/api/v1/sites/other.example".into(), Value::Null, [404, 404, 404]),
        ("PATCH", "/api/v1/sites/other.example".into(), json!({"public": true}), [404, 404, 404]),
        ("POST", "/api/v1/sites".into(), json!({"domain": "third.example"}), [403, 403, 403]),
        ("GET", "/api/v1/people".into(), Value::Null, [403, 403, 403]),
        ("GET", "/api/v1/tokens".into(), Value::Null, [403, 403, 403]),
        ("GET", "/v1/edge/sites/example.com".into(), Value::Null, [403, 403, 403]),
    ];
    for (method, path, body, expected) in cases {
        for (cookie, expected) in [&viewer, &editor, &owner].into_iter().zip(expected) {
            let answer = with(&server, cookie, method, &path, body.clone()).await;
            assert_eq!(answer.status.as_u16(), expected, "{method} {path} {}", String::from_utf8_lossy(&answer.body));
        }
    }
    let sites = with(&server, &editor, "GET", "/api/v1/sites", Value::Null).await.json();
    assert_eq!(sites["sites"].as_array().unwrap().len(), 1);
    assert_eq!((&sites["sites"][0]["domain"], &sites["sites"][0]["role"]), (&json!("example.com"), &json!("editor")));
    // Another site's page cannot use the session.
    let forged = server.ask("PATCH", SITE).header("cookie", &owner).header("host", HOST).header("origin", "https://evil.example");
    assert_eq!(forged.json(&json!({"public": true})).send().await.fault(), (403, "Origin".into()));

    // Without the role there is nothing to see, with a public site only to read.
    assert_eq!(with(&server, &owner, "DELETE", &format!("{SITE}/people/1"), Value::Null).await.status, 204);
    assert_eq!(with(&server, &viewer, "GET", SITE, Value::Null).await.status, 404);
    assert_eq!(
        with(&server, &owner, "DELETE", &format!("{SITE}/people/3"), Value::Null).await.fault().0,
        400,
        "nobody leaves a site without an owner"
    );
    assert_eq!(server.admin("PATCH", SITE).json(&json!({"public": true})).send().await.status, 200);
    assert_eq!(with(&server, &viewer, "GET", SITE, Value::Null).await.status, 200);
    // Who is removed is out at once.
    assert_eq!(server.admin("DELETE", "/api/v1/people/2").send().await.status, 204);
    assert_eq!(with(&server, &editor, "GET", "/api/v1/session", Value::Null).await.fault().0, 401);
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_it_and_not_guessed() {
    let server = Server::with(|options| options.visitor_per_minute = 0);
    server.add("example.com").await;
    let mine = member(&server, "viewer").await;
    let change = |current: &'static str, password: &'static str| {
        with(&server, &mine, "POST", "/api/v1/session/password", json!({"current": current, "password": password}))
    };
    assert_eq!(change("wrong horse", "battery staple").await.fault(), (400, "current".into()));
    let changed = change("correct horse", "battery staple").await;
    assert_eq!(changed.status, 200);
    let new = cookie(&changed);
    assert_eq!(with(&server, &mine, "GET", "/api/v1/session", Value::Null).await.fault().0, 401, "older sessions end");
    assert_eq!(with(&server, &new, "GET", "/api/v1/session", Value::Null).await.status, 200);

    let sign_in =
        |password: &'static str| post(&server, "/api/v1/session", json!({"email": "viewer@example.com", "password": password}));
    for _ in 0..10 {
        assert_eq!(sign_in("correct horse").await.status, 401);
    }
    let limited = sign_in("battery staple").await;
    assert_eq!(limited.status, 429);
    assert!(limited.header("retry-after").parse::<u32>().unwrap() > 60);
    server.pass(15 * 60_000);
    assert_eq!(sign_in("battery staple").await.status, 200);
    assert_eq!(
        post(&server, "/api/v1/session", json!({"email": "nobody@example.com", "password": "x"})).await.fault(),
        (401, "password".into())
    );
}
