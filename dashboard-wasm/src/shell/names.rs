//! Names of countries and languages, as the browser knows them in the reader's language.
use headwater_query::{Dimension, VisitProperty as V};
use wasm_bindgen::{JsCast, JsValue};

use super::intl;
use crate::panel;

/// The name of a value.
pub(crate) fn of(dimension: &Dimension, value: &str) -> String {
    let named = match dimension {
        Dimension::Visit(V::Country) => name("region", value),
        Dimension::Visit(V::Language) => name("language", value),
        // ISO 3166-2: the country's code, and one of the country's own.
        Dimension::Visit(V::Region) => {
            value.split_once('-').and_then(|(country, part)| name("region", country).map(|country| format!("{part}, {country}")))
        }
        _ => None,
    };
    named.unwrap_or_else(|| panel::value_label(dimension, value))
}

thread_local! {
    /// `Intl.DisplayNames` for regions and for languages; it takes long to make.
    static NAMES: [Option<JsValue>; 2] = ["region", "language"].map(display_names);
}

fn name(kind: &str, code: &str) -> Option<String> {
    if code.len() < 2 || code.starts_with('(') {
        return None;
    }
    NAMES.with(|[regions, languages]| {
        let names = if kind == "region" { regions } else { languages }.as_ref()?;
        let function: js_sys::Function = js_sys::Reflect::get(names, &"of".into()).ok()?.dyn_into().ok()?;
        // A code that is none throws.
        function.call1(names, &code.into()).ok()?.as_string()
    })
}

fn display_names(kind: &str) -> Option<JsValue> {
    // The page is in English, and so are its names.
    intl::make("DisplayNames", &"en".into(), &[("type", kind)])
}
