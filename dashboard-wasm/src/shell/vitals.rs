//! Web vitals: each with its value, what that is worth, and on demand page by page.
use wasm_bindgen_futures::spawn_local;

use super::dialog::dialog;
use super::dom::{El, button, el, of};
use super::follow::{Signal, untrack};
use super::panels::name;
use super::state::{Overlay, state};
use super::{export, http};
use crate::format;
use crate::question;
use crate::vitals::{Told, VITALS, Vital, Vitals, pages};

/// All of them, if any was measured.
pub(crate) fn vitals() -> El {
    let state = state();
    let shown = move || state.vitals.with(|vitals| vitals.as_ref().is_some_and(|vitals| !vitals.is_empty()));
    el("div").part(shown, move |shown| {
        let save =
            export::save("link", "CSV", "web-vitals.csv", "text/csv", move || state.vitals.get_untracked().map(|v| v.csv()));
        let head = of("div", "panel-head")
            .with(el("h2").set("id", "vitals").text("Web vitals"))
            .with(of("span", "aside").text("for three of four page loads, or better"))
            .with(save.set("aria-label", "Download web vitals as CSV"));
        let all = of("div", "vitals").all(VITALS.iter().enumerate().map(|(n, vital)| one(n, vital)));
        let section = of("section", "sheet box-vitals").set("aria-labelledby", "vitals").with(head).with(all);
        if shown { vec![section] } else { Vec::new() }
    })
}

fn one(n: usize, vital: &'static Vital) -> El {
    let state = state();
    let told = move || state.vitals.with(|vitals: &Option<Vitals>| vitals.as_ref().and_then(|vitals| vitals.get(n)));
    let rated = move |told: Told| vital.rating(told.p75);
    let class = move || told().map_or_else(|| "vital".to_owned(), |told| format!("vital {}", rated(told).class()));
    let mark = move || {
        let left = told().map_or(0.0, |told| vital.place(told.p75) * 100.0);
        format!("{}%", format::decimal(left))
    };
    let scale = of("span", "scale")
        .set("aria-hidden", "true")
        .flag("hidden", move || told().is_none())
        .all([el("i"), el("i"), el("i")])
        .with(el("b").style("left", mark));
    let words = move || match told() {
        Some(told) => format!("{}, {}", rated(told).words(), format::counted(told.count, "page load", "page loads")),
        None => "Not measured".to_owned(),
    };
    button("", "", move |_| state.open.set(Some(Overlay::Vital(n))))
        .tell("class", class)
        .flag("disabled", move || told().is_none())
        .set("title", &format!("{}. {} – click to see it page by page", vital.title, vital.about))
        .with(of("span", "name").text(vital.name).with(of("span", "unseen").text(&format!(", {}", vital.title))))
        .with(of("span", "figure").words(move || told().map_or_else(|| "–".into(), |told| vital.written(told.p75))))
        .with(scale)
        .with(of("span", "hint").words(words))
}

/// One of them page by page.
pub(crate) fn vital_dialog(n: usize) -> El {
    let state = state();
    let Some(vital) = VITALS.get(n) else { return el("div") };
    let told = Signal::new(None::<Result<Vec<(String, Told)>, String>>);
    let question = question::vital_pages(&untrack(|| state.scope()), vital.name, http::server_minute());
    spawn_local(async move {
        let answer = http::query(question).await;
        told.set(Some(answer.map(|reading| pages(&reading)).map_err(|failure| failure.message)));
    });
    let note = el("p").text(&format!("{}, for three of four page loads or better. The pages with most of them:", vital.about));
    let scroll = of("div", "scroll").set("tabindex", "0").set("role", "group").set("aria-label", vital.title);
    let scroll = scroll.part(
        move || told.get(),
        move |told| {
            vec![match told {
                None => of("p", "none").text("…"),
                Some(Err(message)) => of("p", "none").text(&message),
                Some(Ok(pages)) => table(vital, &pages),
            }]
        },
    );
    dialog("wide", || vital.title.to_owned(), move || state.open.set(None), vec![note, scroll])
}

fn table(vital: &'static Vital, pages: &[(String, Told)]) -> El {
    let rows = pages.iter().map(|(page, told)| {
        let rating = vital.rating(told.p75);
        let page = el("th").set("scope", "row").with(name(&headwater_query::Dimension::Page, page, page == "(other)"));
        el("tr")
            .with(page)
            .with(of("td", "n").text(&vital.written(told.p75)))
            .with(of("td", rating.class()).text(rating.words()))
            .with(of("td", "n").text(&format::full(told.count)))
    });
    let heads = [("", "Page"), ("n", vital.name), ("", "Rating"), ("n", "Page loads")];
    let heads = el("tr").all(heads.map(|(class, words)| of("th", class).set("scope", "col").text(words)));
    of("table", "whole").with(el("thead").with(heads)).with(el("tbody").all(rows))
}
