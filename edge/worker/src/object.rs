//! The Durable Object: takes requests in, and does everything else when its alarm rings.
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use futures_channel::oneshot;
use headwater_core::Millis;
use headwater_edge::agents::Agents;
use headwater_edge::answer::Judged;
use headwater_edge::beacon::Surroundings;
use headwater_edge::client::Agent;
use headwater_edge::clock::Correction;
use headwater_edge::facts::{Facts, Look};
use headwater_edge::flush::{Flush, Next};
use headwater_edge::handover::{Asked, Given, Search, Shards};
use headwater_edge::headers::Header;
use headwater_edge::ingest::{Done, Ingest, Work};
use headwater_edge::limit::Limits;
use headwater_edge::resume::{Found, Resume, digest, resume};
use headwater_edge::sender::Sender;
use headwater_edge::{Refusal, SiteFacts, beacon, event, shard};
use js_sys::{Date, Uint8Array};
use serde_json::json;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use worker::worker_sys::web_sys;
use worker::{Delay, DurableObject, Env, Request, Response, Result, State, console_error, console_warn, durable_object};

use crate::collector::{self, Failure, Told};
use crate::config::{Config, OBJECTS};
use crate::forward::{Forward, KEY, MISDIRECTED, Name, Route, SHARDS, TAKE, Take, Taken};
use crate::platform::{ask, now, random};
use crate::respond::{build, problem, response};
use crate::seal;
use crate::sql::{Sql, SqlError};
use crate::store::{Moved, Store, Tx};

/// Requests are written at once while they come one by one. When they come faster than this many milliseconds one after
/// the other, all that come within it share a row: at 100 a second that makes five a row, at the price of 25 ms more, on
/// average, for an answer that nobody waits for.
const HOLD: u64 = 50;
/// So many share a row at once, without waiting for the time to pass.
const GROUP: usize = 32;
/// The alarm is set to this many milliseconds from now before its duties begin: should they be cut short, it rings again.
const AGAIN: i64 = 60_000;
/// A ring of the alarm sends at most so many batches; then it rings anew, because a ring may last 15 minutes.
const BATCHES: usize = 32;
/// Who waits for something that another request is doing looks this often, in milliseconds, and this many times.
const LOOK: u64 = 20;
const LOOKS: usize = 500;

/// One request's work: by virtual shard.
struct Job {
    works: Vec<(u8, Work)>,
    reply: oneshot::Sender<std::result::Result<Done, Refusal>>,
}

/// What changes while the object lives.
struct Live {
    name: Option<Name>,
    store: Store,
    shards: Shards,
    facts: Facts,
    /// The facts as they are stored.
    stored_facts: Vec<u8>,
    agents: Agents,
    limits: Limits,
    clock: Correction,
    /// Of transactions: theirs never goes back, because which table knows an id follows from it.
    latest: Millis,
    queue: Vec<Job>,
    written: Millis,
    /// When the queue will be written.
    due: Option<Millis>,
    flush: Flush,
    /// Since when the oldest record waits that is in no batch.
    waiting: Option<Millis>,
    /// Whether the collector has said what it applied of this node: before that nothing is folded or sent.
    resumed: bool,
    /// When the alarm rings, by the platform's clock.
    armed: Option<Millis>,
    /// It rings: its duties will set it for what there is to do.
    ringing: bool,
    /// Virtual shards that are being taken over, and since when.
    taking: BTreeMap<u8, Millis>,
    asked_for_objects: Millis,
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    requests: u64,
    groups: u64,
    accepted: u64,
    duplicates: u64,
    batches: u64,
    failures: u64,
    alarms: u64,
}

struct Object {
    state: State,
    env: Env,
    config: std::result::Result<Config, String>,
    sql: Rc<Sql>,
    live: RefCell<std::result::Result<Live, String>>,
    born: Millis,
}

/// The class that wrangler.toml names.
#[durable_object(alarm)]
pub struct Inbox {
    object: Rc<Object>,
}

