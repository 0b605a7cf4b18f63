use serde_json::{Value, json};

use crate::harness::Server;

const DAY: u64 = 86_400_000;

/// The rows of an export as JSON.
async fn rows(server: &Server, asked: &str) -> Vec<Value> {
    let answer = server.admin("GET", &format!("/api/v1/sites/example.com/export?format=json&{asked}")).send().await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer.json().as_array().unwrap().clone()
}

fn of<'a>(rows: &'a [Value], dimension: &'a str) -> impl Iterator<Item = &'a Value> {
    rows.iter().filter(move |row| row["dimension"] == dimension)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_has_every_bucket_and_says_what_queries_say() {
    let server = Server::start();
    let site = server.add("example.com").await;
    server.deliver(1, site, &[(11, "/"), (22, "/"), (22, "/a, \"b\"")]).await;
    server.pass(DAY);
    server.deliver(2, site, &[(11, "/")]).await;
    let all = rows(&server, "").await;
    let times: Vec<_> = of(&all, "").map(|row| row["time"].as_str().unwrap()).collect();
    assert_eq!(times, ["2026-11-22T00:00:00+00:00", "2026-11-23T00:00:00+00:00"]);
    let totals: Vec<_> = of(&all, "").map(|row| (&row["visitors"], &row["pageviews"], &row["bounces"])).collect();
    assert_eq!(totals, [(&json!(2), &json!(3), &json!(3)), (&json!(1), &json!(1), &json!(1))]);
    // Every dimension's rows add up to the total, day by day; and so do those of the hours.
    for time in times {
        for dimension in ["event:name", "event:page", "event:hostname", "visit:source", "visit:browser"] {
            let views: u64 =
                of(&all, dimension).filter(|row| row["time"] == time).map(|row| row["pageviews"].as_u64().unwrap()).sum();
            let total = of(&all, "").find(|row| row["time"] == time).unwrap();
            assert_eq!(total["pageviews"], views, "{time} {dimension}");
        }
    }
    let hours = rows(&server, "interval=hour").await;
    assert_eq!(of(&hours, "").map(|row| row["pageviews"].as_u64().unwrap()).collect::<Vec<_>>(), [3, 1]);
    assert_eq!(of(&hours, "").next().unwrap()["time"], "2026-11-22T10:00:00+00:00");
    // As queries say, page by page.
    let body = json!({"site_id": "example.com", "metrics": ["visitors"], "date_range": ["2026-11-22", "2026-11-22"], "dimensions": ["event:page"]});
    let answer = server.admin("POST", "/api/v2/query").json(&body).send().await.json();
    for row in answer["results"].as_array().unwrap() {
        let exported = of(&all, "event:page").find(|page| page["value"] == row["dimensions"][0]).unwrap();
        assert_eq!(exported["visitors"], row["metrics"][0]);
    }
    let source = of(&all, "visit:source").next().unwrap();
    assert_eq!((&source["value"], &source["visitors"]), (&json!(""), &json!(2)), "as counted, not as shown");
    assert_eq!(of(&rows(&server, "date_range=2026-11-23,2026-11-23").await, "").count(), 1);

    let answer = server.admin("GET", "/api/v1/sites/example.com/export").send().await;
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
    assert!(answer.header("content-disposition").contains("example.com.csv"));
    let text = String::from_utf8(answer.body).unwrap();
    assert_eq!(text.lines().count(), all.len() + 1);
    assert!(text.contains("event:page,\"/a, \"\"b\"\"\",1,"), "{text}");
}

#[tokio::test]
async fn an_export_is_for_those_who_may_and_says_what_is_wrong() {
    let server = Server::start();
    server.add("example.com").await;
    server.admin("PATCH", "/api/v1/sites/example.com").json(&json!({"public": true})).send().await;
    assert_eq!(server.ask("GET", "/api/v1/sites/example.com/export").send().await.fault().0, 401);
    for (asked, field) in [
        ("interval=minute", "interval"),
        ("format=xml", "format"),
        ("date_range=yesterday", "date_range"),
        ("date_range=2026-02-30,2026-03-01", "date_range[0]"),
        ("range=day", "range"),
    ] {
        let answer = server.admin("GET", &format!("/api/v1/sites/example.com/export?{asked}")).send().await;
        assert_eq!(answer.fault(), (400, field.to_owned()), "{asked}");
    }
    assert_eq!(server.admin("GET", "/api/v1/sites/nowhere.com/export").send().await.fault().0, 404);
}
