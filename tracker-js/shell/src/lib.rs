//! The tracker's Wasm shell: exports with the C ABI, so that no generated glue has to be downloaded. It moves bytes and
//! has no branch on what they mean; `tracker-js/loader/t.js` is the other side.
//!
//! Messages come in through one fixed buffer, as UTF-8 written by the browser's `TextEncoder`.
#![cfg_attr(target_arch = "wasm32", no_std)]

#[cfg(target_arch = "wasm32")]
#[allow(unsafe_code, reason = "an export without mangling, an import, and a static that they share are unsafe by nature")]
mod wasm;
