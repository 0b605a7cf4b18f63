//! The conditions as chips, and the dialog in which one is made or changed.
use headwater_query::{Condition, Dimension};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::dialog::Dialog;
use super::erased::{act, flag};
use super::icons::{Cross, Funnel};
use super::state::{Overlay, state};
use super::{http, names};
use crate::filters::{self, Filters, OPERATORS};
use crate::measure::Measure;
use crate::panel::{self, Tab};
use crate::question;
use crate::report::Reading;

/// The chips; nothing without conditions.
#[component]
pub(crate) fn Chips() -> impl IntoView {
    let state = state();
    let filters = Memo::new(move |_| state.scope().filters);
    let chips =
        move || filters.get().0.into_iter().enumerate().map(|(n, condition)| view! { <Chip n condition /> }).collect_view();
    view! {
        <Show when=move || !filters.with(Filters::is_empty)>
            <div class="chips" role="group" aria-label="Filters">
                {chips}
                <button class="quiet" type="button" on:click=act(move |_| state.filter(|_| Filters::default()))>
                    "Clear all"
                </button>
            </div>
        </Show>
    }
}

#[component]
fn Chip(n: usize, condition: Condition) -> impl IntoView {
    let state = state();
    let subject = filters::subject(&condition);
    let values = condition.values.iter().map(|value| names::of(&condition.dimension, value)).collect::<Vec<_>>().join(" or ");
    let words = format!("{subject} {values}");
    let negated = condition.negated;
    view! {
        <span class="chip" class:not=negated>
            <button
                class="not-button"
                type="button"
                title=if negated { "Count these instead" } else { "Count everything but these" }
                aria-label=format!("Turn into the opposite: {words}")
                on:click=act(move |_| state.filter(|filters| filters.negated(n)))
            >
                {if negated { "≠" } else { "=" }}
            </button>
            <button class="what" type="button" title="Change this filter" on:click=act(move |_| state.open.set(Some(Overlay::Condition(Some(n)))))>
                {subject} " " <b>{values}</b>
            </button>
            <button class="away" type="button" aria-label=format!("Remove the filter {words}") on:click=act(move |_| state.filter(|filters| filters.without(n)))>
                <Cross />
            </button>
        </span>
    }
}

/// The button that makes a condition.
#[component]
pub(crate) fn AddFilter() -> impl IntoView {
    let state = state();
    view! {
        <button class="tool" type="button" on:click=act(move |_| state.open.set(Some(Overlay::Condition(None))))>
            <Funnel />
            "Filter"
        </button>
    }
}

