//! What the embedded edge asks of the collector: the same that edges elsewhere ask over HTTP, answered from memory.
use std::sync::Arc;

use headwater_core::SiteId;
use headwater_edge::SiteFacts;

use crate::deliver::Collector;
use crate::directory::Directory;
use crate::edge_shell::{Deliver, DeliverError, Sites, Tokens};
use crate::store::tokens::Scope;

impl Sites for Directory {
    fn facts(&self, domain: &str) -> Option<Arc<SiteFacts>> {
        self.site(domain).map(|entry| entry.facts.clone())
    }
}

impl Tokens for Directory {
    fn may_send(&self, bearer: &str, _: Option<SiteId>) -> bool {
        self.token(bearer).is_some_and(|granted| granted.scope.includes(Scope::Ingest))
    }
}

impl Deliver for Collector {
    fn deliver(&self, batch: &[u8]) -> Result<(), DeliverError> {
        let again = |error: crate::deliver::ApplyError| DeliverError { message: error.to_string(), retry_after: None };
        self.apply(batch).map(drop).map_err(again)
    }
}
