//! What an object stores of a site, sealed: a Durable Object's storage can be put back to any moment of the last 30 days, so
//! whatever stands in it in clear outlives its deletion, and a salt must not.
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use crate::platform::random;

/// Bytes of the random nonce in front: long enough that two never meet.
const NONCE: usize = 24;

/// Seals `plain` for `domain`.
pub(crate) fn seal(key: &[u8; 32], domain: &str, plain: &[u8]) -> Option<Vec<u8>> {
    let nonce: [u8; NONCE] = random();
    let payload = Payload { msg: plain, aad: domain.as_bytes() };
    let sealed = XChaCha20Poly1305::new(key.into()).encrypt(XNonce::from_slice(&nonce), payload).ok()?;
    Some([&nonce[..], &sealed].concat())
}

/// Opens what was sealed for `domain`; `None` under another key, or if it was changed.
pub(crate) fn open(key: &[u8; 32], domain: &str, sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, rest) = sealed.split_at_checked(NONCE)?;
    let payload = Payload { msg: rest, aad: domain.as_bytes() };
    XChaCha20Poly1305::new(key.into()).decrypt(XNonce::from_slice(nonce), payload).ok()
}
