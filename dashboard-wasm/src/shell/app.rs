//! Which page is shown, who is looking, and the keys.
use leptos::prelude::*;
use wasm_bindgen::JsCast;

use super::erased::act;
use super::new_site::NewSiteForm;
use super::session::{sign_in_by_link, who};
use super::sign_in::SignIn;
use super::site::SitePage;
use super::sites::Sites;
use super::state::{Overlay, Session, State, state};
use super::top::Top;
use super::{browser, dialog, engine};
use crate::failure::Failure;
use crate::filters::Filters;
use crate::period::Period;
use crate::route::{Against, Route};

/// What fills the page; it changes far less often than what is shown in it.
#[derive(Clone, PartialEq)]
enum Page {
    Asking,
    Unknown(Failure),
    SignIn(Option<String>),
    Sites,
    NewSite,
    Site,
}

/// The whole page.
#[component]
pub(crate) fn App() -> impl IntoView {
    let state = State::new();
    provide_context(state);
    sign_in_by_link(state);
    engine::start(state);
    listen(state);

    let followed = Memo::new(move |_| {
        let allowed = matches!(state.session.get(), Session::In | Session::Guest);
        state.view().filter(|_| allowed).map(|view| view.scope)
    });
    Effect::new(move |_| engine::follow(state, followed.get()));
    let tabs = Memo::new(move |_| state.view().map(|view| (view.tabs, view.property)));
    Effect::new(move |_| {
        if tabs.get().is_some() {
            engine::turned(state);
        }
    });
    Effect::new(move |_| {
        document().set_title(&match state.route.get() {
            Route::Site(view) => format!("{} – Headwater", view.scope.domain),
            Route::Sites | Route::NewSite => "Headwater".into(),
        });
    });

    let page = Memo::new(move |_| match (state.session.get(), state.route.get()) {
        (Session::Asking, _) => Page::Asking,
        (Session::Unknown(failure), _) => Page::Unknown(failure),
        (Session::Out(why), _) => Page::SignIn(why),
        (_, Route::Site(_)) => Page::Site,
        (Session::Guest, _) => Page::SignIn(None),
        (_, Route::Sites) => Page::Sites,
        (_, Route::NewSite) => Page::NewSite,
    });
    view! {
        <a class="skip" href="#main">"Skip to the figures"</a>
        <Top />
        <main id="main" class="page" tabindex="-1">
            {move || match page.get() {
                Page::Asking => view! { <p class="boot" role="status">"Loading…"</p> }.into_any(),
                Page::Unknown(failure) => view! { <Unknown failure /> }.into_any(),
                Page::SignIn(why) => view! { <SignIn why /> }.into_any(),
                Page::Sites => view! { <Sites /> }.into_any(),
                Page::NewSite => view! { <NewSiteForm /> }.into_any(),
                Page::Site => view! { <SitePage /> }.into_any(),
            }}
        </main>
    }
}

#[component]
fn Unknown(failure: Failure) -> impl IntoView {
    let state = state();
    view! {
        <div class="narrow sheet box">
            <h1>"The server did not answer"</h1>
            <p role="alert">{failure.message}</p>
            <div class="acts">
                <button class="btn main" on:click=act(move |_| who(state))>"Try again"</button>
            </div>
        </div>
    }
}

/// Back, forward, and the keys.
fn listen(state: State) {
    _ = window_event_listener(leptos::ev::popstate, move |_| {
        let (path, search, _) = browser::address();
        state.route.set(Route::parse(&path, &search));
    });
    _ = window_event_listener(leptos::ev::keydown, move |event| {
        if event.ctrl_key() || event.meta_key() || event.alt_key() || is_field(event.target()) {
            return;
        }
        // An open dialog has keys of its own.
        if dialog::is_open() || state.view().is_none() || !matches!(state.session.get_untracked(), Session::In | Session::Guest) {
            return;
        }
        let key = event.key();
        if key == "Escape" {
            return escape(state);
        }
        let mut letters = key.chars();
        let (Some(letter), None) = (letters.next(), letters.next()) else { return };
        match letter.to_ascii_lowercase() {
            'c' => state.open.set(Some(Overlay::Calendar)),
            '?' => state.open.set(Some(Overlay::Help)),
            '/' => state.open.set(Some(Overlay::Condition(None))),
            'x' => state.turn(|view| {
                let against = &mut view.scope.against;
                *against = if *against == Against::Nothing { Against::Before } else { Against::Nothing };
            }),
            _ => {
                let Some(period) = Period::from_key(letter) else { return };
                state.open.set(None);
                state.turn(|view| view.scope.period = period);
            }
        }
        event.prevent_default();
    });
    // A menu closes when something else is pressed.
    _ = window_event_listener(leptos::ev::pointerdown, move |event| {
        let menu = matches!(state.open.get_untracked(), Some(Overlay::Ranges | Overlay::Compare));
        let inside = event
            .target()
            .and_then(|t| t.dyn_into::<web_sys::Element>().ok())
            .and_then(|e| e.closest(".pop-host").ok().flatten());
        if menu && inside.is_none() {
            state.open.set(None);
        }
    });
}

/// Escape closes a menu, and otherwise counts everything again.
fn escape(state: State) {
    if state.open.get_untracked().is_some() {
        state.open.set(None);
    } else {
        state.filter(|_| Filters::default());
    }
}

fn is_field(target: Option<web_sys::EventTarget>) -> bool {
    let name = target.and_then(|t| t.dyn_into::<web_sys::Element>().ok()).map(|element| element.tag_name());
    matches!(name.as_deref(), Some("INPUT" | "SELECT" | "TEXTAREA"))
}
