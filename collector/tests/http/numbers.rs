use std::io::Read as _;

use headwater_query::{Buckets, DateRange, Dimension, Metric, Query, VisitProperty};
use serde_json::{Value, json};

use crate::harness::Server;

async fn ask(server: &Server, body: &Value) -> Value {
    let answer = server.admin("POST", "/api/v2/query").json(body).send().await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer.json()
}

#[tokio::test]
async fn what_an_edge_delivers_is_counted_once() {
    let server = Server::start();
    let site = server.add("example.com").await;
    let views: &[(u64, &str)] = &[(11, "/"), (22, "/"), (22, "/pricing")];
    assert_eq!(server.deliver(1, site, views).await.json(), json!({"already": false, "dropped": 0}));
    assert_eq!(server.deliver(1, site, views).await.json(), json!({"already": true, "dropped": 0}));

    let total =
        ask(&server, &json!({"site_id": "example.com", "metrics": ["visitors", "pageviews", "events"], "date_range": "day"}))
            .await;
    assert_eq!(total["results"], json!([{"metrics": [2, 3, 3], "dimensions": []}]));
    let pages = json!({"site_id": "example.com", "metrics": ["pageviews"], "date_range": "day", "dimensions": ["event:page"]});
    let pages = ask(&server, &pages).await;
    assert_eq!(pages["results"], json!([{"metrics": [2], "dimensions": ["/"]}, {"metrics": [1], "dimensions": ["/pricing"]}]));

    let realtime = server.admin("GET", "/api/v1/sites/example.com/realtime").send().await.json();
    assert_eq!((&realtime["visitors"], &realtime["events"]), (&json!(2), &json!(3)));
    let minutes = realtime["minutes"].as_array().unwrap();
    assert_eq!(minutes.len(), 60);
    assert_eq!(minutes[59], json!({"time": "2026-11-22T10:00:00Z", "pageviews": 3, "visitors": 2}));
}

#[tokio::test]
async fn several_questions_are_answered_in_their_order() {
    let server = Server::start();
    let site = server.add("example.com").await;
    server.add("other.com").await;
    server.deliver(1, site, &[(11, "/"), (22, "/"), (22, "/pricing")]).await;
    let of = |more: Value| {
        let mut query = json!({"site_id": "example.com", "metrics": ["visitors", "pageviews"], "date_range": "day"});
        query.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        query
    };
    let mut queries = vec![
        of(json!({})),
        of(json!({"dimensions": ["event:page"]})),
        of(json!({"dimensions": ["event:nothing"]})),
        of(json!({"filters": [["is", "event:page", ["/pricing"]]]})),
        of(json!({"date_range": ["2026-11-22T00:00:30", "2026-11-22T00:01:00"]})),
        // These look at the same people as that before the last.
        of(json!({"filters": [["is", "event:page", ["/pricing"]]], "dimensions": ["event:name"]})),
        of(
            json!({"filters": [["is", "event:page", ["/pricing"]]], "dimensions": ["time:hour"], "metrics": ["visits", "bounce_rate"]}),
        ),
        of(
            json!({"filters": [["is", "event:page", ["/pricing"]]], "dimensions": ["visit:source"], "include": {"comparisons": {"mode": "previous_period"}}}),
        ),
    ];
    let send = |body: Value| server.admin("POST", "/api/v2/queries").json(&body).send();
    let told = send(json!(queries)).await;
    assert_eq!(told.status, 200);
    let answers = told.json()["answers"].as_array().unwrap().clone();
    assert_eq!(answers.len(), 8);
    for at in [0, 1, 3, 5, 6, 7] {
        assert_eq!(answers[at], ask(&server, &queries[at]).await, "each is what it is alone");
    }
    assert_eq!((&answers[2]["problem"]["status"], &answers[2]["problem"]["field"]), (&json!(400), &json!("dimensions[0]")));
    assert_eq!(answers[4]["problem"]["field"], "date_range[0]");

    queries[1]["site_id"] = json!("other.com");
    assert_eq!(send(json!(queries)).await.fault(), (400, "[1].site_id".into()));
    assert_eq!(send(json!([])).await.fault().0, 400);
    assert_eq!(send(json!({})).await.fault().0, 400);
    assert_eq!(send(json!(vec![of(json!({})); 41])).await.fault().0, 400);
    assert_eq!(server.ask("POST", "/api/v2/queries").json(&json!([of(json!({}))])).send().await.fault().0, 401);
    let nowhere = json!([{"site_id": "nowhere.com", "metrics": ["visitors"], "date_range": "day"}]);
    assert_eq!(send(nowhere).await.fault(), (404, "[0].site_id".into()));
}

