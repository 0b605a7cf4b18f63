//! Headwater's edge on Cloudflare Workers: a thin shell of `headwater_edge`.
//!
//! ```text
//! request → route: which object counts it → Inbox (a Durable Object): judge, one row for all that came together → 202
//!                                           its alarm: fold → batch, written before it is sent → collector
//! ```
//!
//! | file | what |
//! |---|---|
//! | `route` | from a request to the object that counts it, or to several, and back |
//! | `forward` | what a request is on the way to an object |
//! | `assets` | `/t.js` and what it loads |
//! | `object` | the Durable Object: its `requests`, the `alarm` with its duties, the site's `facts`, virtual shards that it `moves` |
//! | `store` | its SQLite: rows, transactions, the batch under way |
//! | `collector` | what an object asks the collector and brings it |
//! | `trap` | what happens when this code fails in a way that it can't go on from |
//! | `seal` | what an object stores of a site, so that its history shows no salt |
#![cfg(target_arch = "wasm32")]

mod assets;
mod collector;
mod config;
mod forward;
mod object;
mod platform;
mod respond;
mod route;
mod seal;
mod sql;
mod store;
mod trap;

use worker::{Context, Env, Request, Response, Result, event};

/// Every request that is not for an object. Never fails: what fails here is taken for a trap.
#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    route::answer(request, &env).await.or_else(|error| respond::problem(500, "Not answered", &error.to_string()))
}
