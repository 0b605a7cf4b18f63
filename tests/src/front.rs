//! What stands between a browser and the server under test: pages of sites, and the server's tracker and ingest behind a
//! line that can be bad.
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use crate::api::Api;

/// How the line to the server is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Line {
    /// As it should be.
    #[default]
    Good,
    /// Each answer takes so long.
    Slow(Duration),
    /// Requests do not arrive, and nobody answers.
    Down,
    /// Requests arrive, and their answers do not.
    Deaf,
    /// Requests do not arrive, and somebody answers this status, with `Retry-After` in seconds if that is not 0.
    Answers(u16, u32),
}

/// A page: its status, further header lines, and its HTML.
pub type Page = (u16, &'static str, String);

/// A request to `/b` or `/api/event`, whether it arrived or not.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its path.
    pub path: String,
    /// Its body.
    pub body: Vec<u8>,
}

#[derive(Default)]
struct State {
    pages: HashMap<String, Page>,
    line: Line,
    requests: Vec<Request>,
    files_take: Duration,
}

/// The front; its threads end with the process.
pub struct Front {
    /// Where it listens on 127.0.0.1.
    pub port: u16,
    state: Arc<Mutex<State>>,
}

impl Front {
    /// A front of the server behind `server`.
    pub fn of(server: &Api) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let state = Arc::<Mutex<State>>::default();
        let (shared, server) = (state.clone(), server.anonymous());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (state, server) = (shared.clone(), server.clone());
                std::thread::spawn(move || answer(stream, &state, &server));
            }
        });
        Self { port, state }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread panicked")
    }

    /// Puts a page at a host and path, as in `shop.localhost/prices`.
    pub fn page(&self, at: &str, page: Page) {
        self.state().pages.insert(at.to_owned(), page);
    }

    /// Makes the line good or bad.
    pub fn line(&self, line: Line) {
        self.state().line = line;
    }

    /// Lets each file that the tracker's script asks for take so long.
    pub fn files_take(&self, time: Duration) {
        self.state().files_take = time;
    }

    /// The requests with events since this was last asked.
    pub fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.state().requests)
    }
}

/// One request a connection; a browser copes.
fn answer(mut stream: TcpStream, state: &Mutex<State>, server: &Api) {
    let mut reader = BufReader::new(stream.try_clone().expect("the stream again"));
    let mut first = String::new();
    let _ = reader.read_line(&mut first);
    let mut headers = HashMap::new();
    for line in reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()) {
        if let Some((name, value)) = line.split_once(':') {
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    let header = |name: &str| headers.get(name).map_or("", String::as_str);
    let mut body = vec![0; header("content-length").parse().unwrap_or(0)];
    let mut words = first.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    let path = target.split('?').next().unwrap_or_default();
    let mut send = |status: u16, headers: &str, body: &[u8]| {
        let length = body.len();
        let head = format!("HTTP/1.1 {status} -\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n");
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
    };
    const OPEN: &str = "Access-Control-Allow-Origin: *\r\nAccess-Control-Expose-Headers: Retry-After\r\n\
                        Access-Control-Allow-Headers: *\r\n";
    if method == "OPTIONS" {
        return send(204, OPEN, b"");
    }
    if method == "POST" && (path == "/b" || path == "/api/event") {
        let line = {
            let mut state = state.lock().expect("no thread panicked");
            state.requests.push(Request { path: path.to_owned(), body: body.clone() });
            state.line
        };
        match line {
            Line::Down => return,
            Line::Answers(status, 0) => return send(status, OPEN, b""),
            Line::Answers(status, seconds) => return send(status, &format!("{OPEN}Retry-After: {seconds}\r\n"), b""),
            Line::Slow(time) => std::thread::sleep(time),
            Line::Good | Line::Deaf => {}
        }
        let passed = ["Origin", "Referer", "User-Agent", "Content-Type"].map(|name| (name, header(&name.to_ascii_lowercase())));
        let passed: Vec<_> = passed.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        let answer = server.send(path, &body, &passed).expect("the server answers");
        if line != Line::Deaf {
            send(answer.status, OPEN, answer.text.as_bytes());
        }
        return;
    }
    let host = header("host").split(':').next().unwrap_or_default();
    let page = state.lock().expect("no thread panicked").pages.get(&format!("{host}{path}")).cloned();
    match page {
        Some((status, headers, html)) => {
            send(status, &format!("Content-Type: text/html; charset=utf-8\r\n{headers}"), html.as_bytes());
        }
        None if host == "127.0.0.1" => {
            let time = state.lock().expect("no thread panicked").files_take;
            std::thread::sleep(if target == "/t.js" { Duration::ZERO } else { time });
            let file = server.get(target).expect("the server answers");
            let kind = file.header("content-type").to_owned();
            send(file.status, &format!("{OPEN}Content-Type: {kind}\r\nCache-Control: max-age=300\r\n"), &file.bytes);
        }
        None => send(404, "Content-Type: text/plain\r\n", b"nothing here"),
    }
}
