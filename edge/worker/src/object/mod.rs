//! The Durable Object: takes requests in, and does everything else when its alarm rings.
mod alarm;
mod facts;
mod moves;
mod requests;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use futures_channel::oneshot;
use futures_util::future::join_all;
use headwater_core::Millis;
use headwater_edge::agents::Agents;
use headwater_edge::clock::Correction;
use headwater_edge::facts::Facts;
use headwater_edge::flush::{Flush, LONGEST};
use headwater_edge::handover::Shards;
use headwater_edge::ingest::{Done, Work};
use headwater_edge::limit::Limits;
use headwater_edge::{Refusal, SiteFacts};
use js_sys::Uint8Array;
use serde_json::json;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use worker::worker_sys::web_sys;
use worker::{DurableObject, Env, Request, Response, Result, State, console_error, durable_object};

use crate::collector::Told;
use crate::config::{Config, OBJECTS};
use crate::forward::{Forward, Name, Take, in_a_row};
use crate::platform::{ask, now};
use crate::respond::problem;
use crate::seal;
use crate::sql::{Sql, SqlError};
use crate::store::Store;

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
    /// Whether it is going to be decided when the queue is written.
    deciding: bool,
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
    /// From Workers; each brought one request or several.
    calls: u64,
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

    // Never fails: what fails here is taken for a trap.
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
            "/forward" => match postcard::from_bytes::<Vec<Forward<'_>>>(&body) {
                Ok(all) => {
                    self.object.with(|live| live.counts.calls += 1);
                    Response::from_bytes(in_a_row(&join_all(all.iter().map(|one| self.object.forward(one))).await))
                }
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
        let limits = config.as_ref().map_or((0, 0), |config| (config.visitor_per_minute, config.site_per_second));
        let pauses = config.as_ref().map_or((4000, LONGEST), |config| (config.flush_after, config.longest_pause));
        let name: Option<Name> =
            store.kept("name").map_err(|error| error.to_string())?.and_then(|bytes| postcard::from_bytes(&bytes).ok());
        let mut live = Live {
            shards: Shards::new(name.as_ref().map_or(0, |name| name.index), &store.moves),
            name,
            facts: Facts::default(),
            stored_facts: Vec::new(),
            agents: Agents::default(),
            limits: Limits::new(limits.0, limits.1),
            clock: Correction::default(),
            latest: Millis(0),
            queue: Vec::new(),
            written: Millis(0),
            due: None,
            deciding: false,
            flush: Flush::new(pauses.0, pauses.1),
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
                "calls": live.counts.calls, "requests": live.counts.requests, "groups": live.counts.groups, "accepted": live.counts.accepted,
                "duplicates": live.counts.duplicates, "batches": live.counts.batches, "failures": live.counts.failures,
                "alarms": live.counts.alarms, "rows_read": read, "rows_written": written, "stored_bytes": self.sql.size(),
                // Of the Wasm: that of all objects and requests of this isolate. It grows in pages of 64 KiB and never shrinks.
                "memory_bytes": core::arch::wasm32::memory_size(0) << 16,
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

/// The namespace of the objects.
///
/// # Errors
/// The platform's.
pub(crate) fn objects(env: &Env) -> Result<JsValue> {
    Ok(js_sys::Reflect::get(env, &JsValue::from(OBJECTS))?)
}

/// Sends something to an object.
///
/// # Errors
/// The platform's.
pub(crate) async fn ask_object(env: &Env, name: &Name, url: &str, body: &[u8]) -> Result<Response> {
    let answer = JsFuture::from(ask(&objects(env)?, &Name::of(&name.domain, name.index), url, Uint8Array::from(body))?).await?;
    Ok(answer.unchecked_into::<web_sys::Response>().into())
}
