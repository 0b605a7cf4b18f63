//! Requests: judged, grouped, written as one row, answered once that is durable.
use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use futures_channel::oneshot;
use headwater_core::Millis;
use headwater_edge::answer::{Answer, Judged};
use headwater_edge::beacon::Surroundings;
use headwater_edge::client::Agent;
use headwater_edge::facts::Look;
use headwater_edge::ingest::{Done, Ingest, Work};
use headwater_edge::sender::Sender;
use headwater_edge::{Refusal, SiteFacts, beacon, event, shard};
use wasm_bindgen_futures::spawn_local;
use worker::Delay;

use super::{Job, Live, Object};
use crate::forward::{Forward, News, Reply, Route};
use crate::platform::now;
use crate::sql::SqlError;
use crate::store::{Store, Tx};

/// Requests are written at once while they come one by one. When they come faster than this many milliseconds one after
/// the other, all that come within it share a row: at 100 a second that makes five a row, at the price of 25 ms more, on
/// average, for an answer that nobody waits for.
const HOLD: u64 = 50;
/// So many share a row at once, without waiting for the time to pass.
const GROUP: usize = 16;

impl Object {
    pub(super) async fn forward(self: &Rc<Self>, forward: &Forward<'_>) -> Reply {
        self.adopt(&forward.to);
        let facts = match self.facts(&forward.to.domain).await {
            Look::Known(facts) => facts,
            Look::Unknown => {
                let field = if forward.route == Route::Beacon { "site" } else { "domain" };
                let news = Some(News { objects: 0, key: [0; 32] });
                return Reply { news, ..Reply::of(Refusal::UnknownSite(field).into()) };
            }
            Look::Ask | Look::Asked | Look::Away => return Reply::of(Refusal::NO_FACTS.into()),
        };
        let facts = self.agree(facts, forward.objects).await;
        let at = self.now();
        let sender = forward.sender(at);
        let shards = shards_of(forward, &facts, &sender);
        let news = News { objects: facts.shards, key: facts.key };
        if !self.take_all(&shards, &facts, forward.to.index).await {
            return Reply { news: Some(news), answer: None };
        }
        let news = (forward.objects != facts.shards).then_some(news);
        let around = Around { object: self, facts: &facts, bearer: forward.bearer };
        let judged = match forward.route {
            Route::Beacon => beacon::judge(forward.body, &sender, &around).map(Judged::from),
            Route::Event => event::judge(forward.body, &facts.key, &sender, &around).map(Judged::from),
        };
        self.refresh_if_due();
        let answer: Answer = match judged {
            Err(refusal) => refusal.into(),
            Ok(mut judged) => match judged.take_work() {
                None => judged.answer(None),
                Some(work) => match self.ingest(work, &shards).await {
                    Ok(done) => judged.answer(Some(done)),
                    Err(refusal) => refusal.into(),
                },
            },
        };
        Reply { news, ..Reply::of(answer) }
    }

    /// Puts a request's work behind what waits, and waits until it is durable.
    pub(super) async fn ingest(self: &Rc<Self>, work: Work, shards: &[u8]) -> std::result::Result<Done, Refusal> {
        let (reply, answer) = oneshot::channel();
        let works = by_shard(work, shards);
        let most = self.config.as_ref().map_or(0, |config| config.most_waiting);
        let queued = self.with(|live| {
            // Asked again, now that nothing can come in between.
            if !works.iter().all(|(shard, _)| live.shards.owns(*shard)) {
                return Err(Refusal::BUSY);
            }
            if live.store.waiting_bytes >= most {
                return Err(Refusal::FULL);
            }
            live.queue.push(Job { works, reply });
            Ok(std::mem::replace(&mut live.deciding, true))
        });
        if !queued.unwrap_or(Err(Refusal::NOT_DURABLE))? {
            // Once everything that came together is in the queue.
            let object = self.clone();
            spawn_local(async move { object.decide().await });
        }
        // The platform sends no answer before what was written is on its disks.
        answer.await.unwrap_or(Err(Refusal::NOT_DURABLE))
    }

    /// Writes what waits now, or when what comes next may share its row.
    async fn decide(&self) {
        let now = now();
        let pause = self.with(|live| {
            live.deciding = false;
            let since = now.0.abs_diff(live.written.0);
            // A due time that passed unheeded belonged to a request that was cut off.
            match live.due {
                _ if live.queue.len() >= GROUP => Some(0),
                Some(due) if now.0 > due.0 + 1000 => Some(0),
                Some(_) => None,
                None if since >= HOLD => Some(0),
                None => {
                    let pause = (HOLD - since).max(1);
                    live.due = Some(now.offset(pause as i64));
                    Some(pause)
                }
            }
        });
        match pause.flatten() {
            None => {}
            Some(0) => self.write_queue(),
            Some(pause) => {
                Delay::from(Duration::from_millis(pause)).await;
                self.write_queue();
            }
        }
    }

