//! The browser's `Intl`, as what writes samples of numbers and dates.
use js_sys::Intl::{DateTimeFormat, NumberFormat};
use js_sys::{Array, Date, Function, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};

use super::browser::window;
use crate::locale::Writer;

/// In the language and for the region that the reader prefers. Digits are Latin and years Gregorian, as in what the page writes by itself.
pub(crate) struct Intl;

impl Writer for Intl {
    fn number(&self, value: f64, options: &[(&str, &str)]) -> Option<Vec<(String, String)>> {
        let options = [options, &[("numberingSystem", "latn")]].concat();
        let format: NumberFormat = make("NumberFormat", &preferred(), &options)?;
        parts(&format.format_to_parts(value))
    }

    fn moment(&self, seconds: i64, options: &[(&str, &str)]) -> Option<Vec<(String, String)>> {
        let options = [options, &[("numberingSystem", "latn"), ("calendar", "gregory"), ("timeZone", "UTC")]].concat();
        let format: DateTimeFormat = make("DateTimeFormat", &preferred(), &options)?;
        parts(&format.format_to_parts(&Date::new(&JsValue::from_f64(seconds as f64 * 1000.0))))
    }
}

fn preferred() -> Array {
    window().navigator().languages()
}

/// One of `Intl`'s own; none where it does not know how.
pub(crate) fn make<T: JsCast>(what: &str, languages: &JsValue, options: &[(&str, &str)]) -> Option<T> {
    let object = Object::new();
    for (name, value) in options {
        Reflect::set(&object, &(*name).into(), &(*value).into()).ok()?;
    }
    let intl = Reflect::get(&js_sys::global(), &"Intl".into()).ok()?;
    let class: Function = Reflect::get(&intl, &what.into()).ok()?.dyn_into().ok()?;
    Some(Reflect::construct(&class, &Array::of2(languages, &object)).ok()?.unchecked_into())
}

fn parts(parts: &Array) -> Option<Vec<(String, String)>> {
    let text = |part: &JsValue, name: &str| Reflect::get(part, &name.into()).ok()?.as_string();
    parts.iter().map(|part| Some((text(&part, "type")?, text(&part, "value")?))).collect()
}
