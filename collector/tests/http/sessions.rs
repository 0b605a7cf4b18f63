use serde_json::json;

use crate::harness::{ADMIN, Answer, Server};

const OWN: &str = "http://127.0.0.1:8700";

async fn sign_in(server: &Server, token: &str) -> Answer {
    let ask = server.ask("POST", "/api/v1/session").header("host", "127.0.0.1:8700").header("origin", OWN);
    ask.json(&json!({"token": token})).send().await
}

fn cookie(answer: &Answer) -> String {
    let set = answer.header("set-cookie");
    assert!(set.contains("; HttpOnly") && set.contains("; SameSite=Strict") && !set.contains("Secure"), "{set}");
    set.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn the_printed_link_signs_in_once() {
    let server = Server::start();
    let link = server.welcome.link.reveal().to_owned();
    let first = sign_in(&server, &link).await;
    assert_eq!((first.status.as_u16(), first.json()), (200, json!({"scope": "admin"})));
    assert_eq!(sign_in(&server, &link).await.fault().0, 401);

    let cookie = cookie(&first);
    let told = server.ask("GET", "/api/v1/session").header("cookie", &cookie).send().await.json();
    assert_eq!(told, json!({"scope": "admin", "people": 0}));
    assert_eq!(server.ask("GET", "/api/v1/sites").header("cookie", &cookie).send().await.status, 200);

    // A new start prints a new link; one that was not used works no longer.
    let old = server.app.welcome().unwrap().link;
    let new = server.app.welcome().unwrap().link;
    assert_eq!(sign_in(&server, old.reveal()).await.status, 401);
    assert_eq!(sign_in(&server, new.reveal()).await.status, 200);
}

#[tokio::test]
async fn a_session_serves_only_this_servers_own_pages() {
    let server = Server::start();
    let cookie = cookie(&sign_in(&server, ADMIN).await);
    let add = |origin: Option<&'static str>| {
        let ask = server.ask("POST", "/api/v1/sites").header("cookie", &cookie).header("host", "127.0.0.1:8700");
        let ask = match origin {
            Some(origin) => ask.header("origin", origin),
            None => ask,
        };
        ask.json(&json!({"domain": "example.com"})).send()
    };
    assert_eq!(add(Some("https://evil.example")).await.fault(), (403, "Origin".to_owned()));
    assert_eq!(add(None).await.fault(), (403, "Origin".to_owned()));
    assert_eq!(add(Some(OWN)).await.status, 201);
    let forged = server.ask("POST", "/api/v1/session").header("host", "127.0.0.1:8700").header("origin", "https://evil.example");
    assert_eq!(forged.json(&json!({"token": ADMIN})).send().await.fault().0, 403);
}

#[tokio::test]
async fn a_session_ends_by_signing_out_or_after_30_days() {
    let server = Server::start();
    let first = cookie(&sign_in(&server, ADMIN).await);
    let out =
        server.ask("DELETE", "/api/v1/session").header("cookie", &first).header("sec-fetch-site", "same-origin").send().await;
    assert_eq!(out.status, 204);
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(server.ask("GET", "/api/v1/session").header("cookie", &first).send().await.fault().0, 401);

    let second = cookie(&sign_in(&server, ADMIN).await);
    server.pass(31 * 86_400_000);
    assert_eq!(server.ask("GET", "/api/v1/session").header("cookie", &second).send().await.fault().0, 401);
}

#[tokio::test]
async fn guessing_is_slow() {
    let server = Server::start();
    let mut answers = Vec::new();
    for _ in 0..30 {
        answers.push(sign_in(&server, "hw_guess").await.status.as_u16());
    }
    assert!(answers.starts_with(&[401; 20]) && answers.ends_with(&[429; 10]), "{answers:?}");
    let limited = sign_in(&server, ADMIN).await;
    assert_eq!((limited.fault().0, limited.header("retry-after")), (429, "30"));
}
