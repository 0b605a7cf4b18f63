//! Closures without their types. The framework compiles a handler, or a text that follows the state, anew for each type of closure; behind a
//! pointer they are all of one, which makes the page a fifth smaller.
use leptos::prelude::*;

/// What is done about an event.
pub(crate) fn act<E: 'static>(act: impl FnMut(E) + 'static) -> Box<dyn FnMut(E)> {
    Box::new(act)
}

/// Something that holds or does not.
pub(crate) fn flag(ask: impl Fn() -> bool + Send + Sync + 'static) -> Signal<bool> {
    Signal::derive(ask)
}

/// Words.
pub(crate) fn text<T: Into<String>>(ask: impl Fn() -> T + Send + Sync + 'static) -> Signal<String> {
    Signal::derive(move || ask().into())
}
