//! The name of the site, which is also the way to another one.
use super::dom::{El, el, value};
use super::icons::down;
use super::state::{Session, state};
use crate::route::{Scope, SiteView};

/// The heading of a site's page.
pub(crate) fn site_name() -> El {
    let state = state();
    let choice = move || state.session.get() == Session::In && state.sites.with(|sites| sites.len() > 1);
    let domains = move || {
        let mut domains: Vec<_> = state.sites.get().into_iter().map(|site| site.domain).collect();
        let here = state.domain();
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
    let select = move |domains: Vec<String>| {
        let option = |domain: &String| el("option").set("value", domain).text(domain);
        let select = el("select").set("aria-label", "Go to another site").on("change", move |event| go(value(&event)));
        select.all(domains.iter().map(option)).prop("value", move || state.domain().into())
    };
    // The control lies unseen over the words, so that the browser's own list opens where they stand. The range is kept.
    el("div").bind("class", move || choice().then(|| "pick".into())).with(el("h1").words(move || state.domain())).part(
        move || choice().then(domains),
        move |domains| domains.map_or_else(Vec::new, |domains| vec![down(), select(domains)]),
    )
}
