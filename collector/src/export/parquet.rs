//! Rows as a Parquet file (https://parquet.apache.org/docs/file-format): the columns of CSV with types, in groups of rows, each column
//! of a group one page packed with zstd, and the description of it all at the end.
//!
//! Written by hand because it is small: of the crate `parquet` 60 alone, without Arrow and compression, 24 crates are built for 45 s of
//! processor time. `tests/tests/parquet.rs` has a reader that others wrote read it.
use std::io::{self, Write};

use headwater_query::DateTime;

use super::rows::Row;

/// A group ends after this many rows: what is in memory, and what a reader takes at a time.
const GROUP: usize = 50_000;
/// zstd's default.
const LEVEL: i32 = 3;

/// Physical types.
const INT64: i64 = 2;
const DOUBLE: i64 = 5;
const BYTES: i64 = 6;

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Milliseconds since 1970 UTC.
    Time,
    Text,
    Whole,
    Real,
}

/// The columns: name, kind, and whether a row may have none.
const COLUMNS: [(&str, Kind, bool); 16] = [
    ("time", Kind::Time, false),
    ("dimension", Kind::Text, false),
    ("value", Kind::Text, false),
    ("visitors", Kind::Whole, true),
    ("visits", Kind::Whole, true),
    ("bounces", Kind::Whole, true),
    ("pageviews", Kind::Whole, true),
    ("exits", Kind::Whole, true),
    ("events", Kind::Whole, true),
    ("engaged_seconds", Kind::Whole, true),
    ("depth", Kind::Whole, true),
    ("currency", Kind::Text, true),
    ("count", Kind::Whole, true),
    ("sum", Kind::Real, true),
    ("min", Kind::Real, true),
    ("max", Kind::Real, true),
];

impl Kind {
    const fn physical(self) -> i64 {
        match self {
            Self::Time | Self::Whole => INT64,
            Self::Real => DOUBLE,
            Self::Text => BYTES,
        }
    }
}

/// A column of the group that is being gathered.
#[derive(Default)]
struct Column {
    /// As PLAIN encodes them: numbers in little endian, texts behind their length.
    values: Vec<u8>,
    /// Which rows have a value: runs of the same answer.
    defined: Vec<(bool, u64)>,
}

impl Column {
    fn push(&mut self, value: Option<&[u8]>) {
        match self.defined.last_mut() {
            Some((defined, run)) if *defined == value.is_some() => *run += 1,
            _ => self.defined.push((value.is_some(), 1)),
        }
        self.values.extend_from_slice(value.unwrap_or_default());
    }

    fn whole(&mut self, value: Option<u64>) {
        let value = value.map(|value| i64::try_from(value).unwrap_or(i64::MAX).to_le_bytes());
        self.push(value.as_ref().map(<[u8; 8]>::as_slice));
    }

    fn real(&mut self, value: Option<f64>) {
        let value = value.map(f64::to_le_bytes);
        self.push(value.as_ref().map(<[u8; 8]>::as_slice));
    }

    fn text(&mut self, value: Option<&str>) {
        let value = value.map(|text| {
            let mut bytes = u32::try_from(text.len()).unwrap_or(0).to_le_bytes().to_vec();
            bytes.extend_from_slice(text.as_bytes());
            bytes
        });
        self.push(value.as_deref());
    }

    /// The content of a page: levels of definition, if rows may have no value, then the values.
    fn page(&self, optional: bool) -> Vec<u8> {
        let mut page = Vec::with_capacity(self.values.len() + 64);
        if optional {
            let mut levels = Vec::new();
            for (defined, run) in &self.defined {
                // A run of the hybrid encoding: twice its length, then the level.
                varint(&mut levels, run << 1);
                levels.push(u8::from(*defined));
            }
            page.extend_from_slice(&u32::try_from(levels.len()).unwrap_or(0).to_le_bytes());
            page.extend_from_slice(&levels);
        }
        page.extend_from_slice(&self.values);
        page
    }
}

/// What is known of a column of a group that was written.
struct Chunk {
    offset: u64,
    /// With the page's header.
    packed: u64,
    unpacked: u64,
}

