//! A round of questions, and their answers: what the figures need, in as few requests as can be.
use std::rc::Rc;

use futures_util::future::join;
use headwater_query::{DateRange, Dimension, Realtime, TimeDimension, Widget};

use super::{Beside, board, engine, key, shown, table};
use crate::board::Told;
use crate::failure::Failure;
use crate::kept::{Before, Compared, Kept};
use crate::measure::Measure;
use crate::merged::{self, Fetched};
use crate::panel::Tab;
use crate::period::Period;
use crate::question;
use crate::report::Reading;
use crate::route::Scope;
use crate::shell::follow::untrack;
use crate::shell::state::State;
use crate::shell::{browser, http};
use crate::table::Table;
use crate::vitals::Vitals;

/// Asks for the buckets of a range. Hours may not be kept so far back; days are.
async fn fetch(state: State, domain: &str, range: DateRange) -> Result<Fetched, Failure> {
    let grains = merged::grains(&range, state.today());
    let of = async |grain: &str, wanted: bool| match wanted {
        true => http::buckets(&merged::address(domain, range, grain)).await.map(Some),
        false => Ok(None),
    };
    let (days, hours) = join(of("day", grains[0]), of("hour", grains[1])).await;
    let hours = match hours {
        Err(failure) if failure.passes() => return Err(failure),
        hours => hours.unwrap_or(None),
    };
    Ok(Fetched { days: days?, hours })
}

/// The answers of one round.
pub(super) struct Round {
    pub(super) totals: Reading,
    pub(super) realtime: Option<Realtime>,
    pub(super) shown: Shown,
}

/// What stands below the heads of the page.
pub(super) enum Shown {
    /// The figures as they are at first.
    First(Box<First>),
    /// A saved dashboard.
    Board(Vec<(Widget, Told)>),
}

/// What the chart and the panels show.
pub(super) struct First {
    pub(super) series: Reading,
    pub(super) before: Option<Reading>,
    pub(super) panels: Vec<Table>,
    pub(super) reading: Option<Table>,
    /// Web vitals, if they were asked for.
    pub(super) vitals: Option<Vitals>,
    /// Whether they are still to be asked for: nothing else was, and it does not wait for them.
    pub(super) vitals_later: bool,
}