    /// Writes all that waits, as one row and one transaction.
    pub(super) fn write_queue(&self) {
        let at = self.now();
        let Some((jobs, at)) = self.with(|live| {
            live.due = None;
            live.written = now();
            live.latest = live.latest.max(at);
            (std::mem::take(&mut live.queue), live.latest)
        }) else {
            return;
        };
        if jobs.is_empty() {
            return;
        }
        let (works, replies): (Vec<_>, Vec<_>) = jobs.into_iter().map(|job| (job.works, job.reply)).unzip();
        let name = self.with(|live| live.name.clone()).flatten();
        let written = self.write(|store| {
            if let Some(name) = name.filter(|_| store.node().0 == [0; 16]) {
                store.keep("name", &postcard::to_allocvec(&name).unwrap_or_default())?;
            }
            all(store, at, works)
        });
        let Some(all) = written else {
            replies.into_iter().for_each(|reply| drop(reply.send(Err(Refusal::NOT_DURABLE))));
            return;
        };
        let accepted = all.iter().map(|done| done.accepted as u64).sum::<u64>();
        self.with(|live| {
            live.counts.requests += all.len() as u64;
            live.counts.groups += 1;
            live.counts.accepted += accepted;
            live.counts.duplicates += all.iter().map(|done| done.duplicate as u64).sum::<u64>();
            if accepted > 0 {
                live.waiting.get_or_insert(at);
            }
        });
        self.arm_for_work();
        for (reply, done) in replies.into_iter().zip(all) {
            let _ = reply.send(Ok(done)); // the sender may have gone: the event is counted all the same
        }
    }
}

/// What judging needs, from this shell.
struct Around<'a> {
    object: &'a Object,
    facts: &'a Arc<SiteFacts>,
    bearer: Option<&'a str>,
}

impl Surroundings for Around<'_> {
    fn site(&self, domain: &str) -> std::result::Result<Option<Arc<SiteFacts>>, Refusal> {
        Ok(domain.eq_ignore_ascii_case(&self.facts.domain).then(|| self.facts.clone()))
    }

    fn token(&self, site: &SiteFacts) -> std::result::Result<(), Refusal> {
        if self.bearer.is_some_and(|bearer| site.knows_sender(bearer)) { Ok(()) } else { Err(Refusal::Token) }
    }

    fn agent(&self, user_agent: &str) -> Arc<Agent> {
        self.object.with(|live| live.agents.of(user_agent)).unwrap_or_else(|| Arc::new(Agent::parse(user_agent)))
    }

    fn limit(&self, site: &SiteFacts, sender: &Sender<'_>) -> std::result::Result<(), Refusal> {
        let take = |live: &mut Live| {
            live.limits.share(site.shards);
            live.limits.take(site.id, sender)
        };
        self.object.with(take).unwrap_or(Ok(()))
    }
}

/// The virtual shard of a beacon, or of each item of an array of events.
fn shards_of(forward: &Forward<'_>, facts: &SiteFacts, sender: &Sender<'_>) -> Vec<u8> {
    match forward.route {
        Route::Beacon => shard::of_beacon(forward.body).into_iter().map(|(_, shard)| shard.0).collect(),
        Route::Event => shard::items(forward.body).iter().map(|item| shard::of_item(&facts.key, item, sender).0).collect(),
    }
}

/// One request's work by virtual shard. The items of one sender stay together and in their order.
fn by_shard(work: Work, shards: &[u8]) -> Vec<(u8, Work)> {
    let of = |place: usize| shards.get(place).copied().unwrap_or_default();
    match work {
        Work::Beacon(_) => vec![(of(0), work)],
        Work::Events(events) => {
            let mut split: BTreeMap<u8, Vec<_>> = BTreeMap::new();
            for (place, event) in events {
                split.entry(of(place)).or_default().push((place, event));
            }
            split.into_iter().map(|(shard, events)| (shard, Work::Events(events))).collect()
        }
    }
}

/// Does the work of all requests of a group.
fn all(store: &mut Store, at: Millis, works: Vec<Vec<(u8, Work)>>) -> std::result::Result<Vec<Done>, SqlError> {
    let shard = Rc::new(Cell::new(0));
    let mut tx = Tx::new(store, shard.clone());
    let mut ingest = Ingest::new(&mut tx, at);
    let mut all = Vec::with_capacity(works.len());
    for request in works {
        let mut sum = Done::default();
        for (of, work) in request {
            shard.set(of);
            let done = ingest.request(work)?;
            sum.accepted += done.accepted;
            sum.duplicate += done.duplicate;
            sum.refused = sum.refused.or(done.refused);
        }
        all.push(sum);
    }
    ingest.finish()?;
    tx.finish()?;
    Ok(all)
}
