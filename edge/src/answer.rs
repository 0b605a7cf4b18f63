//! What a request is answered: status, body and what the headers say. The same for every shell.
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::event::{self, Item};
use crate::ingest::{Done, Work};
use crate::{Refusal, beacon};

/// An answer, but for the headers that every answer has. `Body` is JSON, or its text on the way from shell to shell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer<Body = Value> {
    /// The HTTP status.
    pub status: u16,
    /// JSON, if there is a body; a problem document from 400 on.
    pub body: Option<Body>,
    /// `Retry-After` in seconds.
    pub retry_after: Option<u32>,
    /// `X-Headwater-Dropped: bot`.
    pub dropped: bool,
    /// The page's host is none of the site's: its scripts may not read the answer.
    pub foreign: bool,
}

impl Answer {
    /// The same, with the body as text.
    #[must_use]
    pub fn into_text(self) -> Answer<String> {
        let Self { status, body, retry_after, dropped, foreign } = self;
        Answer { status, body: body.map(|body| body.to_string()), retry_after, dropped, foreign }
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        Self {
            status: refusal.status(),
            body: Some(refusal.problem()),
            retry_after: refusal.retry_after(),
            dropped: false,
            foreign: refusal == Refusal::Host,
        }
    }
}

const ACCEPTED: Answer = Answer { status: 202, body: None, retry_after: None, dropped: false, foreign: false };

/// A judged request: what to do in a transaction, and how to answer afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Nothing, if nothing is to be stored.
    pub work: Option<Work>,
    rest: Rest,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Rest {
    Beacon,
    Events { rejected: Vec<(usize, Refusal)>, dropped: usize },
}

impl From<beacon::Verdict> for Judged {
    fn from(verdict: beacon::Verdict) -> Self {
        let work = match verdict {
            beacon::Verdict::Store(accepted) => Some(Work::Beacon(accepted)),
            beacon::Verdict::Bot => None,
        };
        Self { work, rest: Rest::Beacon }
    }
}

impl From<Vec<Item>> for Judged {
    fn from(items: Vec<Item>) -> Self {
        let (mut store, mut rejected, mut dropped): (Vec<(usize, event::Accepted)>, _, _) = (Vec::new(), Vec::new(), 0);
        for (place, item) in items.into_iter().enumerate() {
            match item {
                Item::Store(accepted) => store.push((place, *accepted)),
                Item::Refused(refusal) => rejected.push((place, refusal)),
                Item::Bot => dropped += 1,
            }
        }
        let work = (!store.is_empty()).then_some(Work::Events(store));
        Self { work, rest: Rest::Events { rejected, dropped } }
    }
}

impl Judged {
    /// Takes the work out, to be done in a transaction.
    pub const fn take_work(&mut self) -> Option<Work> {
        self.work.take()
    }

    /// The answer once the work, if there was any, is done and durable. `None`: there was none.
    #[must_use]
    pub fn answer(self, done: Option<Done>) -> Answer {
        if let Some(refusal) = done.as_ref().and_then(|done| done.refused.clone()) {
            return refusal.into();
        }
        match self.rest {
            Rest::Beacon => Answer { dropped: done.is_none(), ..ACCEPTED },
            Rest::Events { rejected, dropped } => events(&done.unwrap_or_default(), &rejected, dropped),
        }
    }
}

fn events(done: &Done, rejected: &[(usize, Refusal)], dropped: usize) -> Answer {
    let list: Vec<Value> = rejected
        .iter()
        .map(|(index, refusal)| json!({"index": index, "status": refusal.status(), "detail": refusal.to_string()}))
        .collect();
    let mut body = json!({"accepted": done.accepted, "duplicate": done.duplicate, "rejected": list});
    if dropped > 0 {
        body["dropped"] = dropped.into();
    }
    let all_rejected = done.accepted + done.duplicate + dropped == 0;
    let Some((_, first)) = rejected.first().filter(|_| all_rejected) else {
        return Answer { body: Some(body), dropped: dropped > 0, ..ACCEPTED };
    };
    // What only has to come again later must say so; everything else is the contract's 400.
    let again = rejected.iter().all(|(_, refusal)| refusal.retry_after().is_some());
    let status = if again { first.status() } else { 400 };
    body["type"] = "about:blank".into();
    body["title"] = if again { first.title() } else { "No event was accepted" }.into();
    body["status"] = status.into();
    body["detail"] = first.to_string().into();
    let retry_after = if again { rejected.iter().filter_map(|(_, refusal)| refusal.retry_after()).max() } else { None };
    let foreign = rejected.iter().all(|(_, refusal)| *refusal == Refusal::Host);
    Answer { status, body: Some(body), retry_after, dropped: false, foreign }
}