impl DurableObject for Inbox {
    fn new(state: State, env: Env) -> Self {
        let sql = Rc::new(Sql::new(state.storage().as_raw().sql()));
        let config = Config::read(&env);
        let live = RefCell::new(Object::open(&sql, &config));
        Self { object: Rc::new(Object { state, env, config, sql, live, born: now() }) }
    }

    // Never fails: a failure here would reset the object, and with it what other requests wait for.
    async fn fetch(&self, request: Request) -> Result<Response> {
        self.answer(request).await.or_else(|error| problem(500, "Not answered", &error.to_string()))
    }

    async fn alarm(&self) -> Result<Response> {
        self.object.ring().await;
        Response::empty()
    }
}

impl Inbox {
    async fn answer(&self, mut request: Request) -> Result<Response> {
        let path = request.path();
        let body = request.bytes().await?;
        let unreadable = || problem(400, "Not understood", "this is not what a Worker of this version sends");
        match path.as_str() {
            "/forward" => match postcard::from_bytes::<Forward<'_>>(&body) {
                Ok(forward) => self.object.forward(&forward).await,
                Err(_) => unreadable(),
            },
            "/take" => match postcard::from_bytes::<Take>(&body) {
                Ok(take) => self.object.give(&take).await,
                Err(_) => unreadable(),
            },
            "/status" => self.object.status(),
            _ => unreadable(),
        }
    }
}

impl Object {
    fn open(sql: &Rc<Sql>, config: &std::result::Result<Config, String>) -> std::result::Result<Live, String> {
        let store = Store::open(sql.clone()).map_err(|error| error.to_string())?;
        let (visitor, site, flush_after) = config
            .as_ref()
            .map_or((0, 0, 4000), |config| (config.visitor_per_minute, config.site_per_second, config.flush_after));
        let name: Option<Name> =
            store.kept("name").map_err(|error| error.to_string())?.and_then(|bytes| postcard::from_bytes(&bytes).ok());
        let mut live = Live {
            shards: Shards::new(name.as_ref().map_or(0, |name| name.index), &store.moves),
            name,
            facts: Facts::default(),
            stored_facts: Vec::new(),
            agents: Agents::default(),
            limits: Limits::new(visitor, site),
            clock: Correction::default(),
            latest: Millis(0),
            queue: Vec::new(),
            written: Millis(0),
            due: None,
            flush: Flush::new(flush_after),
            waiting: store.waits().then(now),
            resumed: false,
            armed: None,
            ringing: false,
            taking: BTreeMap::new(),
            asked_for_objects: Millis(0),
            counts: Counts::default(),
            store,
        };
        live.recall_facts(config);
        Ok(live)
    }

    /// Does something with what is alive; `None` when the storage could not be read.
    fn with<R>(&self, work: impl FnOnce(&mut Live) -> R) -> Option<R> {
        let mut live = self.live.borrow_mut();
        if live.is_err() {
            *live = Self::open(&self.sql, &self.config);
        }
        match &mut *live {
            Ok(live) => Some(work(live)),
            Err(error) => {
                console_error!("the object's storage can't be read: {error}");
                None
            }
        }
    }

    /// Runs `work` as one transaction. After a failure all is read anew from the storage, but for who waits.
    fn write<R>(&self, work: impl FnOnce(&mut Store) -> std::result::Result<R, SqlError>) -> Option<R> {
        let storage = self.state.storage();
        let done = self.with(|live| live.store.transaction(&storage, work))?;
        match done {
            Ok(done) => Some(done),
            Err(error) => {
                console_error!("the object's storage can't be written: {error}");
                let opened = Store::open(self.sql.clone());
                if let Err(error) = &opened {
                    *self.live.borrow_mut() = Err(error.to_string());
                }
                if let Ok(store) = opened {
                    self.with(|live| {
                        live.shards = Shards::new(live.name.as_ref().map_or(0, |name| name.index), &store.moves);
                        live.store = store;
                    });
                }
                None
            }
        }
    }

    fn now(&self) -> Millis {
        self.with(|live| live.clock.apply(now())).unwrap_or_else(now)
    }

