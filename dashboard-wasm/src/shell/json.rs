//! JSON as it comes from the server: read by the browser, then into types. Errors say nothing, for nobody is shown more than that an answer could
//! not be read; their words, and the ways to write every kind of number into them, would be a twentieth of the page.
use core::fmt;

use serde::de::value::StringDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;
use wasm_bindgen::{JsCast, JsValue};

/// A value that is not of the type that was asked for.
#[derive(Debug)]
pub(crate) struct Unreadable;

impl fmt::Display for Unreadable {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Unreadable {}

impl Error for Unreadable {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

/// Reads a value of the browser's.
pub(crate) fn read<T: DeserializeOwned>(value: JsValue) -> Option<T> {
    T::deserialize(Reader(value)).ok()
}

/// Reads a text.
pub(crate) fn parse<T: DeserializeOwned>(text: &str) -> Option<T> {
    read(js_sys::JSON::parse(text).ok()?)
}

/// A value as a text.
pub(crate) fn written(value: &JsValue) -> String {
    // What has no text is no value of ours.
    js_sys::JSON::stringify(value).map(String::from).unwrap_or_default()
}

/// A field of an object; undefined if there is none.
pub(crate) fn field(of: &JsValue, name: &str) -> JsValue {
    js_sys::Reflect::get(of, &name.into()).unwrap_or(JsValue::UNDEFINED)
}

/// The list in a field of an object; empty if there is none.
pub(crate) fn list(of: &JsValue, name: &str) -> Vec<JsValue> {
    field(of, name).dyn_into().map(|list: js_sys::Array| list.to_vec()).unwrap_or_default()
}

/// Gives an object a field.
pub(crate) fn put(object: &js_sys::Object, name: &str, value: &JsValue) {
    // Objects of ours take every field.
    drop(js_sys::Reflect::set(object, &name.into(), value));
}

/// The number that somebody typed, with a comma or a point; what is none stays a text, which the server refuses in its own words.
pub(crate) fn number(typed: &str) -> JsValue {
    let text = JsValue::from_str(&typed.replace(',', "."));
    match text.unchecked_into_f64() {
        number if number.is_finite() => number.into(),
        _ => text,
    }
}

struct Reader(JsValue);

impl Reader {
    fn number<'de, V: Visitor<'de>>(number: f64, visitor: V) -> Result<V::Value, Unreadable> {
        // Casts saturate; JSON's own numbers end long before.
        match number {
            n if n.fract() != 0.0 => visitor.visit_f64(n),
            n if n < 0.0 => visitor.visit_i64(n as i64),
            n => visitor.visit_u64(n as u64),
        }
    }

    fn items(self) -> Result<Items, Unreadable> {
        let items = self.0.dyn_into().map_err(|_| Unreadable)?;
        Ok(Items { items, at: 0 })
    }

    fn entries(self) -> Result<Entries, Unreadable> {
        let object: js_sys::Object = self.0.dyn_into().map_err(|_| Unreadable)?;
        Ok(Entries { items: Items { items: js_sys::Object::entries(&object), at: 0 }, value: JsValue::UNDEFINED })
    }
}

impl<'de> Deserializer<'de> for Reader {
    type Error = Unreadable;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        let value = &self.0;
        if value.is_null() || value.is_undefined() {
            visitor.visit_unit()
        } else if let Some(flag) = value.as_bool() {
            visitor.visit_bool(flag)
        } else if let Some(number) = value.as_f64() {
            Self::number(number, visitor)
        } else if let Some(text) = value.as_string() {
            visitor.visit_string(text)
        } else if js_sys::Array::is_array(value) {
            visitor.visit_seq(self.items()?)
        } else {
            visitor.visit_map(self.entries()?)
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_bool(self.0.as_bool().ok_or(Unreadable)?)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        Self::number(self.0.as_f64().ok_or(Unreadable)?, visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_f64(self.0.as_f64().ok_or(Unreadable)?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_string(self.0.as_string().ok_or(Unreadable)?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        self.deserialize_string(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        self.deserialize_string(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        if self.0.is_null() || self.0.is_undefined() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_seq(self.items()?)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Unreadable> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_map(self.entries()?)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        let name: StringDeserializer<Unreadable> = self.0.as_string().ok_or(Unreadable)?.into_deserializer();
        visitor.visit_enum(name)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! { i8 i16 i32 i128 u8 u128 f32 char bytes byte_buf unit unit_struct tuple_struct }
}

/// What is in a list.
struct Items {
    items: js_sys::Array,
    at: u32,
}

impl Items {
    fn take(&mut self) -> Option<JsValue> {
        (self.at < self.items.length()).then(|| {
            self.at += 1;
            self.items.get(self.at - 1)
        })
    }
}

impl<'de> SeqAccess<'de> for Items {
    type Error = Unreadable;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Unreadable> {
        self.take().map(|item| seed.deserialize(Reader(item))).transpose()
    }
}

/// What is in an object: names, each with its value.
struct Entries {
    items: Items,
    value: JsValue,
}

impl<'de> MapAccess<'de> for Entries {
    type Error = Unreadable;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Unreadable> {
        let Some(entry) = self.items.take() else { return Ok(None) };
        let entry: js_sys::Array = entry.unchecked_into();
        self.value = entry.get(1);
        seed.deserialize(Reader(entry.get(0))).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Unreadable> {
        seed.deserialize(Reader(core::mem::replace(&mut self.value, JsValue::UNDEFINED)))
    }
}
