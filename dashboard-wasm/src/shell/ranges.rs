//! The range: a few one click away, all in a menu, any days in a calendar; and with what it is compared.
use headwater_query::Date;
use leptos::prelude::*;

use super::dialog::Dialog;
use super::erased::{act, flag, text};
use super::go::Go;
use super::icons::Down;
use super::state::{Overlay, state};
use super::{browser, http};
use crate::label;
use crate::month::{self, Chosen};
use crate::period::Period;
use crate::route::Against;

/// The ranges and the comparison.
#[component]
pub(crate) fn Ranges() -> impl IntoView {
    let state = state();
    let period = Signal::derive(move || state.scope().period);
    let against = Signal::derive(move || state.scope().against);
    let link = move |of: Period| {
        let to = Signal::derive(move || state.with_period(of));
        let current = Signal::derive(move || period.get() == of);
        (to, current)
    };
    let near = Period::NEAR.map(|of| {
        let (to, current) = link(of);
        view! { <Go to current>{of.label()}</Go> }
    });
    let listed = move || {
        Period::ALL.map(|of| {
            let (to, current) = link(of);
            let key = of.key().map(|key| view! { <kbd aria-hidden="true">{key.to_ascii_uppercase()}</kbd> });
            view! { <Go to current>{of.label()} {key}</Go> }
        })
    };
    let toggle =
        move |overlay| move |_| state.open.update(|open| *open = if *open == Some(overlay) { None } else { Some(overlay) });
    let open = move |overlay| move || (state.open.get() == Some(overlay)).to_string();
    let elsewhere = move || !Period::NEAR.contains(&period.get());
    let choose = move |of: Against| {
        state.open.set(None);
        state.turn(|view| view.scope.against = of);
    };
    view! {
        <div class="pop-host">
            <button
                class="tool"
                type="button"
                aria-haspopup="true"
                aria-expanded=text(open(Overlay::Compare))
                hidden=flag(move || !period.get().is_comparable())
                on:click=act(toggle(Overlay::Compare))
            >
                {move || match against.get() {
                    Against::Nothing => "Compare",
                    Against::Before => "vs before",
                    Against::YearBefore => "vs year before",
                }}
                <Down />
            </button>
            <Show when=move || state.open.get() == Some(Overlay::Compare)>
                <div class="pop" role="group" aria-label="Compare with">
                    {Against::ALL
                        .map(|of| {
                            view! {
                                <button type="button" aria-pressed=text(move || (against.get() == of).to_string()) on:click=act(move |_| choose(of))>
                                    {of.label()}
                                </button>
                            }
                        })
                        .collect_view()}
                </div>
            </Show>
        </div>
        <div class="pop-host">
            <nav class="ranges" aria-label="Range">
                {near.collect_view()}
                <button
                    type="button"
                    class="more-ranges"
                    class:on=flag(elsewhere)
                    aria-haspopup="true"
                    aria-expanded=text(open(Overlay::Ranges))
                    on:click=act(toggle(Overlay::Ranges))
                >
                    {text(move || if elsewhere() { period.get().label() } else { "More".into() })}
                    <Down />
                </button>
            </nav>
            <Show when=move || state.open.get() == Some(Overlay::Ranges)>
                <nav class="pop right" aria-label="All ranges" on:click=act(move |_| state.open.set(None))>
                    {listed().collect_view()}
                    <button
                        type="button"
                        on:click=act(move |event: leptos::ev::MouseEvent| {
                            event.stop_propagation();
                            state.open.set(Some(Overlay::Calendar));
                        })
                    >
                        "Days of your choice…"
                        <kbd aria-hidden="true">"C"</kbd>
                    </button>
                </nav>
            </Show>
        </div>
    }
}