/// Makes a condition, or changes the `n`th.
#[component]
pub(crate) fn ConditionDialog(n: Option<usize>) -> impl IntoView {
    let state = state();
    let scope = state.route.with_untracked(|_| untrack(|| state.scope()));
    let old = n.and_then(|n| scope.filters.0.get(n).cloned());
    let dimension = RwSignal::new(old.as_ref().map_or(Dimension::Page, |c| c.dimension.clone()));
    let operator = RwSignal::new(old.as_ref().map_or("is", Condition::operator).to_owned());
    let values = RwSignal::new(old.map(|c| c.values).unwrap_or_default());
    let search = RwSignal::new(String::new());
    let found = RwSignal::new(None::<Reading>);
    let asked = StoredValue::new(0_u32);
    Effect::new(move |_| {
        let question = question::values(&scope, &dimension.get(), &search.get(), n, http::server_minute());
        let number = asked.with_value(|n| n + 1);
        asked.set_value(number);
        spawn_local(async move {
            let told = http::query(question).await;
            if asked.try_get_value() == Some(number) {
                found.try_set(Some(told.unwrap_or_default()));
            }
        });
    });
    let exact = move || operator.with(|name| matches!(name.as_str(), "is" | "is_not"));
    let close = Callback::new(move |()| state.open.set(None));
    let dimensions = move || {
        let tabs = Tab::ALL.into_iter().filter_map(|tab| tab.dimension(None));
        let properties = state.properties.get().unwrap_or_default().into_iter().map(Dimension::Prop);
        tabs.chain(properties).collect::<Vec<_>>()
    };
    let apply = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let mut chosen = values.get_untracked();
        // What was typed and not taken from the list is meant too.
        let typed = search.get_untracked().trim().to_owned();
        if !typed.is_empty() && (!untrack(exact) || chosen.is_empty()) && !chosen.contains(&typed) {
            chosen.push(typed);
        }
        state.open.set(None);
        if let Some(condition) = filters::condition(&operator.get_untracked(), dimension.get_untracked(), chosen) {
            state.filter(|filters| filters.with(n, condition));
        }
    };
    let toggle = move |value: String| {
        values.update(|values| match values.iter().position(|v| *v == value) {
            Some(at) => drop(values.remove(at)),
            None => values.push(value),
        });
    };
    // The chosen ones stay in the list, whatever is searched for.
    let rows = move || {
        let chosen = values.get();
        let mut rows: Vec<(String, Option<String>)> = chosen.iter().map(|value| (value.clone(), None)).collect();
        if exact() {
            found.with(|found| {
                let Some(found) = found else { return };
                for (n, row) in found.results.iter().enumerate() {
                    let Some(value) = row.dimensions.first().filter(|value| *value != "(other)") else { continue };
                    let figure = found.figure(n, 0, Measure::Visitors).written(Measure::Visitors);
                    match rows.iter_mut().find(|(known, _)| known == value) {
                        Some(known) => known.1 = Some(figure),
                        None => rows.push((value.clone(), Some(figure))),
                    }
                }
            });
        }
        rows
    };
    let choose = move |event| {
        let name = event_target_value(&event);
        if let Some(chosen) = Dimension::from_name(&name) {
            dimension.set(chosen);
            values.set(Vec::new());
            search.set(String::new());
        }
    };
    view! {
        <Dialog title=if n.is_some() { "Change the filter" } else { "Count only…" }.to_owned() close>
            <form class="condition" on:submit=act(apply)>
                <div class="pair">
                    <select aria-label="What is compared" on:change=act(choose)>
                        {move || {
                            dimensions()
                                .into_iter()
                                .map(|of| {
                                    let name = of.to_string();
                                    let label = panel::dimension_label(&of);
                                    view! { <option value=name prop:selected=flag(move || dimension.get() == of)>{label}</option> }
                                })
                                .collect_view()
                        }}
                    </select>
                    <select aria-label="How it is compared" on:change=act(move |event| operator.set(event_target_value(&event)))>
                        {OPERATORS
                            .map(|(name, words)| view! { <option value=name prop:selected=flag(move || operator.get() == name)>{words}</option> })
                            .collect_view()}
                    </select>
                </div>
                <input
                    type="search"
                    class="search"
                    autofocus=true
                    aria-label="Search values, or type one"
                    placeholder=move || if exact() { "Search values" } else { "Type a part of the value" }
                    prop:value=move || search.get()
                    on:input=act(move |event| search.set(event_target_value(&event)))
                />
                <fieldset class="choices" tabindex="0">
                    <legend class="unseen">"Values"</legend>
                    <For each=rows key=Clone::clone let:row>
                        {
                            let (value, figure) = row;
                            let own = value.clone();
                            let name = names::of(&dimension.get_untracked(), &value);
                            view! {
                                <label class="choice">
                                    <input
                                        type="checkbox"
                                        prop:checked=flag(move || values.with(|values| values.contains(&own)))
                                        on:change=act(move |_| toggle(value.clone()))
                                    />
                                    <bdi>{name}</bdi>
                                    <span class="n">{figure}</span>
                                </label>
                            }
                        }
                    </For>
                </fieldset>
                <div class="acts">
                    <button class="btn main" type="submit">"Apply"</button>
                    <button class="btn" type="button" on:click=act(move |_| close.run(()))>"Cancel"</button>
                </div>
            </form>
        </Dialog>
    }
}
