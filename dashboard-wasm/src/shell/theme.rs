//! Dark or light: as the system has it, or as somebody chose. `theme.js` applies the choice before anything is drawn.
use leptos::prelude::*;

use super::browser;
use super::erased::{act, text};
use super::icons::{Moon, Sun, System};

const KEY: &str = "headwater_theme";

/// The switch: system, light, dark.
#[component]
pub(crate) fn ThemeSwitch() -> impl IntoView {
    let theme = RwSignal::new(browser::stored(KEY).filter(|name| name == "light" || name == "dark").unwrap_or_default());
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
    view! {
        <button class="quiet icon" type="button" title=text(words) aria-label=text(move || format!("Colours: {}", words())) on:click=act(next)>
            {move || match theme.get().as_str() {
                "light" => view! { <Sun /> }.into_any(),
                "dark" => view! { <Moon /> }.into_any(),
                _ => view! { <System /> }.into_any(),
            }}
        </button>
    }
}