struct Group {
    rows: u64,
    chunks: Vec<Chunk>,
}

/// Writes a file.
pub(super) struct Writer {
    columns: [Column; 16],
    rows: usize,
    at: u64,
    groups: Vec<Group>,
}

impl Writer {
    pub(super) fn begin(out: &mut dyn Write) -> io::Result<Self> {
        out.write_all(b"PAR1")?;
        Ok(Self { columns: Default::default(), rows: 0, at: 4, groups: Vec::new() })
    }

    pub(super) fn row(&mut self, row: &Row, out: &mut dyn Write) -> io::Result<()> {
        let time = DateTime::parse(&row.time).map_or(0, |(local, offset)| local.to_unix() - offset.unwrap_or(0));
        let (counts, values) = (row.counts.as_ref(), row.values.as_ref());
        let [
            at,
            dimension,
            value,
            visitors,
            visits,
            bounces,
            pageviews,
            exits,
            events,
            engaged,
            depth,
            currency,
            count,
            sum,
            min,
            max,
        ] = &mut self.columns;
        at.push(Some(&(time * 1000).to_le_bytes()));
        dimension.text(Some(&row.dimension));
        value.text(Some(&row.value));
        visitors.whole(counts.and_then(|c| c.visitors));
        visits.whole(counts.map(|c| c.visits));
        bounces.whole(counts.map(|c| c.bounces));
        pageviews.whole(counts.map(|c| c.pageviews));
        exits.whole(counts.map(|c| c.exits));
        events.whole(counts.map(|c| c.events));
        engaged.whole(counts.map(|c| c.engaged_seconds));
        depth.whole(counts.map(|c| c.depth));
        currency.text(values.map(|v| v.currency.as_str()));
        count.whole(values.map(|v| v.count));
        sum.real(values.map(|v| v.sum));
        min.real(values.map(|v| v.min));
        max.real(values.map(|v| v.max));
        self.rows += 1;
        if self.rows >= GROUP { self.end_group(out) } else { Ok(()) }
    }

    fn end_group(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let rows = std::mem::take(&mut self.rows) as u64;
        if rows == 0 {
            return Ok(());
        }
        let mut chunks = Vec::with_capacity(COLUMNS.len());
        for ((_, _, optional), column) in COLUMNS.iter().zip(&mut self.columns) {
            let page = std::mem::take(column).page(*optional);
            let packed = zstd::bulk::compress(&page, LEVEL)?;
            let mut header = Thrift::default();
            header.int(1, 0); // a data page
            header.int(2, page.len() as i64);
            header.int(3, packed.len() as i64);
            header.open(5);
            header.int(1, rows.cast_signed());
            header.int(2, 0); // PLAIN
            header.int(3, 3); // levels of definition by RLE
            header.int(4, 3); // and those of repetition, of which there are none
            header.close();
            header.stop();
            out.write_all(&header.bytes)?;
            out.write_all(&packed)?;
            let length = (header.bytes.len() + packed.len()) as u64;
            chunks.push(Chunk { offset: self.at, packed: length, unpacked: (header.bytes.len() + page.len()) as u64 });
            self.at += length;
        }
        self.groups.push(Group { rows, chunks });
        Ok(())
    }

    pub(super) fn end(mut self, out: &mut dyn Write) -> io::Result<()> {
        self.end_group(out)?;
        let footer = footer(&self.groups);
        out.write_all(&footer)?;
        let length = u32::try_from(footer.len()).map_err(|_| io::Error::other("too many rows for one Parquet file"))?;
        out.write_all(&length.to_le_bytes())?;
        out.write_all(b"PAR1")
    }
}

