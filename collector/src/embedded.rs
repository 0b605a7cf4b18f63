//! What the embedded edge asks of the collector: the same that edges elsewhere ask over HTTP, answered from memory.
use headwater_core::{Millis, NodeId, SiteId};
use headwater_edge::SiteFacts;
use headwater_edge::facts::Look;
use headwater_edge::resume::Applied;

use crate::deliver::Collector;
use crate::directory::Directory;
use crate::edge_shell::{Deliver, DeliverError, Sites};
use crate::store::tokens::Scope;

impl Sites for Directory {
    fn look(&self, domain: &str) -> Look {
        self.site(domain).map_or(Look::Unknown, |entry| Look::Known(entry.facts.clone()))
    }

    /// Asks the directory, which notices a token that was made a moment ago.
    fn may_send(&self, bearer: &str, _: &SiteFacts) -> bool {
        self.token(bearer).is_some_and(|granted| granted.scope.includes(Scope::Ingest))
    }

    fn bots(&self, sites: &[SiteId], at: Millis) {
        self.waiting_bots().add(sites, at);
    }
}

impl Deliver for Collector {
    fn deliver(&self, batch: &[u8]) -> Result<(), DeliverError> {
        let again = |error: crate::deliver::ApplyError| DeliverError { message: error.to_string(), retry_after: None };
        self.apply(batch).map(drop).map_err(again)
    }

    fn applied(&self, node: NodeId) -> Result<Option<Applied>, DeliverError> {
        Self::applied(self, node).map_err(|error| DeliverError { message: error.to_string(), retry_after: None })
    }
}