    /// Learns its name: an object is not told it by the platform.
    fn adopt(&self, name: &Name) {
        self.with(|live| {
            if live.name.is_none() {
                live.shards = Shards::new(name.index, &live.store.moves);
                live.name = Some(name.clone());
            }
        });
    }

    // Requests.

    async fn forward(self: &Rc<Self>, forward: &Forward<'_>) -> Result<Response> {
        self.adopt(&forward.to);
        let refused = |refusal: Refusal, more: &[Header]| response(&refusal.into(), forward.origin, forward.warning, more);
        let facts = match self.facts(&forward.to.domain).await {
            Look::Known(facts) => facts,
            Look::Unknown => {
                let field = if forward.route == Route::Beacon { "site" } else { "domain" };
                return refused(Refusal::UnknownSite(field), &[(SHARDS, "0".to_owned())]);
            }
            Look::Ask | Look::Asked | Look::Away => return refused(Refusal::NO_FACTS, &[]),
        };
        let facts = self.agree(facts, forward.objects).await;
        let at = self.now();
        let sender = forward.sender(at);
        let shards = shards_of(forward, &facts, &sender);
        // Told once: a Worker that knows it passes the answer on as it is.
        let more: Vec<Header> = match forward.objects == facts.shards {
            true => Vec::new(),
            false => vec![(SHARDS, facts.shards.to_string()), (KEY, hex(&facts.key))],
        };
        if !self.take_all(&shards, &facts, forward.to.index).await {
            let news: [Header; 2] = [(SHARDS, facts.shards.to_string()), (KEY, hex(&facts.key))];
            return build(MISDIRECTED, news.iter(), None);
        }
        let around = Around { object: self, facts: &facts, bearer: forward.bearer };
        let judged = match forward.route {
            Route::Beacon => beacon::judge(forward.body, &sender, &around).map(Judged::from),
            Route::Event => event::judge(forward.body, &facts.key, &sender, &around).map(Judged::from),
        };
        self.refresh_if_due();
        let answer = match judged {
            Err(refusal) => refusal.into(),
            Ok(mut judged) => match judged.take_work() {
                None => judged.answer(None),
                Some(work) => match self.ingest(work, &shards).await {
                    Ok(done) => judged.answer(Some(done)),
                    Err(refusal) => refusal.into(),
                },
            },
        };
        response(&answer, forward.origin, forward.warning, &more)
    }