/// The description of a file: `FileMetaData` of parquet.thrift.
fn footer(groups: &[Group]) -> Vec<u8> {
    let mut meta = Thrift::default();
    meta.int(1, 1); // the version of the format
    meta.list(2, STRUCT, COLUMNS.len() + 1);
    meta.element(|root| {
        root.text(4, "row");
        root.int(5, COLUMNS.len() as i64);
    });
    for (name, kind, optional) in COLUMNS {
        meta.element(|column| {
            column.int(1, kind.physical());
            column.int(3, i64::from(optional));
            column.text(4, name);
            match kind {
                Kind::Text => {
                    column.int(6, 0); // UTF8, for old readers
                    column.open(10);
                    column.open(1);
                    column.close();
                    column.close();
                }
                Kind::Time => {
                    column.int(6, 9); // TIMESTAMP_MILLIS
                    column.open(10);
                    column.open(8);
                    column.flag(1, true); // in UTC
                    column.open(2);
                    column.open(1); // milliseconds
                    column.close();
                    column.close();
                    column.close();
                    column.close();
                }
                Kind::Whole | Kind::Real => {}
            }
        });
    }
    meta.long(3, groups.iter().map(|group| group.rows).sum());
    meta.list(4, STRUCT, groups.len());
    for group in groups {
        meta.element(|element| {
            element.list(1, STRUCT, group.chunks.len());
            for ((name, kind, _), chunk) in COLUMNS.iter().zip(&group.chunks) {
                element.element(|column| {
                    column.long(2, chunk.offset);
                    column.open(3);
                    column.int(1, kind.physical());
                    column.list(2, I32, 2);
                    column.zigzag(0); // PLAIN
                    column.zigzag(3); // RLE
                    column.list(3, BINARY, 1);
                    column.raw(name);
                    column.int(4, 6); // zstd
                    column.long(5, group.rows);
                    column.long(6, chunk.unpacked);
                    column.long(7, chunk.packed);
                    column.long(9, chunk.offset);
                    column.close();
                });
            }
            element.long(2, group.chunks.iter().map(|chunk| chunk.unpacked).sum());
            element.long(3, group.rows);
        });
    }
    meta.text(6, concat!("headwater version ", env!("CARGO_PKG_VERSION"), " (build 0)"));
    meta.stop();
    meta.bytes
}

// Types of Thrift's compact protocol (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md).
const TRUE: u8 = 1;
const FALSE: u8 = 2;
const I32: u8 = 5;
const I64: u8 = 6;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const STRUCT: u8 = 12;

/// Writes structures in Thrift's compact protocol: fields in ascending order, each as its distance from the one before.
#[derive(Default)]
struct Thrift {
    bytes: Vec<u8>,
    last: u8,
    outer: Vec<u8>,
}

impl Thrift {
    fn field(&mut self, id: u8, kind: u8) {
        self.bytes.push((id.wrapping_sub(self.last) << 4) | kind);
        self.last = id;
    }

    fn int(&mut self, id: u8, value: i64) {
        self.field(id, I32);
        self.zigzag(value);
    }

    fn long(&mut self, id: u8, value: u64) {
        self.field(id, I64);
        self.zigzag(value.cast_signed());
    }

    fn flag(&mut self, id: u8, value: bool) {
        self.field(id, if value { TRUE } else { FALSE });
    }

    fn text(&mut self, id: u8, value: &str) {
        self.field(id, BINARY);
        self.raw(value);
    }

    fn list(&mut self, id: u8, of: u8, len: usize) {
        self.field(id, LIST);
        match u8::try_from(len) {
            Ok(len) if len < 15 => self.bytes.push((len << 4) | of),
            _ => {
                self.bytes.push(0xf0 | of);
                varint(&mut self.bytes, len as u64);
            }
        }
    }

    /// A structure as a field.
    fn open(&mut self, id: u8) {
        self.field(id, STRUCT);
        self.outer.push(std::mem::take(&mut self.last));
    }

    fn close(&mut self) {
        self.stop();
        self.last = self.outer.pop().unwrap_or(0);
    }

    /// A structure in a list.
    fn element(&mut self, write: impl FnOnce(&mut Self)) {
        self.outer.push(std::mem::take(&mut self.last));
        write(self);
        self.close();
    }

    fn stop(&mut self) {
        self.bytes.push(0);
    }

    fn raw(&mut self, text: &str) {
        varint(&mut self.bytes, text.len() as u64);
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn zigzag(&mut self, value: i64) {
        varint(&mut self.bytes, ((value << 1) ^ (value >> 63)).cast_unsigned());
    }
}

fn varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}
