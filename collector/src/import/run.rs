//! An import from its first line to its last.
use std::collections::BTreeMap;

use headwater_core::{Millis, NodeId, SiteId};

use super::goatcounter::{Columns, Hit};
use super::line::Line;
use super::sieve::{Left, Sieve};
use super::source::Log;
use super::target::Target;
use super::visits::Visits;
use super::{CHUNK_BYTES, CHUNK_LINES, ImportError};
use crate::geo::GeoDb;

/// A line may be this far in the future, in milliseconds.
const AHEAD: u64 = 5 * 60_000;
/// How many malformed lines are shown.
const SHOWN: usize = 5;

/// What became of the lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Lines read.
    pub lines: u64,
    /// Page views counted now, and of GoatCounter events, too.
    pub counted: u64,
    /// Events among them.
    pub events: u64,
    /// Page views counted by an earlier import.
    pub before: u64,
    /// Lines left out, by why.
    pub left: BTreeMap<Left, u64>,
    /// Lines that are not in the combined format.
    pub malformed: u64,
    /// The first of them: file, line, and what is wrong.
    pub examples: Vec<String>,
    /// Columns that are not known here, and so not read.
    pub unread: Vec<String>,
}

/// How far it is: the log's name, its bytes read and how many it has (0: not known), and the sums so far.
pub type Progress<'a> = dyn FnMut(&str, (u64, u64), &Tally) + 'a;

/// Imports logs, oldest first. `geo` says where addresses are.
///
/// # Errors
/// See [`ImportError`]; what was counted until then stays counted, and the next import of the same logs goes on behind it.
pub fn run(
    mut logs: Vec<Log>,
    target: &mut dyn Target,
    geo: Option<&GeoDb>,
    now: Millis,
    progress: &mut Progress<'_>,
) -> Result<Tally, ImportError> {
    // A visit may go on in the next file, so they are read in order of time; a file that begins with nonsense comes first.
    let begins = |log: &Log| {
        let first = String::from_utf8_lossy(log.first());
        let columns = log.header().and_then(|header| Columns::parse(log.name(), header).ok());
        let at = match columns {
            Some(columns) => Hit::parse(&first, &columns).map(|hit| hit.at),
            None => Line::parse(&first).map(|line| line.at),
        };
        at.unwrap_or(Millis(0))
    };
    logs.sort_by_key(begins);
    let import = name(&logs);
    let begun = target.begin(import)?;
    let domain = begun.domain.clone();
    let unclear = || ImportError::Server(format!("what the server says of {domain} is not understood"));
    let (site, timeline, salt) = begun.read().ok_or_else(unclear)?;
    let mut importer = Importer {
        visits: Visits::new(site, timeline, salt, geo),
        sieve: Sieve::default(),
        tally: Tally::default(),
        latest: now.0.saturating_add(AHEAD),
        columns: None,
    };
    for mut log in logs {
        importer.log(&mut log, target, progress)?;
    }
    target.end(import)?;
    Ok(importer.tally)
}

/// The name of the import of these logs: the same however far it came.
fn name(logs: &[Log]) -> NodeId {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"headwater import 1");
    for log in logs {
        hasher.update(&(log.first().len() as u64).to_le_bytes()).update(log.first());
    }
    node(&hasher)
}

fn node(hasher: &blake3::Hasher) -> NodeId {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    NodeId(bytes)
}

struct Importer<'a> {
    visits: Visits<'a>,
    sieve: Sieve,
    tally: Tally,
    /// No line is later than this.
    latest: u64,
    /// Of the export that is being read, if it is one.
    columns: Option<Columns>,
}

/// Lines that are counted together.
#[derive(Default)]
struct Chunk {
    lines: Vec<Vec<u8>>,
    bytes: usize,
}

