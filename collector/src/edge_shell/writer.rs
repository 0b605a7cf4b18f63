//! The thread that writes. Requests that are there at the same time share one transaction and one sync of the disk, and each is
//! answered only after it: the slower the disk, the larger the groups.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use headwater_core::{Millis, NodeId, SiteId};
use headwater_edge::Refusal;
use headwater_edge::ingest::{Done, Ingest, Work};
use tokio::sync::oneshot;

use super::bell::Bell;
use super::counts::Counts;
use super::inbox::{Inbox, Tx};
use crate::clock::Clock;

/// Requests that may wait for the thread; the next is answered 503.
const QUEUE: usize = 16_384;
/// Requests in one transaction: beyond, the first of them would wait too long.
const GROUP: usize = 2048;
/// How often old tables are looked for, and a failed disk is tried again.
const TICK: Duration = Duration::from_secs(1);

/// What the thread is asked to do.
enum Job {
    Ingest(Work, oneshot::Sender<Result<Done, Refusal>>),
    Chore(Chore, SyncSender<rusqlite::Result<()>>),
}

/// What the thread does besides requests, each in a transaction of its own.
pub(super) enum Chore {
    /// Write a batch before its first send: number, last position, bytes. The bytes come back from the disk when it is sent.
    Freeze(u64, i64, Vec<u8>),
    /// Delete an answered batch and its range.
    Settle(u64),
    /// Go on under another node after a restore: what was delivered before, and what was there at the start.
    Renew(NodeId, u64, i64),
    /// Delete what is known of a site.
    Forget(SiteId),
    /// Empty the log, before the end.
    Checkpoint,
}

/// The way to the thread.
#[derive(Clone)]
pub(super) struct Writer {
    jobs: SyncSender<Job>,
    healthy: Arc<AtomicBool>,
}

impl Writer {
    /// Starts the thread. It ends when all handles to it are gone and everything that was asked is done.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(super) fn start(
        inbox: Inbox,
        most_waiting: u64,
        clock: Clock,
        bell: Arc<Bell>,
        counts: Arc<Counts>,
    ) -> std::io::Result<Self> {
        let (jobs, queue) = sync_channel(QUEUE);
        let healthy = Arc::new(AtomicBool::new(true));
        // Unreadable now, it will be counted when a batch is settled.
        let waiting = inbox.waiting().unwrap_or(0);
        let thread = Thread { inbox, clock, bell, counts, healthy: healthy.clone(), latest: Millis(0), waiting, most_waiting };
        std::thread::Builder::new().name("edge-writer".into()).spawn(move || thread.run(&queue))?;
        Ok(Self { jobs, healthy })
    }

    /// Does the work of one request. `Ok` means that it is on the disk.
    ///
    /// # Errors
    /// 503 when it is not.
    pub(super) async fn ingest(&self, work: Work) -> Result<Done, Refusal> {
        let (reply, answer) = oneshot::channel();
        match self.jobs.try_send(Job::Ingest(work, reply)) {
            Ok(()) => answer.await.unwrap_or(Err(Refusal::NOT_DURABLE)),
            Err(TrySendError::Full(_)) => Err(Refusal::BUSY),
            Err(TrySendError::Disconnected(_)) => Err(Refusal::NOT_DURABLE),
        }
    }

    /// Does a chore and waits for it.
    ///
    /// # Errors
    /// SQLite's; nothing was done then.
    pub(super) fn chore(&self, chore: Chore) -> rusqlite::Result<()> {
        let (reply, answer) = sync_channel(1);
        let gone = |_| rusqlite::Error::InvalidQuery; // the thread is gone: its connection is too
        self.jobs.send(Job::Chore(chore, reply)).map_err(|_| gone(()))?;
        answer.recv().map_err(|_| gone(()))?
    }

    /// Whether the last attempt to write succeeded.
    pub(super) fn is_healthy(&self) -> bool {
        self.healthy.load(Ordering::Relaxed)
    }
}

struct Thread {
    inbox: Inbox,
    clock: Clock,
    bell: Arc<Bell>,
    counts: Arc<Counts>,
    healthy: Arc<AtomicBool>,
    /// The latest time of a transaction: theirs never goes back, because which table knows an id follows from it.
    latest: Millis,
    /// Bytes that wait for the collector, and how many may.
    waiting: u64,
    most_waiting: u64,
}

