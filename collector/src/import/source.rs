//! Logs as lines: from a file or from standard input, packed with gzip or not.
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use flate2::bufread::MultiGzDecoder;

use super::goatcounter;

/// A longer line is cut: no request that a server takes makes one.
const MOST: u64 = 64 * 1024;

/// A log.
pub struct Log {
    name: String,
    lines: Box<dyn BufRead>,
    read: Arc<AtomicU64>,
    size: u64,
    /// Read already, for whoever wants to know how it begins.
    first: Option<Vec<u8>>,
    /// Whether somebody may be writing to it.
    grows: bool,
    /// The first line of an export, which says what the others hold. A row of it may have ends of lines in quotation marks.
    header: Option<Vec<u8>>,
}

impl Log {
    /// A file; `-` is standard input.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn open(path: &Path) -> io::Result<Self> {
        if path == Path::new("-") {
            return Self::new("standard input".into(), Box::new(io::stdin()), 0);
        }
        let file = File::open(path)?;
        let size = file.metadata()?.len();
        let name = PathBuf::from(path.file_name().unwrap_or(path.as_os_str())).display().to_string();
        Self::begin(name, Box::new(file), size, true)
    }

    /// From any reader of `size` bytes, 0 if that is not known.
    ///
    /// # Errors
    /// If its beginning can't be read.
    pub fn new(name: String, reader: Box<dyn Read>, size: u64) -> io::Result<Self> {
        Self::begin(name, reader, size, false)
    }

    fn begin(name: String, reader: Box<dyn Read>, size: u64, is_file: bool) -> io::Result<Self> {
        let read = Arc::new(AtomicU64::new(0));
        let mut packed = BufReader::with_capacity(1 << 16, Counted { reader, read: read.clone() });
        let is_packed = packed.fill_buf()?.starts_with(&[0x1f, 0x8b]);
        let lines: Box<dyn BufRead> =
            if is_packed { Box::new(BufReader::with_capacity(1 << 16, MultiGzDecoder::new(packed))) } else { Box::new(packed) };
        let mut log = Self { name, lines, read, size, first: None, grows: is_file && !is_packed, header: None };
        let mut first = Vec::new();
        log.first = log.next(&mut first)?.then_some(first);
        if log.first.as_deref().is_some_and(goatcounter::is_header) {
            log.header = log.first.take();
            let mut first = Vec::new();
            log.first = log.next(&mut first)?.then_some(first);
        }
        Ok(log)
    }

    /// For messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its first line, empty if there is none.
    #[must_use]
    pub fn first(&self) -> &[u8] {
        self.first.as_deref().unwrap_or_default()
    }

    /// The first line of an export, which [`Log::next`] leaves out.
    pub(super) fn header(&self) -> Option<&[u8]> {
        self.header.as_deref()
    }

    /// How much of the file was read, in bytes, and of how many; 0 where that is not known.
    #[must_use]
    pub fn progress(&self) -> (u64, u64) {
        (self.read.load(Relaxed), self.size)
    }

    /// The next line without its end; false after the last. The last line of a file that is not packed must have an end, or
    /// it is still being written and left to the next import.
    ///
    /// # Errors
    /// If the log can't be read any further.
    pub fn next(&mut self, line: &mut Vec<u8>) -> io::Result<bool> {
        line.clear();
        if let Some(first) = self.first.take() {
            *line = first;
            return Ok(true);
        }
        let mut more = self.line(line)?;
        while more && self.header.is_some() && is_open(line) && (line.len() as u64) < MOST {
            let mut rest = Vec::new();
            more = self.line(&mut rest)?;
            if more {
                line.push(b'\n');
                line.append(&mut rest);
            } else {
                return Ok(true);
            }
        }
        Ok(more)
    }

    fn line(&mut self, line: &mut Vec<u8>) -> io::Result<bool> {
        let read = self.lines.by_ref().take(MOST).read_until(b'\n', line)?;
        if read == 0 {
            return Ok(false);
        }
        let ends = line.pop_if(|last| *last == b'\n').is_some();
        if !ends && self.grows && (read as u64) < MOST {
            return Ok(false);
        }
        if !ends && read as u64 == MOST {
            // The rest of a monster is thrown away.
            let mut rest = Vec::new();
            while self.lines.by_ref().take(MOST).read_until(b'\n', &mut rest)? as u64 == MOST && rest.last() != Some(&b'\n') {
                rest.clear();
            }
        }
        line.pop_if(|last| *last == b'\r');
        Ok(true)
    }
}

/// Whether a quotation mark waits for its other one.
fn is_open(line: &[u8]) -> bool {
    line.iter().filter(|byte| **byte == b'"').count() % 2 == 1
}

struct Counted {
    reader: Box<dyn Read>,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(into)?;
        self.read.fetch_add(read as u64, Relaxed);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn lines(bytes: Vec<u8>) -> Vec<String> {
        let mut log = Log::new("test".into(), Box::new(io::Cursor::new(bytes)), 0).unwrap();
        let (mut line, mut all) = (Vec::new(), Vec::new());
        while log.next(&mut line).unwrap() {
            all.push(String::from_utf8(line.clone()).unwrap());
        }
        all
    }

    #[test]
    fn lines_are_the_same_packed_or_not() {
        let text = "one\r\n\ntwo\nthree";
        assert_eq!(lines(text.into()), ["one", "", "two", "three"]);
        let pack = |text: &str| {
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packed.write_all(text.as_bytes()).unwrap();
            packed.finish().unwrap()
        };
        // Rotated logs are often packed piece by piece, one behind the other.
        assert_eq!(lines([pack("one\r\n\nt"), pack("wo\nthree")].concat()), ["one", "", "two", "three"]);
        assert_eq!(lines(vec![]), Vec::<String>::new());
    }

    #[test]
    fn a_line_that_is_being_written_is_left() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "one\ntw").unwrap();
        let (mut log, mut line) = (Log::open(file.path()).unwrap(), Vec::new());
        assert_eq!(log.first(), b"one");
        assert!(log.next(&mut line).unwrap() && line == b"one" && !log.next(&mut line).unwrap());
        assert_eq!(log.progress(), (6, 6));
    }

    #[test]
    fn a_monster_is_cut() {
        let long = "x".repeat(MOST as usize * 3 + 5);
        let all = lines(format!("{long}\nnext\n").into());
        assert_eq!((all.len(), all[0].len(), all[1].as_str()), (2, MOST as usize, "next"));
        let exact = "x".repeat(MOST as usize);
        assert_eq!(lines(format!("{exact}\nnext").into()).len(), 2);
    }
}
