//! The cards. Each is a button that makes the chart show its figure.
use leptos::prelude::*;

use super::erased::{act, text};
use super::state::state;
use crate::measure::Measure;
use crate::route::Against;

/// All cards.
#[component]
pub(crate) fn Cards() -> impl IntoView {
    let cards = Measure::CARDS.map(|measure| view! { <OneCard measure /> });
    view! { <div class="cards" role="group" aria-label="What the chart shows">{cards.collect_view()}</div> }
}

#[component]
fn OneCard(measure: Measure) -> impl IntoView {
    let state = state();
    let figure = Signal::derive(move || state.totals.with(|totals| totals.as_ref().map(|t| t.get(measure)).unwrap_or_default()));
    let change =
        Signal::derive(move || state.totals.with(|totals| totals.as_ref().map(|t| t.change(measure)).unwrap_or_default()));
    let unit = Signal::derive(move || state.totals.with(|totals| totals.as_ref().and_then(|t| t.unit.clone())));
    let figure_text = move || figure.get().value.map_or_else(|| "–".into(), |value| measure.figure(value));
    // What a reader must know to read the figure rightly stands under it; the rest is for those who ask.
    let hint = move || match (measure, unit.get(), figure.get().bounds) {
        (_, _, Some([low, high])) => format!("{} to {}", measure.axis(low), measure.axis(high)),
        (Measure::Visitors, Some(unit), _) => format!("per {unit}"),
        _ => String::new(),
    };
    let delta = move || {
        let change = change.get();
        change.change.map(|value| {
            let class = match measure.is_better(value.round()) {
                Some(true) => "delta up",
                Some(false) => "delta down",
                None => "delta",
            };
            let before = change.before.map(|before| measure.exact(before)).unwrap_or_default();
            let when = match state.view().map(|view| view.scope.against) {
                Some(Against::YearBefore) => "a year before",
                _ => "in the period before",
            };
            view! {
                <span class=class title=format!("{before} {when}")>
                    {measure.change(value)} <span class="unseen">{format!(" against {before} {when}")}</span>
                </span>
            }
        })
    };
    let title = move || {
        let mut text = measure.about().to_owned();
        if let Some(exact) = figure.get().tooltip(measure) {
            text = format!("{text}: {exact}");
        }
        if let (Measure::Visitors, Some(unit)) = (measure, unit.get()) {
            text.push_str(&format!(
                ". Visitors can be told apart within one {unit} only, so somebody who came back on another {unit} is counted again"
            ));
        }
        text
    };
    let pressed = move || state.view().is_some_and(|view| view.measure == measure);
    view! {
        <button
            class="card"
            type="button"
            title=text(title)
            aria-pressed=text(move || pressed().to_string())
            on:click=act(move |_| state.turn(|view| view.measure = measure))
        >
            <span class="name">{measure.label()}</span>
            <span class="figure">{text(figure_text)}</span>
            <span class="hint">{delta} <span>{text(hint)}</span></span>
        </button>
    }
}
