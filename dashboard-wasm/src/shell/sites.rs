//! The list of sites, each with its last day.
use headwater_query::{DateRange, Dimension, Include, Metric, Query, TimeDimension};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::erased::text;
use super::go::Go;
use super::http;
use super::new_site::NewSiteForm;
use super::state::state;
use crate::format;
use crate::report::Reading;
use crate::route::Route;
use crate::scale::{self, Axis, Frame};
use crate::site_info::SiteInfo;

/// The list, or the form for the first site.
#[component]
pub(crate) fn Sites() -> impl IntoView {
    let state = state();
    let any = Signal::derive(move || state.sites.with(|sites| !sites.is_empty()));
    view! {
        <Show when=move || any.get() fallback=NewSiteForm>
            <div class="titles">
                <h1>"Sites"</h1>
                <Go class="btn" to=Route::NewSite>"Add a site"</Go>
            </div>
            <ul class="sites">
                <For each=move || state.sites.get() key=|site| site.domain.clone() let:site>
                    <li><SiteCard site /></li>
                </For>
            </ul>
        </Show>
    }
}

/// One site: its visitors in the last 24 hours, and their page views by hour.
#[component]
fn SiteCard(site: SiteInfo) -> impl IntoView {
    let day = RwSignal::new(None::<Result<(u64, Vec<f64>), String>>);
    let domain = site.domain.clone();
    spawn_local(async move {
        let told = last_day(&domain).await.map_err(|failure| failure.message);
        day.try_set(Some(told));
    });
    let words = move || match day.get() {
        None => "…".into(),
        Some(Ok((0, _))) => "Nobody in the last 24 hours".into(),
        Some(Ok((visitors, _))) => format!("{} in the last 24 hours", format::counted(visitors, "visitor", "visitors")),
        Some(Err(message)) => message,
    };
    let spark = move || {
        let values = day.get().and_then(Result::ok).map(|(_, values)| values).unwrap_or_default();
        let frame = Frame { left: 0.0, top: 2.0, width: 300.0, height: 41.0 };
        let axis = Axis { top: values.iter().copied().fold(1.0, f64::max), step: 1.0 };
        let count = values.len();
        let points: Vec<_> = values.iter().enumerate().map(|(n, value)| (frame.x(n, count), frame.y(*value, axis))).collect();
        view! {
            <svg viewBox="0 0 300 44" preserveAspectRatio="none" aria-hidden="true">
                <path class="area" d=scale::area(&points, 44.0) />
                <path class="line" d=scale::line(&points) />
            </svg>
        }
    };
    view! {
        <Go class="site sheet" to=Route::site(&site.domain)>
            <span class="domain">{site.domain.clone()}</span>
            <span class="tag">{site.public.then_some("public")}</span>
            <span class="today">{text(words)}</span>
            <span class="spark">{spark}</span>
        </Go>
    }
}

async fn last_day(domain: &str) -> Result<(u64, Vec<f64>), crate::failure::Failure> {
    let total = Query::new(domain, vec![Metric::Visitors], DateRange::Hours24);
    let hours = Query {
        dimensions: vec![Dimension::Time(TimeDimension::Hour)],
        include: Include { time_labels: true, ..Include::default() },
        ..Query::new(domain, vec![Metric::Pageviews], DateRange::Hours24)
    };
    let (total, hours) = futures_util::future::join(http::query(total), http::query(hours)).await;
    let (total, hours) = (total?, hours?);
    let first = |reading: &Reading, row: usize| {
        reading.results.get(row).and_then(|r| r.metrics.first()).and_then(|m| m.number()).unwrap_or(0.0)
    };
    let labels = hours.meta.time_labels.clone().unwrap_or_default();
    let mut row = 0;
    let values = labels.iter().map(|label| {
        if hours.results.get(row).and_then(|r| r.dimensions.first()) == Some(label) {
            row += 1;
            first(&hours, row - 1)
        } else {
            0.0
        }
    });
    let values = values.collect();
    Ok((first(&total, 0) as u64, values))
}
