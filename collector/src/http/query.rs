//! `POST /api/v2/query`, and `POST /api/v2/queries` for several at once.
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use headwater_core::Millis;
use headwater_query::{Answer, Problem, Query, QueryError};
use rusqlite::Connection;
use serde::Serialize;
use serde_json::Value;

use super::access::Access;
use super::extract::Body;
use super::problem::Refused;
use crate::app::App;
use crate::ask;
use crate::buckets::Cache;
use crate::directory::Entry;
use crate::store::StoreError;
use crate::threads::Threads;

/// The most questions of one request: a screen full of panels.
const MOST: usize = 40;

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
    let asked = Arc::new(Asked { entry, queries, now: app.now(), next: AtomicUsize::new(0) });
    let own = asked.clone();
    let sets = app.store.read(move |tx: &rusqlite::Transaction<'_>| own.sets(tx)).await?;
    let (threads, sets) = (Threads::for_many(sets.len()).0, Arc::new(sets));
    let work = |_| {
        let (app, asked, sets, pass) = (app.clone(), asked.clone(), sets.clone(), pass.clone());
        tokio::spawn(async move {
            let cache = app.clone();
            let read = move |tx: &rusqlite::Transaction<'_>| {
                let told = asked.answer(tx, &cache.cache, &sets);
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
    let wrong = |(at, query): (usize, &Result<Query, QueryError>)| Some((at, Told::from(Err(query.clone().err()?))));
    told.extend(asked.queries.iter().enumerate().filter_map(wrong));
    told.sort_by_key(|(at, _)| *at);
    let answers: Vec<Told> = told.into_iter().map(|(_, told)| told).collect();
    Ok(Json(Answers { answers }).into_response())
}

impl From<Result<Answer, QueryError>> for Told {
    fn from(told: Result<Answer, QueryError>) -> Self {
        match told {
            Ok(answer) => Self::Answer(Box::new(answer)),
            Err(error) => Self::Problem { problem: error.problem() },
        }
    }
}

/// Several questions about one site, for threads that take what no other has taken.
struct Asked {
    entry: Arc<Entry>,
    queries: Vec<Result<Query, QueryError>>,
    now: Millis,
    next: AtomicUsize,
}

impl Asked {
    /// The places of those that are answered together.
    fn sets(&self, tx: &Connection) -> Result<Vec<Vec<usize>>, StoreError> {
        let (places, queries): (Vec<usize>, Vec<&Query>) =
            self.queries.iter().enumerate().filter_map(|(at, query)| Some((at, query.as_ref().ok()?))).unzip();
        let sets = ask::sets(tx, &self.entry.site, &queries, self.now)?;
        let placed = |set: Vec<usize>| set.into_iter().filter_map(|at| places.get(at).copied()).collect();
        Ok(sets.into_iter().map(placed).collect())
    }

    /// Answers the sets that no other thread has taken, each answer with its place.
    fn answer(&self, tx: &Connection, cache: &Cache, sets: &[Vec<usize>]) -> Result<Vec<(usize, Told)>, StoreError> {
        let mut told = Vec::new();
        while let Some(set) = sets.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            let queries: Vec<&Query> = set.iter().filter_map(|at| self.queries.get(*at)?.as_ref().ok()).collect();
            let answers =
                ask::answer_together(tx, cache, &self.entry.site, &queries, self.now, &Threads::for_many(queries.len()))?;
            told.extend(set.iter().copied().zip(answers.into_iter().map(Told::from)));
        }
        Ok(told)
    }
}
