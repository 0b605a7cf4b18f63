//! The bar above every page: the way home, and the way out.
use wasm_bindgen_futures::spawn_local;

use super::boards::boards_menu;
use super::dom::{El, button, el, of};
use super::follow::untrack;
use super::go::go_to;
use super::http;
use super::icons::mark;
use super::state::{Session, state};
use super::theme::theme_switch;
use crate::route::Route;
use crate::site_info::SiteInfo;

/// The way to the settings of the site that is shown, for who may change something there.
fn settings_link() -> Vec<El> {
    let state = state();
    let may = untrack(|| state.may(SiteInfo::may_edit));
    may.then(|| go_to("quiet wide-only", &Route::Settings(untrack(|| state.domain()))).text("Settings")).into_iter().collect()
}

/// The bar.
pub(crate) fn top() -> El {
    let state = state();
    let out = move |_| {
        spawn_local(async move {
            match http::delete("/api/v1/session").await {
                Ok(()) => state.session.set(Session::Out(Some("You are signed out.".into()))),
                Err(failure) => state.failure.set(Some(failure)),
            }
        });
    };
    let bar = of("div", "top-in")
        .with(go_to("brand", &Route::Sites).with(mark()).with(el("span").text("Headwater")))
        .when(move || state.view().is_some() && state.dashboards.with(Option::is_some), boards_menu)
        .with(of("span", "grow"))
        .with(theme_switch())
        .part(
            move || (state.session.get(), state.may(SiteInfo::may_edit)),
            move |(session, _)| match session {
                Session::In => [
                    settings_link(),
                    vec![
                        go_to("quiet wide-only", &Route::Sites).text("All sites"),
                        go_to("quiet", &Route::Server).text("Account"),
                        button("quiet", "Sign out", out),
                    ],
                ]
                .concat(),
                Session::Guest => vec![button("quiet", "Sign in", move |_| state.session.set(Session::Out(None)))],
                _ => Vec::new(),
            },
        );
    of("header", "top").with(bar)
}
