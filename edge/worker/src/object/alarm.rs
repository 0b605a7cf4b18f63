//! The alarm and its duties: fold, send, expire, ask again.
use std::rc::Rc;

use headwater_core::Millis;
use headwater_edge::flush::Next;
use headwater_edge::resume::{Found, Resume, digest, resume};
use js_sys::Date;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use worker::{console_error, console_warn};

use super::Object;
use crate::collector::{self, Failure};
use crate::platform::{now, random};
use crate::sql::SqlError;
use crate::store::Store;

/// The alarm is set to this many milliseconds from now before its duties begin: should they be cut short, it rings again.
const AGAIN: i64 = 60_000;
/// A ring of the alarm sends at most so many batches; then it rings anew, because a ring may last 15 minutes.
const BATCHES: usize = 32;

impl Object {
    /// Sets the alarm, unless it rings early enough as it is.
    pub(super) fn arm(&self, at: Millis) {
        let earlier = self.with(|live| {
            // From the collector's clock to the platform's.
            let at = now().offset(at.0.cast_signed() - live.clock.apply(now()).0.cast_signed());
            let set = live.armed.is_none_or(|armed| at < armed);
            if set {
                live.armed = Some(at);
            }
            (set, at)
        });
        if let Some((true, at)) = earlier {
            self.set_alarm(at);
        }
    }

    pub(super) fn set_alarm(&self, at: Millis) {
        let date = Date::new(&JsValue::from(at.0 as f64));
        self.sql.count_written();
        match self.state.storage().as_raw().set_alarm(date, JsValue::NULL.into()) {
            // Durable with what was written in this turn; should it fail, so does that, and the object starts anew.
            Ok(promise) => spawn_local(async move { drop(JsFuture::from(promise).await) }),
            Err(error) => console_error!("the alarm can't be set: {error:?}"),
        }
    }

    /// Sets the alarm for what there is to do.
    pub(super) fn arm_for_work(&self) {
        if self.with(|live| live.ringing) == Some(false)
            && let Some(at) = self.next_work()
        {
            self.arm(at);
        }
    }

    /// When there is something to fold or to send.
    pub(super) fn next_flush(&self) -> Option<Millis> {
        let at = self.now();
        let next = self.with(|live| live.flush.next(at, live.store.under_way().is_some(), live.waiting, false))?;
        match next {
            Next::Sleep => None,
            Next::Until(then) => Some(then),
            Next::Fold | Next::Send => Some(at),
        }
    }

    /// When there is anything to do.
    pub(super) fn next_work(&self) -> Option<Millis> {
        let at = self.now();
        let expiry = self.with(|live| live.store.next_expiry(at)).flatten();
        [self.next_flush(), expiry].into_iter().flatten().min()
    }

    /// All duties. Never fails: what could not be done is done at the next ring.
    pub(super) async fn ring(self: &Rc<Self>) {
        self.with(|live| {
            live.armed = None;
            live.ringing = true;
            live.counts.alarms += 1;
        });
        // Before anything else: whatever cuts this short, it rings again.
        self.arm(self.now().offset(AGAIN));
        self.write_queue();
        let at = self.now();
        self.write(|store| store.expire(at));
        if let Some(domain) = self.with(|live| live.due_domain()).flatten() {
            self.ask(&domain).await;
        }
        let batches = self.with(|live| live.counts.batches);
        for _ in 0..BATCHES {
            let at = self.now();
            let next = self.with(|live| live.flush.next(at, live.store.under_way().is_some(), live.waiting, false));
            match next {
                Some(Next::Fold | Next::Send) if self.with(|live| live.resumed) == Some(false) => self.resume().await,
                Some(Next::Fold) => self.fold(),
                Some(Next::Send) => self.send().await,
                Some(Next::Sleep | Next::Until(_)) | None => break,
            }
        }
        // Where a batch was delivered more may come soon, which sets the alarm anyway: until then the safety net stays, because
        // to set an alarm costs a row. Once it rings for nothing, it is set for the next table to drop.
        self.with(|live| live.ringing = false);
        let busy = self.with(|live| live.counts.batches) != batches;
        let due = if busy { self.next_flush() } else { self.next_work() };
        match due {
            Some(at) => {
                self.with(|live| live.armed = None);
                self.arm(at);
            }
            None if busy => {}
            None => {
                self.with(|live| live.armed = None);
                if let Ok(promise) = self.state.storage().as_raw().delete_alarm(JsValue::NULL.into()) {
                    drop(JsFuture::from(promise).await);
                }
            }
        }
    }

