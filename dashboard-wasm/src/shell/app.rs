//! Which page is shown, who is looking, and the keys.
use wasm_bindgen::JsCast;
use web_sys::{Element, EventTarget, KeyboardEvent};

use super::dom::{El, button, document, el, listen_to_window, of};
use super::follow::{effect, memo, untrack};
use super::new_site::new_site;
use super::server::server;
use super::session::{sign_in_by_link, who};
use super::settings::settings;
use super::sign_in::{invited, link_password, sign_in_form};
use super::site::site_page;
use super::sites::sites;
use super::state::{Overlay, Session, State, state};
use super::top::top;
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
    Invited(String),
    Password(bool),
    Sites,
    NewSite,
    Server,
    Settings(String),
    Site,
}

/// The whole page.
pub(crate) fn app() -> Vec<El> {
    let state = state();
    sign_in_by_link(state);
    engine::start(state);
    listen(state);

    let followed = memo(move || {
        let allowed = matches!(state.session.get(), Session::In | Session::Guest | Session::Shared);
        // A segment that is not told yet would let everybody through, and a dashboard that is not told has nothing to ask.
        let plain = state.view().is_some_and(|view| view.scope.segment.is_none() && view.dashboard.is_none());
        let ready = plain || state.segments.with(Option::is_some);
        let asked = state.board().map(|board| board.asked());
        state.view().filter(|_| allowed).map(|_| (state.scope(), ready, asked))
    });
    effect(move || {
        let followed = followed.get().map(|(scope, ready, _)| (scope, ready));
        untrack(|| engine::follow(state, followed));
    });
    let tabs = memo(move || state.view().map(|view| (view.tabs, view.property)));
    effect(move || {
        if tabs.get().is_some() {
            untrack(|| engine::turned(state));
        }
    });
    let unit = memo(move || state.view().and_then(|view| view.unit));
    effect(move || {
        unit.get();
        untrack(|| engine::parted(state));
    });
    effect(move || {
        document().set_title(&match state.route.get() {
            Route::Site(view) => format!("{} – Headwater", view.scope.domain),
            Route::Settings(domain) => format!("Settings of {domain} – Headwater"),
            Route::Sites | Route::NewSite | Route::Server => "Headwater".into(),
        });
    });

    let page = move || match (state.session.get(), state.route.get()) {
        (Session::Asking, _) => Page::Asking,
        (Session::Unknown(failure), _) => Page::Unknown(failure),
        (Session::Out(why), _) => Page::SignIn(why),
        (Session::Invited(token), _) => Page::Invited(token),
        (Session::Password(tried), _) => Page::Password(tried),
        (_, Route::Site(_)) => Page::Site,
        (Session::Guest | Session::Shared, _) => Page::SignIn(None),
        (_, Route::Server) => Page::Server,
        (_, Route::Settings(domain)) => Page::Settings(domain),
        (_, Route::Sites) => Page::Sites,
        (_, Route::NewSite) => Page::NewSite,
    };
    let draw = |page| match page {
        Page::Asking => vec![of("p", "boot").set("role", "status").text("Loading…")],
        Page::Unknown(failure) => vec![unknown(&failure)],
        Page::SignIn(why) => vec![sign_in_form(why)],
        Page::Invited(token) => vec![invited(token)],
        Page::Password(tried) => vec![link_password(tried)],
        Page::Server => server(),
        Page::Settings(domain) => settings(&domain),
        Page::Sites => sites(),
        Page::NewSite => vec![new_site()],
        Page::Site => site_page(),
    };
    let main = of("main", "page").set("id", "main").set("tabindex", "-1").part(page, draw);
    vec![of("a", "skip").set("href", "#main").text("Skip to the figures"), top(), main]
}

fn unknown(failure: &Failure) -> El {
    of("div", "narrow sheet box")
        .with(el("h1").text("The server did not answer"))
        .with(el("p").set("role", "alert").text(&failure.message))
        .with(of("div", "acts").with(button("btn main", "Try again", |_| who(state()))))
}

/// Back, forward, and the keys.
fn listen(state: State) {
    listen_to_window("popstate", move |_| {
        let (path, search, _) = browser::address();
        state.route.set(Route::parse(&path, &search));
    });
    listen_to_window("keydown", move |event| {
        let Some(event) = event.dyn_ref::<KeyboardEvent>() else { return };
        if event.ctrl_key() || event.meta_key() || event.alt_key() || is_field(event.target()) {
            return;
        }
        // An open dialog has keys of its own.
        if dialog::is_open()
            || state.view().is_none()
            || !matches!(state.session.get_untracked(), Session::In | Session::Guest | Session::Shared)
        {
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
    listen_to_window("pointerdown", move |event| {
        let menu = matches!(
            state.open.get_untracked(),
            Some(Overlay::Ranges | Overlay::Compare | Overlay::Segments | Overlay::Dashboards)
        );
        let inside =
            event.target().and_then(|t| t.dyn_into::<Element>().ok()).and_then(|e| e.closest(".pop-host").ok().flatten());
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
        state.turn(|view| {
            view.scope.filters = Filters::default();
            view.scope.segment = None;
        });
    }
}

fn is_field(target: Option<EventTarget>) -> bool {
    let name = target.and_then(|t| t.dyn_into::<Element>().ok()).map(|element| element.tag_name());
    matches!(name.as_deref(), Some("INPUT" | "SELECT" | "TEXTAREA"))
}
