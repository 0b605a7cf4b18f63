use crate::harness::Server;

#[tokio::test]
async fn the_dashboard_is_served_where_people_look_for_it() {
    let server = Server::start();
    for path in ["/", "/example.com"] {
        let page = server.ask("GET", path).send().await;
        assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "text/html; charset=utf-8"), "{path}");
        let policy = page.header("content-security-policy");
        assert!(policy.contains("script-src 'self' 'wasm-unsafe-eval'") && policy.contains("frame-ancestors 'none'"));
        assert_eq!(page.header("x-content-type-options"), "nosniff");
    }
    for path in ["/favicon.ico/x", "/a%20b", "/dashboard/nothing.js", "/dashboard/../Cargo.toml", "/api/v1/nothing"] {
        assert_eq!(server.ask("GET", path).send().await.fault().0, 404, "{path}");
    }
    assert_eq!(server.ask("PUT", "/api/v1/sites").send().await.fault().0, 405);
}

#[tokio::test]
async fn the_demo_is_there_only_if_it_was_asked_for() {
    let without = Server::start();
    assert_eq!(without.ask("GET", "/demo/").send().await.fault().0, 404);

    let server = Server::with(|options| options.demo = true);
    let page = server.ask("GET", "/demo/").send().await;
    assert_eq!((page.status.as_u16(), page.header("content-encoding")), (200, ""));
    assert_eq!(server.ask("GET", "/demo").send().await.header("location"), "/demo/");
    let site = server.ask("GET", "/api/v1/sites/demo.localhost").send().await.json();
    assert_eq!(site["hosts"], serde_json::json!(["demo.localhost", "localhost", "127.0.0.1"]));
    assert_eq!(site["public"], true);

    // Each coding has its own tag, and who has it is told so.
    let small = server.ask("GET", "/demo/index.html").header("accept-encoding", "gzip, br").send().await;
    assert_eq!((small.header("content-encoding"), small.header("vary")), ("br", "accept-encoding"));
    assert!(small.body.len() < page.body.len());
    assert_ne!(small.header("etag"), page.header("etag"));
    let again = server.ask("GET", "/demo/").header("if-none-match", page.header("etag")).send().await;
    assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));
}