    /// Puts a request's work behind what waits, and waits until it is durable.
    async fn ingest(self: &Rc<Self>, work: Work, shards: &[u8]) -> std::result::Result<Done, Refusal> {
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
            Ok((live.queue.len(), live.written, live.due))
        });
        let (length, written, due) = queued.unwrap_or(Err(Refusal::NOT_DURABLE))?;
        let now = now();
        let since = now.0.abs_diff(written.0);
        // A due time that passed unheeded belonged to a request that was cut off.
        if length >= GROUP || (length == 1 && since >= HOLD) || due.is_some_and(|due| now.0 > due.0 + 1000) {
            self.write_queue();
        } else if due.is_none() {
            let pause = HOLD.saturating_sub(since).max(1);
            self.with(|live| live.due = Some(now.offset(pause as i64)));
            let object = self.clone();
            spawn_local(async move {
                Delay::from(Duration::from_millis(pause)).await;
                object.write_queue();
            });
        }
        // The platform sends no answer before what was written is on its disks.
        answer.await.unwrap_or(Err(Refusal::NOT_DURABLE))
    }

    /// Writes all that waits, as one row and one transaction.
    fn write_queue(&self) {
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

    // Facts.

    /// What is known of the site, asking the collector if need be.
    async fn facts(self: &Rc<Self>, domain: &str) -> Look {
        for _ in 0..LOOKS {
            let look = self.with(|live| {
                let at = live.clock.apply(now());
                live.facts.look(domain, at)
            });
            match look {
                None => return Look::Away,
                Some(Look::Ask) => self.ask(domain).await,
                // Another request is asking: its answer is this one's, too.
                Some(Look::Asked) => Delay::from(Duration::from_millis(LOOK)).await,
                Some(look) => return look,
            }
        }
        Look::Away
    }

    async fn ask(&self, domain: &str) {
        let Ok(config) = &self.config else {
            self.with(|live| live.facts.failed(domain, now()));
            return;
        };
        let asked = collector::facts(config, domain).await;
        let gone = self.with(|live| match asked {
            Ok((facts, told)) => {
                live.observe(&told);
                let at = live.clock.apply(now());
                let plain = facts.as_ref().and_then(|facts| postcard::to_allocvec(facts).ok());
                (live.facts.learned(domain, at, facts), plain)
            }
            Err(failure) => {
                let at = live.clock.apply(now());
                console_warn!("the collector can't be asked about a site: {}", failure.message);
                live.facts.failed(domain, at);
                (None, None)
            }
        });
        let Some((gone, plain)) = gone else { return };
        if let Some(site) = gone {
            self.write(|store| store.forget(site));
            self.with(|live| live.stored_facts.clear());
        }
        // Kept for when the collector is away and the object has been asleep; written only when something has changed.
        let changed = plain.filter(|plain| self.with(|live| live.stored_facts != *plain) == Some(true));
        if let Some(plain) = changed
            && let Some(sealed) = seal::seal(&config.seal_key(), domain, &plain)
            && self.write(|store| store.keep("facts", &sealed)).is_some()
        {
            self.with(|live| live.stored_facts = plain);
        }
    }

    fn refresh_if_due(self: &Rc<Self>) {
        let due = self.with(|live| {
            let at = live.clock.apply(now());
            live.facts.due(at)
        });
        for domain in due.unwrap_or_default() {
            let object = self.clone();
            spawn_local(async move { object.ask(&domain).await });
        }
    }

    /// The Worker believes in another number of objects: one of the two has older news.
    async fn agree(self: &Rc<Self>, facts: Arc<SiteFacts>, believed: u16) -> Arc<SiteFacts> {
        if believed == 0 || believed == facts.shards {
            return facts;
        }
        let ask = self.with(|live| {
            let ask = now().0.abs_diff(live.asked_for_objects.0) >= 1000;
            if ask {
                live.asked_for_objects = now();
            }
            ask
        });
        if ask != Some(true) {
            return facts;
        }
        self.ask(&facts.domain).await;
        match self.facts(&facts.domain).await {
            Look::Known(fresh) => fresh,
            _ => facts,
        }
    }

    // Virtual shards.

    /// Makes all of them this object's, if they should be. Otherwise another has to take the request.
    async fn take_all(self: &Rc<Self>, shards: &[u8], facts: &SiteFacts, index: u16) -> bool {
        for shard in shards.iter().copied().collect::<BTreeSet<u8>>() {
            for _ in 0..LOOKS {
                let (owns, taking) = self.with(|live| (live.shards.owns(shard), live.is_taking(shard))).unwrap_or_default();
                if owns {
                    break;
                }
                if shard::Shard(shard).object(facts.shards) != index {
                    return false;
                }
                if taking {
                    Delay::from(Duration::from_millis(LOOK)).await;
                    continue;
                }
                let Some(search) = self.with(|live| Search::new(&live.shards, shard)) else { return false };
                if let Err(error) = self.take(shard, &facts.domain, search).await {
                    console_warn!("a virtual shard can't be taken over: {error}");
                    return false;
                }
            }
        }
        true
    }

    /// Follows the notes to who has a virtual shard, and takes it over. One at a time does it for each.
    async fn take(&self, shard: u8, domain: &str, search: Search) -> Result<()> {
        self.with(|live| live.taking.insert(shard, now()));
        let taken = self.follow(shard, domain, search).await;
        self.with(|live| live.taking.remove(&shard));
        taken
    }

    async fn follow(&self, shard: u8, domain: &str, mut search: Search) -> Result<()> {
        for _ in 0..2 * shard::MOST {
            let Search { from, to, generation, given, .. } = search;
            let take = Take { from: Name { domain: domain.to_owned(), index: from }, shard, to, generation, given };
            let body = postcard::to_allocvec(&take).map_err(|error| error.to_string())?;
            let mut answer = ask_object(&self.env, &take.from, TAKE, &body).await?;
            if answer.status_code() != 200 {
                return Err(format!("object {from} answers {}", answer.status_code()).into());
            }
            let bytes = answer.bytes().await?;
            match postcard::from_bytes(&bytes).map_err(|error| error.to_string())? {
                Taken::At(owner, current) if search.told(owner, current) => {}
                Taken::At(..) => return Err(format!("object {from} has older news than others").into()),
                Taken::Given(generation, moved) => {
                    let moved = postcard::from_bytes(&moved).map_err(|error| error.to_string())?;
                    return self.stow(
                        shard,
                        Name { domain: domain.to_owned(), index: to },
                        Given { by: from, generation },
                        moved,
                    );
                }
            }
        }
        Err("nobody has it".into())
    }

    /// Stores what came with a virtual shard: from then on it is this object's.
    fn stow(&self, shard: u8, name: Name, given: Given, moved: Moved) -> Result<()> {
        // Another request may have been quicker, and something new may be remembered since.
        if self.with(|live| live.shards.lacks(shard, given)) == Some(false) {
            return Ok(());
        }
        let kept = self.write(|store| {
            store.keep("name", &postcard::to_allocvec(&name).unwrap_or_default())?;
            store.import(shard, moved)?;
            store.set_owner(shard, name.index, given.generation)
        });
        kept.ok_or_else(unusable)?;
        self.with(|live| live.shards.moved(shard, name.index, given.generation));
        self.arm_for_work();
        Ok(())
    }

    /// Another object wants a virtual shard.
    async fn give(self: &Rc<Self>, take: &Take) -> Result<Response> {
        self.adopt(&take.from);
        let not_now = || problem(503, "Not now", "the object's storage can't be used now");
        let lacking = |given: &Given| self.with(|live| live.shards.lacks(take.shard, *given)) == Some(true);
        if let Some(given) = take.given.filter(lacking) {
            let Some(search) = self.with(|live| Search::for_given(&live.shards, given)) else { return not_now() };
            if let Err(error) = self.take(take.shard, &take.from.domain, search).await {
                console_warn!("a virtual shard that was given can't be fetched: {error}");
                return not_now();
            }
        }
        // What was taken in is written first, so that it goes along.
        self.write_queue();
        let Some(asked) = self.with(|live| live.shards.asked(take.shard, take.to, take.generation)) else { return not_now() };
        let taken = match asked {
            Asked::Tell(owner, generation) => Taken::At(owner, generation),
            Asked::Give(generation) | Asked::GiveAgain(generation) => {
                let name = take.from.clone();
                let moved = self.write(|store| {
                    if store.node().0 == [0; 16] {
                        store.keep("name", &postcard::to_allocvec(&name).unwrap_or_default())?;
                    }
                    store.set_owner(take.shard, take.to, generation)?;
                    store.export(take.shard)
                });
                let Some(moved) = moved else { return not_now() };
                self.with(|live| live.shards.moved(take.shard, take.to, generation));
                Taken::Given(generation, postcard::to_allocvec(&moved).unwrap_or_default())
            }
        };
        Response::from_bytes(postcard::to_allocvec(&taken).unwrap_or_default())
    }

    // The alarm.

    /// Sets the alarm, unless it rings early enough as it is.
    fn arm(&self, at: Millis) {
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

    fn set_alarm(&self, at: Millis) {
        let date = Date::new(&JsValue::from(at.0 as f64));
        self.sql.count_written();
        match self.state.storage().as_raw().set_alarm(date, JsValue::NULL.into()) {
            // Durable with what was written in this turn; should it fail, so does that, and the object starts anew.
            Ok(promise) => spawn_local(async move { drop(JsFuture::from(promise).await) }),
            Err(error) => console_error!("the alarm can't be set: {error:?}"),
        }
    }

    /// Sets the alarm for what there is to do.
    fn arm_for_work(&self) {
        if self.with(|live| live.ringing) == Some(false)
            && let Some(at) = self.next_work()
        {
            self.arm(at);
        }
    }

    /// When there is something to fold or to send.
    fn next_flush(&self) -> Option<Millis> {
        let at = self.now();
        let next = self.with(|live| live.flush.next(at, live.store.under_way().is_some(), live.waiting, false))?;
        match next {
            Next::Sleep => None,
            Next::Until(then) => Some(then),
            Next::Fold | Next::Send => Some(at),
        }
    }

    /// When there is anything to do.
    fn next_work(&self) -> Option<Millis> {
        let at = self.now();
        let expiry = self.with(|live| live.store.next_expiry(at)).flatten();
        [self.next_flush(), expiry].into_iter().flatten().min()
    }

    /// All duties. Never fails: what could not be done is done at the next ring.
    async fn ring(self: &Rc<Self>) {
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

    fn failed(&self, what: &str, failure: &Failure) {
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
    async fn resume(&self) {
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
    fn fold(&self) {
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
    async fn send(&self) {
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

    fn misconfigured(&self) {
        let message = self.config.as_ref().err().cloned().unwrap_or_default();
        self.failed("the Worker is not set up", &Failure { message, retry_after: None });
    }

    /// How it is.
    fn status(&self) -> Result<Response> {
        let (read, written) = self.sql.counts();
        let status = self.with(|live| {
            // Without a name it was never asked for anything.
            let owned = (0..=255).filter(|shard| live.name.is_some() && live.shards.owns(*shard)).count();
            json!({
                "born": self.born.0, "node": live.store.node().to_string(), "batch": live.store.seq(),
                "waiting_bytes": live.store.waiting_bytes, "under_way": live.store.under_way().is_some(),
                "page_loads_in_memory": live.store.gathered(), "virtual_shards": owned, "failures_in_a_row": live.flush.failures(),
                "requests": live.counts.requests, "groups": live.counts.groups, "accepted": live.counts.accepted,
                "duplicates": live.counts.duplicates, "batches": live.counts.batches, "failures": live.counts.failures,
                "alarms": live.counts.alarms, "rows_read": read, "rows_written": written, "stored_bytes": self.sql.size(),
            })
        });
        match status {
            Some(status) => Response::from_json(&status),
            None => problem(503, "Not now", "the object's storage can't be read"),
        }
    }
}

impl Live {
    /// Whether another request is taking a virtual shard over. One that was cut off meanwhile is not waited for.
    fn is_taking(&self, shard: u8) -> bool {
        self.taking.get(&shard).is_some_and(|since| now().0.abs_diff(since.0) < LOOK * LOOKS as u64)
    }

    fn observe(&mut self, told: &Told) {
        self.clock.observe(told.sent, told.answered, &told.date);
    }

    /// What an earlier life knew of the site, from the storage.
    fn recall_facts(&mut self, config: &std::result::Result<Config, String>) {
        let (Some(name), Ok(config)) = (&self.name, config) else { return };
        let Ok(Some(sealed)) = self.store.kept("facts") else { return };
        let Some(plain) = seal::open(&config.seal_key(), &name.domain, &sealed) else { return };
        if let Ok(facts) = postcard::from_bytes::<SiteFacts>(&plain) {
            // Learned long ago, so that it is asked for again at once.
            self.facts.learned(&name.domain, Millis(1), Some(facts));
            self.stored_facts = plain;
        }
    }

    /// The site, if it is time to ask for it again.
    fn due_domain(&mut self) -> Option<String> {
        let at = self.clock.apply(now());
        self.facts.due(at).pop()
    }
}

fn unusable() -> worker::Error {
    "the object's storage can't be used now".into()
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
        self.object.with(|live| live.limits.take(site.id, sender)).unwrap_or(Ok(()))
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

/// Sends something to an object.
///
/// # Errors
/// The platform's.
pub(crate) async fn ask_object(env: &Env, name: &Name, url: &str, body: &[u8]) -> Result<Response> {
    let objects = js_sys::Reflect::get(env, &JsValue::from(OBJECTS))?;
    let answer = JsFuture::from(ask(&objects, &Name::of(&name.domain, name.index), url, Uint8Array::from(body))?).await?;
    Ok(answer.unchecked_into::<web_sys::Response>().into())
}

/// Bytes in hexadecimal.
fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
