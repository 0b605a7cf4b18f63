//! What the platform has and the `worker` crate does not name.
use headwater_core::Millis;
use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;
use worker::worker_sys::web_sys;

/// Each step over the border between Wasm and JavaScript costs about as much as judging a beacon, so what belongs together
/// crosses it together: texts joined by NUL, which no header holds.
#[wasm_bindgen(inline_js = r#"
const SENT = ['origin', 'referer', 'user-agent', 'sec-ch-ua-full-version-list', 'sec-ch-ua', 'sec-ch-ua-mobile',
  'sec-ch-ua-platform', 'sec-ch-ua-platform-version', 'authorization', 'cf-connecting-ip', 'x-forwarded-for', 'content-length']
export function head(request) {
  const { headers, cf } = request
  return [...SENT.map(name => headers.get(name) ?? ''), cf?.country ?? '', cf?.regionCode ?? '', cf?.city ?? ''].join('\0')
}
export function respond(status, head, body) {
  const parts = head.split('\0')
  const headers = []
  for (let at = 0; at + 1 < parts.length; at += 2) headers.push([parts[at], parts[at + 1]])
  return new Response(body, { status, headers })
}
export function ask(objects, name, url, body) {
  return objects.get(objects.idFromName(name)).fetch(url, { method: 'POST', body })
}
"#)]
extern "C" {
    /// What a request says besides its body, in the order above; empty where it says nothing.
    pub(crate) fn head(request: &web_sys::Request) -> String;

    /// A response; `head`: names and values of headers by turns.
    #[wasm_bindgen(catch)]
    pub(crate) fn respond(status: u16, head: &str, body: Option<String>) -> Result<web_sys::Response, JsValue>;

    /// Sends bytes to a Durable Object.
    #[wasm_bindgen(catch)]
    pub(crate) fn ask(objects: &JsValue, name: &str, url: &str, body: Uint8Array) -> Result<js_sys::Promise, JsValue>;
}

#[wasm_bindgen(module = "/src/gather.js")]
extern "C" {
    /// Brings a request to a Durable Object, together with others that come now; the object's reply to it, as `Uint8Array`.
    #[wasm_bindgen(catch)]
    pub(crate) async fn gather(objects: &JsValue, name: &str, url: &str, request: Uint8Array) -> Result<JsValue, JsValue>;
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues)]
    fn get_random_values(into: &Uint8Array) -> Uint8Array;

    /// A Durable Object's storage, for what must be one transaction.
    #[wasm_bindgen(extends = js_sys::Object)]
    pub(crate) type Transactional;

    /// Runs `work`; if it throws, nothing of it was done.
    #[wasm_bindgen(method, catch, js_name = transactionSync)]
    pub(crate) fn transaction_sync(
        this: &Transactional,
        work: &mut dyn FnMut() -> Result<(), JsValue>,
    ) -> Result<JsValue, JsValue>;
}

/// Random bytes.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let array = Uint8Array::new_with_length(N as u32);
    get_random_values(&array);
    let mut bytes = [0; N];
    array.copy_to(&mut bytes);
    bytes
}

/// The platform's clock. It stands still while code runs, and moves with every I/O.
pub(crate) fn now() -> Millis {
    Millis(js_sys::Date::now() as u64)
}