#[tokio::test]
async fn buckets_tell_their_totals_and_nobody() {
    let server = Server::start();
    let site = server.add("example.com").await;
    server.deliver(1, site, &[(11, "/"), (22, "/"), (22, "/pricing")]).await;
    let get = async |query: &str| server.admin("GET", &format!("/api/v1/sites/example.com/buckets?{query}")).send().await;
    let metrics = [Metric::Visitors, Metric::Pageviews, Metric::Events];
    for query in [
        "date_range=day&grain=hour",
        "from=2026-11-20&to=2026-11-22",
        "from=2026-11-22T10:00:00&to=2026-11-22T11:00:00&grain=hour",
    ] {
        let answer = get(query).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/octet-stream"), "{query}");
        let told = Buckets::decode(&answer.body).unwrap();
        let (rows, _) = told.total(&metrics).unwrap();
        assert_eq!(serde_json::to_value(rows).unwrap(), json!([{"metrics": [2, 3, 3], "dimensions": []}]), "{query}");
        assert!(answer.body.len() < 80 + 40 * told.rows.len(), "nothing else is in it: {}", answer.body.len());
    }
    // With rows, and packed where that is read.
    let path = "/api/v1/sites/example.com/buckets?from=2026-08-01&to=2026-11-22&dimensions=visit:source,event:page";
    let plain = server.admin("GET", path).send().await;
    assert_eq!((plain.header("content-encoding"), plain.header("vary")), ("", "accept-encoding"));
    let packed = server.admin("GET", path).header("accept-encoding", "br, gzip").send().await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert!(packed.body.len() * 2 < plain.body.len(), "{} of {}", packed.body.len(), plain.body.len());
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&packed.body[..]).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, plain.body);
    let told = Buckets::decode(&unpacked).unwrap();
    let list = |dimension| {
        let query = Query { dimensions: vec![dimension], ..Query::new("", metrics.to_vec(), DateRange::All) };
        serde_json::to_value(told.list(None, &query, str::to_lowercase).unwrap().0).unwrap()
    };
    let pages = json!([{"metrics": [2, 2, 2], "dimensions": ["/"]}, {"metrics": [1, 1, 1], "dimensions": ["/pricing"]}]);
    assert_eq!(list(Dimension::Page), pages);
    assert_eq!(list(Dimension::Visit(VisitProperty::Source))[0]["metrics"], json!([2, 3, 3]));
    for (query, field) in [
        ("from=2026-11-20", "to"),
        ("to=2026-11-20", "from"),
        ("from=x&to=2026-11-20", "from"),
        ("from=2026-11-20&to=2026-11-20T10:00:00", "to"),
        ("from=2026-11-20&to=2026-11-21&date_range=day", "date_range"),
        ("date_range=day&grain=week", "grain"),
        ("date_range=24h&grain=day", "date_range"),
        ("date_range=day&rows=all", "rows"),
        ("date_range=day&dimensions=event:page,event:x", "dimensions[1]"),
        ("date_range=day&dimensions=event:goal", "dimensions[0]"),
        ("date_range=day&dimensions=visit:exit_page", "dimensions[0]"),
        ("date_range=day&dimensions=", "dimensions[0]"),
        ("date_range=day&grain=hour&dimensions=event:page", "grain"),
    ] {
        assert_eq!(get(query).await.fault(), (400, field.into()), "{query}");
    }
    assert_eq!(server.ask("GET", "/api/v1/sites/example.com/buckets?date_range=day").send().await.fault().0, 401);
}

#[tokio::test]
async fn partials_of_a_site_that_is_gone_are_dropped() {
    let server = Server::start();
    let site = server.add("example.com").await;
    server.deliver(1, site, &[(11, "/")]).await;
    assert_eq!(server.admin("DELETE", "/api/v1/sites/example.com").send().await.status, 204);
    assert_eq!(server.deliver(2, site, &[(11, "/")]).await.json(), json!({"already": false, "dropped": 1}));
    server.add("example.com").await;
    let total = ask(&server, &json!({"site_id": "example.com", "metrics": ["pageviews"], "date_range": "all"})).await;
    assert_eq!(total["results"][0]["metrics"], json!([0]));
}

