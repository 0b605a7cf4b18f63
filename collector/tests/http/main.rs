//! The server's routes, asked as the outside asks them, without a socket where none is needed.
mod files;
mod harness;
mod ingest;
mod live;
mod numbers;
mod sessions;
mod sites;
