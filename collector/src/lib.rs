//! Headwater's collector and the server around it: applies batches, keeps the buckets, answers queries, tells the live
//! feed, and runs the embedded edge.
//!
//! [`Cli`] is the program; [`App`] is the server without a socket, so that tests can talk to its router.
mod app;
pub mod ask;
mod assets;
pub mod backup;
pub mod buckets;
mod cli;
pub mod clock;
pub mod data_dir;
mod deliver;
pub mod directory;
mod edge_server;
pub mod edge_shell;
mod embedded;
pub mod export;
pub mod failure;
pub mod geo;
mod http;
pub mod import;
pub mod live;
mod metrics;
pub mod password;
mod remote;
pub mod secret;
mod serve;
pub mod settings;
mod simulate;
pub mod site;
pub mod store;
mod tasks;
mod text;
mod threads;

pub use app::{App, Welcome};
pub use cli::Cli;
pub use edge_server::EdgeServer;
pub use remote::CollectorAddress;
pub use serve::{Options, Role};
