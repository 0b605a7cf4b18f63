//! A WebSocket whose frames are JSON texts. It ends when it is dropped.
use headwater_query::LiveFrame;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{CloseEvent, MessageEvent, WebSocket};

use super::{browser, json};

/// An open, or opening, connection.
pub(crate) struct Socket {
    socket: WebSocket,
    // The browser calls these as long as they are set; they live exactly as long as this value.
    _message: Closure<dyn FnMut(MessageEvent)>,
    _close: Closure<dyn FnMut(CloseEvent)>,
}

impl Socket {
    /// Connects to a path of this origin. `closed` is called once, unless this value is dropped before.
    pub(crate) fn open(
        path: &str,
        mut frame: impl FnMut(LiveFrame) + 'static,
        mut closed: impl FnMut() + 'static,
    ) -> Option<Self> {
        let url = format!("{}{path}", browser::origin().replacen("http", "ws", 1));
        let socket = WebSocket::new(&url).ok()?;
        let message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            let Some(text) = event.data().as_string() else { return };
            if let Some(told) = json::parse(&text) {
                frame(told);
            }
        });
        let close = Closure::<dyn FnMut(CloseEvent)>::new(move |_| closed());
        socket.set_onmessage(Some(message.as_ref().unchecked_ref()));
        socket.set_onclose(Some(close.as_ref().unchecked_ref()));
        Some(Self { socket, _message: message, _close: close })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.socket.set_onmessage(None);
        self.socket.set_onclose(None);
        // Closing what is closed is allowed; nothing is left to be done about an error.
        drop(self.socket.close());
    }
}
