//! The page: clocks, sockets, requests and the document. What is decided, the pure modules decide.
mod annotations;
mod app;
mod board;
mod boards;
mod browser;
mod cards;
mod chart;
mod chips;
mod collection;
mod dialog;
mod dom;
mod engine;
mod export;
mod follow;
mod forms;
mod go;
mod help;
mod hour;
mod http;
mod icons;
mod intl;
mod json;
mod map;
mod names;
mod new_site;
mod panels;
mod picker;
mod plot;
mod ranges;
mod realtime;
mod segments;
mod server;
mod session;
mod settings;
mod setup;
mod sign_in;
mod site;
mod sites;
mod socket;
mod state;
mod theme;
mod top;
mod vitals;
mod whole;
mod widget_form;

use wasm_bindgen::prelude::wasm_bindgen;

/// Puts the dashboard where `index.html` left room for it.
#[wasm_bindgen(start)]
pub(crate) fn start() {
    let Some(room) = dom::document().get_element_by_id("app") else { return };
    room.set_text_content(None);
    if let Some(locale) = crate::locale::Locale::read(&intl::Intl) {
        crate::locale::set(locale);
    }
    drop(dom::El(room).all(app::app()));
}
