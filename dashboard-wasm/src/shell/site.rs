//! One site: where the connection stands, the range, the cards and the chart, the last hour, the panels.
use std::time::Duration;

use leptos::prelude::*;

use super::cards::Cards;
use super::chart::Chart;
use super::chips::{AddFilter, Chips, ConditionDialog};
use super::engine;
use super::erased::{act, flag, text};
use super::go::Go;
use super::help::Help;
use super::hour::Hour;
use super::panels::Panels;
use super::picker::SiteName;
use super::ranges::{Calendar, Ranges};
use super::realtime::Realtime;
use super::setup::Setup;
use super::state::{Overlay, Session, state};
use super::whole::Whole;
use crate::format;
use crate::link::LinkState;
use crate::measure::Measure;
use crate::period::Period;
use crate::route::Route;

#[derive(Clone, Copy, PartialEq)]
enum Body {
    Loading,
    Failed,
    Setup,
    Figures,
}

/// The page of a site.
#[component]
pub(crate) fn SitePage() -> impl IntoView {
    let state = state();
    let domain = Signal::derive(move || state.domain());
    let body = Memo::new(move |_| {
        match (state.totals.with(Option::is_some), state.failure.with(Option::is_some), state.ever.get()) {
            (_, _, Some(false)) => Body::Setup,
            (true, _, Some(true)) => Body::Figures,
            (false, true, _) => Body::Failed,
            // Told, but it is not yet known whether the site was ever visited.
            (true, true, None) => Body::Figures,
            _ => Body::Loading,
        }
    });
    let whole = Memo::new(move |_| state.view().and_then(|view| view.whole));
    let realtime = Memo::new(move |_| state.scope().period == Period::Realtime);
    let figures = Memo::new(move |_| body.get() == Body::Figures);
    view! {
        <div class="head">
            <SiteName />
            <Connection />
            <Show when=move || figures.get()>
                <Current />
            </Show>
            <span class="grow"></span>
            <Show when=move || figures.get()>
                <AddFilter />
                <Ranges />
            </Show>
        </div>
        <Show when=move || figures.get()>
            <Chips />
        </Show>
        <Show when=move || figures.get()>
            <Trouble />
        </Show>
        {move || match body.get() {
            Body::Loading => view! { <p class="boot" role="status">"Loading…"</p> }.into_any(),
            Body::Failed => view! { <Failed /> }.into_any(),
            Body::Setup => view! { <Setup domain=domain.get_untracked() /> }.into_any(),
            Body::Figures => {
                view! {
                    <div class="fade">
                        <section class="sheet" class:loading=flag(move || state.loading.get()) aria-label="Figures">
                            <Cards />
                            <Chart />
                        </section>
                        <Show when=move || realtime.get() fallback=|| view! { <Hour /> }>
                            <Realtime />
                        </Show>
                        <Panels />
                        <Foot />
                    </div>
                }
                    .into_any()
            }
        }}
        {move || {
            match state.open.get() {
                Some(Overlay::Calendar) => Some(view! { <Calendar /> }.into_any()),
                Some(Overlay::Help) => Some(view! { <Help /> }.into_any()),
                Some(Overlay::Condition(n)) => Some(view! { <ConditionDialog n /> }.into_any()),
                Some(Overlay::Ranges | Overlay::Compare) | None => None,
            }
        }}
        {move || whole.get().filter(|_| figures.get()).map(|tab| view! { <Whole tab /> })}
        <Spoken />
    }
}

/// Who is here now, and the way to the realtime view.
#[component]
fn Current() -> impl IntoView {
    let state = state();
    let now = Signal::derive(move || state.now.get().map(|(visitors, _)| visitors));
    let to = Signal::derive(move || state.with_period(Period::Realtime));
    let current = Signal::derive(move || state.scope().period == Period::Realtime);
    view! {
        <Go class="now" to current>
            <b>{text(move || now.get().map_or_else(|| "–".into(), format::full))}</b>
            {text(move || if now.get() == Some(1) { " visitor now" } else { " visitors now" })}
        </Go>
    }
}

