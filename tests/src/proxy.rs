//! A link between two processes on this machine that can be cut: a TCP proxy.
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::{sleep, spawn};
use std::time::Duration;

use crate::random::Random;

/// A link to a port of this machine.
pub struct Proxy {
    /// Where it listens on 127.0.0.1.
    pub port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// Connections are closed at once.
    down: AtomicBool,
    /// Of a thousand answers so many are lost: the request arrived, and the connection is cut before its answer does.
    lost: AtomicU32,
    end: AtomicBool,
}

impl Proxy {
    /// A link to `to`, as it should be.
    pub fn to(to: u16, mut random: Random) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let state = Arc::new(State::default());
        let shared = state.clone();
        spawn(move || {
            for client in listener.incoming() {
                if shared.end.load(Ordering::Relaxed) {
                    return;
                }
                let (Ok(client), Ok(server)) = (client, TcpStream::connect(("127.0.0.1", to))) else {
                    // As if nobody listened; the one who waits for an answer reads the end of the connection.
                    sleep(Duration::from_millis(1));
                    continue;
                };
                if !shared.down.load(Ordering::Relaxed) {
                    carry(client, server, shared.clone(), Random::new(random.bits()));
                }
            }
        });
        Self { port, state }
    }

    /// Loses so many of a thousand answers from now on.
    pub fn lose(&self, of_a_thousand: u32) {
        self.state.lost.store(of_a_thousand, Ordering::Relaxed);
    }

    /// Cuts the link, or mends it.
    pub fn set_down(&self, down: bool) {
        self.state.down.store(down, Ordering::Relaxed);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.state.end.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// Carries bytes both ways until one side ends or the link is cut.
fn carry(client: TcpStream, server: TcpStream, state: Arc<State>, mut random: Random) {
    let (Ok(from_client), Ok(from_server)) = (client.try_clone(), server.try_clone()) else { return };
    let there = state.clone();
    spawn(move || pump(from_client, server, || !there.down.load(Ordering::Relaxed)));
    spawn(move || {
        pump(from_server, client, || {
            !state.down.load(Ordering::Relaxed) && random.below(1000) >= state.lost.load(Ordering::Relaxed) as usize
        });
    });
}

/// Carries bytes one way. Before each piece is passed on, `lives` is asked whether the link still does.
fn pump(mut from: TcpStream, mut to: TcpStream, mut lives: impl FnMut() -> bool) {
    let mut piece = vec![0; 64 << 10];
    while let Ok(length @ 1..) = from.read(&mut piece) {
        if !lives() || to.write_all(&piece[..length]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
