//! Which page is shown, who is looking, and the keys.
use leptos::prelude::*;
use wasm_bindgen::JsCast;

use super::new_site::NewSiteForm;
use super::session::{sign_in_by_link, who};
use super::sign_in::SignIn;
use super::site::SitePage;
use super::sites::Sites;
use super::state::{Session, State, state};
use super::top::Top;
use super::{browser, engine};
use crate::card::Card;
use crate::failure::Failure;
use crate::period::Period;
use crate::route::Route;

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
        state.view().filter(|_| allowed).map(|view| (view.domain, view.period))
    });
    Effect::new(move |_| engine::follow(state, followed.get()));
    Effect::new(move |_| {
        document().set_title(&match state.route.get() {
            Route::Site(view) => format!("{} – Headwater", view.domain),
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
                <button class="btn main" on:click=move |_| who(state)>"Try again"</button>
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
        let key = event.key();
        let mut letters = key.chars();
        let (Some(letter), None) = (letters.next(), letters.next()) else { return };
        if let Some(period) = Period::from_key(letter) {
            state.turn(|view| view.period = period);
        } else if letter.eq_ignore_ascii_case(&'r') {
            state.turn(|view| view.card = if view.card == Card::Now { Card::default() } else { Card::Now });
        }
    });
}

fn is_field(target: Option<web_sys::EventTarget>) -> bool {
    let name = target.and_then(|t| t.dyn_into::<web_sys::Element>().ok()).map(|element| element.tag_name());
    matches!(name.as_deref(), Some("INPUT" | "SELECT" | "TEXTAREA"))
}
