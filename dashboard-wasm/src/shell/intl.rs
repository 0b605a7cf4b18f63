//! The browser's `Intl`, as what writes samples of numbers and dates.
use js_sys::Intl::{DateTimeFormat, NumberFormat};
use js_sys::{Array, Date, Object, Reflect};
use wasm_bindgen::JsValue;

use crate::locale::Writer;

/// In the reader's language and region. Digits are Latin and years Gregorian, as in what the page writes by itself.
pub(crate) struct Intl;

impl Writer for Intl {
    fn number(&self, value: f64, options: &[(&str, &str)]) -> Option<Vec<(String, String)>> {
        let format = NumberFormat::new(&Array::new(), &with(options, &[("numberingSystem", "latn")])?);
        parts(&format.format_to_parts(value))
    }

    fn moment(&self, seconds: i64, options: &[(&str, &str)]) -> Option<Vec<(String, String)>> {
        let fixed = [("numberingSystem", "latn"), ("calendar", "gregory"), ("timeZone", "UTC")];
        let format = DateTimeFormat::new(&Array::new(), &with(options, &fixed)?);
        parts(&format.format_to_parts(&Date::new(&JsValue::from_f64(seconds as f64 * 1000.0))))
    }
}

fn with(options: &[(&str, &str)], fixed: &[(&str, &str)]) -> Option<Object> {
    let object = Object::new();
    for (name, value) in options.iter().chain(fixed) {
        Reflect::set(&object, &(*name).into(), &(*value).into()).ok()?;
    }
    Some(object)
}

fn parts(parts: &Array) -> Option<Vec<(String, String)>> {
    let text = |part: &JsValue, name: &str| Reflect::get(part, &name.into()).ok()?.as_string();
    parts.iter().map(|part| Some((text(&part, "type")?, text(&part, "value")?))).collect()
}
