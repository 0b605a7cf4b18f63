//! The cards. Each is a button that makes the chart show its figure.
use leptos::prelude::*;

use super::state::state;
use crate::card::Card;
use crate::format;

/// All cards.
#[component]
pub(crate) fn Cards() -> impl IntoView {
    view! { <div class="cards" role="group" aria-label="What the chart shows">{Card::ALL.map(|card| view! { <OneCard card /> }).collect_view()}</div> }
}

#[component]
fn OneCard(card: Card) -> impl IntoView {
    let state = state();
    let figure = Memo::new(move |_| state.totals.with(|totals| totals.as_ref().map(|t| t.get(card)).unwrap_or_default()));
    let now = Memo::new(move |_| state.now.get().map(|(visitors, _)| visitors));
    let unit = Memo::new(move |_| state.totals.with(|totals| totals.as_ref().and_then(|t| t.unit.clone())));
    let text = move || match card {
        Card::Now => now.get().map_or_else(|| "–".into(), format::card),
        _ => figure.get().value.map_or_else(|| "–".into(), |value| card.figure(value)),
    };
    // What a reader must know to read the figure rightly stands under it; the rest is for those who ask.
    let hint = move || match (card, unit.get().as_deref(), figure.get().bounds) {
        (Card::Now, ..) => "last 5 minutes".to_owned(),
        (Card::Visitors, Some("day"), _) => "counted per day".to_owned(),
        (Card::Visitors, Some(unit), _) => format!("counted per {unit}"),
        (_, _, Some([low, high])) => format!("{} to {}", card.axis(low), card.axis(high)),
        _ => String::new(),
    };
    let title = move || {
        let mut text = card.about().to_owned();
        if let Some(exact) = figure.get().tooltip(card) {
            text = format!("{text}: {exact}");
        }
        if let (Card::Visitors, Some(unit)) = (card, unit.get()) {
            text.push_str(&format!(
                ". Visitors can be told apart within one {unit} only, so somebody who came back on another {unit} is counted again"
            ));
        }
        text
    };
    let pressed = move || state.view().is_some_and(|view| view.card == card);
    let alive = move || now.get().is_some_and(|n| n > 0);
    view! {
        <button class="card" type="button" title=title aria-pressed=move || pressed().to_string() on:click=move |_| state.turn(|view| view.card = card)>
            <span class="name">
                {(card == Card::Now).then(|| view! { <span class="dot" class:still=move || !alive() aria-hidden="true"></span> })} {card.label()}
            </span>
            <span class="figure">{text}</span>
            <span class="hint">{hint}</span>
        </button>
    }
}
