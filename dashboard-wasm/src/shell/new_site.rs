//! The form for another site. What follows it (the tag, the wait for the first visit) is the new site's own page.
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::erased::{act, flag, text};
use super::go::Go;
use super::state::{Session, state};
use super::{browser, http};
use crate::route::Route;
use crate::site_info::{NewSite, SiteInfo, domain_of};

/// The form.
#[component]
pub(crate) fn NewSiteForm() -> impl IntoView {
    let state = state();
    let domain = RwSignal::new(String::new());
    let zone = RwSignal::new(browser::zone());
    let public = RwSignal::new(false);
    let wrong = RwSignal::new(None::<(String, String)>);
    let busy = RwSignal::new(false);
    let first = state.sites.with_untracked(Vec::is_empty);
    let zones = browser::zones();
    let known = zones.len() > 1;

    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let site = NewSite {
            domain: domain_of(&domain.get_untracked()),
            timezone: zone.get_untracked(),
            public: public.get_untracked(),
        };
        if site.domain.is_empty() {
            wrong.set(Some(("domain".into(), "Type the domain of the site, as in example.com.".into())));
            return;
        }
        busy.set(true);
        wrong.set(None);
        spawn_local(async move {
            match http::post::<SiteInfo>("/api/v1/sites", &site).await {
                Ok(made) => {
                    let route = Route::site(&made.domain);
                    state.sites.update(|sites| {
                        sites.push(made);
                        sites.sort_by(|a, b| a.domain.cmp(&b.domain));
                    });
                    state.go(route);
                }
                Err(failure) if failure.status == 401 => {
                    state.session.set(Session::Out(Some("Your session has ended. Sign in again to go on.".into())))
                }
                Err(failure) => {
                    let field =
                        failure.field.unwrap_or_else(|| if failure.status == 409 { "domain".into() } else { String::new() });
                    wrong.set(Some((field, failure.message)));
                }
            }
            busy.set(false);
        });
    };
    let about = move |name: &'static str| move || wrong.get().filter(|(field, _)| field == name).map(|(_, text)| text);
    let elsewhere = move || wrong.get().filter(|(field, _)| field != "domain" && field != "timezone").map(|(_, text)| text);
    view! {
        <div class="narrow sheet box fade">
            <h1>{if first { "Add your first site" } else { "Add a site" }}</h1>
            <p>"Next you get one line to paste into its pages, and see the first visit arrive."</p>
            <form class="stack" on:submit=act(submit) novalidate>
                <div class="field">
                    <label for="domain">"Domain"</label>
                    <input
                        id="domain"
                        type="text"
                        inputmode="url"
                        autocapitalize="none"
                        autocomplete="off"
                        spellcheck="false"
                        autofocus
                        placeholder="example.com"
                        aria-describedby="domain-help domain-wrong"
                        aria-invalid=move || about("domain")().is_some().then_some("true")
                        prop:value=domain
                        on:input=act(move |event| domain.set(event_target_value(&event)))
                    />
                    <p class="wrong" id="domain-wrong" role="alert" hidden=flag(move || about("domain")().is_none())>{about("domain")}</p>
                    <small id="domain-help">"Its subdomains are counted too."</small>
                </div>
                <div class="field">
                    <label for="zone">"Time zone"</label>
                    <input
                        id="zone"
                        type="text"
                        list=known.then_some("zones")
                        autocomplete="off"
                        spellcheck="false"
                        aria-describedby="zone-help zone-wrong"
                        aria-invalid=move || about("timezone")().is_some().then_some("true")
                        prop:value=zone
                        on:input=act(move |event| zone.set(event_target_value(&event)))
                    />
                    <datalist id="zones">{zones.into_iter().map(|zone| view! { <option value=zone></option> }).collect_view()}</datalist>
                    <p class="wrong" id="zone-wrong" role="alert" hidden=flag(move || about("timezone")().is_none())>{about("timezone")}</p>
                    <small id="zone-help">"Its hours and days begin by this clock."</small>
                </div>
                <label class="check">
                    <input type="checkbox" prop:checked=flag(move || public.get()) on:change=act(move |event| public.set(event_target_checked(&event))) />
                    <span>"Public" <small>"Anybody may read the figures without signing in."</small></span>
                </label>
                <p class="note bad" role="alert" hidden=flag(move || elsewhere().is_none())>{elsewhere}</p>
                <div class="acts">
                    <button class="btn main" disabled=flag(move || busy.get())>{text(move || if busy.get() { "Adding…" } else { "Add the site" })}</button>
                    {(!first).then(|| view! { <Go class="btn" to=Route::Sites>"Cancel"</Go> })}
                </div>
            </form>
        </div>
    }
}
