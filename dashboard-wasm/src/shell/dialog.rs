//! What lies over the page: the browser's own dialog, which keeps the focus inside and closes with Escape.
use wasm_bindgen::JsCast;
use web_sys::HtmlDialogElement;

use super::browser::after;
use super::dom::{El, button, document, el, of};
use super::icons::cross;

/// A dialog. It is open as long as it is there; `close` takes it away.
pub(crate) fn dialog(class: &str, title: impl Fn() -> String + 'static, close: impl Fn() + Copy + 'static, inner: Vec<El>) -> El {
    let head = of("div", "dialog-head")
        .with(el("h2").set("id", "dialog-title").words(title))
        .with(button("round", "", move |_| close()).set("aria-label", "Close").with(cross()));
    let dialog = of("dialog", format!("dialog {class}").trim_end())
        .set("aria-labelledby", "dialog-title")
        .on("close", move |_| close())
        .on("click", move |event| {
            // A click beside the content is one on the dialog itself.
            if event.target().is_some_and(|target| target.dyn_ref::<HtmlDialogElement>().is_some()) {
                close();
            }
        })
        .with(of("div", "dialog-in").with(head).all(inner));
    let opened = dialog.0.clone();
    // It can be shown only once it is in the page.
    after(0, move || {
        if let Some(dialog) = opened.dyn_ref::<HtmlDialogElement>()
            && dialog.is_connected()
            && !dialog.open()
        {
            drop(dialog.show_modal());
        }
    });
    dialog
}

/// Whether one is open.
pub(crate) fn is_open() -> bool {
    document().query_selector("dialog[open]").ok().flatten().is_some()
}
