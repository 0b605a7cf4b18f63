//! The server's routes, asked as the outside asks them, without a socket where none is needed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may
mod dashboards;
mod edges;
mod export;
mod files;
mod goals;
mod harness;
mod ingest;
mod live;
mod numbers;
mod openapi;
mod people;
mod saved;
mod sessions;
mod shared;
mod sites;
