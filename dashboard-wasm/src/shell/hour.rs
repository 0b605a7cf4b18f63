//! The last hour by minute. It moves with every frame of the live feed, before anything is asked.
use headwater_core::Minute;

use super::dom::{El, el, of, svg};
use super::follow::memo;
use super::state::state;
use super::{browser, http};
use crate::format;
use crate::label::{self, Spacing};
use crate::strip::{self, Cell, Strip};

const BARS: f64 = 48.0;

/// The strip.
pub(crate) fn hour() -> El {
    let state = state();
    let total = move || state.strip.with(Strip::pageviews);
    let offset = memo(move || {
        state.as_of.with(|_| ());
        let zone = state.zone(&state.domain());
        let minutes = |zone: &str| {
            headwater_query::DateTime::parse(&browser::clock(zone, http::server_now()))
                .map_or(0, |(t, _)| t.to_unix().div_euclid(60))
        };
        minutes(&zone) - minutes("UTC")
    });
    let label_of = move || format!("Page views by minute in the last hour: {} in all", format::full(total()));
    let end = move |last: bool| {
        let hour = state.strip.with(Strip::hour);
        let at = if last { hour.last() } else { hour.first() };
        at.map(|(minute, _)| clock(*minute, offset.get())).unwrap_or_default()
    };
    let picture = svg("svg")
        .set("viewBox", "0 0 600 52")
        .set("preserveAspectRatio", "none")
        .set("role", "img")
        .tell("aria-label", label_of)
        .part(move || (state.strip.with(Strip::hour), offset.get()), |(hour, offset)| bars(&hour, offset));
    let ends = of("div", "ends").set("aria-hidden", "true");
    let ends = ends.with(el("span").words(move || end(false))).with(el("span").words(move || end(true)));
    let words = move || format::counted(total(), "page view", "page views");
    of("section", "hour sheet")
        .set("aria-label", "The last hour")
        .with(el("div").with(el("h2").text("Last hour")).with(el("p").words(words)))
        .with(of("div", "strip").with(picture).with(ends))
}

fn clock(minute: Minute, offset: i64) -> String {
    label::axis(&strip::label(minute, offset), Spacing::Minute)
}

fn bars(hour: &[(Minute, Cell)], offset: i64) -> Vec<El> {
    let most = hour.iter().map(|(_, cell)| cell.pageviews).max().unwrap_or(0).max(1) as f64;
    let last = hour.len().saturating_sub(1);
    let bar = |(n, (minute, cell)): (usize, &(Minute, Cell))| {
        let high = if cell.pageviews == 0 { 2.0 } else { (BARS * cell.pageviews as f64 / most).max(4.0) };
        let words = format!(
            "{}: {}, {}",
            clock(*minute, offset),
            format::counted(cell.pageviews, "page view", "page views"),
            format::counted(cell.visitors, "visitor", "visitors")
        );
        let class = match (cell.pageviews, n == last) {
            (0, _) => "none",
            (_, false) => "past",
            _ => "",
        };
        let x = n as f64 * 10.0;
        let ground = svg("rect").num("x", x).set("y", "0").set("width", "10").set("height", "52").set("fill-opacity", "0");
        let bar = svg("rect").set("class", class).num("x", x + 1.5).num("y", 52.0 - high).set("width", "7").num("height", high);
        svg("g").with(svg("title").text(&words)).with(ground).with(bar.set("rx", "1.5"))
    };
    hour.iter().enumerate().map(bar).collect()
}
