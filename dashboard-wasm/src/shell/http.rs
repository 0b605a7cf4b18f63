//! Requests to the read API, with the session's cookie.
use std::cell::{Cell, RefCell};

use headwater_query::{Problem, Query};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::browser;
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

/// `GET path`.
pub(crate) async fn get<T: DeserializeOwned>(path: &str) -> Result<T, Failure> {
    read(path, send("GET", path, None).await?)
}

/// `POST path` with a JSON body.
pub(crate) async fn post<T: DeserializeOwned>(path: &str, body: &impl Serialize) -> Result<T, Failure> {
    read(path, send("POST", path, Some(json(path, body)?)).await?)
}

/// `POST path` with a JSON body, where only success matters.
pub(crate) async fn post_only(path: &str, body: &impl Serialize) -> Result<(), Failure> {
    send("POST", path, Some(json(path, body)?)).await.map(drop)
}

/// `PATCH path` or `PUT path` with a JSON body.
pub(crate) async fn change<T: DeserializeOwned>(method: &str, path: &str, body: &impl Serialize) -> Result<T, Failure> {
    read(path, send(method, path, Some(json(path, body)?)).await?)
}

/// `DELETE path`.
pub(crate) async fn delete(path: &str) -> Result<(), Failure> {
    send("DELETE", path, None).await.map(drop)
}

fn json(path: &str, body: &impl Serialize) -> Result<String, Failure> {
    let value = body.serialize(&serde_wasm_bindgen::Serializer::json_compatible()).map_err(|_| Failure::unreadable(path))?;
    js_sys::JSON::stringify(&value).map(String::from).map_err(|_| Failure::unreadable(path))
}

fn read<T: DeserializeOwned>(path: &str, answer: JsValue) -> Result<T, Failure> {
    serde_wasm_bindgen::from_value(answer).map_err(|_| Failure::unreadable(path))
}

async fn send(method: &str, path: &str, body: Option<String>) -> Result<JsValue, Failure> {
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
    let text = match response.text() {
        Ok(text) => JsFuture::from(text).await.map_err(|_| Failure::unreachable())?.as_string().unwrap_or_default(),
        Err(_) => String::new(),
    };
    let value = if text.is_empty() { Ok(JsValue::NULL) } else { js_sys::JSON::parse(&text) };
    if response.ok() {
        return value.map_err(|_| Failure::unreadable(path));
    }
    let problem = value.ok().and_then(|value| serde_wasm_bindgen::from_value::<Problem>(value).ok());
    Err(Failure::answered(response.status(), problem))
}