impl Importer<'_> {
    fn log(&mut self, log: &mut Log, target: &mut dyn Target, progress: &mut Progress<'_>) -> Result<(), ImportError> {
        let read = |name: &str, error| ImportError::Read(name.to_owned(), error);
        self.columns = log.header().map(|header| Columns::parse(log.name(), header)).transpose()?;
        self.tally.unread.extend(self.columns.iter().flat_map(|columns| columns.unread.clone()));
        // Everything before a chunk, as far as it makes its node.
        let mut before = blake3::Hasher::new();
        before.update(b"headwater chunk 1");
        // The first line of an export is one, too.
        let (mut line, mut number) = (Vec::new(), u64::from(self.columns.is_some()));
        loop {
            let mut chunk = Chunk::default();
            let mut more = true;
            while more && (chunk.lines.len() as u64) < CHUNK_LINES && chunk.bytes < CHUNK_BYTES {
                more = log.next(&mut line).map_err(|error| read(log.name(), error))?;
                if more {
                    chunk.bytes += line.len();
                    chunk.lines.push(line.clone());
                }
            }
            self.chunk(&chunk, &before, log.name(), number, target)?;
            number += chunk.lines.len() as u64;
            for line in &chunk.lines {
                before.update(&(line.len() as u64).to_le_bytes()).update(line);
            }
            progress(log.name(), log.progress(), &self.tally);
            if !more {
                return Ok(());
            }
        }
    }

    /// Counts what is not counted of a chunk. `before` has everything before it, `number` lines.
    fn chunk(
        &mut self,
        chunk: &Chunk,
        before: &blake3::Hasher,
        log: &str,
        number: u64,
        target: &mut dyn Target,
    ) -> Result<(), ImportError> {
        let Some(first) = chunk.lines.first() else { return Ok(()) };
        let nodes = Nodes { site: self.visits.site.id, before, first };
        let mut from = 0;
        while let Some(counted) = target.counted(nodes.of(from))?.filter(|counted| *counted > from) {
            from = counted;
        }
        for (at, line) in chunk.lines.iter().enumerate() {
            self.line(line, (at as u64) < from, log, number + at as u64 + 1);
        }
        let end = chunk.lines.len() as u64;
        if let Some(batch) = self.visits.batch(nodes.of(from), end)
            && !target.count(&batch)?
        {
            return Err(ImportError::Meanwhile);
        }
        Ok(())
    }

    fn line(&mut self, line: &[u8], counted: bool, log: &str, number: u64) {
        self.tally.lines += 1;
        if line.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        let text = String::from_utf8_lossy(line);
        if let Some(columns) = self.columns.take() {
            self.hit(&text, &columns, counted, log, number);
            self.columns = Some(columns);
            return;
        }
        let parsed = Line::parse(&text).and_then(|line| {
            let is_late = line.at.0 > self.latest;
            if is_late { Err("the time is in the future") } else { Ok(line) }
        });
        let line = match parsed {
            Ok(line) => line,
            Err(why) => return self.malformed(log, number, why),
        };
        match self.sieve.judge(&line, &self.visits.site) {
            Err(left) => *self.tally.left.entry(left).or_default() += 1,
            Ok(agent) => {
                *if counted { &mut self.tally.before } else { &mut self.tally.counted } += 1;
                self.visits.view(&line, &agent, counted);
            }
        }
    }
}

impl Importer<'_> {
    fn malformed(&mut self, log: &str, number: u64, why: &str) {
        self.tally.malformed += 1;
        if self.tally.examples.len() < SHOWN {
            // The line itself stays out of it: it may hold an address, and output is kept.
            self.tally.examples.push(format!("{log}:{number}: {why}"));
        }
    }

    /// A row of GoatCounter's export.
    fn hit(&mut self, text: &str, columns: &Columns, counted: bool, log: &str, number: u64) {
        let hit = match Hit::parse(text, columns) {
            Ok(hit) if hit.at.0 > self.latest => return self.malformed(log, number, "the time is in the future"),
            Ok(hit) => hit,
            Err(why) => return self.malformed(log, number, why),
        };
        let (is_program, agent) = self.sieve.agent(&hit.user_agent);
        if hit.is_bot || (is_program && !hit.user_agent.is_empty()) {
            *self.tally.left.entry(Left::Bot).or_default() += 1;
            return;
        }
        *if counted { &mut self.tally.before } else { &mut self.tally.counted } += 1;
        self.tally.events += u64::from(hit.is_event && !counted);
        self.visits.hit(&hit, &agent.client, counted);
    }
}

/// The nodes of a chunk.
struct Nodes<'a> {
    site: SiteId,
    before: &'a blake3::Hasher,
    first: &'a [u8],
}

impl Nodes<'_> {
    /// The node of its lines from `from` on: behind those that an earlier import counted when the log was shorter.
    fn of(&self, from: u64) -> NodeId {
        let mut hasher = self.before.clone();
        hasher.update(&self.site.0.to_le_bytes()).update(&from.to_le_bytes()).update(self.first);
        node(&hasher)
    }
}
