//! The floor: the same web framework, doing nothing.
use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::routing::post;

/// Serves POST at every path until the process is killed.
pub(crate) fn serve(port: u16) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads");
    runtime.block_on(async {
        let app = Router::new().fallback(post(|body: Bytes| async move {
            drop(body);
            StatusCode::ACCEPTED
        }));
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.expect("the port");
        axum::serve(listener, app).await.expect("it serves");
    });
}
