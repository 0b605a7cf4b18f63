//! What only the realtime view has: pages being read now, and what arrives.
use super::dom::{El, el, of};
use super::export;
use super::panels::rows;
use super::state::state;
use crate::arrivals::What;
use crate::format;
use crate::measure::Measure;

/// Both, beside each other.
pub(crate) fn realtime() -> El {
    let state = state();
    let readers = move || state.now.get().map_or(0, |(visitors, _)| visitors);
    let aside = of("p", "aside").words(move || format::counted(readers(), "visitor", "visitors")).text(" in 5 minutes");
    let pages = move || state.reading.get_untracked().map(|table| table.csv(&[Measure::Visitors]));
    let save = export::save("link", "CSV", "now.csv", "text/csv", pages);
    let save = save.set("aria-label", "Download what is being read as CSV");
    let head = of("div", "panel-head").with(el("h2").set("id", "panel-reading").text("Being read now")).with(aside).with(save);
    let reading = of("section", "panel sheet").set("aria-labelledby", "panel-reading").with(head);
    of("div", "panels now-panels").with(rows(reading, state.reading, Some(vec![Measure::Visitors]))).with(arriving())
}

fn arriving() -> El {
    let state = state();
    let lines = move || state.arrivals.with(|arrivals| arrivals.lines.iter().take(10).cloned().collect::<Vec<_>>());
    let aside = of("p", "aside").text("whatever the filters");
    let head = of("div", "panel-head").with(el("h2").set("id", "panel-arriving").text("Arriving")).with(aside);
    of("section", "panel sheet").set("aria-labelledby", "panel-arriving").with(head).part(
        move || state.arrivals.with(|arrivals| arrivals.lines.is_empty()),
        move |none| {
            if none {
                return vec![of("p", "none").text("Nothing has arrived in this minute. It shows here by itself.")];
            }
            let keys = move || lines().iter().map(|line| line.number.to_string()).collect();
            let line = move |key: &str| {
                let Some(line) = lines().into_iter().find(|line| line.number.to_string() == key) else { return el("li") };
                let (kind, class, name) = match &line.what {
                    What::View(page) => ("View", "kind", page),
                    What::Event(name) => ("Event", "kind event", name),
                };
                let count = if line.count > 1 { format!("× {}", format::full(line.count)) } else { String::new() };
                of("li", "arrival")
                    .with(el("time").text(&line.clock))
                    .with(of("span", class).text(kind))
                    .with(of("bdi", "what").set("title", name).text(name))
                    .with(of("span", "n").text(&count))
            };
            vec![of("ol", "arrivals").each(keys, line)]
        },
    )
}
