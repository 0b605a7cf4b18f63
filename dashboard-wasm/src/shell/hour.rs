//! The last hour by minute. It moves with every frame of the live feed, before anything is asked.
use leptos::prelude::*;

use super::erased::text;
use super::state::state;
use super::{browser, http};
use crate::format;
use crate::strip::Strip;

const BARS: f64 = 48.0;

/// The strip.
#[component]
pub(crate) fn Hour() -> impl IntoView {
    let state = state();
    let total = Signal::derive(move || state.strip.with(Strip::pageviews));
    let words = move || format::counted(total.get(), "page view", "page views");
    let offset = Memo::new(move |_| {
        state.as_of.track();
        let zone = state.zone(&state.domain());
        let minutes = |zone: &str| {
            headwater_query::DateTime::parse(&browser::clock(zone, http::server_now()))
                .map_or(0, |(t, _)| t.to_unix().div_euclid(60))
        };
        minutes(&zone) - minutes("UTC")
    });
    let bars = move || {
        let hour = state.strip.with(Strip::hour);
        let most = hour.iter().map(|(_, cell)| cell.pageviews).max().unwrap_or(0).max(1) as f64;
        let last = hour.len().saturating_sub(1);
        let bar = |(n, (minute, cell)): (usize, &(headwater_core::Minute, crate::strip::Cell))| {
            let high = if cell.pageviews == 0 { 2.0 } else { (BARS * cell.pageviews as f64 / most).max(4.0) };
            let clock = crate::strip::label(*minute, offset.get());
            let words = format!(
                "{}: {}, {}",
                clock.get(11..16).unwrap_or_default(),
                format::counted(cell.pageviews, "page view", "page views"),
                format::counted(cell.visitors, "visitor", "visitors")
            );
            let class = match (cell.pageviews, n == last) {
                (0, _) => "none",
                (_, false) => "past",
                _ => "",
            };
            view! {
                <g>
                    <title>{words}</title>
                    <rect x=n as f64 * 10.0 y="0" width="10" height="52" fill-opacity="0" />
                    <rect class=class x=n as f64 * 10.0 + 1.5 y=52.0 - high width="7" height=high rx="1.5" />
                </g>
            }
        };
        hour.iter().enumerate().map(bar).collect_view()
    };
    let label = move || format!("Page views by minute in the last hour: {} in all", format::full(total.get()));
    let ends = move || {
        let hour = state.strip.with(Strip::hour);
        let clock = |at: Option<&(headwater_core::Minute, crate::strip::Cell)>| {
            at.map(|(minute, _)| crate::strip::label(*minute, offset.get()))
                .and_then(|text| text.get(11..16).map(str::to_owned))
                .unwrap_or_default()
        };
        (clock(hour.first()), clock(hour.last()))
    };
    view! {
        <section class="hour sheet" aria-label="The last hour">
            <div>
                <h2>"Last hour"</h2>
                <p>{text(words)}</p>
            </div>
            <div class="strip">
                <svg viewBox="0 0 600 52" preserveAspectRatio="none" role="img" aria-label=text(label)>
                    {bars}
                </svg>
                <div class="ends" aria-hidden="true">
                    <span>{text(move || ends().0)}</span>
                    <span>{text(move || ends().1)}</span>
                </div>
            </div>
        </section>
    }
}
