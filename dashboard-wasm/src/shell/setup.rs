//! A site that was never visited: the tag to paste, and the wait for the first visit. The live feed ends it.
use leptos::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::browser;
use super::erased::act;
use crate::site_info::script_tag;

/// What to do, in order. The demo shop has its tag already.
#[component]
pub(crate) fn Setup(domain: String) -> impl IntoView {
    let steps = if domain == "demo.localhost" {
        view! {
            <p>"This is the demo shop. Look around in it, and this page fills by itself."</p>
            <ol class="steps">
                <li>
                    <span class="num" aria-hidden="true">"1"</span>
                    <h2>"Open the shop"</h2>
                    <div class="body">
                        <p>
                            "It is at " <a href="/demo/" target="_blank">"/demo/"</a> ", and its "
                            <a href="/demo/playground.html" target="_blank">"playground"</a> " shows the buckets as they fill."
                        </p>
                        <Waiting domain />
                    </div>
                </li>
            </ol>
        }
        .into_any()
    } else {
        view! { <p>"Nothing was counted yet. Two steps, then this page fills by itself."</p> <Paste domain /> }.into_any()
    };
    view! {
        <section class="setup sheet box fade" aria-label="A new site">
            <h1>"Ready for the first visit"</h1>
            {steps}
        </section>
    }
}

#[component]
fn Paste(domain: String) -> impl IntoView {
    let origin = browser::origin();
    let tag = script_tag(&origin, &domain);
    let local = tag.replace(" src=", " data-local src=");
    view! {
        <ol class="steps">
            <li>
                <span class="num" aria-hidden="true">"1"</span>
                <h2>"Paste this line into every page"</h2>
                <div class="body">
                    <p>"Anywhere in the " <code>"<head>"</code> ". It loads aside and never holds a page up."</p>
                    <Tagline tag />
                    <details>
                        <summary>"It is on a local machine, or behind a content security policy"</summary>
                        <p>"On localhost nothing is counted unless the tag says so:"</p>
                        <Tagline tag=local />
                        <p>
                            "A content security policy needs " <code>{format!("script-src {origin} 'wasm-unsafe-eval'; connect-src {origin}")}</code>
                            "."
                        </p>
                    </details>
                </div>
            </li>
            <li>
                <span class="num" aria-hidden="true">"2"</span>
                <h2>"Open a page of the site"</h2>
                <div class="body">
                    <Waiting domain />
                    <p>"It shows here within a second. If it does not: browsers that ask not to be tracked are not counted, nor are pages of other hosts."</p>
                </div>
            </li>
        </ol>
    }
}

#[component]
fn Waiting(domain: String) -> impl IntoView {
    view! {
        <p class="wait" role="status">
            <span class="dot" aria-hidden="true"></span>
            <span>"Waiting for the first visit to " {domain} "…"</span>
        </p>
    }
}

#[component]
fn Tagline(tag: String) -> impl IntoView {
    let copied = RwSignal::new(None::<bool>);
    let text = tag.clone();
    let copy = move |_| {
        let text = text.clone();
        leptos::task::spawn_local(async move {
            let done = JsFuture::from(window().navigator().clipboard().write_text(&text)).await.is_ok();
            copied.try_set(Some(done));
            set_timeout(
                move || {
                    copied.try_set(None);
                },
                std::time::Duration::from_secs(3),
            );
        });
    };
    let words = move || match copied.get() {
        None => "Copy",
        Some(true) => "Copied",
        Some(false) => "Select it",
    };
    view! {
        <div class="tagline">
            <code>{tag}</code>
            <button type="button" on:click=act(copy)>{words}</button>
        </div>
    }
}
