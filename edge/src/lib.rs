//! Headwater's edge: from a request to a batch of partials.
//!
//! Pure: a shell hands in bytes, the time and what it knows of the sender, runs the transactions it is asked for, and
//! carries batches. The same code serves the native server and, compiled to wasm32, a Durable Object.

pub mod agents;
pub mod amount;
pub mod answer;
pub mod beacon;
pub mod bots;
pub mod client;
pub mod clock;
pub mod dedup;
pub mod event;
pub mod facts;
pub mod flush;
pub mod fold;
pub mod handover;
pub mod headers;
pub mod hints;
pub mod host;
pub mod ingest;
pub mod join;
pub mod limit;
pub mod packed;
pub mod record;
pub mod refusal;
pub mod resume;
pub mod sender;
pub mod shard;
pub mod site;
pub mod source;
pub mod spam;
pub mod store;
mod table;
#[cfg(test)]
mod tests;
pub mod timestamp;
pub mod visit;
pub mod visitor;
pub mod zone;

pub use refusal::Refusal;
pub use site::{Identity, SaltWindow, SiteFacts};
