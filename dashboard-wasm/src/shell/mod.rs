//! The page: clocks, sockets, requests and the document. What is decided, the pure modules decide.
#![allow(unreachable_pub, reason = "the component macro writes `pub` for what is crate-wide at most")]

mod app;
mod browser;
mod cards;
mod chart;
mod chips;
mod dialog;
mod engine;
mod erased;
mod go;
mod help;
mod hour;
mod http;
mod icons;
mod names;
mod new_site;
mod panels;
mod picker;
mod ranges;
mod realtime;
mod session;
mod setup;
mod sign_in;
mod site;
mod sites;
mod socket;
mod state;
mod theme;
mod top;
mod whole;

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::wasm_bindgen;

/// Puts the dashboard where `index.html` left room for it.
#[wasm_bindgen(start)]
pub fn start() {
    let Some(room) = document().get_element_by_id("app").and_then(|e| e.dyn_into::<web_sys::HtmlElement>().ok()) else { return };
    room.set_inner_html("");
    leptos::mount::mount_to(room, app::App).forget();
}
