//! Signing in by pasting a token.
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::erased::{act, flag, text};
use super::session::{sign_in, who};
use super::state::state;

/// The form.
#[component]
pub(crate) fn SignIn(
    /// What there is to say about why it is shown.
    why: Option<String>,
) -> impl IntoView {
    let state = state();
    let token = RwSignal::new(String::new());
    let wrong = RwSignal::new(None::<String>);
    let busy = RwSignal::new(false);
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let text = token.get_untracked().trim().to_owned();
        if text.is_empty() {
            wrong.set(Some("Paste a token first.".into()));
            return;
        }
        busy.set(true);
        spawn_local(async move {
            match sign_in(&text).await {
                Ok(()) => who(state),
                Err(failure) if matches!(failure.status, 400 | 401 | 403) => {
                    wrong.set(Some("This token is not known, or was revoked. Check that it was copied whole.".into()));
                }
                Err(failure) => wrong.set(Some(failure.message)),
            }
            busy.set(false);
        });
    };
    view! {
        <div class="narrow sheet box fade">
            <h1>"Sign in"</h1>
            {why.map(|why| view! { <p role="status">{why}</p> })}
            <form class="stack" on:submit=act(submit)>
                <div class="field">
                    <label for="token">"Token"</label>
                    <input
                        id="token"
                        type="password"
                        autocomplete="current-password"
                        autofocus
                        spellcheck="false"
                        aria-describedby="token-help token-wrong"
                        aria-invalid=move || wrong.get().is_some().then_some("true")
                        prop:value=token
                        on:input=act(move |event| token.set(event_target_value(&event)))
                    />
                    <p class="wrong" id="token-wrong" role="alert" hidden=flag(move || wrong.get().is_none())>{move || wrong.get()}</p>
                    <small id="token-help">
                        "The server printed a sign-in link when it started, and on its first start the administrator's token. "
                        <code>"headwater token create"</code> " makes another."
                    </small>
                </div>
                <div class="acts">
                    <button class="btn main" disabled=flag(move || busy.get())>{text(move || if busy.get() { "Signing in…" } else { "Sign in" })}</button>
                </div>
            </form>
        </div>
    }
}
