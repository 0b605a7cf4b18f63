//! What lies over the page: the browser's own dialog, which keeps the focus inside and closes with Escape.
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

use super::erased::act;
use super::icons::Cross;

/// A dialog. It is open as long as it is there; `close` takes it away.
#[component]
pub(crate) fn Dialog(
    /// Its heading.
    #[prop(into)]
    title: Signal<String>,
    /// Its class.
    #[prop(optional)]
    class: &'static str,
    /// What happens when it is closed.
    close: Callback<()>,
    children: Children,
) -> impl IntoView {
    let node = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        if let Some(dialog) = node.get()
            && !dialog.open()
        {
            // It fails only for what is not in the page any more.
            drop(dialog.show_modal());
        }
    });
    // A click beside the content is one on the dialog itself.
    let beside = move |event: leptos::ev::MouseEvent| {
        let on = event.target().and_then(|target| target.dyn_into::<web_sys::HtmlDialogElement>().ok());
        if on.is_some() {
            close.run(());
        }
    };
    view! {
        <dialog node_ref=node class=format!("dialog {class}") aria-labelledby="dialog-title" on:close=move |_| close.run(()) on:click=act(beside)>
            <div class="dialog-in">
                <div class="dialog-head">
                    <h2 id="dialog-title">{title}</h2>
                    <button class="round" type="button" aria-label="Close" on:click=act(move |_| close.run(()))>
                        <Cross />
                    </button>
                </div>
                {children()}
            </div>
        </dialog>
    }
}

/// Whether one is open.
pub(crate) fn is_open() -> bool {
    document().query_selector("dialog[open]").ok().flatten().is_some()
}
