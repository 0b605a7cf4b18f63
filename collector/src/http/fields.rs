//! Reading a JSON object field by field, so that an error names the field at fault.
use serde_json::{Map, Value};

use super::problem::Refused;

/// A request body: what was taken out of it is read, what is left is unknown.
pub(crate) struct Fields(Map<String, Value>);

impl From<Map<String, Value>> for Fields {
    fn from(fields: Map<String, Value>) -> Self {
        Self(fields)
    }
}

impl Fields {
    /// The body must be a JSON object.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, Refused> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(map)) => Ok(Self(map)),
            Ok(_) => Err(Refused::body("the body must be a JSON object")),
            Err(error) => Err(Refused::body(format!("the body must be a JSON object: {error}"))),
        }
    }

    /// A field that may be missing or null.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    /// A text.
    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, Refused> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Refused::field(name, "must be a string")),
        }
    }

    /// A text that is read as something.
    pub(crate) fn parsed<T, E: std::fmt::Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Refused> {
        self.text(name)?.map(|text| parse(&text).map_err(|error| Refused::field(name, error))).transpose()
    }

    /// True or false.
    pub(crate) fn flag(&mut self, name: &str) -> Result<Option<bool>, Refused> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(_) => Err(Refused::field(name, "must be true or false")),
        }
    }

    /// A list of texts that are read as something.
    pub(crate) fn list<T, E: std::fmt::Display>(
        &mut self,
        name: &str,
        most: usize,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Option<Vec<T>>, Refused> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let Value::Array(items) = value else { return Err(Refused::field(name, "must be a list of strings")) };
        if items.len() > most {
            return Err(Refused::field(name, format!("at most {most}")));
        }
        let item = |(index, value): (usize, &Value)| {
            let field = format!("{name}[{index}]");
            let text = value.as_str().ok_or_else(|| Refused::field(&field, "must be a string"))?;
            parse(text).map_err(|error| Refused::field(&field, error))
        };
        items.iter().enumerate().map(item).collect::<Result<_, _>>().map(Some)
    }

    /// Nothing may be left.
    pub(crate) fn end(self, known: &str) -> Result<(), Refused> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(name) => Err(Refused::field(name, format!("is not known here; known are {known}"))),
        }
    }
}
