//! `POST /api/v1/share`: opening a shared link.
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::access::Access;
use super::extract::Body;
use super::fields::Fields;
use super::passwords::{self, Of};
use super::problem::Refused;
use crate::app::App;
use crate::store::sessions::{self, By};
use crate::store::{StoreError, links};

/// Exchanges a link, and its password where it has one, for a token that reads the link's site. It is sent as `Authorization: Bearer`, for
/// in a frame on another site's page there are no cookies.
pub(crate) async fn open(State(app): State<App>, access: Access, Body(body): Body) -> Result<Response, Refused> {
    access.attempt(&app)?;
    let mut fields = Fields::parse(&body)?;
    let secret = fields.text("link")?.ok_or_else(|| Refused::field("link", "is missing"))?;
    let password = fields.text("password")?;
    fields.end("link, password")?;
    let found = app.store.read(move |tx| links::find(tx, &secret)).await?;
    let link = found.ok_or_else(|| Refused::nothing_called("link", "of this address"))?;
    let entry = app.directory.accounts().by_id(link.site).cloned();
    let entry = entry.ok_or_else(|| Refused::nothing_called("link", "of this address"))?;
    if link.password.is_some() {
        let password = password.ok_or_else(|| Refused::link_password(false))?;
        app.attempts.take(Of::Link(link.id), app.now()).map_err(Refused::too_many)?;
        if !passwords::is_right(link.password, password).await {
            return Err(Refused::link_password(true));
        }
        app.attempts.forget(Of::Link(link.id));
    }
    let now = app.now();
    let opened = app.store.write(move |tx| sessions::open(tx, By::Link(link.id), now));
    let token = opened.await.map_err(|error: StoreError| Refused::from(error))?;
    let told =
        json!({ "token": token.reveal(), "domain": entry.site.domain.to_string(), "expires_in": sessions::LIFE_MS / 1000 });
    Ok(Json(told).into_response())
}
