//! The form for another site. What follows it (the tag, the wait for the first visit) is the new site's own page.
use wasm_bindgen_futures::spawn_local;
use web_sys::Event;

use super::dom::{El, el, of};
use super::follow::Signal;
use super::forms::{elsewhere, field_with, input, send, tick, told};
use super::go::go_to;
use super::state::{Session, state};
use super::{browser, http};
use crate::route::Route;
use crate::site_info::{NewSite, SiteInfo, domain_of};

/// The form.
pub(crate) fn new_site() -> El {
    let state = state();
    let domain = Signal::new(String::new());
    let zone = Signal::new(browser::zone());
    let public = Signal::new(false);
    let wrong = Signal::new(None::<(String, String)>);
    let busy = Signal::new(false);
    let first = state.sites.with_untracked(Vec::is_empty);

    let submit = move |event: Event| {
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
                    state.session.set(Session::Out(Some("Your session has ended. Sign in again to go on.".into())));
                }
                Err(mut failure) => {
                    if failure.status == 409 {
                        failure.field = Some("domain".into());
                    }
                    wrong.set(told(failure));
                }
            }
            busy.set(false);
        });
    };
    let domain =
        input("domain", "site", domain, wrong).set("inputmode", "url").set("autocapitalize", "none").set("autofocus", "");
    let domain = domain.set("placeholder", "example.com");
    let zones = browser::zones();
    let zone = input("timezone", "site", zone, wrong).maybe("list", (zones.len() > 1).then_some("zones"));
    let zone = field_with("Time zone", "timezone", "site", "Its hours and days begin by this clock.", wrong, zone);
    let zones = el("datalist").set("id", "zones").all(zones.iter().map(|zone| el("option").set("value", zone)));
    let acts = of("div", "acts").with(send("Add the site", "Adding…", busy));
    let form = of("form", "stack")
        .set("novalidate", "")
        .on("submit", submit)
        .with(field_with("Domain", "domain", "site", "Its subdomains are counted too.", wrong, domain))
        .with(zone.with(zones))
        .with(tick("Public", "Anybody may read the figures without signing in.", public))
        .with(elsewhere(&["domain", "timezone"], wrong))
        .with(acts.all((!first).then(|| go_to("btn", &Route::Sites).text("Cancel"))));
    of("div", "narrow sheet box fade")
        .with(el("h1").text(if first { "Add your first site" } else { "Add a site" }))
        .with(el("p").text("Next you get one line to paste into its pages, and see the first visit arrive."))
        .with(form)
}
