//! The live feed: connected, heard, and connected again when it breaks.
use headwater_query::LiveFrame;
use wasm_bindgen_futures::spawn_local;

use super::{changed, engine};
use crate::link::{LinkState, Told};
use crate::route::Scope;
use crate::shell::browser::{self, after};
use crate::shell::http;
use crate::shell::socket::Socket;
use crate::shell::state::{State, update};
use crate::strip::Strip;

pub(super) fn connect(state: State) {
    let Some(Scope { domain, .. }) = engine(|e| e.site.clone()) else { return };
    let (line, path) = engine(|e| {
        e.line += 1;
        (e.line, e.link.path(&domain))
    });
    if http::bears() {
        // A connection carries no header, so it takes a ticket, which works once.
        spawn_local(async move {
            let ticket = http::post::<Ticket>(&format!("/api/v1/sites/{domain}/live-ticket"), &()).await;
            if engine(|e| e.line != line) {
                return;
            }
            match ticket {
                Ok(Ticket { ticket }) => {
                    let mark = if path.contains('?') { '&' } else { '?' };
                    open(state, line, &format!("{path}{mark}ticket={ticket}"));
                }
                Err(_) => again(state),
            }
        });
        return;
    }
    open(state, line, &path);
}

/// `POST /api/v1/sites/{site}/live-ticket`.
#[derive(serde::Deserialize)]
struct Ticket {
    ticket: String,
}

fn open(state: State, line: u32, path: &str) {
    let frame = move |told: LiveFrame| {
        if engine(|e| e.line == line) {
            hear(state, told);
        }
    };
    let closed = move || {
        if engine(|e| e.line == line) {
            again(state);
        }
    };
    let socket = Socket::open(path, frame, closed);
    let failed = socket.is_none();
    let dropped = engine(|e| std::mem::replace(&mut e.socket, socket));
    drop(dropped);
    if failed {
        again(state);
    }
}

fn hear(state: State, frame: LiveFrame) {
    let told = engine(|e| e.link.frame(frame));
    update(state.link, LinkState::Live);
    match told {
        Told::Minutes(minutes) => {
            let clock = browser::clock(&state.zone(&state.domain_untracked()), http::server_now());
            state.arrivals.update(|arrivals| arrivals.tell(&minutes, clock.get(11..19).unwrap_or_default()));
            if state.strip.update(|strip| strip.tell_live(&minutes)) {
                changed(state);
            }
        }
        Told::Everything => {
            state.strip.set(Strip::default());
            changed(state);
        }
    }
}

fn again(state: State) {
    let (wait, dropped, line) = engine(|e| (e.link.broken(browser::chance()), e.socket.take(), e.line));
    drop(dropped);
    update(state.link, engine(|e| e.link.state));
    after(wait, move || {
        if engine(|e| e.line == line && e.link.state != LinkState::Offline) {
            connect(state);
        }
    });
}
