//! The dialog in which a widget is made or changed.
use headwater_query::{Dimension, Metric, Show, Widget};
use web_sys::Event;

use super::board::change;
use super::collection::select;
use super::dialog::dialog;
use super::dom::{El, button, el, of};
use super::follow::{Signal, untrack};
use super::forms::{field_with, input, tick};
use super::state::state;
use crate::board;
use crate::measure::Measure;

const SHOWS: [(&str, &str, Show); 3] =
    [("card", "One figure", Show::Card), ("chart", "A line over time", Show::Chart), ("list", "A list", Show::List)];

/// The form for another widget, or for that of a key.
pub(crate) fn widget_dialog(key: Option<u32>) -> El {
    let state = state();
    let old = key.and_then(|key| state.draft.with_untracked(|draft| draft.as_ref()?.get(key).cloned()));
    let now = untrack(|| state.scope());
    let filters = [now.filters.to_query(), now.within].concat();
    let text = |text: Option<String>, default: &str| Signal::new(text.unwrap_or_else(|| default.to_owned()));
    let of_old = |part: fn(&Widget) -> String| old.as_ref().map(part);
    let show_name = |show: Show| SHOWS.into_iter().find(|known| known.2 == show).map_or("card", |known| known.0);
    let show = text(old.as_ref().map(|old| show_name(old.show).to_owned()), "list");
    let metric = text(of_old(|old| old.metric.name().to_owned()), Metric::Visitors.name());
    let dimension = text(old.as_ref().and_then(|old| old.dimension.as_ref().map(Dimension::to_string)), "event:page");
    let title = text(of_old(|old| old.title.clone()), "");
    let wrong = Signal::new(None);
    let kept = old.as_ref().map(|old| old.filters.clone()).unwrap_or_default();
    let own = Signal::new(!kept.is_empty());
    // Those of now, or where nothing is filtered now those that it has.
    let filters = if filters.is_empty() { kept } else { filters };
    let offered = !filters.is_empty();
    let submit = move |event: Event| {
        event.prevent_default();
        let chosen =
            show.with_untracked(|name| SHOWS.into_iter().find(|known| known.0 == name)).map_or(Show::Card, |known| known.2);
        let list = chosen == Show::List;
        let width = match chosen {
            _ if old.as_ref().is_some_and(|old| old.show == chosen) => old.as_ref().map_or(1, |old| old.width),
            Show::Card => 1,
            Show::List => 2,
            Show::Chart => Widget::COLUMNS,
        };
        let made = Widget {
            show: chosen,
            metric: metric.with_untracked(|name| Metric::from_name(name)).unwrap_or(Metric::Visitors),
            dimension: dimension.with_untracked(|name| Dimension::from_name(name)).filter(|_| list),
            filters: if own.get_untracked() { filters.clone() } else { Vec::new() },
            title: title.get_untracked().trim().to_owned(),
            width,
        };
        change(state, |draft| draft.put(key, made));
        state.open.set(None);
    };
    let field = |label: &str, name: &'static str, input: El| field_with(label, name, "widget", "", wrong, input);
    let shows = SHOWS.map(|(name, words, _)| (name.to_owned(), words.to_owned()));
    let metrics = Measure::CARDS.map(|measure| (measure.name().to_owned(), measure.label().to_owned()));
    let dimensions = board::dimensions(&state.properties.get_untracked().unwrap_or_default());
    let by = field("Of what", "dimension", select("dimension", "widget", &dimensions, dimension));
    let form =
        of("form", "stack")
            .set("novalidate", "")
            .on("submit", submit)
            .with(field("How", "show", select("show", "widget", &shows, show)))
            .with(field("What is counted", "metric", select("metric", "widget", &metrics, metric)))
            .with(el("div").flag("hidden", move || show.with(|show| show != "list")).with(by))
            .with(field("Heading, if another than what it shows", "title", input("title", "widget", title, wrong)))
            .all(offered.then(|| tick("Only what is filtered now", "It keeps these filters, whatever is filtered later.", own)))
            .with(
                of("div", "acts")
                    .with(of("button", "btn main").set("type", "submit").text("Put it on the dashboard"))
                    .with(button("btn", "Cancel", move |_| state.open.set(None))),
            );
    let title = if key.is_some() { "Change the widget" } else { "Add a widget" };
    dialog("", move || title.to_owned(), move || state.open.set(None), vec![form])
}
