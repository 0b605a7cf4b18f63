//! What is asked of the browser besides requests. The only place that reads a clock or draws chance.
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};

use super::dom::{document, el};
use super::follow::{on_end, together};

/// The window.
pub(crate) fn window() -> web_sys::Window {
    js_sys::global().unchecked_into()
}

/// Does something after a while, whatever is shown then.
pub(crate) fn after(ms: u32, act: impl FnOnce() + 'static) {
    let act = Closure::once_into_js(move || together(act));
    // A wait of more than 24 days is none that this page knows.
    drop(window().set_timeout_with_callback_and_timeout_and_arguments_0(act.unchecked_ref(), ms.cast_signed()));
}

/// Does something again and again, until what is being made ends.
pub(crate) fn every(ms: u32, mut act: impl FnMut() + 'static) {
    let act = Closure::<dyn FnMut()>::new(move || together(&mut act));
    let started = window().set_interval_with_callback_and_timeout_and_arguments_0(act.as_ref().unchecked_ref(), ms.cast_signed());
    on_end(move || {
        if let Ok(number) = started {
            window().clear_interval_with_handle(number);
        }
        drop(act);
    });
}

/// Milliseconds since 1970 by this computer's clock.
pub(crate) fn now() -> f64 {
    js_sys::Date::now()
}

/// A random number from 0 to 1.
pub(crate) fn chance() -> f64 {
    js_sys::Math::random()
}

/// What the clock of `zone` shows at `at` (milliseconds since 1970), written as labels are: `2026-11-22 10:00:00`.
pub(crate) fn clock(zone: &str, at: f64) -> String {
    let options = js_sys::Object::new();
    // A zone that this browser does not know throws; UTC is known everywhere.
    let known = js_sys::Reflect::set(&options, &"timeZone".into(), &zone.into()).is_ok();
    let date = js_sys::Date::new(&JsValue::from_f64(at));
    // Swedish writes dates as ISO 8601 does.
    let shown = if known { locale_string(&date, &options) } else { None };
    shown.unwrap_or_else(|| String::from(date.to_iso_string()).replace('T', " ").chars().take(19).collect())
}

fn locale_string(date: &js_sys::Date, options: &JsValue) -> Option<String> {
    let function = js_sys::Reflect::get(date, &"toLocaleString".into()).ok()?;
    let function: js_sys::Function = JsCast::dyn_into(function).ok()?;
    function.call2(date, &"sv-SE".into(), options).ok()?.as_string()
}

/// This computer's IANA zone.
pub(crate) fn zone() -> String {
    let get = |of: &JsValue, name: &str| js_sys::Reflect::get(of, &name.into()).ok();
    let format = js_sys::Intl::DateTimeFormat::new(&js_sys::Array::new(), &js_sys::Object::new());
    get(&format.resolved_options(), "timeZone").and_then(|zone| zone.as_string()).unwrap_or_else(|| "UTC".into())
}

/// Every IANA zone that the browser knows; empty where it does not say.
pub(crate) fn zones() -> Vec<String> {
    let get = |of: &JsValue, name: &str| js_sys::Reflect::get(of, &name.into()).ok();
    let list = || {
        let intl = get(&js_sys::global(), "Intl")?;
        let function: js_sys::Function = JsCast::dyn_into(get(&intl, "supportedValuesOf")?).ok()?;
        Some(js_sys::Array::from(&function.call1(&intl, &"timeZone".into()).ok()?))
    };
    list().map(|list| list.iter().filter_map(|zone| zone.as_string()).collect()).unwrap_or_default()
}

/// Whether anybody can see the page.
pub(crate) fn visible() -> bool {
    document().visibility_state() != web_sys::VisibilityState::Hidden
}

/// Has the browser save a text as a file of a type.
pub(crate) fn save(name: &str, kind: &str, text: &str) {
    let link = el("a").set("download", name).set("href", &format!("data:{kind};charset=utf-8,{}", crate::url::encode(text)));
    if let Some(link) = link.0.dyn_ref::<web_sys::HtmlElement>() {
        link.click();
    }
}

/// Scheme and host of this page.
pub(crate) fn origin() -> String {
    window().location().origin().unwrap_or_default()
}

/// Path, query and fragment of this page.
pub(crate) fn address() -> (String, String, String) {
    let location = window().location();
    (location.pathname().unwrap_or_default(), location.search().unwrap_or_default(), location.hash().unwrap_or_default())
}

/// Loads another page.
pub(crate) fn leave(address: &str) {
    // An address of this server is never refused.
    drop(window().location().assign(address));
}

/// Writes the address, as a new step of the history or in place of the current one.
pub(crate) fn set_address(address: &str, step: bool) {
    if let Ok(history) = window().history() {
        // A shared link goes on working after a reload, and when somebody sends the address on.
        let (_, _, hash) = self::address();
        let kept = if hash.starts_with("#link=") && address.starts_with("/share/") { &*hash } else { "" };
        let address = &format!("{address}{kept}");
        let result = if step {
            history.push_state_with_url(&JsValue::NULL, "", Some(address))
        } else {
            history.replace_state_with_url(&JsValue::NULL, "", Some(address))
        };
        // A browser that limits how often this is called still shows the page, only under the older address.
        drop(result);
    }
}

/// What this browser keeps under a name; nothing where it keeps nothing.
pub(crate) fn stored(name: &str) -> Option<String> {
    window().local_storage().ok().flatten()?.get_item(name).ok().flatten()
}

/// Keeps a text under a name, or with an empty one nothing any more.
pub(crate) fn store(name: &str, text: &str) {
    if let Ok(Some(storage)) = window().local_storage() {
        // A browser that keeps nothing shows the same, only not the next time.
        drop(if text.is_empty() { storage.remove_item(name) } else { storage.set_item(name, text) });
    }
}

/// A text in small letters: the browser knows the letters of all scripts, so the page need not carry them.
pub(crate) fn small(text: &str) -> String {
    js_sys::JsString::from(text).to_lower_case().into()
}
