//! What is shown as a file; and a plot as a picture that stands alone: what the style sheet says of each part is written into it.
use wasm_bindgen::JsCast;
use web_sys::Element;

use super::browser::{self, window};
use super::dom::{El, button};
use super::state::state;

/// A button that saves something of the site that is shown, if it is there, under the site's name and this ending.
pub(crate) fn save(
    class: &str,
    words: &str,
    end: &'static str,
    kind: &'static str,
    text: impl Fn() -> Option<String> + 'static,
) -> El {
    button(class, words, move |_| {
        if let Some(text) = text() {
            browser::save(&format!("{}-{end}", state().domain_untracked()), kind, &text);
        }
    })
}

/// What a part looks like.
const LOOKS: [&str; 7] = ["fill", "stroke", "stroke-width", "stroke-dasharray", "opacity", "font-size", "font-family"];

/// The text of an SVG file; none before anything is drawn.
pub(crate) fn picture(plot: &Element) -> Option<String> {
    let drawn = plot.query_selector("svg").ok()??;
    let copy: Element = drawn.clone_node_with_deep(true).ok()?.dyn_into().ok()?;
    let (parts, copies) = (drawn.query_selector_all("*").ok()?, copy.query_selector_all("*").ok()?);
    for n in 0..parts.length() {
        let part: Element = parts.item(n)?.dyn_into().ok()?;
        let own: Element = copies.item(n)?.dyn_into().ok()?;
        let look = window().get_computed_style(&part).ok()??;
        for name in LOOKS {
            own.set_attribute(name, &look.get_property_value(name).ok()?).ok()?;
        }
    }
    let place = plot.get_bounding_client_rect();
    let [width, height] = [place.width(), place.height()].map(crate::format::decimal);
    let head = format!("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\">");
    Some(format!("{head}{}</svg>\n", copy.inner_html()))
}
