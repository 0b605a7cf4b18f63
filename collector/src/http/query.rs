//! `POST /api/v2/query`, and `POST /api/v2/queries` for several at once.
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use headwater_query::{Answer, Problem, Query, QueryError};
use serde::Serialize;
use serde_json::Value;

use super::access::Access;
use super::extract::Body;
use super::problem::Refused;
use crate::app::App;
use crate::ask::{self, AskError};
use crate::store::StoreError;

/// The most questions of one request: a screen full of panels.
const MOST: usize = 40;
/// The most threads that answer them: as many as there are cores, but one less than the readers of the store.
const THREADS: usize = 3;

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

/// What is told to one of several questions.
#[derive(Serialize)]
#[serde(untagged)]
enum Told {
    Answer(Box<Answer>),
    Problem { problem: Problem },
}

#[derive(Serialize)]
struct Answers {
    answers: Vec<Told>,
}

/// Answers several queries about one site, all as of one minute. What is wrong with one of them stands in its place and harms no other.
pub(crate) async fn answers(State(app): State<App>, access: Access, Body(body): Body) -> Result<Response, Refused> {
    let allowed = || {
        Refused::body(format!("the body must be a list of 1 to {MOST} queries about one site, each as POST /api/v2/query has it"))
    };
    let Ok(Value::Array(values)) = serde_json::from_slice(&body) else { return Err(allowed()) };
    if values.is_empty() || values.len() > MOST {
        return Err(allowed());
    }
    let queries: Vec<_> = values.iter().map(Query::from_value).collect();
    let site = |value: &Value| value["site_id"].as_str().unwrap_or_default().to_owned();
    let first = values.first().map(site).unwrap_or_default();
    if let Some(other) = values.iter().position(|value| site(value) != first) {
        return Err(Refused::field(&format!("[{other}].site_id"), format!("must be {first:?}, as that of the first query")));
    }
    let entry = access.reads(&app, "[0].site_id", &first)?;
    // One pass for all of them, however many threads there are: a screen that is drawn in half the time makes room the sooner.
    let pass = Arc::new(app.queries.enter().await?);
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS).min(queries.len());
    let (queries, next, now) = (Arc::new(queries), Arc::new(AtomicUsize::new(0)), app.now());
    let work = |_| {
        let (app, entry, queries) = (app.clone(), entry.clone(), queries.clone());
        let (next, pass) = (next.clone(), pass.clone());
        tokio::spawn(async move {
            let cache = app.clone();
            let read = move |tx: &rusqlite::Transaction<'_>| {
                let told = share(&queries, &next, |query| ask::answer(tx, &cache.cache, &entry.site, query, now));
                drop(pass);
                told
            };
            app.store.read(read).await
        })
    };
    let running: Vec<_> = (0..threads).map(work).collect();
    let mut told = Vec::new();
    for one in running {
        told.extend(one.await.map_err(|_| Refused::from(StoreError::Interrupted))??);
    }
    told.sort_by_key(|(at, _)| *at);
    let answers: Vec<Told> = told.into_iter().map(|(_, told)| told).collect();
    Ok(Json(Answers { answers }).into_response())
}

/// Answers those that no other thread has taken, and says which they were.
fn share(
    queries: &[Result<Query, QueryError>],
    next: &AtomicUsize,
    answer: impl Fn(&Query) -> Result<Answer, AskError>,
) -> Result<Vec<(usize, Told)>, StoreError> {
    let mut told = Vec::new();
    loop {
        let at = next.fetch_add(1, Ordering::Relaxed);
        let Some(query) = queries.get(at) else { return Ok(told) };
        let one = match query {
            Ok(query) => answer(query),
            Err(error) => Err(AskError::Query(error.clone())),
        };
        told.push((
            at,
            match one {
                Ok(answer) => Told::Answer(Box::new(answer)),
                Err(AskError::Query(error)) => Told::Problem { problem: error.problem() },
                Err(AskError::Store(error)) => return Err(error),
            },
        ));
    }
}
