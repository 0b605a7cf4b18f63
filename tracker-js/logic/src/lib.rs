//! What one page load does, added up in the visitor's own browser.
//!
//! Signals (a view, an event, a link that was followed) become tallies by minute and page in a [`draft`], told by
//! [`visit`]; the [`Tracker`] freezes them into beacons and its [`delivery`] says what to do with them: `Send`, `Wait`
//! or `Done`. Nothing here reads a clock, a random number, storage or the network: the shell hands in all four.
//!
//! The code is written for size as well, because every visitor downloads it: lists instead of maps, `get` instead of
//! indexing, places of fixed size instead of an allocator, keys kept in their wire form, and no formatting.
#![no_std]

#[cfg(feature = "report")]
extern crate alloc;

pub mod delivery;
pub mod draft;
#[cfg(feature = "report")]
pub mod report;
pub mod settings;
pub mod text;
pub mod tracker;
pub mod visit;

pub use delivery::Action;
#[cfg(feature = "report")]
pub use report::{Beaconed, Report, ReportError};
pub use settings::Settings;
pub use tracker::Tracker;
