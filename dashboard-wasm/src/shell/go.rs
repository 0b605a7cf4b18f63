//! Links inside the dashboard.
use wasm_bindgen::JsCast;
use web_sys::{Event, MouseEvent};

use super::dom::{El, el};
use super::state::state;
use crate::route::Route;

/// A link inside the dashboard: it has an address like any other, but the page stays.
pub(crate) fn go(class: &str, to: impl Fn() -> Route + Copy + 'static) -> El {
    link(class, el("a").tell("href", move || to().to_string()), Box::new(to))
}

/// The same to a page that is always the same.
pub(crate) fn go_to(class: &str, to: &Route) -> El {
    let target = to.clone();
    link(class, el("a").set("href", &to.to_string()), Box::new(move || target.clone()))
}

fn link(class: &str, link: El, to: Box<dyn Fn() -> Route>) -> El {
    let link = link.on("click", move |event: Event| {
        let plain = event.dyn_ref::<MouseEvent>().is_some_and(|mouse| {
            mouse.button() == 0 && !(mouse.ctrl_key() || mouse.meta_key() || mouse.shift_key() || mouse.alt_key())
        });
        if plain {
            event.prevent_default();
            state().go(to());
        }
    });
    if class.is_empty() { link } else { link.set("class", class) }
}
