//! How rows are written: CSV (RFC 4180), a JSON array, JSON lines, or Parquet.
use std::io::{self, Write};

use serde_json::json;

use super::parquet;
use super::rows::{Row, Values};

/// A way to write rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values with a header.
    Csv,
    /// One array of objects.
    Json,
    /// An object on each line.
    Ndjson,
    /// Columns with types, packed.
    Parquet,
}

impl Format {
    /// The format of this name.
    ///
    /// # Errors
    /// What is allowed.
    pub fn from_name(name: &str) -> Result<Self, &'static str> {
        match name {
            "csv" => Ok(Self::Csv),
            "json" => Ok(Self::Json),
            "ndjson" => Ok(Self::Ndjson),
            "parquet" => Ok(Self::Parquet),
            _ => Err("must be csv, json, ndjson or parquet"),
        }
    }

    /// The media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }

    /// The ending of a file's name.
    #[must_use]
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Parquet => "parquet",
        }
    }
}

/// The columns of CSV, which are the keys of JSON.
const COLUMNS: &str =
    "time,dimension,value,visitors,visits,bounces,pageviews,exits,events,engaged_seconds,depth,currency,count,sum,min,max\r\n";

/// Writes rows one after the other.
pub struct Writer<'a> {
    format: Format,
    out: &'a mut dyn Write,
    rows: u64,
    parquet: Option<parquet::Writer>,
}

impl<'a> Writer<'a> {
    /// Begins.
    ///
    /// # Errors
    /// The writer's.
    pub fn begin(format: Format, out: &'a mut dyn Write) -> io::Result<Self> {
        out.write_all(match format {
            Format::Csv => COLUMNS.as_bytes(),
            Format::Json => b"[",
            Format::Ndjson | Format::Parquet => b"",
        })?;
        let parquet = if format == Format::Parquet { Some(parquet::Writer::begin(out)?) } else { None };
        Ok(Self { format, out, rows: 0, parquet })
    }

    /// Writes a row.
    ///
    /// # Errors
    /// The writer's.
    pub fn row(&mut self, row: &Row) -> io::Result<()> {
        self.rows += 1;
        if let Some(parquet) = &mut self.parquet {
            return parquet.row(row, self.out);
        }
        match self.format {
            Format::Csv => self.out.write_all(csv(row).as_bytes()),
            Format::Json => write!(self.out, "{}{}", if self.rows == 1 { "\n" } else { ",\n" }, object(row)),
            Format::Ndjson | Format::Parquet => writeln!(self.out, "{}", object(row)),
        }
    }

    /// Ends.
    ///
    /// # Errors
    /// The writer's.
    pub fn end(self) -> io::Result<()> {
        if let Some(parquet) = self.parquet {
            parquet.end(self.out)?;
        }
        self.out.write_all(match self.format {
            Format::Json => b"\n]\n",
            Format::Csv | Format::Ndjson | Format::Parquet => b"",
        })?;
        self.out.flush()
    }
}

fn csv(row: &Row) -> String {
    let mut line = format!("{},{},{}", row.time, quoted(&row.dimension), quoted(&row.value));
    match &row.counts {
        Some(c) => {
            let visitors = c.visitors.map_or_else(String::new, |visitors| visitors.to_string());
            line.push_str(&format!(
                ",{visitors},{},{},{},{},{},{},{}",
                c.visits, c.bounces, c.pageviews, c.exits, c.events, c.engaged_seconds, c.depth
            ));
        }
        None => line.push_str(",,,,,,,,"),
    }
    match &row.values {
        Some(Values { currency, count, sum, min, max }) => {
            line.push_str(&format!(",{},{count},{sum},{min},{max}\r\n", quoted(currency)));
        }
        None => line.push_str(",,,,,\r\n"),
    }
    line
}

/// In quotation marks where there must be some.
fn quoted(text: &str) -> String {
    if text.contains(['"', ',', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

fn object(row: &Row) -> serde_json::Value {
    let mut object = json!({ "time": row.time, "dimension": row.dimension, "value": row.value });
    let more = match (&row.counts, &row.values) {
        (Some(c), _) => json!({
            "visitors": c.visitors, "visits": c.visits, "bounces": c.bounces, "pageviews": c.pageviews, "exits": c.exits,
            "events": c.events, "engaged_seconds": c.engaged_seconds, "depth": c.depth,
        }),
        (None, Some(v)) => json!({ "currency": v.currency, "count": v.count, "sum": v.sum, "min": v.min, "max": v.max }),
        (None, None) => json!({}),
    };
    if let (Some(object), serde_json::Value::Object(more)) = (object.as_object_mut(), more) {
        object.extend(more);
    }
    object
}

#[cfg(test)]
mod tests {
    use super::super::rows::Counts;
    use super::*;

    fn written(format: Format, rows: &[Row]) -> String {
        let mut out = Vec::new();
        let mut writer = Writer::begin(format, &mut out).unwrap();
        rows.iter().for_each(|row| writer.row(row).unwrap());
        writer.end().unwrap();
        String::from_utf8(out).unwrap()
    }

    fn rows() -> [Row; 2] {
        let row = Row {
            time: "2026-11-22T00:00:00+01:00".into(),
            dimension: "event:name".into(),
            value: "Sign, \"up\"".into(),
            counts: Some(Counts { visitors: Some(2), events: 3, ..Counts::default() }),
            values: None,
        };
        let values = Values { currency: "EUR".into(), count: 3, sum: 30.5, min: -1.0, max: 29.0 };
        [row.clone(), Row { counts: None, values: Some(values), ..row }]
    }

    #[test]
    fn csv_has_as_many_fields_in_each_line() {
        let text = written(Format::Csv, &rows());
        let lines: Vec<&str> = text.split_terminator("\r\n").collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[1], "2026-11-22T00:00:00+01:00,event:name,\"Sign, \"\"up\"\"\",2,0,0,0,0,3,0,0,,,,,");
        assert_eq!(lines[2], "2026-11-22T00:00:00+01:00,event:name,\"Sign, \"\"up\"\"\",,,,,,,,,EUR,3,30.5,-1,29");
        let fields = |line: &str| line.replace("Sign, ", "").split(',').count();
        assert!(lines.iter().all(|line| fields(line) == 16));
    }

    #[test]
    fn json_is_an_array_or_lines() {
        let array: Vec<serde_json::Value> = serde_json::from_str(&written(Format::Json, &rows())).unwrap();
        let text = written(Format::Ndjson, &rows());
        let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(array, lines);
        assert_eq!((&array[0]["visitors"], &array[1]["sum"], &array[1]["visitors"]), (&json!(2), &json!(30.5), &json!(null)));
        assert_eq!(written(Format::Json, &[]), "[\n]\n");
    }
}
