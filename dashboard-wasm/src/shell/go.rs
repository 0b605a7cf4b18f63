//! Links inside the dashboard.
use leptos::prelude::*;

use super::erased::{act, text};
use super::state::state;
use crate::route::Route;

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
        <a class=class href=text(move || to.get().to_string()) aria-current=move || current.get().then_some("page") on:click=act(click)>{children()}</a>
    }
}
