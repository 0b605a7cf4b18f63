//! What the platform has and the `worker` crate does not name.
use headwater_core::Millis;
use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;

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
