//! `POST /api/v2/query`
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use headwater_query::Query;

use super::access::Access;
use super::extract::Body;
use super::problem::Refused;
use crate::app::App;
use crate::ask;

/// Answers a query on a thread of its own, from one view of the buckets.
pub(crate) async fn answer(State(app): State<App>, access: Access, Body(body): Body) -> Result<Response, Refused> {
    let query = Query::parse(&body)?;
    let entry = access.reads(&app, "site_id", &query.site_id)?;
    let pass = app.queries.enter().await?;
    let (asked, now) = (app.clone(), app.now());
    let read = move |tx: &rusqlite::Transaction<'_>| {
        let answer = ask::answer(tx, &asked.cache, &entry.site, &query, now);
        drop(pass);
        answer
    };
    Ok(Json(app.store.read(read).await?).into_response())
}
