//! Which page is shown, who is looking, and the keys.
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::Serialize;
use wasm_bindgen::JsCast;

use super::http;
use super::new_site::NewSiteForm;
use super::sign_in::SignIn;
use super::site::SitePage;
use super::sites::Sites;
use super::state::{Session, State, state};
use super::top::Top;
use super::{browser, engine};
use crate::card::Card;
use crate::failure::Failure;
use crate::period::Period;
use crate::route::{self, Route, SiteView};
use crate::site_info::{SiteInfo, SiteList};

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

#[derive(Serialize)]
struct Token<'a> {
    token: &'a str,
}

/// Exchanges a token for a session's cookie.
pub(crate) async fn sign_in(token: &str) -> Result<(), Failure> {
    http::post_only("/api/v1/session", &Token { token }).await
}

/// Uses the token of a sign-in link, and takes it out of the address and the history before anything else.
fn sign_in_by_link(state: State) {
    let (path, search, hash) = browser::address();
    let Some(token) = route::sign_in_token(&hash).map(str::to_owned) else {
        who(state);
        return;
    };
    browser::set_address(&format!("{path}{search}"), false);
    spawn_local(async move {
        match sign_in(&token).await {
            Ok(()) => who(state),
            Err(failure) if failure.passes() => state.session.set(Session::Unknown(failure)),
            Err(_) => {
                // An open session is worth more than a used link.
                if http::get::<SiteList>("/api/v1/sites").await.is_ok() {
                    who(state);
                } else {
                    let why = "This sign-in link was used before or is too old: each works once. Paste a token instead, or start the server again for a new link.";
                    state.session.set(Session::Out(Some(why.into())));
                }
            }
        }
    });
}

/// Asks who is looking, and with it for the sites.
pub(crate) fn who(state: State) {
    spawn_local(async move {
        match http::get::<SiteList>("/api/v1/sites").await {
            Ok(list) => {
                state.sites.set(list.sites);
                state.session.set(Session::In);
            }
            Err(failure) if failure.status == 401 => state.session.set(guest(state).await),
            Err(failure) => state.session.set(Session::Unknown(failure)),
        }
    });
}

/// Without a session, a public site can be read all the same.
async fn guest(state: State) -> Session {
    let Route::Site(SiteView { domain, .. }) = state.route.get_untracked() else { return Session::Out(None) };
    match http::get::<SiteInfo>(&format!("/api/v1/sites/{domain}")).await {
        Ok(site) => {
            state.sites.set(vec![site]);
            Session::Guest
        }
        Err(_) => Session::Out(None),
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

/// A link inside the dashboard: it has an address like any other, but the page stays.
#[component]
pub(crate) fn Go(
    /// Where to.
    #[prop(into)]
    to: Signal<Route>,
    /// Its class.
    #[prop(optional)]
    class: &'static str,
    /// Whether it is where we are.
    #[prop(optional, into)]
    current: Signal<bool>,
    children: Children,
) -> impl IntoView {
    let state = state();
    let click = move |event: leptos::ev::MouseEvent| {
        if event.button() == 0 && !(event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key()) {
            event.prevent_default();
            state.go(to.get_untracked());
        }
    };
    view! {
        <a class=class href=move || to.get().to_string() aria-current=move || current.get().then_some("page") on:click=click>{children()}</a>
    }
}
