//! `/api/v1/session`: signing in with a token or the printed link, and out again.
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::access::{Access, COOKIE, cookie, is_own_page};
use super::extract::Body;
use super::fields::Fields;
use super::problem::Refused;
use crate::app::App;
use crate::secret::{Secret, SecretHash};
use crate::store::tokens::Scope;
use crate::store::{StoreError, once, sessions};

/// How many ordinary requests one attempt to sign in counts as, so that guessing is slow.
const ATTEMPT: u32 = 6;

/// `POST /api/v1/session`
pub(crate) async fn open(
    State(app): State<App>,
    access: Access,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<Response, Refused> {
    // Another site must not sign a visitor in as somebody else.
    if headers.contains_key(header::ORIGIN) && !is_own_page(&headers) {
        return Err(Refused::origin());
    }
    access.limit(&app, ATTEMPT)?;
    let mut fields = Fields::parse(&body)?;
    let token = fields.text("token")?.ok_or_else(|| Refused::field("token", "is missing"))?;
    fields.end("token")?;
    let now = app.now();
    let granted = app.directory.token(&token);
    let hash = SecretHash::of(&token);
    // A guess is answered without a write.
    if granted.is_none() && !app.store.read(move |tx| once::is_good(tx, hash, None, now)).await? {
        return Err(Refused::bad_token());
    }
    let opened = app
        .store
        .write(move |tx| {
            if let Some(granted) = granted {
                return sessions::open(tx, Some(granted.token), granted.scope, now).map(|s| Some((s, granted.scope)));
            }
            if once::spend(tx, hash, None, now)? {
                return sessions::open(tx, None, Scope::Admin, now).map(|s| Some((s, Scope::Admin)));
            }
            Ok::<_, StoreError>(None)
        })
        .await?;
    let (secret, scope) = opened.ok_or_else(Refused::bad_token)?;
    let mut response = Json(json!({ "scope": scope })).into_response();
    response.headers_mut().insert(header::SET_COOKIE, set_cookie(Some(&secret), &headers)?);
    Ok(response)
}

/// `GET /api/v1/session`: who is signed in.
pub(crate) async fn show(access: Access) -> Result<Response, Refused> {
    let scope = access.scope().ok_or_else(Refused::sign_in)?;
    Ok(Json(json!({ "scope": scope })).into_response())
}

/// `DELETE /api/v1/session`
pub(crate) async fn close(State(app): State<App>, _: Access, headers: HeaderMap) -> Result<Response, Refused> {
    if let Some(hash) = cookie(&headers).map(SecretHash::of) {
        app.store.write(move |tx| sessions::close(tx, hash)).await?;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().insert(header::SET_COOKIE, set_cookie(None, &headers)?);
    Ok(response)
}

/// The cookie with a session, or the one that removes it. `Secure` where the page came over TLS: then the browser says
/// so in `Origin`, whatever proxies stand between.
fn set_cookie(secret: Option<&Secret>, headers: &HeaderMap) -> Result<HeaderValue, Refused> {
    let origin = headers.get(header::ORIGIN).and_then(|value| value.to_str().ok());
    let secure = if origin.is_some_and(|origin| origin.starts_with("https://")) { "; Secure" } else { "" };
    let (value, seconds) = secret.map_or(("", 0), |secret| (secret.reveal(), sessions::LIFE_MS / 1000));
    let text = format!("{COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    let mut header = HeaderValue::from_str(&text).map_err(|_| Refused::field("token", "cannot be a cookie"))?;
    header.set_sensitive(true);
    Ok(header)
}
