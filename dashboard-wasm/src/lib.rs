//! The dashboard of Headwater.
//!
//! The modules below are pure and are tested natively: the address ([`route`], [`filters`]), the questions ([`question`]) and what is drawn from their
//! answers ([`report`], [`series`], [`table`], [`vitals`]), the live feed ([`strip`], [`arrivals`], [`link`], [`pace`]), the chart's places ([`scale`]) and words ([`format`], [`label`], [`locale`]).
//! The page itself (`shell`, for wasm32 only) reads clocks, sockets and the document, and decides nothing that these could decide.
pub mod arrivals;
pub mod board;
pub mod builder;
pub mod clock;
pub mod csv;
pub mod failure;
pub mod filters;
pub mod format;
pub mod kept;
pub mod label;
pub mod link;
pub mod locale;
pub mod measure;
pub mod merged;
pub mod month;
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
pub mod url;
pub mod vitals;

#[cfg(target_arch = "wasm32")]
mod shell;
