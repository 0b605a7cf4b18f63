//! A small memory of user agents: few of them send most requests, and reading one costs more than all else about a
//! beacon. The user agents themselves are not kept, only their hashes under a random key.
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::quality::RandomState;

use crate::client::Agent;

/// How many are remembered. Past that all are forgotten: those in use are back after one reading each.
const CAPACITY: usize = 4096;

/// What some user agents say.
#[derive(Debug, Default)]
pub struct Agents {
    known: HashMap<u64, Arc<Agent>, RandomState>,
    hasher: RandomState,
}

impl Agents {
    /// What this one says.
    pub fn of(&mut self, user_agent: &str) -> Arc<Agent> {
        let hash = self.hasher.hash_one(user_agent);
        if let Some(known) = self.known.get(&hash) {
            return known.clone();
        }
        if self.known.len() >= CAPACITY {
            self.known.clear();
        }
        let agent = Arc::new(Agent::parse(user_agent));
        self.known.insert(hash, agent.clone());
        agent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_remembers_and_stays_small() {
        let mut agents = Agents::default();
        let first = agents.of("Googlebot/2.1");
        assert!(first.is_bot && Arc::ptr_eq(&first, &agents.of("Googlebot/2.1")));
        for i in 0..10_000 {
            assert!(!agents.of(&format!("Firefox/{i}")).is_bot);
        }
        assert!(agents.known.len() <= CAPACITY);
    }
}