impl Thread {
    fn run(mut self, queue: &Receiver<Job>) {
        let mut expired = Millis(0);
        loop {
            match queue.recv_timeout(TICK) {
                Ok(job) => self.group(job, queue),
                Err(RecvTimeoutError::Timeout) => {
                    if !self.healthy.load(Ordering::Relaxed) {
                        let probed = self.inbox.write(|tx| tx.probe());
                        self.note(&probed);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
            let now = self.now();
            if now.0.abs_diff(expired.0) >= 60_000 {
                expired = now;
                let dropped = self.inbox.expire(now).map(|_| ());
                self.note(&dropped);
            }
        }
    }

    fn now(&mut self) -> Millis {
        self.latest = self.latest.max(self.clock.now());
        self.latest
    }

    /// Everything that waits, in one transaction as far as it is requests.
    fn group(&mut self, first: Job, queue: &Receiver<Job>) {
        let mut works = Vec::new();
        let mut next = Some(first);
        let mut chore = None;
        while let Some(job) = next {
            match job {
                Job::Ingest(work, reply) => works.push((work, reply)),
                Job::Chore(what, reply) => {
                    chore = Some((what, reply));
                    break;
                }
            }
            next = if works.len() < GROUP { queue.try_recv().ok() } else { None };
        }
        if !works.is_empty() {
            self.ingest(works);
        }
        if let Some((chore, reply)) = chore {
            let done = match chore {
                Chore::Freeze(seq, upto, batch) => self.inbox.write(|tx| tx.freeze(seq, upto, &batch)),
                Chore::Settle(seq) => self.inbox.write(|tx| tx.settle(seq)),
                Chore::Renew(node, delivered, boundary) => self.inbox.write(|tx| tx.renew(node, delivered, boundary)),
                Chore::Forget(site) => self.inbox.write(|tx| tx.forget(site)),
                Chore::Checkpoint => self.inbox.checkpoint(),
            };
            self.note(&done);
            self.waiting = self.inbox.waiting().unwrap_or(self.waiting);
            self.counts.waits(self.waiting);
            let _ = reply.try_send(done); // who asked may have stopped waiting
        }
    }

    fn ingest(&mut self, works: Vec<(Work, oneshot::Sender<Result<Done, Refusal>>)>) {
        if self.waiting >= self.most_waiting {
            for (_, reply) in works {
                let _ = reply.send(Err(Refusal::FULL));
            }
            return;
        }
        let at = self.now();
        let (works, replies): (Vec<_>, Vec<_>) = works.into_iter().unzip();
        let done = self.inbox.write(|tx| all(tx, at, works));
        self.note(&done);
        match done {
            Ok((all, appended)) => {
                self.waiting += appended;
                self.counts.waits(self.waiting);
                let accepted = all.iter().map(|done| done.accepted as u64).sum();
                let duplicates = all.iter().map(|done| done.duplicate as u64).sum();
                self.counts.committed(all.len() as u64, accepted, duplicates);
                if accepted > 0 {
                    self.bell.ring(at);
                }
                for (reply, done) in replies.into_iter().zip(all) {
                    let _ = reply.send(Ok(done)); // the sender may have gone: the event is counted all the same
                }
            }
            Err(_) => {
                for reply in replies {
                    let _ = reply.send(Err(Refusal::NOT_DURABLE));
                }
            }
        }
    }

    /// Remembers whether writing works, and says so when that changes.
    fn note<T>(&self, result: &rusqlite::Result<T>) {
        let was = self.healthy.swap(result.is_ok(), Ordering::Relaxed);
        match result {
            Ok(_) if !was => tracing::info!("the inbox can be written again"),
            Err(error) if was => tracing::error!(%error, "the inbox can't be written; events are answered 503 until it can"),
            _ => {}
        }
    }
}

/// What became of each, and how many bytes were appended.
fn all(tx: &mut Tx<'_>, at: Millis, works: Vec<Work>) -> rusqlite::Result<(Vec<Done>, u64)> {
    let mut ingest = Ingest::new(tx, at);
    let done = works.into_iter().map(|work| ingest.request(work)).collect::<rusqlite::Result<Vec<_>>>()?;
    ingest.finish()?;
    Ok((done, tx.appended))
}
