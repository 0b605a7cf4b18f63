//! What the object knows of its site: asked of the collector, kept sealed, refreshed.
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use headwater_edge::SiteFacts;
use headwater_edge::facts::Look;
use wasm_bindgen_futures::spawn_local;
use worker::{Delay, console_warn};

use super::{LOOK, LOOKS, Object};
use crate::collector;
use crate::platform::now;
use crate::seal;

impl Object {
    /// What is known of the site, asking the collector if need be.
    pub(super) async fn facts(self: &Rc<Self>, domain: &str) -> Look {
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

    pub(super) async fn ask(&self, domain: &str) {
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

    pub(super) fn refresh_if_due(self: &Rc<Self>) {
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
    pub(super) async fn agree(self: &Rc<Self>, facts: Arc<SiteFacts>, believed: u16) -> Arc<SiteFacts> {
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
}
