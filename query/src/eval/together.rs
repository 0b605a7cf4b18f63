//! From questions to answers.
use headwater_core::Grain;

use super::evaluate::{Asked, Evaluated, evaluate};
use super::imports::ReadImported;
use super::{Bucket, Need, OneByOne, Plan, SiteContext, Workers, compare, page, plan};
use crate::{Answer, Query, QueryError, Span};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError<E> {
    /// The query is at fault.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// Reading buckets failed.
    #[error("the buckets can't be read")]
    Read(#[source] E),
}

/// Answers a query: plans, reads, evaluates. `read` gives the buckets of a grain that lie in a span, in any order, with
/// those that reach over its ends or without, and of each at least what is needed. It is asked several times, so that not
/// everything has to be in memory at once.
///
/// # Errors
/// [`AnswerError`].
pub fn answer<B: Bucket, E>(
    query: &Query,
    site: &SiteContext,
    read: impl FnMut(Grain, Span, Need) -> Result<Vec<B>, E>,
) -> Result<Answer, AnswerError<E>> {
    answer_with_imports(query, site, read, &mut |_, _| Ok(Vec::new()))
}

/// [`answer`] with what was imported: `imported` gives the rows of a dimension, which is asked for if [`SiteContext::imported`]
/// says that there are any.
///
/// # Errors
/// [`AnswerError`].
pub fn answer_with_imports<B: Bucket, E>(
    query: &Query,
    site: &SiteContext,
    read: impl FnMut(Grain, Span, Need) -> Result<Vec<B>, E>,
    imported: &mut ReadImported<'_, E>,
) -> Result<Answer, AnswerError<E>> {
    let answers = answer_together(&[query], site, read, imported, &OneByOne).map_err(AnswerError::Read)?;
    // As many answers as questions.
    let none = || Err(QueryError::invalid("query", "none", "one query"));
    answers.into_iter().next().unwrap_or_else(none).map_err(AnswerError::Query)
}

/// [`answer_with_imports`] for several queries about one site, in their order. Those that look at the same people, because they have the
/// same filters and the same range, share one look at them, if the site tells visitors apart by the day. What is wrong with a query stands in its place.
///
/// # Errors
/// Those of reading.
pub fn answer_together<B: Bucket, E>(
    queries: &[&Query],
    site: &SiteContext,
    mut read: impl FnMut(Grain, Span, Need) -> Result<Vec<B>, E>,
    imported: &mut ReadImported<'_, E>,
    workers: &dyn Workers,
) -> Result<Vec<Result<Answer, QueryError>>, E> {
    let plans: Vec<Result<Plan, QueryError>> = queries.iter().map(|query| plan(query, site)).collect();
    // Each with what it is compared with behind it.
    let asked: Vec<Asked<'_>> = queries.iter().zip(&plans).flat_map(|(query, plan)| spans(query, plan.as_ref().ok())).collect();
    let mut evaluated: Vec<Option<Result<Evaluated, QueryError>>> = asked.iter().map(|_| None).collect();
    for same in alike(&asked, site) {
        let some: Vec<Asked<'_>> = same.iter().filter_map(|at| asked.get(*at)).copied().collect();
        for (at, found) in same.into_iter().zip(evaluate(&some, site, &mut read, imported, workers)?) {
            evaluated[at] = found;
        }
    }
    let mut evaluated = evaluated.into_iter();
    let mut answers = Vec::new();
    for (query, plan) in queries.iter().zip(&plans) {
        answers.push(match plan {
            Err(error) => Err(error.clone()),
            Ok(plan) => {
                let spans = spans(query, Some(plan));
                let mut own: Vec<_> = evaluated.by_ref().take(spans.len()).flatten().collect();
                if own.len() < spans.len() {
                    // There was no room for it beside the others.
                    own.clear();
                    for alone in spans {
                        own.extend(evaluate(&[alone], site, &mut read, imported, workers)?.into_iter().flatten());
                    }
                }
                told(query, plan, site, own)
            }
        });
    }
    Ok(answers)
}

/// Which of several queries are best [answered together](answer_together), by their places: those of which one looks at the same
/// people as another. Who has several threads answers each of these sets on one.
#[must_use]
pub fn sets(queries: &[&Query], site: &SiteContext) -> Vec<Vec<usize>> {
    let plans: Vec<Result<Plan, QueryError>> = queries.iter().map(|query| plan(query, site)).collect();
    let mut sets: Vec<(Vec<usize>, Vec<Asked<'_>>)> = Vec::new();
    for (at, (query, plan)) in queries.iter().zip(&plans).enumerate() {
        let mut set = (vec![at], spans(query, plan.as_ref().ok()));
        let meets = |other: &(Vec<usize>, Vec<Asked<'_>>)| set.1.iter().any(|a| other.1.iter().any(|b| a.looks_with(b, site)));
        let joined: Vec<_> = sets.extract_if(.., |other| meets(other)).collect();
        for (places, spans) in joined {
            set.0.extend(places);
            set.1.extend(spans);
        }
        set.0.sort_unstable();
        sets.push(set);
    }
    sets.into_iter().map(|set| set.0).collect()
}

/// The spans of a query: its own, and that which it is compared with.
fn spans<'q>(query: &'q Query, plan: Option<&'q Plan>) -> Vec<Asked<'q>> {
    let both = [plan, plan.and_then(|plan| plan.compared.as_deref())];
    both.into_iter().flatten().map(|plan| Asked { query, plan }).collect()
}

/// The places of those that look at the same people, together.
fn alike(asked: &[Asked<'_>], site: &SiteContext) -> Vec<Vec<usize>> {
    let mut alike: Vec<Vec<usize>> = Vec::new();
    for (at, one) in asked.iter().enumerate() {
        let fits = |same: &&mut Vec<usize>| {
            same.first().and_then(|first| asked.get(*first)).is_some_and(|first| first.looks_with(one, site))
        };
        match alike.iter_mut().find(fits) {
            Some(same) => same.push(at),
            None => alike.push(vec![at]),
        }
    }
    alike
}

/// An answer from its rows and those of the time that it is compared with.
fn told(
    query: &Query,
    plan: &Plan,
    site: &SiteContext,
    evaluated: Vec<Result<Evaluated, QueryError>>,
) -> Result<Answer, QueryError> {
    let mut evaluated = evaluated.into_iter();
    let (rows, all) = evaluated.next().transpose()?.unwrap_or_default();
    let (mut answer, starts) = page::page(query, plan, site, rows, all)?;
    page::tell_imports(query, plan, site, &mut answer.meta);
    if let (Some(other), Some(plan_before)) = (evaluated.next(), &plan.compared) {
        let (rows, _) = other?;
        compare::join(&mut answer, &starts, query, [plan, plan_before], site, &rows)?;
    }
    Ok(answer)
}
