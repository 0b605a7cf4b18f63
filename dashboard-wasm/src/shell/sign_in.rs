//! Signing in by pasting a token.
use wasm_bindgen_futures::spawn_local;
use web_sys::Event;

use super::dom::{El, el, of};
use super::follow::Signal;
use super::forms::{field_with, input, send};
use super::session::{sign_in, who};
use super::state::state;

/// The form. `why` is what there is to say about why it is shown.
pub(crate) fn sign_in_form(why: Option<String>) -> El {
    let state = state();
    let token = Signal::new(String::new());
    let wrong = Signal::new(None::<(String, String)>);
    let busy = Signal::new(false);
    let refuse = move |words: String| wrong.set(Some(("token".into(), words)));
    let submit = move |event: Event| {
        event.prevent_default();
        let text = token.get_untracked().trim().to_owned();
        if text.is_empty() {
            return refuse("Paste a token first.".into());
        }
        busy.set(true);
        spawn_local(async move {
            match sign_in(&text).await {
                Ok(()) => who(state),
                Err(failure) if matches!(failure.status, 400 | 401 | 403) => {
                    refuse("This token is not known, or was revoked. Check that it was copied whole.".into());
                }
                Err(failure) => refuse(failure.message),
            }
            busy.set(false);
        });
    };
    let input = input("token", token, wrong).set("type", "password").set("autocomplete", "current-password").set("autofocus", "");
    let help = "The server printed a sign-in link when it started, and on its first start the administrator's token; `headwater token create` makes another.";
    let form = of("form", "stack")
        .on("submit", submit)
        .with(field_with("Token", "token", help, wrong, input))
        .with(of("div", "acts").with(send("Sign in", "Signing in…", busy)));
    let page = of("div", "narrow sheet box fade").with(el("h1").text("Sign in"));
    page.all(why.map(|why| el("p").set("role", "status").text(&why))).with(form)
}