    pub(super) fn failed(&self, what: &str, failure: &Failure) {
        let at = self.now();
        self.with(|live| {
            if live.flush.failures() == 0 {
                console_warn!("{what}: {}; it will be tried again until it succeeds", failure.message);
            }
            live.counts.failures += 1;
            live.flush.failed(at, failure.retry_after, u32::from_le_bytes(random()));
        });
    }

    /// Asks what was applied of this node: this storage may have been put back to an earlier moment.
    pub(super) async fn resume(&self) {
        let Ok(config) = &self.config else { return self.misconfigured() };
        let Some(node) = self.with(|live| live.store.node()) else { return };
        match collector::applied(config, node).await {
            Err(failure) => self.failed("the collector can't be asked what it has", &failure),
            Ok((applied, told)) => {
                let found = self.with(|live| {
                    live.observe(&told);
                    let under_way = live.store.under_way().map(|_| live.store.batch().map(|batch| digest(&batch)));
                    Ok(Found { seq: live.store.seq(), under_way: under_way.transpose()? })
                });
                let found: Found = match found {
                    Some(Ok(found)) => found,
                    Some(Err::<_, SqlError>(error)) => {
                        return self
                            .failed("the batch can't be read", &Failure { message: error.to_string(), retry_after: None });
                    }
                    None => return,
                };
                if let Resume::Restored(delivered) = resume(found, applied) {
                    console_warn!(
                        "this inbox was restored: what it had delivered before is dropped, and it goes on as a new node"
                    );
                    if self.write(|store| store.renew(delivered)).is_none() {
                        return self.failed("the inbox can't be written", &Failure::default());
                    }
                    self.with(|live| live.waiting = live.store.waits().then_some(Millis(0)));
                }
                self.with(|live| {
                    live.resumed = true;
                    live.flush.delivered();
                });
            }
        }
    }

    /// Folds what waits into a batch and writes it.
    pub(super) fn fold(&self) {
        let folded = self.with(|live| live.store.fold());
        let frozen = match folded {
            None => return,
            Some(Err(error)) => {
                return self.failed("a batch can't be folded", &Failure { message: error.to_string(), retry_after: None });
            }
            Some(Ok(None)) => Some(()),
            Some(Ok(Some((upto, batch)))) => self.write(|store| store.freeze(upto, &batch)),
        };
        match frozen {
            None => self.failed("a batch can't be written", &Failure::default()),
            // What is left when the batch was full has waited long enough.
            Some(()) => drop(self.with(|live| live.waiting = live.store.waits().then_some(Millis(0)))),
        }
    }

    /// Sends the batch under way, and deletes it with its range once it is answered.
    pub(super) async fn send(&self) {
        let Ok(config) = &self.config else { return self.misconfigured() };
        let batch = match self.with(|live| live.store.batch()) {
            None => return,
            Some(Ok(batch)) => batch,
            Some(Err(error)) => {
                return self.failed("a batch can't be read", &Failure { message: error.to_string(), retry_after: None });
            }
        };
        match collector::deliver(config, &batch).await {
            Err(failure) => self.failed("a batch was not taken", &failure),
            Ok(told) => {
                self.with(|live| live.observe(&told));
                // If it comes again, the collector knows its number.
                match self.write(Store::settle) {
                    None => self.failed("a delivered batch can't be deleted", &Failure::default()),
                    Some(()) => drop(self.with(|live| {
                        live.counts.batches += 1;
                        live.flush.delivered();
                    })),
                }
            }
        }
    }

    pub(super) fn misconfigured(&self) {
        let message = self.config.as_ref().err().cloned().unwrap_or_default();
        self.failed("the Worker is not set up", &Failure { message, retry_after: None });
    }
}