/// The calendar: two clicks, or two dates.
#[component]
pub(crate) fn Calendar() -> impl IntoView {
    let state = state();
    let scope = untrack(move || state.scope());
    let clock = browser::clock(&state.zone(&scope.domain), http::server_now());
    let today = clock.get(..10).and_then(Date::parse).unwrap_or_else(|| Date::from_days(0));
    let chosen = RwSignal::new(match scope.period {
        Period::Custom(from, to) => Chosen { from: Some(from), to: Some(to) },
        _ => Chosen::default(),
    });
    let shown = RwSignal::new(untrack(move || chosen.get()).to.unwrap_or(today).first_of_month(0));
    let close = Callback::new(move |()| state.open.set(None));
    let range = move || {
        let Chosen { from, to } = chosen.get();
        Period::between(from?, to.or(from)?)
    };
    let apply = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if let Some(period) = untrack(range) {
            state.open.set(None);
            state.turn(|view| view.scope.period = period);
        }
    };
    let day = move |day: Date| {
        let class = move || {
            let Chosen { from, to } = chosen.get();
            let end = from == Some(day) || to == Some(day);
            if end {
                "day end"
            } else if chosen.get().holds(day) {
                "day in"
            } else {
                "day"
            }
        };
        view! {
            <button
                type="button"
                class=text(class)
                aria-label=label::day(day)
                aria-pressed=text(move || chosen.get().holds(day).to_string())
                aria-current=(day == today).then_some("date")
                disabled={day > today}
                on:click=act(move |_| chosen.update(|chosen| *chosen = chosen.clicked(day)))
            >
                {day.day}
            </button>
        }
    };
    let weeks = move || {
        let week = |week: [Option<Date>; 7]| {
            let days = week.map(|of| of.map_or_else(|| view! { <span></span> }.into_any(), |of| day(of).into_any()));
            view! { <div class="week">{days.collect_view()}</div> }
        };
        month::weeks(shown.get()).into_iter().map(week).collect_view()
    };
    let written = move |of: fn(Chosen) -> Option<Date>| move || of(chosen.get()).map(|date| date.to_string()).unwrap_or_default();
    let read = move |event, set: fn(&mut Chosen, Date)| {
        if let Some(date) = Date::parse(&event_target_value(&event)) {
            chosen.update(|chosen| set(chosen, date));
            shown.set(date.first_of_month(0));
        }
    };
    view! {
        <Dialog title="Days of your choice".to_owned() close class="calendar">
            <form on:submit=act(apply)>
                <div class="pair">
                    <label class="field">
                        <span>"From"</span>
                        <input type="date" max=today.to_string() prop:value=text(written(|c| c.from)) on:change=act(move |e| read(e, |c, date| c.from = Some(date))) />
                    </label>
                    <label class="field">
                        <span>"To"</span>
                        <input type="date" max=today.to_string() prop:value=text(written(|c| c.to)) on:change=act(move |e| read(e, |c, date| c.to = Some(date))) />
                    </label>
                </div>
                <div class="month">
                    <div class="month-head">
                        <button type="button" class="round" aria-label="Month before" on:click=act(move |_| shown.update(|s| *s = s.first_of_month(-1)))>
                            "‹"
                        </button>
                        <b aria-live="polite">{text(move || label::month_of(shown.get()))}</b>
                        <button
                            type="button"
                            class="round"
                            aria-label="Month after"
                            disabled=flag(move || { shown.get().first_of_month(1) > today })
                            on:click=act(move |_| shown.update(|s| *s = s.first_of_month(1)))
                        >
                            "›"
                        </button>
                    </div>
                    <div class="week names" aria-hidden="true">
                        {["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"].map(|name| view! { <span>{name}</span> }).collect_view()}
                    </div>
                    {weeks}
                </div>
                <div class="acts">
                    <button class="btn main" type="submit" disabled=flag(move || range().is_none())>
                        {text(move || range().map_or_else(|| "Choose two days".to_owned(), |period| format!("Show {}", period.label())))}
                    </button>
                </div>
            </form>
        </Dialog>
    }
}
