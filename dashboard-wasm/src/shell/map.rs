//! The map of countries, shaded by their visitors. Its shapes are a file of their own, loaded when the first map is shown; the list below it is
//! its twin for who can't see or reach it.
use std::cell::Cell;

use headwater_query::{Dimension, VisitProperty};
use wasm_bindgen_futures::spawn_local;
use web_sys::Event;

use super::dom::{El, key, of, svg};
use super::follow::Signal;
use super::state::state;
use super::{http, names};
use crate::measure::Measure;
use crate::table::Table;

thread_local! {
    /// The shapes: a line for each country, its code and its path.
    static SHAPES: Signal<String> = Signal::new(String::new());
    static ASKED: Cell<bool> = const { Cell::new(false) };
}

/// The map of what a table tells.
pub(crate) fn map(table: Signal<Option<Table>>) -> El {
    let shapes = SHAPES.with(|shapes| *shapes);
    if !ASKED.replace(true) {
        spawn_local(async move {
            // Without its shapes there is no map; the list says the same.
            match http::words("/dashboard/map.txt").await {
                Ok(text) => shapes.set(text),
                Err(_) => ASKED.set(false),
            }
        });
    }
    let world = svg("svg").set("viewBox", "0 0 1000 433").set("role", "group").set("aria-label", "Visitors by country, on a map");
    let world = world.part(
        move || shapes.get(),
        move |text| text.lines().filter_map(|line| line.split_once(' ')).map(|(code, path)| country(table, code, path)).collect(),
    );
    of("div", "map").with(world)
}

fn country(table: Signal<Option<Table>>, code: &str, path: &str) -> El {
    let state = state();
    let dimension = Dimension::Visit(VisitProperty::Country);
    let own = code.to_owned();
    let row = move || {
        table.with(|table| table.as_ref().and_then(|table| table.row(&own).map(|row| (row.figures.first().copied(), row.share))))
    };
    let shade = {
        let row = row.clone();
        // The root keeps small countries apart from those with nobody.
        move || row().map_or_else(|| "0".into(), |(_, share)| crate::format::decimal(0.12 + 0.88 * share.sqrt()))
    };
    let name = names::of(&dimension, code);
    let words = {
        let row = row.clone();
        move || {
            let figure = row()?.0?;
            Some(format!("{name}: {} visitors", figure.written(Measure::Visitors)))
        }
    };
    let there = move |value: &'static str| {
        let row = row.clone();
        move || row().map(|_| value.to_owned())
    };
    let code = code.to_owned();
    let choose = {
        let code = code.clone();
        let of = dimension.clone();
        move |event: &Event| {
            if table.with_untracked(|table| table.as_ref().is_some_and(|table| table.row(&code).is_some())) {
                event.prevent_default();
                state.filter(|filters| filters.toggled(&of, &code, false));
            }
        }
    };
    let press = choose.clone();
    let title = words.clone();
    let land = svg("path").set("d", path).set("class", "land");
    let shape = svg("path")
        .set("d", path)
        .bind("role", there("button"))
        .bind("tabindex", there("0"))
        .bind("aria-label", words)
        .tell("fill-opacity", shade)
        .on("click", move |event| choose(&event))
        .on("keydown", move |event| {
            if matches!(key(&event).as_str(), "Enter" | " ") {
                press(&event);
            }
        })
        .with(svg("title").words(move || title().unwrap_or_default()));
    svg("g").with(land).with(shape)
}
