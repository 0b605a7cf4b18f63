//! Dark or light: as the system has it, or as somebody chose. `theme.js` applies the choice before anything is drawn.
use super::dom::{El, document, of};
use super::follow::Signal;
use super::{browser, icons};

const KEY: &str = "headwater_theme";

/// The switch: system, light, dark.
pub(crate) fn theme_switch() -> El {
    let theme = Signal::new(browser::stored(KEY).filter(|name| name == "light" || name == "dark").unwrap_or_default());
    let next = move |_| {
        let to = match theme.get_untracked().as_str() {
            "" => "light",
            "light" => "dark",
            _ => "",
        };
        theme.set(to.into());
        browser::store(KEY, to);
        if let Some(root) = document().document_element() {
            let done = if to.is_empty() { root.remove_attribute("data-theme") } else { root.set_attribute("data-theme", to) };
            drop(done);
        }
    };
    let words = move || match theme.get().as_str() {
        "light" => "Light; change to dark",
        "dark" => "Dark; change to the system's",
        _ => "As the system has it; change to light",
    };
    let drawing = |name: String| match name.as_str() {
        "light" => vec![icons::sun()],
        "dark" => vec![icons::moon()],
        _ => vec![icons::system()],
    };
    of("button", "quiet icon")
        .set("type", "button")
        .tell("title", move || words().into())
        .tell("aria-label", move || format!("Colours: {}", words()))
        .on("click", next)
        .part(move || theme.get(), drawing)
}
