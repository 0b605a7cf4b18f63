//! The thread that folds and delivers. What to do when is `headwater_edge::flush`'s; this does it.
use std::sync::Arc;
use std::time::Duration;

use headwater_core::NodeId;
use headwater_edge::flush::{Flush, Next};
use headwater_edge::fold::Folder;
use headwater_edge::resume::{Found, Resume, digest, resume};

use super::Deliver;
use super::bell::Bell;
use super::counts::Counts;
use super::inbox::{Outgoing, Reader};
use super::writer::{Chore, Writer};
use crate::clock::Clock;

/// Asleep with nothing to do, it looks up this often all the same.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);

/// Everything the thread needs.
pub(super) struct Flusher {
    pub(super) reader: Reader,
    pub(super) writer: Writer,
    pub(super) node: NodeId,
    /// The last position that was there at the start.
    pub(super) boundary: i64,
    /// Whether the collector has said what was applied of this node: before that nothing is folded or sent.
    pub(super) resumed: bool,
    pub(super) flush: Flush,
    pub(super) bell: Arc<Bell>,
    pub(super) deliver: Arc<dyn Deliver>,
    pub(super) clock: Clock,
    pub(super) counts: Arc<Counts>,
}

impl Flusher {
    /// Runs until the bell says to end, or, once it says to hurry, until nothing is left.
    pub(super) fn run(mut self) {
        let mut outgoing = None;
        let mut found = false;
        loop {
            if !found {
                // What an earlier life left: a batch under way is sent again byte for byte, records are folded.
                match self.leftovers() {
                    Ok(left) => (outgoing, found) = (left, true),
                    Err(error) => self.failed("the inbox can't be read", &error, None),
                }
            }
            let rung = self.bell.look();
            let now = self.clock.now();
            let next = if found {
                self.flush.next(now, outgoing.is_some(), rung.waiting, rung.hurry)
            } else {
                Next::Until(now.offset(1000))
            };
            if rung.end || (rung.hurry && found && next == Next::Sleep) {
                return;
            }
            // Asked even if nothing waits, with the same pauses between attempts.
            let next = match next {
                _ if !found || self.resumed => next,
                _ => self.flush.next(now, true, rung.waiting, rung.hurry),
            };
            match next {
                Next::Sleep => self.bell.wait(rung, LONGEST_SLEEP),
                Next::Until(then) => {
                    self.bell.wait(
                        rung,
                        Duration::from_millis(then.0.saturating_sub(now.0)).clamp(Duration::from_millis(1), LONGEST_SLEEP),
                    );
                }
                Next::Fold => match self.fold() {
                    Ok(batch) => outgoing = batch,
                    Err(error) => self.failed("a batch can't be written", &error, None),
                },
                Next::Send if !self.resumed => self.resume(&mut outgoing),
                Next::Send => {
                    if let Some(batch) = outgoing.take_if(|batch| self.send(batch)) {
                        tracing::trace!(seq = batch.seq, "delivered");
                    }
                }
            }
        }
    }

    fn leftovers(&self) -> rusqlite::Result<Option<Outgoing>> {
        if self.reader.has_records()? {
            self.bell.ring(self.clock.now());
        }
        self.reader.outgoing()
    }

    /// Asks what was applied of this node, and goes on accordingly.
    fn resume(&mut self, outgoing: &mut Option<Outgoing>) {
        let applied = match self.deliver.applied(self.node) {
            Ok(applied) => applied,
            Err(error) => return self.failed("the collector can't be asked what it has", &error, error.retry_after),
        };
        let last = outgoing.as_ref().map_or_else(|| self.reader.last_seq(), |batch| Ok(batch.seq));
        let seq = match last {
            Ok(seq) => seq,
            Err(error) => return self.failed("the inbox can't be read", &error, None),
        };
        let under_way = outgoing.as_ref().map(|batch| digest(&batch.batch));
        if let Resume::Restored(delivered) = resume(Found { seq, under_way }, applied) {
            let mut node = [0; 16];
            if let Err(error) = getrandom::fill(&mut node) {
                return self.failed("the system gives no random numbers", &error, None);
            }
            if let Err(error) = self.writer.chore(Chore::Renew(NodeId(node), delivered, self.boundary)) {
                return self.failed("the inbox can't be written", &error, None);
            }
            tracing::info!("this inbox was restored; what it had delivered before is dropped, and it goes on under a new node");
            self.node = NodeId(node);
            *outgoing = None;
            self.bell.ring(self.clock.now());
        }
        self.resumed = true;
        self.flush.delivered();
    }

    /// Folds what waits into a batch and writes it. On an error nothing has changed.
    fn fold(&self) -> rusqlite::Result<Option<Outgoing>> {
        let since = self.bell.take();
        let folded = self.fold_range();
        match folded {
            Ok((_, true)) | Err(_) => self.bell.ring(since.unwrap_or_default()),
            Ok((_, false)) => {}
        }
        folded.map(|(batch, _)| batch)
    }

    fn fold_range(&self) -> rusqlite::Result<(Option<Outgoing>, bool)> {
        let mut folder = Folder::default();
        let (upto, more) = self.reader.blocks(|block| {
            let takes = folder.takes(block.len());
            if takes {
                folder.add(block);
            }
            takes
        })?;
        if upto == 0 {
            return Ok((None, more));
        }
        let seq = self.reader.last_seq()? + 1;
        let batch = folder.finish(self.node, seq, upto as u64).encode();
        self.writer.chore(Chore::Freeze(seq, upto, batch.clone()))?;
        Ok((Some(Outgoing { seq, batch }), more))
    }

    /// Sends the batch; true once it and its range are deleted.
    fn send(&mut self, batch: &Outgoing) -> bool {
        let delivered = self.deliver.deliver(&batch.batch);
        self.counts.delivered(delivered.is_ok());
        match delivered {
            Err(error) => self.failed("a batch was not taken", &error, error.retry_after),
            Ok(()) => match self.writer.chore(Chore::Settle(batch.seq)) {
                // If it comes again, the collector knows its number.
                Err(error) => self.failed("a delivered batch can't be deleted", &error, None),
                Ok(()) => {
                    self.flush.delivered();
                    return true;
                }
            },
        }
        false
    }

    fn failed(&mut self, what: &str, error: &dyn std::fmt::Display, retry_after: Option<Duration>) {
        if self.flush.failures() == 0 {
            tracing::warn!(%error, "{what}; it will be tried again until it succeeds");
        }
        let mut random = [0; 4];
        // Without randomness the pause is merely the same for all.
        let _ = getrandom::fill(&mut random);
        let retry_after = retry_after.map(|pause| u64::try_from(pause.as_millis()).unwrap_or(u64::MAX));
        self.flush.failed(self.clock.now(), retry_after, u32::from_le_bytes(random));
    }
}
