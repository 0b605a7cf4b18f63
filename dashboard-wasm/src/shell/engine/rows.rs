//! The rows of what is kept, by the dimensions of the lists that are shown: fetched once, when the figures stand.
use std::rc::Rc;

use headwater_query::{Dimension, Query};
use wasm_bindgen_futures::spawn_local;

use super::{engine, includes_now, shown};
use crate::failure::Failure;
use crate::kept::{Kept, has_rows};
use crate::merged;
use crate::report::Reading;
use crate::route::Scope;
use crate::shell::browser::{self, after};
use crate::shell::follow::untrack;
use crate::shell::http;
use crate::shell::state::{State, state};

/// How long after the figures the rows are asked for, in milliseconds: drawing comes first.
const LATER: u32 = 200;

/// The answer to a question for a list, if it follows from what is kept.
pub(crate) fn list(scope: &Scope, question: &Query) -> Option<Reading> {
    let kept = engine(|e| e.kept.clone()).filter(|kept| !kept.is_old(browser::now()))?;
    kept.list(scope, state().clock().get(..10)?, question, browser::small)
}

/// The answer to it, from what is kept or from the server.
pub(crate) async fn told(scope: &Scope, question: Query) -> Result<Reading, Failure> {
    match list(scope, &question) {
        Some(known) => Ok(known),
        None => http::query(question).await,
    }
}

/// Sees to it that the rows of what is shown, and of one more list, are kept.
pub(crate) fn needed(state: State, also: Option<Dimension>) {
    after(LATER, move || fetch(state, also.clone()));
}

fn fetch(state: State, also: Option<Dimension>) {
    let clock = state.clock();
    let Some(kept) = engine(|e| {
        let scope = e.site.as_ref()?;
        e.kept.clone().filter(|kept| kept.covers(scope, clock.get(..10).unwrap_or_default()).is_some())
    }) else {
        return;
    };
    if untrack(|| state.board()).is_some() || !is_worth_it(&kept, &clock) {
        return;
    }
    let shown = shown(state).into_iter().filter_map(|(tab, property)| tab.dimension(property.as_deref()));
    let mut dimensions: Vec<Dimension> = Vec::new();
    for dimension in shown.chain(also) {
        let asked = engine(|e| e.asked.contains(&dimension));
        if has_rows(&dimension) && !kept.has(&dimension) && !asked && !dimensions.contains(&dimension) {
            dimensions.push(dimension);
        }
    }
    if dimensions.is_empty() {
        return;
    }
    engine(|e| e.asked.extend(dimensions.iter().cloned()));
    spawn_local(async move {
        let range = kept.period.range(http::server_minute());
        let told = http::buckets(&merged::address_of_rows(&kept.domain, range, &dimensions)).await;
        engine(|e| {
            e.asked.retain(|asked| !dimensions.contains(asked));
            let same = |now: &&mut Rc<Kept>| now.domain == kept.domain && now.on == kept.on && now.period == kept.period;
            // Without rows lists are asked for, one by one, as long as nobody needs more.
            if let (Some(now), Ok(told)) = (e.kept.as_mut().filter(same), told) {
                Rc::make_mut(now).lists.push(Rc::new(told));
            }
        });
    });
}

/// Whether lists can follow from rows for a while: not of a day alone that is not over.
fn is_worth_it(kept: &Kept, clock: &str) -> bool {
    let days = kept.fetched.days.as_ref().map_or(0, |days| days.rows.len());
    let scope = Scope { period: kept.period, ..Scope::default() };
    days > 1 || (days == 1 && !includes_now(&scope, clock))
}
