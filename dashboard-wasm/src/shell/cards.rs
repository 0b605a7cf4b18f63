//! The cards. Each is a button that makes the chart show its figure.
use super::dom::{El, el, of, unseen};
use super::follow::Signal;
use super::state::state;
use crate::measure::Measure;
use crate::report::Totals;
use crate::route::Against;

/// All cards.
pub(crate) fn cards() -> El {
    let group = of("div", "cards").set("role", "group").set("aria-label", "What the chart shows");
    group.all(Measure::CARDS.map(card))
}

fn card(measure: Measure) -> El {
    let state = state();
    of("button", "card")
        .set("type", "button")
        .says("aria-pressed", move || state.view().is_some_and(|view| view.measure == measure))
        .on("click", move |_| state.turn(|view| view.measure = measure))
        .with(of("span", "name").text(measure.label()))
        .all(figure(measure, state.totals))
}

/// The figure of a card, and what stands under it.
pub(crate) fn figure(measure: Measure, totals: Signal<Option<Totals>>) -> [El; 2] {
    let state = state();
    let figure = move || totals.with(|totals| totals.as_ref().map(|t| t.get(measure)).unwrap_or_default());
    let change = move || totals.with(|totals| totals.as_ref().map(|t| t.change(measure)).unwrap_or_default());
    let unit = move || totals.with(|totals| totals.as_ref().and_then(|t| t.unit.clone()));
    // What a reader must know to read the figure rightly stands under it; the rest is for those who ask.
    let hint = move || match (measure, unit(), figure().bounds) {
        (_, _, Some([low, high])) => format!("{} to {}", measure.axis(low), measure.axis(high)),
        (Measure::Visitors, Some(unit), _) => format!("per {unit}"),
        _ => String::new(),
    };
    let delta = move |(change, against): (crate::report::Change, Option<Against>)| {
        let Some(value) = change.change else { return Vec::new() };
        let class = match measure.is_better(value.round()) {
            Some(true) => "delta up",
            Some(false) => "delta down",
            None => "delta",
        };
        let before = change.before.map(|before| measure.exact(before)).unwrap_or_default();
        let when = match against {
            Some(Against::YearBefore) => "a year before",
            _ => "in the period before",
        };
        let spoken = unseen(&format!(" against {before} {when}"));
        vec![of("span", class).set("title", &format!("{before} {when}")).text(&measure.change(value)).with(spoken)]
    };
    let title = move || {
        let mut text = measure.about().to_owned();
        if let Some(exact) = figure().tooltip(measure) {
            text = format!("{text}: {exact}");
        }
        if let (Measure::Visitors, Some(unit)) = (measure, unit()) {
            text.push_str(&format!(
                ". Visitors can be told apart within one {unit} only, so somebody who came back on another {unit} is counted again"
            ));
        }
        text
    };
    let hints = of("span", "hint")
        .part(move || (change(), state.view().map(|view| view.scope.against)), delta)
        .with(el("span").words(hint));
    let words = move || figure().value.map_or_else(|| "–".into(), |value| measure.figure(value));
    [of("span", "figure").tell("title", title).words(words), hints]
}
