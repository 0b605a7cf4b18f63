//! Virtual shards on their way from object to object; what to do is `headwater_edge::handover`'s.
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use headwater_edge::handover::{Asked, Given, Search};
use headwater_edge::{SiteFacts, shard};
use worker::{Delay, Response, Result, console_warn};

use super::{LOOK, LOOKS, Object, ask_object};
use crate::forward::{Name, TAKE, Take, Taken};
use crate::platform::now;
use crate::respond::problem;
use crate::store::Moved;

impl Object {
    /// Makes all of them this object's, if they should be. Otherwise another has to take the request.
    pub(super) async fn take_all(self: &Rc<Self>, shards: &[u8], facts: &SiteFacts, index: u16) -> bool {
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
    pub(super) async fn take(&self, shard: u8, domain: &str, search: Search) -> Result<()> {
        self.with(|live| live.taking.insert(shard, now()));
        let taken = self.follow(shard, domain, search).await;
        self.with(|live| live.taking.remove(&shard));
        taken
    }

    pub(super) async fn follow(&self, shard: u8, domain: &str, mut search: Search) -> Result<()> {
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
    pub(super) fn stow(&self, shard: u8, name: Name, given: Given, moved: Moved) -> Result<()> {
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
    pub(super) async fn give(self: &Rc<Self>, take: &Take) -> Result<Response> {
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
}

fn unusable() -> worker::Error {
    "the object's storage can't be used now".into()
}
