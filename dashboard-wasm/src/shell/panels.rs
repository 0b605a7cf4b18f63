//! The panels: tabs, and rows with bars, largest first. A click on a row filters everything by it.
use headwater_query::Dimension;
use leptos::prelude::*;

use super::erased::{act, flag, text};
use super::names;
use super::state::{State, state};
use crate::format;
use crate::measure::Measure;
use crate::panel::{Panel, Tab};
use crate::table::{Row, Table};

/// All panels.
#[component]
pub(crate) fn Panels() -> impl IntoView {
    let state = state();
    let panels = Panel::ALL.into_iter().zip(state.tables);
    view! { <div class="panels">{panels.map(|(panel, table)| view! { <OnePanel panel table /> }).collect_view()}</div> }
}

#[component]
fn OnePanel(panel: Panel, table: RwSignal<Option<Table>>) -> impl IntoView {
    let state = state();
    let tab = Signal::derive(move || {
        state.view().map_or_else(|| panel.tabs().first().copied().unwrap_or(Tab::Pages), |v| v.tab(panel))
    });
    let stale = move || state.loading.get() || table.with(|table| table.as_ref().is_some_and(|t| t.tab != tab.get()));
    let total = Signal::derive(move || table.with(|table| table.as_ref().map_or(0, |t| t.total)));
    let id = format!("panel-{}", panel.place());
    let heading = id.clone();
    let open = move |_| state.turn(|view| view.whole = Some(view.tab(panel)));
    view! {
        <section class="panel sheet" class:loading=flag(stale) aria-labelledby=id>
            <div class="panel-head">
                <h2 id=heading>{text(move || tab.get().title())}</h2>
                <Tabs panel tab />
            </div>
            <Rows table />
            <div class="more">
                <button hidden=flag(move || total.get() == 0) on:click=act(open)>
                    "Show all " <b>{text(move || format::full(total.get()))}</b> <span class="unseen">{text(move || format!(" {}", tab.get().title().to_lowercase()))}</span>
                </button>
            </div>
        </section>
    }
}

/// What the panel can show.
#[component]
fn Tabs(panel: Panel, tab: Signal<Tab>) -> impl IntoView {
    let state = state();
    let turn = move |to: Tab| {
        state.adjust(|view| {
            if let Some(slot) = view.tabs.get_mut(panel.place()) {
                *slot = to;
            }
        });
    };
    let tabs = panel.tabs();
    let buttons = tabs.iter().copied().filter(|_| tabs.len() > 1 || panel.menu().is_some()).map(|of| {
        view! {
            <button class="tab" type="button" aria-pressed=text(move || (tab.get() == of).to_string()) on:click=act(move |_| turn(of))>
                {of.short()}
            </button>
        }
    });
    let menu = panel.menu().map(|(word, tabs)| {
        let inside = move || tabs.contains(&tab.get());
        let options = tabs
            .iter()
            .map(|of| view! { <option value=of.name() prop:selected=flag(move || tab.get() == *of)>{of.short()}</option> });
        view! {
            <select
                class="tab"
                class:on=inside
                aria-label=word
                on:change=act(move |event| {
                    if let Some(to) = Tab::from_name(&event_target_value(&event)) {
                        turn(to);
                    }
                })
            >
                <option value="" disabled=true hidden=true prop:selected=flag(move || !inside())>
                    {word}
                </option>
                {options.collect_view()}
            </select>
        }
    });
    let properties = (panel == Panel::Properties).then(|| view! { <PropertyChoice /> });
    view! { <div class="tabs" role="group" aria-label="What is listed">{buttons.collect_view()} {menu} {properties}</div> }
}

/// Which property's values are listed.
#[component]
fn PropertyChoice() -> impl IntoView {
    let state = state();
    let names = Memo::new(move |_| {
        let mut names = state.properties.get().unwrap_or_default();
        if let Some(chosen) = state.view().and_then(|view| view.property)
            && !names.contains(&chosen)
        {
            names.push(chosen);
        }
        names
    });
    let chosen =
        Signal::derive(move || state.view().and_then(|v| v.property).or_else(|| names.with(|names| names.first().cloned())));
    view! {
        <Show when=move || names.with(|names| !names.is_empty())>
            <select class="tab on" aria-label="Property" on:change=act(move |event| state.adjust(|view| view.property = Some(event_target_value(&event))))>
                <For each=move || names.get() key=String::clone let:name>
                    {
                        let value = name.clone();
                        let own = name.clone();
                        view! { <option value=value prop:selected=flag(move || chosen.get().as_ref() == Some(&own))>{name}</option> }
                    }
                </For>
            </select>
        </Show>
    }
}

