//! What a request is on its way to the object that counts it, and what objects say to each other. Both ends are this Worker,
//! so the form is free to change with it.
use headwater_core::Millis;
use headwater_edge::answer::Answer;
use headwater_edge::handover::Given;
use headwater_edge::hints::Hints;
use headwater_edge::sender::{Place, Sender};
use serde::{Deserialize, Serialize};

/// Where objects take requests, several at once.
pub(crate) const FORWARD: &str = "http://object/forward";
/// Where they give virtual shards away.
pub(crate) const TAKE: &str = "http://object/take";
/// Where they say how they are.
pub(crate) const STATUS: &str = "http://object/status";

/// Which of the contract's two routes it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Route {
    /// `POST /b`
    Beacon,
    /// `POST /api/event`
    Event,
}

/// Which object is meant.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Name {
    /// The site, in lower case.
    pub(crate) domain: String,
    /// Which of the site's objects.
    pub(crate) index: u16,
}

impl Name {
    /// As the platform knows it.
    pub(crate) fn of(domain: &str, index: u16) -> String {
        format!("{domain}#{index}")
    }
}

/// A request.
#[derive(Serialize, Deserialize)]
pub(crate) struct Forward<'a> {
    /// The object.
    pub(crate) to: Name,
    /// How many objects the sender believes the site has; 0: it does not know.
    pub(crate) objects: u16,
    /// The route.
    pub(crate) route: Route,
    /// The header `Origin`.
    pub(crate) origin: Option<&'a str>,
    /// The header `Referer`.
    pub(crate) referer: Option<&'a str>,
    /// The header `User-Agent`.
    pub(crate) user_agent: &'a str,
    /// The visitor's address.
    pub(crate) address: &'a str,
    /// Where the platform says that is: country, region and city.
    pub(crate) place: (&'a str, &'a str, &'a str),
    /// The client hints: brands, mobile, platform and its version.
    pub(crate) hints: [&'a str; 4],
    /// The token, if there is one.
    pub(crate) bearer: Option<&'a str>,
    /// What `X-Headwater-Warning` says.
    pub(crate) warning: Option<&'a str>,
    /// The body.
    #[serde(borrow)]
    pub(crate) body: &'a [u8],
}

impl<'a> Forward<'a> {
    /// Who sent it, when it arrived at `at`.
    pub(crate) fn sender(&self, at: Millis) -> Sender<'a> {
        let (country, region, city) = self.place;
        let [brands, mobile, platform, platform_version] = self.hints;
        Sender {
            at,
            origin: self.origin,
            referer: self.referer,
            user_agent: self.user_agent,
            address: self.address.parse().ok(),
            place: Place { country, region, city },
            hints: Hints { brands, mobile, platform, platform_version },
            token: self.bearer.is_some(),
        }
    }
}

/// What an object says to a request.
#[derive(Serialize, Deserialize)]
pub(crate) struct Reply {
    /// What the Worker did not know of the site.
    pub(crate) news: Option<News>,
    /// The answer; `None`: another object has to take it.
    pub(crate) answer: Option<Answer<String>>,
}

impl Reply {
    /// An answer, and nothing new.
    pub(crate) fn of(answer: Answer) -> Self {
        Self { news: None, answer: Some(answer.into_text()) }
    }
}

/// What a Worker must know of a site.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct News {
    /// How many objects it has; 0: there is no such site.
    pub(crate) objects: u16,
    /// What senders find their virtual shard by.
    pub(crate) key: [u8; 32],
}

/// Replies as the other end takes them apart: each behind its length, in four bytes.
pub(crate) fn in_a_row(replies: &[Reply]) -> Vec<u8> {
    let mut row = Vec::new();
    for reply in replies {
        let bytes = postcard::to_allocvec(reply).unwrap_or_default();
        row.extend((bytes.len() as u32).to_le_bytes());
        row.extend(bytes);
    }
    row
}

/// An object asks another for a virtual shard.
#[derive(Serialize, Deserialize)]
pub(crate) struct Take {
    /// The object that is asked.
    pub(crate) from: Name,
    /// The virtual shard.
    pub(crate) shard: u8,
    /// The object that wants it.
    pub(crate) to: u16,
    /// The generation that the asked object has told; `None` asks for it.
    pub(crate) generation: Option<u32>,
    /// Who has told that the asked object has it. If it does not know, it fetches it there first.
    pub(crate) given: Option<Given>,
}

/// The answer.
#[derive(Serialize, Deserialize)]
pub(crate) enum Taken {
    /// Not given: that object has it, or knows more, under this generation.
    At(u16, u32),
    /// Given, under a new generation, with all that is remembered of it.
    Given(u32, Vec<u8>),
}
