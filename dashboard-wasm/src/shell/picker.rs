//! The name of the site, which is also the way to another one.
use leptos::prelude::*;

use super::erased::{act, flag, text};
use super::icons::Down;
use super::state::{Session, state};
use crate::route::{Scope, SiteView};

/// The heading of a site's page.
#[component]
pub(crate) fn SiteName() -> impl IntoView {
    let state = state();
    let current = Signal::derive(move || state.domain());
    let choice = Signal::derive(move || state.session.get() == Session::In && state.sites.with(|sites| sites.len() > 1));
    let options = move || {
        let mut domains: Vec<_> = state.sites.get().into_iter().map(|site| site.domain).collect();
        let here = current.get();
        if !domains.contains(&here) {
            domains.push(here);
        }
        domains
    };
    // Another site has other pages and campaigns, so conditions stay behind.
    let go = move |domain: String| {
        state.turn(|view| {
            let Scope { period, against, .. } = view.scope;
            *view = SiteView {
                scope: Scope { domain, period, against, ..Scope::default() },
                measure: view.measure,
                ..SiteView::new("")
            };
        });
    };
    // The control lies unseen over the words, so that the browser's own list opens where they stand. The range is kept.
    view! {
        <div class=text(move || if choice.get() { "pick" } else { "" })>
            <h1>{text(move || current.get())}</h1>
            <Show when=move || choice.get()>
                <Down />
                <select aria-label="Go to another site" on:change=act(move |event| go(event_target_value(&event)))>
                    <For each=options key=String::clone let:domain>
                        {
                            let value = domain.clone();
                            let own = domain.clone();
                            view! { <option value=value prop:selected=flag(move || current.get() == own)>{domain}</option> }
                        }
                    </For>
                </select>
            </Show>
        </div>
    }
}
