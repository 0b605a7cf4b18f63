//! `GET /api/openapi.json`: the API for programs. The document stands beside this file; `tests/http/openapi.rs` holds it to
//! the routes there are, and sends its examples.
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

/// OpenAPI 3.1.
const DOCUMENT: &str = include_str!("openapi.json");

/// The document, for anyone: also for pages of others that show it.
pub(crate) async fn document() -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
    ];
    (headers, DOCUMENT).into_response()
}
