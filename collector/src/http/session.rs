//! `/api/v1/session`: signing in with a token, the printed link or a password, and out again.
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::access::{Access, COOKIE, cookie};
use super::extract::Body;
use super::fields::Fields;
use super::passwords::{self, Of};
use super::problem::Refused;
use crate::app::App;
use crate::secret::{Secret, SecretHash};
use crate::store::people::{self, Person};
use crate::store::sessions::{self, By, Holder};
use crate::store::tokens::Scope;
use crate::store::{StoreError, once};

/// `POST /api/v1/session`: with a token or the printed link's, or with an address and a password.
pub(crate) async fn open(
    State(app): State<App>,
    access: Access,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<Response, Refused> {
    access.attempt_from_own_page(&app, &headers)?;
    let mut fields = Fields::parse(&body)?;
    let (token, email, password) = (fields.text("token")?, fields.text("email")?, fields.text("password")?);
    fields.end("token, or email and password")?;
    match (token, email, password) {
        (Some(token), None, None) => by_token(&app, &headers, &token).await,
        (None, Some(email), Some(password)) => by_password(&app, &headers, &email, password).await,
        (None, None, None) => Err(Refused::field("token", "is missing; or give email and password")),
        (None, None, Some(_)) => Err(Refused::field("email", "is missing")),
        (None, Some(_), None) => Err(Refused::field("password", "is missing")),
        (Some(_), ..) => Err(Refused::field("token", "goes without email and password")),
    }
}

async fn by_token(app: &App, headers: &HeaderMap, token: &str) -> Result<Response, Refused> {
    let now = app.now();
    let granted = app.directory.token(token);
    let hash = SecretHash::of(token);
    // A guess is answered without a write.
    if granted.is_none() && !app.store.read(move |tx| once::is_good(tx, hash, None, now)).await? {
        return Err(Refused::bad_token());
    }
    let opened = app
        .store
        .write(move |tx| {
            if let Some(granted) = granted {
                return sessions::open(tx, By::Token(granted.token, granted.scope), now).map(|s| Some((s, granted.scope)));
            }
            if once::spend(tx, hash, None, now)? {
                return sessions::open(tx, By::Start, now).map(|s| Some((s, Scope::Admin)));
            }
            Ok::<_, StoreError>(None)
        })
        .await?;
    let (secret, scope) = opened.ok_or_else(Refused::bad_token)?;
    let mut response = Json(json!({ "scope": scope })).into_response();
    response.headers_mut().insert(header::SET_COOKIE, set_cookie(Some(&secret), headers)?);
    Ok(response)
}

async fn by_password(app: &App, headers: &HeaderMap, email: &str, password: String) -> Result<Response, Refused> {
    let email = email.trim().to_lowercase();
    let found = app.store.read(move |tx| people::by_email(tx, &email)).await?;
    let (person, kept) = found.map_or((None, None), |(person, kept)| (Some(person), kept));
    if let Some(person) = &person {
        app.attempts.take(Of::Person(person.id), app.now()).map_err(Refused::too_many)?;
    }
    if !passwords::is_right(kept, password).await {
        return Err(Refused::bad_password());
    }
    let person = person.ok_or_else(Refused::bad_password)?;
    app.attempts.forget(Of::Person(person.id));
    enter(app, headers, person).await
}

/// Opens the session of a person who showed who they are.
pub(crate) async fn enter(app: &App, headers: &HeaderMap, person: Person) -> Result<Response, Refused> {
    let (now, id) = (app.now(), person.id);
    let secret = app.store.write(move |tx| sessions::open(tx, By::Person(id), now)).await?;
    let mut response = Json(view(&person)).into_response();
    response.headers_mut().insert(header::SET_COOKIE, set_cookie(Some(&secret), headers)?);
    Ok(response)
}

fn view(person: &Person) -> serde_json::Value {
    json!({ "scope": if person.admin { "admin" } else { "person" }, "person": person })
}

/// `GET /api/v1/session`: who is signed in. An administrator without an account of their own is told whether anybody has one.
pub(crate) async fn show(State(app): State<App>, access: Access) -> Result<Response, Refused> {
    let shown = match access.signed_in()? {
        Holder::Person(person, _) => view(person),
        Holder::Link(_) => json!({ "scope": "link" }),
        Holder::Scope(Scope::Admin) => {
            let people = app.store.read(|tx| people::list(tx)).await?;
            json!({ "scope": "admin", "people": people.len() })
        }
        Holder::Scope(scope) => json!({ "scope": scope }),
    };
    Ok(Json(shown).into_response())
}

/// `POST /api/v1/session/password`: another password for who is signed in. Their other sessions end.
pub(crate) async fn change(
    State(app): State<App>,
    access: Access,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<Response, Refused> {
    let Holder::Person(person, _) = access.signed_in()? else {
        return Err(Refused::field("password", "belongs to a person; who signed in by token or link has none"));
    };
    let mut fields = Fields::parse(&body)?;
    let current = fields.text("current")?.ok_or_else(|| Refused::field("current", "is missing"))?;
    let password = fields.text("password")?.ok_or_else(|| Refused::field("password", "is missing"))?;
    fields.end("current, password")?;
    app.attempts.take(Of::Person(person.id), app.now()).map_err(Refused::too_many)?;
    let email = person.email.clone();
    let kept = app.store.read(move |tx| people::by_email(tx, &email)).await?.and_then(|(_, kept)| kept);
    if !passwords::is_right(kept, current).await {
        return Err(Refused::field("current", "is not the password"));
    }
    let (kept, id) = (passwords::keep(password).await?, person.id);
    app.store.write(move |tx| people::set_password(tx, id, &kept)).await?;
    app.attempts.forget(Of::Person(id));
    enter(&app, &headers, person.clone()).await
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
