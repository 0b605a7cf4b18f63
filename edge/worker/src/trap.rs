//! A trap: a panic, or an exception that JavaScript throws where none is expected. The instance is lost, and shim.js makes
//! another.
use wasm_bindgen::handler::set_on_abort;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// In shim.js.
    #[wasm_bindgen(js_name = headwaterTrapped)]
    fn trapped();
}

/// Sees to it that shim.js is told of a trap. It calls this for every instance: what `worker` itself sees to, a new instance in
/// the midst of a call to the old one, would hand the new one pointers of the old.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "it is reached from shim.js")]
pub fn watch() {
    set_on_abort(trapped);
}
