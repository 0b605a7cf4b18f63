//! A static web site on a free port of this machine, for a browser to visit.
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

/// The site; its thread ends with the process.
pub struct Site {
    /// Where it listens on 127.0.0.1.
    pub port: u16,
}

impl Site {
    /// Serves HTML pages by their path; everything else is 404.
    pub fn serve(pages: &[(&str, String)]) -> Self {
        let pages: HashMap<String, String> = pages.iter().map(|(path, html)| ((*path).to_owned(), html.clone())).collect();
        let pages = Arc::new(pages);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let pages = Arc::clone(&pages);
                std::thread::spawn(move || answer(stream, &pages));
            }
        });
        Self { port }
    }
}

/// One request a connection; a browser copes.
fn answer(mut stream: TcpStream, pages: &HashMap<String, String>) {
    let mut lines = BufReader::new(stream.try_clone().expect("the stream again")).lines();
    let Some(Ok(first)) = lines.next() else { return };
    while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
    let target = first.split(' ').nth(1).unwrap_or("/");
    let path = target.split('?').next().unwrap_or(target);
    let (status, html) = pages.get(path).map_or(("404 Not Found", "nothing here"), |html| ("200 OK", html.as_str()));
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{html}",
        html.len()
    );
}
