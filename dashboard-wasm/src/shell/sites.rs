//! The list of sites, each with its last day.
use headwater_query::{DateRange, Dimension, Include, Metric, Query, TimeDimension};
use wasm_bindgen_futures::spawn_local;

use super::dom::{El, el, of, svg};
use super::follow::Signal;
use super::go::go_to;
use super::http;
use super::new_site::new_site;
use super::state::state;
use crate::format;
use crate::report::Reading;
use crate::route::Route;
use crate::scale::{self, Axis, Frame};
use crate::site_info::SiteInfo;

/// The list, or the form for the first site.
pub(crate) fn sites() -> Vec<El> {
    let state = state();
    if state.sites.with_untracked(Vec::is_empty) {
        return vec![new_site()];
    }
    let titles = of("div", "titles").with(el("h1").text("Sites")).with(go_to("btn", &Route::NewSite).text("Add a site"));
    let all = state.sites.get_untracked();
    vec![titles, of("ul", "sites").all(all.iter().map(|site| el("li").with(card(site))))]
}

/// One site: its visitors in the last 24 hours, and their page views by hour.
fn card(site: &SiteInfo) -> El {
    let day = Signal::new(None::<Result<(u64, Vec<f64>), String>>);
    let domain = site.domain.clone();
    spawn_local(async move {
        let told = last_day(&domain).await.map_err(|failure| failure.message);
        day.set(Some(told));
    });
    let words = move || match day.get() {
        None => "…".into(),
        Some(Ok((0, _))) => "Nobody in the last 24 hours".into(),
        Some(Ok((visitors, _))) => format!("{} in the last 24 hours", format::counted(visitors, "visitor", "visitors")),
        Some(Err(message)) => message,
    };
    let spark = |day: Option<Result<(u64, Vec<f64>), String>>| {
        let values = day.and_then(Result::ok).map(|(_, values)| values).unwrap_or_default();
        let frame = Frame { left: 0.0, top: 2.0, width: 300.0, height: 41.0 };
        let axis = Axis { top: values.iter().copied().fold(1.0, f64::max), step: 1.0 };
        let count = values.len();
        let points: Vec<_> = values.iter().enumerate().map(|(n, value)| (frame.x(n, count), frame.y(*value, axis))).collect();
        let picture = svg("svg").set("viewBox", "0 0 300 44").set("preserveAspectRatio", "none").set("aria-hidden", "true");
        let area = svg("path").set("class", "area").set("d", &scale::area(&points, 44.0));
        vec![picture.with(area).with(svg("path").set("class", "line").set("d", &scale::line(&points)))]
    };
    go_to("site sheet", &Route::site(&site.domain))
        .with(of("span", "domain").text(&site.domain))
        .with(of("span", "tag").text(if site.public { "public" } else { "" }))
        .with(of("span", "today").words(words))
        .with(of("span", "spark").part(move || day.get(), spark))
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
