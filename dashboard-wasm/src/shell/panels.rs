//! The panels: rows with bars, largest first.
use leptos::prelude::*;

use super::engine;
use super::state::state;
use crate::format;
use crate::panel::Panel;
use crate::table::{Row, Table};

/// All panels.
#[component]
pub(crate) fn Panels() -> impl IntoView {
    let state = state();
    let panels = Panel::ALL.into_iter().zip(state.tables).zip(state.limits);
    view! { <div class="panels">{panels.map(|((panel, table), limit)| view! { <OnePanel panel table limit /> }).collect_view()}</div> }
}

#[component]
fn OnePanel(panel: Panel, table: RwSignal<Option<Table>>, limit: RwSignal<u32>) -> impl IntoView {
    let state = state();
    let values = move || table.with(|table| table.iter().flat_map(|t| &t.rows).map(|row| row.value.clone()).collect::<Vec<_>>());
    let empty = Memo::new(move |_| table.with(|table| table.as_ref().is_some_and(|t| t.rows.is_empty())));
    let shown = Memo::new(move |_| table.with(|table| table.as_ref().map_or(0, |t| t.rows.len() as u64)));
    let total = Memo::new(move |_| table.with(|table| table.as_ref().map_or(0, |t| t.total)));
    let few = Memo::new(move |_| limit.get() == Panel::FEW);
    let set = move |rows| {
        limit.set(rows);
        engine::changed(state);
    };
    let id = format!("panel-{}", panel.title().to_lowercase().replace(' ', "-"));
    let heading = id.clone();
    let heads = panel.columns().map(Panel::column_label);
    view! {
        <section class="panel sheet" class:loading=move || state.loading.get() aria-labelledby=id>
            <div class="panel-head">
                <h2 id=heading>{panel.title()}</h2>
            </div>
            <Show when=move || !empty.get() fallback=move || view! { <p class="none">{panel.empty()}</p> }>
                <div class="rows" role="table" aria-label=panel.title()>
                    <div role="rowgroup">
                        <div class="row heads" role="row">
                            <span class="label" role="columnheader">{panel.noun()}</span>
                            <span class="n" role="columnheader">{heads[0]}</span>
                            <span class="n second" role="columnheader">{heads[1]}</span>
                        </div>
                    </div>
                    <div class="rows" role="rowgroup">
                        <For each=values key=String::clone let:value>
                            <OneRow panel table value />
                        </For>
                    </div>
                </div>
            </Show>
            <div class="more" hidden=move || few.get() && total.get() <= shown.get()>
                <Show
                    when=move || few.get()
                    fallback=move || view! { <button on:click=move |_| set(Panel::FEW)>"Show fewer"</button> }
                >
                    <button on:click=move |_| set(Panel::MANY)>"Show more, " {move || format::full(total.get())} " in all"</button>
                </Show>
            </div>
        </section>
    }
}

#[component]
fn OneRow(panel: Panel, table: RwSignal<Option<Table>>, value: String) -> impl IntoView {
    let label = panel.value_label(&value);
    let hint = label.clone();
    let row = Memo::new(move |_| table.with(|table| table.as_ref().and_then(|t| t.row(&value)).cloned()));
    let [first, second] = panel.columns();
    let figure = move |column: usize, card: crate::card::Card| {
        row.with(|row| row.as_ref().and_then(|r| r.figures.get(column)).and_then(|f| f.value))
            .map_or_else(|| "–".into(), |value| card.figure(value))
    };
    let tooltip = move |column: usize, card: crate::card::Card| {
        row.with(|row| row.as_ref().and_then(|r| r.figures.get(column)).and_then(|f| f.tooltip(card)))
    };
    // Cut off rather than scaled, so that short bars keep their round ends.
    let share =
        move || format!("inset(0 {:.2}% 0 0 round 6px)", 100.0 - 100.0 * row.with(|row| row.as_ref().map_or(0.0, |r| r.share)));
    let other = move || row.with(|row| row.as_ref().is_some_and(Row::is_other));
    view! {
        <div class="row" role="row" class:other=other>
            <span class="bar" aria-hidden="true" style:clip-path=share></span>
            <span class="label" role="rowheader" title=hint>
                <bdi>{label}</bdi>
            </span>
            <span class="n" role="cell" title=move || tooltip(0, first)>{move || figure(0, first)}</span>
            <span class="n second" role="cell" title=move || tooltip(1, second)>{move || figure(1, second)}</span>
        </div>
    }
}