/// The rows of a panel.
#[component]
pub(crate) fn Rows(table: RwSignal<Option<Table>>, #[prop(optional)] columns: Option<&'static [Measure]>) -> impl IntoView {
    let tab = Memo::new(move |_| table.with(|table| table.as_ref().map(|t| (t.tab, t.dimension.clone()))));
    let empty = Memo::new(move |_| table.with(|table| table.as_ref().is_some_and(|t| t.rows.is_empty())));
    let failure = Memo::new(move |_| table.with(|table| table.as_ref().and_then(|t| t.failure.clone())));
    move || {
        let Some((tab, dimension)) = tab.get() else {
            return view! { <p class="none">"…"</p> }.into_any();
        };
        if empty.get() {
            return view! { <p class="none">{failure.get().unwrap_or_else(|| tab.empty().into())}</p> }.into_any();
        }
        let dimension = dimension.unwrap_or(Dimension::Page);
        let columns: Vec<_> = columns.map_or_else(|| tab.columns().to_vec(), <[_]>::to_vec);
        let values =
            move || table.with(|table| table.iter().flat_map(|t| &t.rows).map(|row| row.value.clone()).collect::<Vec<_>>());
        let heads = columns.iter().enumerate().map(|(n, column)| {
            view! { <span class="n" class:second={n % 2 == 1} role="columnheader" title=column.about()>{heading(tab, *column)}</span> }
        });
        let heads = heads.collect_view();
        let class = if columns.len() == 1 { "rows single" } else { "rows" };
        view! {
            <div class=class role="table" aria-label=tab.title()>
                <div role="rowgroup">
                    <div class="row heads" role="row">
                        <span class="label" role="columnheader">{tab.noun()}</span>
                        {heads}
                    </div>
                </div>
                <div class="rows" role="rowgroup">
                    <For each=values key=String::clone let:value>
                        <OneRow table value dimension=dimension.clone() columns=columns.clone() />
                    </For>
                </div>
            </div>
        }
        .into_any()
    }
}

/// The words over a column.
pub(crate) const fn heading(tab: Tab, column: Measure) -> &'static str {
    match (tab, column) {
        (Tab::Events | Tab::Goals, Measure::Events) => "Count",
        (Tab::EntryPages, Measure::Visits) => "Entries",
        (Tab::ExitPages, Measure::Visits) => "Exits",
        (_, column) => column.heading(),
    }
}

#[component]
fn OneRow(table: RwSignal<Option<Table>>, value: String, dimension: Dimension, columns: Vec<Measure>) -> impl IntoView {
    let state = state();
    let wanted = value.clone();
    let row = Memo::new(move |_| table.with(|table| table.as_ref().and_then(|t| t.row(&wanted)).cloned()));
    // Cut off rather than scaled, so that short bars keep their round ends.
    let share =
        move || format!("inset(0 {:.2}% 0 0 round 6px)", 100.0 - 100.0 * row.with(|row| row.as_ref().map_or(0.0, |r| r.share)));
    let other = row.with_untracked(|row| row.as_ref().is_some_and(Row::is_other));
    let cells = columns.into_iter().enumerate().map(|(n, column)| {
        let figure = move || row.with(|row| row.as_ref().and_then(|r| r.figures.get(n).copied()).unwrap_or_default());
        view! {
            <span class="n" class:second=n % 2 == 1 role="cell" title=move || figure().tooltip(column)>
                {text(move || figure().written(column))}
            </span>
        }
    });
    view! {
        <div class="row" role="row" class:other=other>
            <span class="bar" aria-hidden="true" style:clip-path=share></span>
            <span class="label" role="rowheader">
                <Value state dimension value other />
            </span>
            {cells.collect_view()}
        </div>
    }
}

/// The name of a row, which is a button that filters by it. `(other)` is no value.
#[component]
pub(crate) fn Value(state: State, dimension: Dimension, value: String, other: bool) -> impl IntoView {
    let label = names::of(&dimension, &value);
    if other {
        return view! { <bdi title="All values beyond the most frequent ones of each day">{label}</bdi> }.into_any();
    }
    let hint = format!("{label} – click to count only this, with Shift besides others");
    let held = {
        let (dimension, value) = (dimension.clone(), value.clone());
        Signal::derive(move || state.scope().filters.holds(&dimension, &value))
    };
    let click = move |event: leptos::ev::MouseEvent| {
        let also = event.shift_key() || event.ctrl_key() || event.meta_key();
        let (dimension, value) = (dimension.clone(), value.clone());
        state.turn(|view| {
            view.scope.filters = view.scope.filters.toggled(&dimension, &value, also);
            view.whole = None;
        });
    };
    view! {
        <button class="value" type="button" title=hint aria-pressed=text(move || held.get().to_string()) on:click=act(click)>
            <bdi>{label}</bdi>
        </button>
    }
    .into_any()
}
