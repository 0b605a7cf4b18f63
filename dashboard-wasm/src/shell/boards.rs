//! The menu of dashboards, and how one is made and shared.
use wasm_bindgen_futures::spawn_local;
use web_sys::Event;

use super::board::keep;
use super::dialog::dialog;
use super::dom::{El, button, of};
use super::follow::{Signal, untrack};
use super::forms::{elsewhere, field_with, input, send, told};
use super::icons::down;
use super::settings::links;
use super::state::{Overlay, state};
use super::{engine, http};
use crate::board::{Board, Dashboard, of_view};
use crate::site_info::SiteInfo;

/// The menu: the figures as they are at first, every saved dashboard, and what can be done to the one that is shown.
pub(crate) fn boards_menu() -> El {
    let state = state();
    let open = move || state.open.get() == Some(Overlay::Dashboards);
    let toggle = move |_| {
        state.open.update(|open| *open = if *open == Some(Overlay::Dashboards) { None } else { Some(Overlay::Dashboards) });
    };
    let name = move || state.board().map_or_else(|| "Overview".into(), |board| board.name);
    let button_ = button("tool", "", toggle).set("aria-haspopup", "true").says("aria-expanded", open).words(name).with(down());
    let any = move || state.dashboards.with(|saved| saved.as_ref().is_some_and(|saved| !saved.is_empty()));
    of("div", "pop-host").flag("hidden", move || !any() && !state.may(SiteInfo::may_edit)).with(button_).when(open, menu)
}

fn menu() -> El {
    let state = state();
    let current = untrack(|| state.view()).and_then(|view| view.dashboard);
    let choose = move |id: Option<i64>| {
        state.open.set(None);
        state.draft.set(None);
        state.turn(|view| view.dashboard = id);
    };
    let row = |name: &str, id: Option<i64>| {
        button("", name, move |_| choose(id)).set("aria-pressed", if current == id { "true" } else { "false" })
    };
    let saved = state.dashboards.get_untracked().unwrap_or_default();
    let rows = saved.iter().map(|saved| row(&saved.name, Some(saved.id)));
    let arrange = move |_| {
        state.open.set(None);
        state.draft.set(untrack(|| state.board()));
    };
    let may = untrack(|| state.may(SiteInfo::may_edit));
    let acts = (may && current.is_some()).then(|| {
        let share = button("", "Share this dashboard…", move |_| state.open.set(Some(Overlay::Share)));
        [button("", "Arrange this dashboard", arrange), share]
    });
    let make = button("", "Make a dashboard…", move |_| state.open.set(Some(Overlay::NewDashboard)));
    of("div", "pop")
        .set("role", "group")
        .set("aria-label", "Dashboards")
        .with(row("Overview", None))
        .all(rows)
        .all(acts.into_iter().flatten())
        .all(may.then_some(make))
}

/// Makes a dashboard of what is shown, and begins to arrange it.
pub(crate) fn new_dashboard() -> El {
    let state = state();
    let name = Signal::new(String::new());
    let wrong = Signal::new(None::<(String, String)>);
    let busy = Signal::new(false);
    let path = format!("/api/v1/sites/{}/dashboards", untrack(|| state.domain()));
    let submit = move |event: Event| {
        event.prevent_default();
        let Some(view) = untrack(|| state.view()) else { return };
        let property = view.property.clone().or_else(|| engine::first_property(state));
        let widgets = match untrack(|| state.board()) {
            Some(shown) => shown.saved().widgets,
            None => of_view(&view, property.as_deref()),
        };
        let (path, made) =
            (path.clone(), Dashboard { name: name.get_untracked().trim().to_owned(), widgets, ..Dashboard::default() });
        busy.set(true);
        spawn_local(async move {
            match http::post::<Dashboard>(&path, &made).await {
                Ok(saved) => {
                    let id = saved.id;
                    state.draft.set(Some(Board::new(&saved)));
                    keep(state, saved);
                    state.open.set(None);
                    state.turn(|view| view.dashboard = Some(id));
                }
                Err(failure) => wrong.set(told(failure)),
            }
            busy.set(false);
        });
    };
    let help = "It begins with what is shown now; then you arrange it.";
    let name = input("name", "dashboard", name, wrong).set("autofocus", "");
    let form = of("form", "stack")
        .set("novalidate", "")
        .on("submit", submit)
        .with(field_with("Name", "name", "dashboard", help, wrong, name))
        .with(elsewhere(&["name"], wrong))
        .with(of("div", "acts").with(send("Make the dashboard", "One moment…", busy)));
    dialog("", || "Make a dashboard".into(), move || state.open.set(None), vec![form])
}

/// Links that open the dashboard that is shown.
pub(crate) fn share_dialog() -> El {
    let state = state();
    let (domain, id) = untrack(|| (state.domain(), state.view().and_then(|view| view.dashboard)));
    let list = links(&format!("/api/v1/sites/{domain}"), id);
    dialog("segment", || "Share this dashboard".into(), move || state.open.set(None), vec![list])
}
