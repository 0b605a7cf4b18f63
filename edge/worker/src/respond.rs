//! Answers as responses.
use headwater_edge::answer::Answer;
use headwater_edge::headers::{Header, of_answer};
use worker::{Response, Result};

use crate::platform::respond;

/// An answer to a request from a page of `origin`.
pub(crate) fn response(answer: Answer<String>, origin: Option<&str>, warning: Option<&str>) -> Result<Response> {
    let headers = of_answer(&answer, origin, warning);
    build(answer.status, headers.iter(), answer.body)
}

/// A response.
pub(crate) fn build<'a>(status: u16, headers: impl Iterator<Item = &'a Header>, body: Option<String>) -> Result<Response> {
    let mut head = String::from("x-content-type-options\0nosniff");
    for (name, value) in headers {
        // A value comes from a header, or is ours: neither has a NUL.
        head.extend(["\0", name, "\0", value]);
    }
    Ok(respond(status, &head, body)?.into())
}

/// A problem document for what is not ingest.
pub(crate) fn problem(status: u16, title: &str, detail: &str) -> Result<Response> {
    let body = serde_json::json!({"type": "about:blank", "title": title, "status": status, "detail": detail});
    let headers: [Header; 2] = [("content-type", "application/problem+json".into()), ("cache-control", "no-store".into())];
    build(status, headers.iter(), Some(body.to_string()))
}
