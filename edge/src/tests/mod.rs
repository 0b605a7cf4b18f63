//! From a request to a batch, through the pure parts alone.
mod beacons;
mod events;
mod hostile;

use std::cell::RefCell;
use std::net::IpAddr;
use std::sync::Arc;

use headwater_core::{Batch, Millis, NodeId, Tally};

use crate::answer::{Answer, Judged};
use crate::beacon::Surroundings;
use crate::dedup::HOUR;
use crate::fold::Folder;
use crate::ingest::Ingest;
use crate::limit::Limits;
use crate::sender::Sender;
use crate::store::tests::Memory;
use crate::{Identity, Refusal, SiteFacts, beacon, event, visitor};

/// Noon of a day that the site has salts for.
pub(crate) const NOON: Millis = Millis(100 * 24 * HOUR + 12 * HOUR);
pub(crate) const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:126.0) Gecko/20100101 Firefox/126.0";

/// An edge with one site, `example.com`.
pub(crate) struct World {
    pub(crate) site: Arc<SiteFacts>,
    pub(crate) store: Memory,
    pub(crate) limits: RefCell<Limits>,
}

impl Surroundings for World {
    fn site(&self, domain: &str) -> Result<Option<Arc<SiteFacts>>, Refusal> {
        Ok((domain == self.site.domain).then(|| self.site.clone()))
    }

    fn token(&self, _: &SiteFacts) -> Result<(), Refusal> {
        Ok(())
    }

    fn limit(&self, site: &SiteFacts, sender: &Sender<'_>) -> Result<(), Refusal> {
        self.limits.borrow_mut().take(site.id, sender)
    }
}

pub(crate) fn sender(at: Millis) -> Sender<'static> {
    Sender {
        at,
        origin: Some("https://www.example.com"),
        user_agent: FIREFOX,
        address: Some(IpAddr::from([10, 1, 2, 3])),
        ..Sender::default()
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Identity::Day)
    }

    pub(crate) fn with(identity: Identity) -> Self {
        let site = Arc::new(visitor::tests::site(identity));
        Self { site, store: Memory::default(), limits: RefCell::new(Limits::new(0, 0)) }
    }

    fn finish(&mut self, at: Millis, judged: Result<Judged, Refusal>) -> Answer {
        let mut judged = match judged {
            Ok(judged) => judged,
            Err(refusal) => return refusal.into(),
        };
        let Some(work) = judged.take_work() else { return judged.answer(None) };
        self.store.expire(at);
        let mut ingest = Ingest::new(&mut self.store, at);
        let Ok(done) = ingest.request(work);
        let Ok(()) = ingest.finish();
        judged.answer(Some(done))
    }

    pub(crate) fn post_b(&mut self, body: &[u8], sender: &Sender<'_>) -> Answer {
        let judged = beacon::judge(body, sender, self).map(Judged::from);
        self.finish(sender.at, judged)
    }

    pub(crate) fn post_event(&mut self, body: &str, sender: &Sender<'_>) -> Answer {
        let judged = event::judge(body.as_bytes(), &[3; 32], sender, self).map(Judged::from);
        self.finish(sender.at, judged)
    }

    /// Everything that waits, as one batch.
    pub(crate) fn fold(&self) -> Batch {
        let mut folder = Folder::default();
        self.store.blocks.iter().for_each(|block| folder.add(block));
        let batch = folder.finish(NodeId([1; 16]), 1, 1);
        let again = Batch::decode(&batch.encode());
        assert_eq!(again.as_ref(), Ok(&batch), "a collector reads what an edge sends");
        batch
    }

    /// The sum of all minutes.
    pub(crate) fn total(&self) -> Tally {
        let mut sum = Tally::default();
        for partial in self.fold().partials {
            if let Some(total) = partial.aggregate.tallies.total() {
                sum.add(&Tally { numbers: vec![], ..total.clone() });
            }
        }
        sum
    }

    /// How many distinct visitors had an event.
    pub(crate) fn visitors(&self) -> usize {
        let mut all = std::collections::BTreeSet::new();
        for partial in self.fold().partials {
            let people = &partial.aggregate.people;
            for (hash, first, visits) in people.iter() {
                if (first..first + visits.len()).any(|visit| people.visit_counts(visit)) {
                    all.insert(hash);
                }
            }
        }
        all.len()
    }

    /// No minute has more bounces or exits than it has visits and views.
    pub(crate) fn assert_never_negative(&self) {
        for partial in self.fold().partials {
            for row in &partial.aggregate.tallies.rows {
                let t = &row.tally;
                assert!(t.visits_went_on <= t.visits && t.views_went_on <= t.views, "{:?}: {t:?}", partial.minute);
            }
        }
    }
}
