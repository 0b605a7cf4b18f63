//! The bar above every page: the way home, and the way out.
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::erased::act;
use super::go::Go;
use super::http;
use super::icons::Mark;
use super::state::{Session, state};
use super::theme::ThemeSwitch;
use crate::route::Route;

/// The bar.
#[component]
pub(crate) fn Top() -> impl IntoView {
    let state = state();
    let signed_in = Signal::derive(move || state.session.get() == Session::In);
    let guest = Signal::derive(move || state.session.get() == Session::Guest);
    let out = move |_| {
        spawn_local(async move {
            match http::delete("/api/v1/session").await {
                Ok(()) => state.session.set(Session::Out(Some("You are signed out.".into()))),
                Err(failure) => state.failure.set(Some(failure)),
            }
        });
    };
    view! {
        <header class="top">
            <div class="top-in">
                <Go class="brand" to=Route::Sites>
                    <Mark />
                    "Headwater"
                </Go>
                <span class="grow"></span>
                <ThemeSwitch />
                <Show when=move || signed_in.get()>
                    <Go class="quiet" to=Route::Sites>"All sites"</Go>
                    <button class="quiet" on:click=act(out)>"Sign out"</button>
                </Show>
                <Show when=move || guest.get()>
                    <button class="quiet" on:click=act(move |_| state.session.set(Session::Out(None)))>"Sign in"</button>
                </Show>
            </div>
        </header>
    }
}
