//! The dashboard of Headwater.
//!
//! The modules below are pure and are tested natively: the address ([`route`]), the questions ([`question`]) and what is drawn from their
//! answers ([`report`], [`series`], [`table`]), the live feed ([`strip`], [`link`], [`pace`]), the chart's places ([`scale`]) and words ([`format`], [`label`]).
//! The page itself (`shell`, for wasm32 only) reads clocks, sockets and the document, and decides nothing that these could decide.
pub mod card;
pub mod failure;
pub mod format;
pub mod label;
pub mod link;
pub mod pace;
pub mod panel;
pub mod period;
pub mod question;
pub mod report;
pub mod route;
pub mod scale;
pub mod series;
pub mod site_info;
pub mod strip;
pub mod table;

#[cfg(target_arch = "wasm32")]
mod shell;