/// Asks for everything: the buckets, from which cards and chart follow, and in one request what they do not tell. Where somebody is filtered
/// out they tell nothing, and that request is the only one. Of a part of what is kept nothing is asked that follows from it.
pub(super) async fn ask(state: State, scope: &Scope) -> Result<Round, Failure> {
    if let Some(board) = untrack(|| state.board()) {
        return board::ask(state, scope, &board).await;
    }
    let now = http::server_minute();
    let (clock, unit) = (state.clock(), untrack(|| state.units().1));
    let everybody = merged::is_everybody(scope);
    let fresh = engine(|e| std::mem::take(&mut e.fresh));
    let on = clock.get(..10).unwrap_or_default();
    let (kept, beside) =
        engine(|e| (e.kept.clone().filter(|_| fresh), e.beside.clone().filter(|beside| beside.of == key(scope, &clock))));
    let sure = kept.filter(|kept| !kept.is_old(browser::now()));
    let known = sure.as_ref().and_then(|kept| kept.covers(scope, on));
    let compared = sure.as_ref().and_then(|kept| kept.totals(scope, on));
    let shown = shown(state);
    let mut questions = Vec::new();
    if compared.is_none() {
        questions.push(question::totals(scope, now));
    }
    if !everybody {
        questions.push(question::series(scope, unit, now));
        questions.extend(beside.as_ref().map(|beside| question::series_before(scope, beside.range, unit, now)));
    }
    let mut lists = Vec::new();
    for (tab, property) in &shown {
        let question = question::panel(scope, *tab, property.as_deref(), now);
        let known = question.as_ref().and_then(|question| sure.as_ref()?.list(scope, on, question, browser::small));
        let asked = question.filter(|_| known.is_none());
        lists.push((known, asked.is_some()));
        questions.extend(asked);
    }
    let reads = scope.period == Period::Realtime;
    questions.extend(reads.then(|| question::reading(scope, now)));
    // Where nobody brings any, no filter finds some.
    let here = (scope.domain.clone(), scope.period);
    let measures = match sure.as_ref().filter(|_| known.is_some()) {
        // Nor is there any in a part of a range that has none.
        Some(kept) => engine(|e| e.unmeasured.as_ref() != Some(&(kept.domain.clone(), kept.period))),
        None => everybody || engine(|e| e.unmeasured.as_ref() != Some(&here)),
    };
    let vitals_later = measures && questions.is_empty();
    let measures = measures && !vitals_later;
    questions.extend(measures.then(|| question::vitals(scope, now)));

    let own = async {
        match known {
            _ if !everybody => Ok(None),
            Some(known) => Ok(Some(known)),
            None => {
                let fetched = fetch(state, &scope.domain, scope.period.range(now)).await?;
                engine(|e| keep(&mut e.kept, scope, on, &fetched));
                Ok(Some(fetched))
            }
        }
    };
    // What is compared with has mostly passed; it is fetched again only when something changed.
    let other = async |range: DateRange| fetch(state, &scope.domain, question::range_before(scope.period, range)).await.ok();
    let other_known = async {
        match &beside {
            _ if compared.is_some() => None,
            Some(Beside { fetched: Some(fetched), .. }) if fresh => Some(fetched.clone()),
            Some(beside) if everybody => other(beside.range).await,
            _ => None,
        }
    };
    let realtime = async {
        if fresh && state.now.with_untracked(Option::is_some) && !reads {
            return Ok(None);
        }
        http::get::<Realtime>(&format!("/api/v1/sites/{}/realtime", scope.domain)).await.map(Some)
    };
    let answers = async { if questions.is_empty() { Ok(Vec::new()) } else { http::queries(&questions).await } };
    let (told, (own, (other_known, realtime))) = join(answers, join(own, join(other_known, realtime))).await;
    let (mut told, own, realtime) = (told?.into_iter(), own?, realtime?);
    let mut next = || told.next().unwrap_or_else(|| Err(Failure::unreadable("/api/v2/queries")));
    let asked_for_totals = compared.is_none();
    let (totals, other_known) = match compared {
        Some(Compared { totals, other }) => (totals, other),
        None => (next()?, other_known),
    };
    let mut series = if everybody { None } else { Some(next()) };
    let mut before = if everybody || beside.is_none() { None } else { next().ok() };
    let mut panels = Vec::new();
    for ((tab, property), (known, asked)) in shown.into_iter().zip(lists) {
        let told = if asked { Some(next()) } else { known.map(Ok) };
        panels.push(table(tab, property.as_deref(), told)?);
    }
    let reading = match reads {
        true => Some(Table::read(&next()?, Tab::Pages, Dimension::Page, &[Measure::Visitors])),
        false => None,
    };
    let vitals = if measures { Some(next().map(|reading| Vitals::read(&reading)).unwrap_or_default()) } else { None };
    if everybody && let Some(vitals) = vitals {
        engine(|e| e.unmeasured = vitals.is_empty().then_some(here));
    }
    let range = totals.meta.comparison.as_ref().map(|meta| meta.date_range);
    // The cards do not wait in vain: without the other line the chart is still right.
    if let Some(range) = range {
        let mut fetched = other_known;
        if everybody && fetched.is_none() {
            fetched = other(range).await;
        }
        before = before.or_else(|| fetched.as_ref()?.series(unit));
        if before.is_none() {
            let told = http::queries(&[question::series_before(scope, range, unit, now)]).await;
            before = told.ok().and_then(|told| told.into_iter().next()?.ok());
        }
        engine(|e| {
            if let (Some(kept), Some(fetched)) = (&mut e.kept, &fetched)
                && kept.period == scope.period
            {
                let before = Before { against: scope.against, range, fetched: fetched.clone() };
                Rc::make_mut(kept).before = Some(before);
            }
            e.beside = Some(Beside { of: key(scope, &clock), range, fetched });
        });
    }
    let metrics = |reading: &Reading| reading.results.first().map(|row| row.metrics.clone());
    let mut own = own;
    if fresh && asked_for_totals && own.as_ref().and_then(Fetched::totals).is_some_and(|told| metrics(&told) != metrics(&totals))
    {
        // Something came in late since it was fetched.
        own = Some(fetch(state, &scope.domain, scope.period.range(now)).await?);
        engine(|e| e.kept = None);
    }
    if let Some(own) = own.as_ref().and_then(|own| own.series(unit)) {
        series = Some(Ok(own));
    }
    let series = match series {
        Some(told) => told,
        None => http::query(question::series(scope, unit, now)).await,
    };
    let series = match series {
        // The people of hours are kept for some days only; those of days are.
        Err(failure) if failure.status == 422 && unit == TimeDimension::Hour => {
            http::query(question::series(scope, TimeDimension::Day, now)).await?
        }
        series => series?,
    };
    Ok(Round { totals, realtime, shown: Shown::First(Box::new(First { series, before, panels, reading, vitals, vitals_later })) })
}

/// Keeps what was fetched. Rows by dimensions stay: they are believed as long as their totals are these.
fn keep(kept: &mut Option<Rc<Kept>>, scope: &Scope, on: &str, fetched: &Fetched) {
    let same = |kept: &Rc<Kept>| kept.domain == scope.domain && kept.on == on && kept.period == scope.period;
    let lists = kept.take().filter(same).map(|kept| kept.lists.clone()).unwrap_or_default();
    *kept = Some(Rc::new(Kept {
        domain: scope.domain.clone(),
        on: on.to_owned(),
        period: scope.period,
        at: browser::now(),
        fetched: fetched.clone(),
        lists,
        before: None,
    }));
}
