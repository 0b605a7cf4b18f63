//! Requests to the read API, with the session's cookie.
use std::cell::{Cell, RefCell};

use headwater_query::{Buckets, Meta, Problem, Query, ResultRow};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::{browser, json};
use crate::failure::Failure;
use crate::report::Reading;

thread_local! {
    /// How far the server's clock is ahead of this computer's, in milliseconds.
    static AHEAD: Cell<f64> = const { Cell::new(0.0) };
    /// What a shared link was exchanged for. No cookie: in a frame on another site's page there are none.
    static BEARER: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Sends this with every request from now on.
pub(crate) fn bear(token: String) {
    BEARER.set(Some(token));
}

/// Whether requests carry a token.
pub(crate) fn bears() -> bool {
    BEARER.with_borrow(Option::is_some)
}

/// Milliseconds since 1970 by the server's clock.
pub(crate) fn server_now() -> f64 {
    browser::now() + AHEAD.get()
}

/// The current minute by the server's clock.
pub(crate) fn server_minute() -> headwater_core::Minute {
    // A cast saturates.
    headwater_core::Minute((server_now() / 60_000.0) as u32)
}

/// Asks a question.
pub(crate) async fn query(query: Query) -> Result<Reading, Failure> {
    post("/api/v2/query", &query).await
}

/// One of several answers.
#[derive(serde::Deserialize)]
struct Told {
    #[serde(default)]
    results: Vec<ResultRow>,
    #[serde(default)]
    meta: Meta,
    problem: Option<Problem>,
}

#[derive(serde::Deserialize)]
struct AllTold {
    answers: Vec<Told>,
}

/// Asks several questions in one request; the answers come in their order.
pub(crate) async fn queries(queries: &[Query]) -> Result<Vec<Result<Reading, Failure>>, Failure> {
    let path = "/api/v2/queries";
    let told: AllTold = post(path, &queries).await?;
    let one = |told: Told| match told.problem {
        Some(problem) => Err(Failure::answered(problem.status, Some(problem))),
        None => Ok(Reading { results: told.results, meta: told.meta }),
    };
    let answers: Vec<_> = told.answers.into_iter().map(one).collect();
    if answers.len() == queries.len() { Ok(answers) } else { Err(Failure::unreadable(path)) }
}

/// `GET path`, which answers with buckets.
pub(crate) async fn buckets(path: &str) -> Result<Buckets, Failure> {
    let response = ask("GET", path, None).await?;
    let bytes = JsFuture::from(response.array_buffer().map_err(|_| Failure::unreachable())?).await;
    let bytes = js_sys::Uint8Array::new(&bytes.map_err(|_| Failure::unreachable())?).to_vec();
    Buckets::decode(&bytes).ok_or_else(|| Failure::unreadable(path))
}

/// `GET path`, which answers with a text.
pub(crate) async fn words(path: &str) -> Result<String, Failure> {
    let response = ask("GET", path, None).await?;
    let text = JsFuture::from(response.text().map_err(|_| Failure::unreachable())?).await;
    text.ok().and_then(|text| text.as_string()).ok_or_else(Failure::unreachable)
}

/// `GET path`.
pub(crate) async fn get<T: DeserializeOwned>(path: &str) -> Result<T, Failure> {
    read(path, send("GET", path, None).await?)
}

/// `GET path`, whatever its shape.
pub(crate) async fn value(path: &str) -> Result<JsValue, Failure> {
    send("GET", path, None).await
}

/// `POST path`, or another method, with the fields of a form; the answer as it comes.
pub(crate) async fn submit(method: &str, path: &str, form: &JsValue) -> Result<JsValue, Failure> {
    send(method, path, Some(json::written(form))).await
}

/// `POST path` with a JSON body.
pub(crate) async fn post<T: DeserializeOwned>(path: &str, body: &impl Serialize) -> Result<T, Failure> {
    read(path, send("POST", path, Some(text(path, body)?)).await?)
}

/// `POST path` with a JSON body, where only success matters.
pub(crate) async fn post_only(path: &str, body: &impl Serialize) -> Result<(), Failure> {
    send("POST", path, Some(text(path, body)?)).await.map(drop)
}

/// `PATCH path` or `PUT path` with a JSON body.
pub(crate) async fn change<T: DeserializeOwned>(method: &str, path: &str, body: &impl Serialize) -> Result<T, Failure> {
    read(path, send(method, path, Some(text(path, body)?)).await?)
}

/// `DELETE path`.
pub(crate) async fn delete(path: &str) -> Result<(), Failure> {
    send("DELETE", path, None).await.map(drop)
}

fn text(path: &str, body: &impl Serialize) -> Result<String, Failure> {
    let value = body.serialize(&serde_wasm_bindgen::Serializer::json_compatible()).map_err(|_| Failure::unreadable(path))?;
    Ok(json::written(&value))
}

fn read<T: DeserializeOwned>(path: &str, answer: JsValue) -> Result<T, Failure> {
    json::read(answer).ok_or_else(|| Failure::unreadable(path))
}

/// The body of a good answer, read as JSON.
async fn send(method: &str, path: &str, body: Option<String>) -> Result<JsValue, Failure> {
    json_of(&ask(method, path, body).await?).await.map_err(|()| Failure::unreadable(path))
}

/// An answer that is good.
async fn ask(method: &str, path: &str, body: Option<String>) -> Result<web_sys::Response, Failure> {
    let init = web_sys::RequestInit::new();
    init.set_method(method);
    // What is shared is seen as a stranger sees it, and a page around its frame gets nobody's session to play with.
    let shared = browser::address().0.starts_with("/share/");
    let credentials = if shared { web_sys::RequestCredentials::Omit } else { web_sys::RequestCredentials::SameOrigin };
    init.set_credentials(credentials);
    let headers = web_sys::Headers::new().map_err(|_| Failure::unreachable())?;
    if let Some(token) = BEARER.with_borrow(Clone::clone) {
        headers.set("Authorization", &format!("Bearer {token}")).map_err(|_| Failure::unreachable())?;
    }
    if let Some(body) = body {
        headers.set("Content-Type", "application/json").map_err(|_| Failure::unreachable())?;
        init.set_body(&body.into());
    }
    init.set_headers(&headers);
    let sent = JsFuture::from(browser::window().fetch_with_str_and_init(path, &init)).await;
    let response: web_sys::Response = sent.map_err(|_| Failure::unreachable())?.dyn_into().map_err(|_| Failure::unreachable())?;
    if let Ok(Some(date)) = response.headers().get("Date") {
        // Whole seconds: a difference below two of them is none.
        let ahead = js_sys::Date::parse(&date) - browser::now();
        AHEAD.set(if ahead.is_finite() && ahead.abs() > 2000.0 { ahead } else { 0.0 });
    }
    if response.ok() {
        return Ok(response);
    }
    let value = json_of(&response).await.ok();
    let problem = value.and_then(json::read::<Problem>);
    Err(Failure::answered(response.status(), problem))
}

async fn json_of(response: &web_sys::Response) -> Result<JsValue, ()> {
    let text = JsFuture::from(response.text().map_err(drop)?).await.map_err(drop)?.as_string().unwrap_or_default();
    if text.is_empty() { Ok(JsValue::NULL) } else { js_sys::JSON::parse(&text).map_err(drop) }
}
