//! The questions of a saved dashboard: one for what several of its widgets ask alike, all in one request.
use headwater_query::{Query, Realtime, Show};

use super::round::{Round, Shown};
use super::{Beside, engine, includes_now, key};
use crate::board::{self, Board, Told};
use crate::failure::Failure;
use crate::question;
use crate::route::Scope;
use crate::shell::follow::untrack;
use crate::shell::http;
use crate::shell::state::State;

/// Asks for everything that the widgets show, and for the totals, from which follows whether there is anything at all.
pub(super) async fn ask(state: State, scope: &Scope, board: &Board) -> Result<Round, Failure> {
    let now = http::server_minute();
    let (clock, unit) = (state.clock(), untrack(|| state.units().1));
    let widgets: Vec<_> = board.widgets.iter().map(|(_, widget)| widget).collect();
    let mut questions = vec![question::totals(scope, now)];
    let places: Vec<usize> =
        widgets.iter().map(|widget| place(&mut questions, board::question(widget, scope, unit, now))).collect();
    let path = format!("/api/v1/sites/{}/realtime", scope.domain);
    let (told, realtime) = futures_util::future::join(http::queries(&questions), http::get::<Realtime>(&path)).await;
    let (told, realtime) = (told?, realtime?);
    let totals = told.first().cloned().unwrap_or_else(|| Err(Failure::unreadable("/api/v2/queries")))?;

    // Which time the lines are compared with, the totals say.
    let range = totals.meta.comparison.as_ref().map(|meta| meta.date_range);
    let mut earlier = Vec::new();
    let before: Vec<_> = widgets
        .iter()
        .map(|widget| {
            let range = range.filter(|_| widget.show == Show::Chart)?;
            Some(place(&mut earlier, question::series_before(&board::scope(widget, scope), range, unit, now)))
        })
        .collect();
    let earlier = if earlier.is_empty() { Vec::new() } else { http::queries(&earlier).await? };
    if let Some(range) = range {
        engine(|e| e.beside = Some(Beside { of: key(scope, &clock), range, fetched: None }));
    }

    let since = state.since.get_untracked();
    let uncovered = crate::report::Totals::read(&totals).counted_since(since).since.is_some();
    let includes_now = includes_now(scope, &clock);
    let mut all = Vec::new();
    for ((widget, place), before) in widgets.into_iter().zip(places).zip(before) {
        let one = match told.get(place) {
            Some(Ok(reading)) => match board::read(widget, reading, includes_now, &clock) {
                Told::Totals(totals) => Told::Totals(Box::new(totals.counted_since(since))),
                Told::Series(series) => match before.and_then(|place| earlier.get(place)?.as_ref().ok()) {
                    Some(before) if !uncovered => Told::Series(series.against(before)),
                    _ => Told::Series(series),
                },
                told => told,
            },
            Some(Err(failure)) if !failure.passes() => Told::Failed(failure.message.clone()),
            Some(Err(failure)) => return Err(failure.clone()),
            None => continue,
        };
        all.push((widget.clone(), one));
    }
    Ok(Round { totals, realtime: Some(realtime), shown: Shown::Board(all) })
}

/// Where a question stands among those that are asked; it joins them if none is the same.
fn place(questions: &mut Vec<Query>, question: Query) -> usize {
    questions.iter().position(|known| *known == question).unwrap_or_else(|| {
        questions.push(question);
        questions.len() - 1
    })
}
