//! Who counts: a data directory, also of a running server, or a server far away.
use headwater_core::{Batch, Millis, NodeId};
use headwater_edge::{Identity, SiteFacts, resume};
use headwater_query::Calendar;
use serde::{Deserialize, Serialize};

use super::ImportError;
use crate::buckets::{Applier, nodes};
use crate::simulate::client::{Client, ClientError};
use crate::site::{Site, Timeline};
use crate::store::sites::{self, SiteError};
use crate::store::{Store, changes, imports};

/// What an import must know of its site: the answer of `POST /api/v1/sites/{site}/imports`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Begun {
    /// The site's number.
    pub id: u32,
    /// Its name.
    pub domain: String,
    /// Its rules for hosts.
    pub hosts: Vec<String>,
    /// Its zones and identities over time.
    pub eras: Vec<Era>,
    /// The import's own salt: 64 hexadecimal digits. It is destroyed when the import ends.
    pub salt: String,
}

/// One zone and one identity, from a minute on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Era {
    /// Minutes since 1970.
    pub from: u32,
    /// The IANA zone.
    pub timezone: String,
    /// How visitors are told apart.
    pub identity: Identity,
}

impl Begun {
    /// For a site, with this salt.
    #[must_use]
    pub fn new(site: &Site, salt: [u8; 32]) -> Self {
        let era =
            |era: &crate::site::Era| Era { from: era.from.0, timezone: era.calendar.name().to_owned(), identity: era.identity };
        Self {
            id: site.id.0,
            domain: site.domain.to_string(),
            hosts: site.hosts.iter().map(ToString::to_string).collect(),
            eras: site.timeline.eras().map(era).collect(),
            salt: blake3::Hash::from_bytes(salt).to_hex().to_string(),
        }
    }

    /// The site without salts, its timeline, and the import's salt; `None` if the answer is not to be understood.
    pub(super) fn read(self) -> Option<(SiteFacts, Timeline, [u8; 32])> {
        let era = |era: Era| {
            let calendar = Calendar::new(&era.timezone).ok()?;
            Some(crate::site::Era { from: headwater_core::Minute(era.from), calendar, identity: era.identity })
        };
        let timeline = Timeline::from_eras(self.eras.into_iter().map(era).collect::<Option<_>>()?)?;
        let salt = *blake3::Hash::from_hex(&self.salt).ok()?.as_bytes();
        let id = headwater_core::SiteId(self.id);
        Some((SiteFacts { id, domain: self.domain, hosts: self.hosts, ..SiteFacts::default() }, timeline, salt))
    }
}

/// Where an import goes.
pub trait Target {
    /// Begins an import of this name, or goes on with it.
    ///
    /// # Errors
    /// See [`ImportError`].
    fn begin(&mut self, import: NodeId) -> Result<Begun, ImportError>;

    /// How many lines are counted of the chunk that this node names, `None` if none.
    ///
    /// # Errors
    /// See [`ImportError`].
    fn counted(&mut self, node: NodeId) -> Result<Option<u64>, ImportError>;

    /// Counts a batch, once. Durable when this returns; false if there was one of this node before.
    ///
    /// # Errors
    /// See [`ImportError`].
    fn count(&mut self, batch: &Batch) -> Result<bool, ImportError>;

    /// Ends the import: its salt is destroyed.
    ///
    /// # Errors
    /// See [`ImportError`].
    fn end(&mut self, import: NodeId) -> Result<(), ImportError>;
}

/// A data directory.
pub struct Local<'a> {
    pub(super) store: Store,
    pub(super) site: Site,
    applier: Applier,
    pub(super) now: &'a dyn Fn() -> Millis,
}

impl<'a> Local<'a> {
    /// For a site of this store; `now` reads the clock.
    ///
    /// # Errors
    /// If there is no such site.
    pub fn new(store: Store, site: &str, now: &'a dyn Fn() -> Millis) -> Result<Self, ImportError> {
        let site = store.read_now(|tx| sites::find(tx, site)?.ok_or_else(|| SiteError::Unknown(site.to_owned())))?;
        Ok(Self { store, site, applier: Applier::default(), now })
    }
}

impl Target for Local<'_> {
    fn begin(&mut self, import: NodeId) -> Result<Begun, ImportError> {
        let salt = self.store.write_now(|tx| imports::begin(tx, self.site.id, import, (self.now)()))?;
        Ok(Begun::new(&self.site, salt))
    }

    fn counted(&mut self, node: NodeId) -> Result<Option<u64>, ImportError> {
        Ok(self.store.read_now(|tx| nodes::last(tx, node))?.map(|applied| applied.position))
    }

    fn count(&mut self, batch: &Batch) -> Result<bool, ImportError> {
        let (now, digest) = ((self.now)(), resume::digest(&batch.encode()));
        let applier = &mut self.applier;
        let done = self.store.write_now(|tx| {
            // Asked again inside: the site may have been removed, or changed its zone.
            let site = sites::find(tx, self.site.domain.as_str())?.filter(|site| site.id == self.site.id);
            let site = site.ok_or_else(|| SiteError::Unknown(self.site.domain.to_string()))?;
            let site = std::sync::Arc::new(site);
            let applied = applier.apply(tx, batch, digest, &|id| (id == site.id).then(|| site.clone()), now.minute())?;
            changes::note(tx, &applied.changed, now)?;
            Ok::<_, SiteError>(!applied.already)
        });
        Ok(done.inspect_err(|_| applier.rolled_back())?)
    }

    fn end(&mut self, import: NodeId) -> Result<(), ImportError> {
        self.store.write_now(|tx| imports::end(tx, self.site.id, import))?;
        Ok(self.store.truncate_log()?)
    }
}

/// A server, by the administrator's token.
pub struct Remote {
    pub(super) client: Client,
    pub(super) site: String,
}

impl Remote {
    /// The server at `url`.
    #[must_use]
    pub fn new(url: &str, token: Option<String>, site: &str) -> Self {
        Self { client: Client::new(url, token), site: site.to_owned() }
    }
}

impl From<ClientError> for ImportError {
    fn from(error: ClientError) -> Self {
        Self::Server(error.to_string())
    }
}

pub(super) fn strange(what: impl std::fmt::Display) -> ImportError {
    ImportError::Server(format!("the server's answer is not understood: {what}"))
}

impl Target for Remote {
    fn begin(&mut self, import: NodeId) -> Result<Begun, ImportError> {
        let body = serde_json::json!({ "import": import.to_string() });
        let begun = self.client.post_json(&format!("/api/v1/sites/{}/imports", self.site), &body)?;
        serde_json::from_value(begun).map_err(strange)
    }

    fn counted(&mut self, node: NodeId) -> Result<Option<u64>, ImportError> {
        let applied = self.client.get_json(&format!("/v1/edge/nodes/{node}"))?;
        let applied: Option<resume::Applied> = serde_json::from_value(applied).map_err(strange)?;
        Ok(applied.map(|applied| applied.position))
    }

    fn count(&mut self, batch: &Batch) -> Result<bool, ImportError> {
        // What got no answer is sent again and then was applied already, by us: only another's position would differ.
        let bytes = batch.encode();
        self.client.deliver("/v1/partials", &[("content-type", "application/octet-stream")], &bytes, true)?;
        Ok(self.counted(batch.node)? == Some(batch.position))
    }

    fn end(&mut self, import: NodeId) -> Result<(), ImportError> {
        Ok(self.client.delete(&format!("/api/v1/sites/{}/imports/{import}", self.site))?)
    }
}
