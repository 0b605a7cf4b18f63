//! What every request asks of sites and tokens, answered from memory: no request waits for the disk to learn that it
//! is not allowed. Other processes may change the database (`headwater site add` beside a running server), so this
//! looks for changes every second, and at once when something is asked for that is not known.
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use foldhash::quality::RandomState;
use headwater_core::SiteId;
use headwater_edge::SiteFacts;
use rusqlite::Connection;

use crate::secret::SecretHash;
use crate::site::Site;
use crate::store::tokens::Scope;
use crate::store::{Store, StoreError, bots, salts, sites, tokens};

/// Sites and tokens as they stand in the database, or stood a second ago.
pub struct Directory {
    store: Store,
    current: RwLock<Arc<Accounts>>,
    watch: Mutex<Watch>,
    bots: bots::Waiting,
}

/// One state of the sites and tokens.
#[derive(Default)]
pub struct Accounts {
    /// Counts the changes; see `meta.accounts`.
    version: i64,
    sites: HashMap<String, Arc<Entry>, RandomState>,
    by_id: HashMap<SiteId, Arc<Entry>, RandomState>,
    tokens: HashMap<SecretHash, Granted, RandomState>,
}

/// A site with what edges must know of it.
pub struct Entry {
    /// The site.
    pub site: Arc<Site>,
    /// Its hosts and salts.
    pub facts: Arc<SiteFacts>,
}

/// A token that is known.
#[derive(Clone, Copy, Debug)]
pub struct Granted {
    /// Its number.
    pub token: i64,
    /// What it may do.
    pub scope: Scope,
}

/// A connection of its own, whose `data_version` moves when any other connection has written.
struct Watch {
    connection: Connection,
    data_version: i64,
}

impl Directory {
    /// Reads everything.
    ///
    /// # Errors
    /// The database's.
    pub fn open(store: Store) -> Result<Self, StoreError> {
        let connection = store.watcher()?;
        let watch = Watch { data_version: data_version(&connection)?, connection };
        let this = Self { store, current: RwLock::default(), watch: Mutex::new(watch), bots: bots::Waiting::default() };
        this.reload()?;
        Ok(this)
    }

    /// What bots sent and is not stored yet.
    #[must_use]
    pub const fn waiting_bots(&self) -> &bots::Waiting {
        &self.bots
    }

    /// Stores what bots sent.
    ///
    /// # Errors
    /// The database's.
    pub fn store_bots(&self) -> Result<(), StoreError> {
        let accounts = self.accounts();
        self.bots.store(|waiting| {
            self.store.write_now(|tx| {
                for ((site, minute), count) in waiting {
                    if let Some(entry) = accounts.by_id.get(site) {
                        bots::add(tx, &entry.site, *minute, *count)?;
                    }
                }
                Ok(())
            })
        })
    }

    /// The state now.
    #[must_use]
    pub fn accounts(&self) -> Arc<Accounts> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads everything again; called after every change that this process makes.
    ///
    /// # Errors
    /// The database's.
    pub fn reload(&self) -> Result<(), StoreError> {
        let fresh = self.store.read_now(|tx| Accounts::read(tx))?;
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        // Two may read at once; the later state stays.
        if fresh.version >= current.version {
            *current = Arc::new(fresh);
        }
        Ok(())
    }

    /// Reads everything again if another process changed it. Says whether it did.
    ///
    /// # Errors
    /// The database's.
    pub fn poll(&self) -> Result<bool, StoreError> {
        // Held while it reads: who asks in the meantime waits for the news instead of missing it.
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = data_version(&watch.connection)?;
        if seen == watch.data_version {
            return Ok(false);
        }
        let changed = accounts_version(&watch.connection)? != self.accounts().version;
        if changed {
            self.reload()?;
        }
        watch.data_version = seen;
        Ok(changed)
    }

    /// The site of this name.
    #[must_use]
    pub fn site(&self, domain: &str) -> Option<Arc<Entry>> {
        self.known(|accounts| accounts.site(domain))
    }

    /// The token that is presented.
    #[must_use]
    pub fn token(&self, presented: &str) -> Option<Granted> {
        let hash = SecretHash::of(presented);
        self.known(|accounts| accounts.tokens.get(&hash).copied())
    }

    /// Looks in memory and, if it is not there, whether another process has just added it.
    fn known<T>(&self, look: impl Fn(&Accounts) -> Option<T>) -> Option<T> {
        // Looking costs microseconds while nothing was changed: a flood of unknown names may look each time.
        look(&self.accounts()).or_else(|| match self.poll() {
            Ok(_) => look(&self.accounts()),
            Err(error) => {
                tracing::warn!("cannot look for new sites and tokens: {error}");
                None
            }
        })
    }
}

impl Accounts {
    fn read(conn: &Connection) -> Result<Self, StoreError> {
        let mut this = Self { version: accounts_version(conn)?, ..Self::default() };
        for token in tokens::list(conn)? {
            this.tokens.insert(token.hash, Granted { token: token.id, scope: token.scope });
        }
        let may_send = |(hash, granted): (&SecretHash, &Granted)| granted.scope.includes(Scope::Ingest).then(|| hash.bytes());
        let mut senders: Vec<[u8; 32]> = this.tokens.iter().filter_map(may_send).collect();
        senders.sort_unstable();
        let key = conn.query_row("SELECT key FROM installation", [], |row| row.get(0))?;
        for site in sites::list(conn)? {
            let facts = SiteFacts {
                id: site.id,
                domain: site.domain.to_string(),
                hosts: site.hosts.iter().map(ToString::to_string).collect(),
                salts: salts::of_site(conn, &site)?,
                shards: site.shards,
                key,
                senders: senders.clone(),
            };
            let entry = Arc::new(Entry { site: Arc::new(site), facts: Arc::new(facts) });
            this.by_id.insert(entry.site.id, entry.clone());
            this.sites.insert(entry.site.domain.to_string(), entry);
        }
        Ok(this)
    }

    /// The site of this name, however it is written.
    #[must_use]
    pub fn site(&self, domain: &str) -> Option<Arc<Entry>> {
        let found = self.sites.get(domain);
        found.or_else(|| self.sites.get(&domain.to_ascii_lowercase())).cloned()
    }

    /// The site of this number.
    #[must_use]
    pub fn by_id(&self, id: SiteId) -> Option<&Arc<Entry>> {
        self.by_id.get(&id)
    }

    /// All sites, by name.
    #[must_use]
    pub fn sites(&self) -> Vec<Arc<Entry>> {
        let mut sites: Vec<_> = self.sites.values().cloned().collect();
        sites.sort_by(|a, b| a.site.domain.cmp(&b.site.domain));
        sites
    }
}

fn data_version(conn: &Connection) -> Result<i64, StoreError> {
    Ok(conn.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?)
}

fn accounts_version(conn: &Connection) -> Result<i64, StoreError> {
    Ok(conn.prepare_cached("SELECT value FROM meta WHERE key = 'accounts'")?.query_row([], |row| row.get(0))?)
}