/// Whether the figures move by themselves.
#[component]
fn Connection() -> impl IntoView {
    let state = state();
    let as_of = move || state.as_of.get().and_then(|clock| clock.get(11..19).map(str::to_owned));
    let class = move || match state.link.get() {
        LinkState::Opening => "state",
        LinkState::Live => "state live",
        LinkState::Broken => "state stale",
        LinkState::Offline => "state off",
    };
    let words = move || match (state.link.get(), as_of()) {
        (LinkState::Opening, _) => "Connecting…".to_owned(),
        (LinkState::Live, _) => "Live".to_owned(),
        (LinkState::Broken, Some(time)) => format!("Reconnecting, as of {time}"),
        (LinkState::Broken, None) => "Reconnecting".to_owned(),
        (LinkState::Offline, Some(time)) => format!("Offline, as of {time}"),
        (LinkState::Offline, None) => "Offline".to_owned(),
    };
    view! {
        <span class=text(class) role="status">
            <span class="dot" aria-hidden="true"></span>
            {text(words)}
        </span>
    }
}

/// A request failed, but there are older figures to look at.
#[component]
fn Trouble() -> impl IntoView {
    let state = state();
    let message = move || state.failure.get().map(|failure| failure.message);
    view! {
        <div class="note bad" role="alert" hidden=flag(move || message().is_none())>
            <p>{message}</p>
            <button class="btn" on:click=act(move |_| engine::changed(state))>"Try again"</button>
        </div>
    }
}

/// A request failed, and there is nothing to look at.
#[component]
fn Failed() -> impl IntoView {
    let state = state();
    let missing = move || state.failure.with(|failure| failure.as_ref().is_some_and(|f| f.status == 404));
    let message = move || state.failure.get().map(|failure| failure.message);
    let signed_in = move || state.session.get() == Session::In;
    view! {
        <div class="narrow sheet box fade" role="alert">
            <h1>{text(move || if missing() { "This site is not here" } else { "The figures could not be loaded" })}</h1>
            <p>{message}</p>
            <div class="acts">
                <button class="btn main" on:click=act(move |_| engine::changed(state))>"Try again"</button>
                <Show when=signed_in>
                    <Go class="btn" to=Route::Sites>"All sites"</Go>
                </Show>
            </div>
        </div>
    }
}

#[component]
fn Foot() -> impl IntoView {
    let state = state();
    let zone = move || state.zone(&state.domain());
    view! {
        <footer class="foot">
            <span>"Times by the site's clock, " {zone}</span>
            <span class="keys">
                <kbd>"?"</kbd>
                " "
                <button class="link" type="button" on:click=act(move |_| state.open.set(Some(Overlay::Help)))>
                    "shows the keys"
                </button>
            </span>
        </footer>
    }
}

/// The figures for those who listen: said when the range changes, and otherwise every fifteen seconds if they have changed.
#[component]
fn Spoken() -> impl IntoView {
    let state = state();
    let words = RwSignal::new(String::new());
    let said = StoredValue::new(None::<Period>);
    let say = move || {
        let period = state.view().map(|view| view.scope.period);
        let Some(totals) = state.totals.get_untracked() else { return };
        let count = |measure| totals.get(measure).value.unwrap_or(0.0) as u64;
        let current = state.now.get_untracked().map_or(0, |(visitors, _)| visitors);
        said.set_value(period);
        let text = format!(
            "{} now. {}, {} and {} {}.",
            format::counted(current, "visitor", "visitors"),
            format::counted(count(Measure::Visitors), "visitor", "visitors"),
            format::counted(count(Measure::Visits), "visit", "visits"),
            format::counted(count(Measure::Pageviews), "page view", "page views"),
            period.unwrap_or_default().phrase(),
        );
        super::state::update(words, text);
    };
    Effect::new(move |_| {
        let period = state.view().map(|view| view.scope.period);
        if state.totals.with(Option::is_some) && !state.loading.get() && said.get_value() != period {
            say();
        }
    });
    if let Ok(beat) = set_interval_with_handle(move || untrack(say), Duration::from_secs(15)) {
        on_cleanup(move || beat.clear());
    }
    view! { <p class="unseen" role="status" aria-live="polite">{words}</p> }
}
