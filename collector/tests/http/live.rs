use std::net::TcpStream;
use std::time::Duration;

use headwater_collector::clock::instant;
use serde_json::{Value, json};
use tungstenite::client::IntoClientRequest;
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Message, WebSocket};

use crate::harness::Server;

type Socket = WebSocket<MaybeTlsStream<TcpStream>>;

/// The server on a real socket; its address.
async fn listen(server: &Server) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = server.app.router();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("ws://{address}/api/v1/sites/example.com/live")
}

async fn ticket(server: &Server) -> String {
    let answer = server.admin("POST", "/api/v1/sites/example.com/live-ticket").send().await.json();
    answer["ticket"].as_str().unwrap().to_owned()
}

async fn connect(url: String) -> Result<Socket, u16> {
    let connected = tokio::task::spawn_blocking(move || tungstenite::connect(url.into_client_request().unwrap())).await.unwrap();
    match connected {
        Ok((socket, _)) => Ok(socket),
        Err(tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

async fn frame(mut socket: Socket) -> (Socket, Value) {
    tokio::task::spawn_blocking(move || {
        loop {
            if let Message::Text(text) = socket.read().unwrap() {
                return (socket, serde_json::from_str(&text).unwrap());
            }
        }
    })
    .await
    .unwrap()
}

fn row(frame: &Value, dimension: &str, value: &str) -> Option<(u64, u64)> {
    let minutes = frame["minutes"].as_array().unwrap();
    let rows = minutes.iter().flat_map(|minute| minute["changes"].as_array().unwrap());
    let row = rows.into_iter().find(|row| row["dimension"] == dimension && row["value"] == value)?;
    Some((row["pageviews"].as_u64().unwrap(), row["visitors"].as_u64().unwrap()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_is_told_what_changed_in_absolute_values() {
    let server = Server::start();
    let site = server.add("example.com").await;
    let url = listen(&server).await;
    server.deliver(1, site, &[(11, "/"), (22, "/pricing")]).await;

    let socket = connect(format!("{url}?ticket={}", ticket(&server).await)).await.unwrap();
    let (socket, first) = frame(socket).await;
    let began = instant();
    assert_eq!(first["minutes"][0]["minute"], "2026-11-22T10:00:00Z");
    assert_eq!((row(&first, "", ""), row(&first, "event:page", "/")), (Some((2, 2)), Some((1, 1))));

    server.deliver(2, site, &[(11, "/")]).await;
    server.deliver(3, site, &[(33, "/")]).await;
    let (socket, second) = frame(socket).await;
    assert!(began.elapsed() > Duration::from_millis(900), "at most one frame a second");
    assert_eq!((row(&second, "", ""), row(&second, "event:page", "/")), (Some((4, 3)), Some((3, 2))));
    assert_eq!(row(&second, "event:page", "/pricing"), None, "what did not change is not told");

    // After a broken connection the cursor brings what was missed, and nothing else.
    drop(socket);
    server.deliver(4, site, &[(44, "/new")]).await;
    let cursor = second["cursor"].as_str().unwrap();
    let socket = connect(format!("{url}?since={cursor}&ticket={}", ticket(&server).await)).await.unwrap();
    let (_, missed) = frame(socket).await;
    assert_eq!((row(&missed, "", ""), row(&missed, "event:page", "/new")), (Some((5, 4)), Some((1, 1))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_from_nowhere_is_reset() {
    let server = Server::start();
    server.add("example.com").await;
    let url = listen(&server).await;
    let socket = connect(format!("{url}?since=999&ticket={}", ticket(&server).await)).await.unwrap();
    let (_, first) = frame(socket).await;
    assert_eq!(first, json!({"reset": true}));
    assert_eq!(connect(format!("{url}?since=abc&ticket={}", ticket(&server).await)).await.err(), Some(400));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_opens_one_feed() {
    let server = Server::start();
    server.add("example.com").await;
    let url = listen(&server).await;
    assert_eq!(connect(url.clone()).await.err(), Some(401));
    let good = ticket(&server).await;
    connect(format!("{url}?ticket={good}")).await.unwrap();
    assert_eq!(connect(format!("{url}?ticket={good}")).await.err(), Some(401));
    let late = ticket(&server).await;
    server.pass(61_000);
    assert_eq!(connect(format!("{url}?ticket={late}")).await.err(), Some(401));
    // A public site's feed is open to anyone.
    server.admin("PATCH", "/api/v1/sites/example.com").json(&json!({"public": true})).send().await;
    connect(url).await.unwrap();
}
