//! An object's SQLite, and how many rows it has written: what a deployment is billed for.
use std::cell::Cell;

use js_sys::{Array, Uint8Array};
use wasm_bindgen::{JsCast as _, JsValue};
use worker::worker_sys::types::SqlStorage;

/// The platform refused.
#[derive(Debug)]
pub(crate) struct SqlError(JsValue);

impl From<JsValue> for SqlError {
    fn from(value: JsValue) -> Self {
        Self(value)
    }
}

impl From<SqlError> for JsValue {
    fn from(error: SqlError) -> Self {
        error.0
    }
}

impl std::fmt::Display for SqlError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

/// A value of a statement.
pub(crate) enum Value<'a> {
    /// A whole number below 2^53.
    Int(i64),
    /// A text.
    Text(&'a str),
    /// Bytes.
    Blob(&'a [u8]),
}

/// A row of an answer.
pub(crate) struct Row(Array);

impl Row {
    /// A whole number.
    pub(crate) fn int(&self, column: u32) -> i64 {
        self.0.get(column).as_f64().unwrap_or(0.0) as i64
    }

    /// A text.
    pub(crate) fn text(&self, column: u32) -> String {
        self.0.get(column).as_string().unwrap_or_default()
    }

    /// Bytes.
    pub(crate) fn blob(&self, column: u32) -> Vec<u8> {
        let value = self.0.get(column);
        if value.is_object() { Uint8Array::new(&value).to_vec() } else { Vec::new() }
    }
}

/// The database.
pub(crate) struct Sql {
    inner: SqlStorage,
    written: Cell<u64>,
    read: Cell<u64>,
}

impl Sql {
    pub(crate) fn new(inner: SqlStorage) -> Self {
        Self { inner, written: Cell::new(0), read: Cell::new(0) }
    }

    /// Rows read and written since the object woke.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.read.get(), self.written.get())
    }

    /// Counts a row that the platform bills for something else: an alarm that is set.
    pub(crate) fn count_written(&self) {
        self.written.set(self.written.get() + 1);
    }

    /// Bytes on the disk.
    pub(crate) fn size(&self) -> u64 {
        self.inner.database_size() as u64
    }

    /// Runs a statement and hands its rows to `each`. All of them: a cursor that is left before its end locks its table until it
    /// is collected.
    pub(crate) fn each(&self, sql: &str, values: &[Value<'_>], mut each: impl FnMut(&Row)) -> Result<(), SqlError> {
        let bindings: Array = values
            .iter()
            .map(|value| match value {
                Value::Int(number) => JsValue::from(*number as f64),
                Value::Text(text) => JsValue::from(*text),
                Value::Blob(bytes) => Uint8Array::from(*bytes).into(),
            })
            .collect();
        let cursor = self.inner.exec(sql, bindings)?;
        let rows = cursor.raw();
        let result = loop {
            match rows.next() {
                Err(error) => break Err(error.into()),
                Ok(next) if next.done() => break Ok(()),
                Ok(next) => each(&Row(next.value().unchecked_into())),
            }
        };
        self.written.set(self.written.get() + cursor.rows_written() as u64);
        self.read.set(self.read.get() + cursor.rows_read() as u64);
        result
    }

    /// Runs a statement that answers nothing.
    pub(crate) fn run(&self, sql: &str, values: &[Value<'_>]) -> Result<(), SqlError> {
        self.each(sql, values, |_| ())
    }

    /// The first value of the first row, as bytes.
    pub(crate) fn blob(&self, sql: &str, values: &[Value<'_>]) -> Result<Option<Vec<u8>>, SqlError> {
        let mut found = None;
        self.each(sql, values, |row| found = found.take().or_else(|| Some(row.blob(0))))?;
        Ok(found)
    }
}