#[tokio::test]
async fn a_public_site_may_be_read_by_anyone_and_not_too_often() {
    let server = Server::with(|options| options.visitor_per_minute = 5);
    server.add("private.com").await;
    server.add("open.com").await;
    server.admin("PATCH", "/api/v1/sites/open.com").json(&json!({"public": true})).send().await;
    let query = |site: &str| {
        server.ask("POST", "/api/v2/query").json(&json!({"site_id": site, "metrics": ["visitors"], "date_range": "day"})).send()
    };
    assert_eq!(query("open.com").await.status, 200);
    // Nobody learns whether there is such a site.
    assert_eq!(query("private.com").await.fault().0, 401);
    assert_eq!(query("nowhere.com").await.fault().0, 401);
    assert_eq!(server.ask("GET", "/api/v1/sites/open.com/realtime").send().await.status, 200);
    assert_eq!(server.ask("PATCH", "/api/v1/sites/open.com").json(&json!({"public": false})).send().await.fault().0, 401);
    assert_eq!(query("open.com").await.status, 200);
    let limited = query("open.com").await;
    assert_eq!((limited.fault().0, limited.header("retry-after")), (429, "30"));
    server.pass(60_000);
    assert_eq!(query("open.com").await.status, 200);
}

#[tokio::test]
async fn a_bad_question_is_answered_with_the_field() {
    let server = Server::start();
    server.add("example.com").await;
    let query = |body: Value| server.admin("POST", "/api/v2/query").json(&body).send();
    let good = json!({"site_id": "example.com", "metrics": ["visitors"], "date_range": "day"});
    let with = |key: &str, value: Value| {
        let mut body = good.clone();
        body[key] = value;
        body
    };
    assert_eq!(query(with("site_id", json!("nowhere.com"))).await.fault(), (404, "site_id".to_owned()));
    assert_eq!(query(with("metrics", json!(["visiters"]))).await.fault(), (400, "metrics[0]".to_owned()));
    assert_eq!(query(with("date_range", json!("yesterday"))).await.fault(), (400, "date_range".to_owned()));
    assert_eq!(query(with("dimension", json!([]))).await.fault(), (400, "dimension".to_owned()));
    assert_eq!(server.admin("POST", "/api/v2/query").bytes(b"{".to_vec()).send().await.fault().0, 400);
    assert_eq!(server.admin("POST", "/v1/partials").bytes(b"nonsense".to_vec()).send().await.fault().0, 400);
}

#[tokio::test]
async fn health_is_told_and_metrics_count() {
    let server = Server::start();
    let site = server.add("example.com").await;
    server.deliver(1, site, &[(11, "/")]).await;
    assert_eq!(server.ask("GET", "/healthz").send().await.status, 200);
    assert_eq!(server.ask("GET", "/readyz").send().await.status, 200);
    let metrics = String::from_utf8(server.ask("GET", "/metrics").send().await.body).unwrap();
    for line in ["headwater_batches_applied_total 1", "headwater_partials_total 1", "headwater_sites 1"] {
        assert!(metrics.lines().any(|l| l == line), "{line} in {metrics}");
    }
    assert!(metrics.contains("route=\"/v1/partials\",status=\"200\""), "{metrics}");
}

#[tokio::test]
async fn properties_of_events_are_named() {
    let server = Server::start();
    let site = server.add("example.com").await;
    let none = server.admin("GET", "/api/v1/sites/example.com/properties").send().await;
    assert_eq!((none.status.as_u16(), none.json()), (200, json!({"properties": []})));
    assert_eq!(server.ask("GET", "/api/v1/sites/example.com/properties").send().await.fault().0, 401);
    server.deliver_props(1, site, &[("plan", "pro"), ("plan", "free"), ("seats", "3")]).await;
    let some = server.admin("GET", "/api/v1/sites/example.com/properties").send().await.json();
    assert_eq!(some, json!({"properties": [{"name": "plan", "events": 2}, {"name": "seats", "events": 1}]}));
}
