//! The tracker in a real browser: when this happens, this is counted. One browser runs several stories, each with a site of
//! its own.
mod api;
mod automatic;
mod delivery;
mod hostile;
mod plausible;
mod stage;
mod visits;
