//! The chart of the chosen card: its plot, and the same values as a table.
use headwater_query::TimeDimension;

use super::dom::{El, button, el, of};
use super::export;
use super::follow::Signal;
use super::plot::{Drawn, Plot, note_list, plot};
use super::state::{Overlay, State, state};
use crate::label;
use crate::locale;
use crate::period::Period;
use crate::route::Against;
use crate::series::Line;
use crate::site_info::SiteInfo;

fn line_of(state: State) -> Option<Line> {
    let measure = state.view()?.measure;
    state.series.with(|series| series.as_ref().map(|s| s.line(measure)))
}

/// The chart of the chosen card.
pub(crate) fn chart() -> El {
    let state = state();
    let Plot { element: plot, drawn, notes } = plot(move || line_of(state));
    let heading = move || {
        let spacing = drawn.with(|drawn| drawn.as_ref().map(|d| d.line.spacing.phrase())).unwrap_or_default();
        format!("{} {spacing}", state.view().map(|view| view.measure).unwrap_or_default().label())
    };
    let since = move || state.totals.with(|totals| totals.as_ref().and_then(|totals| totals.since));
    let uncompared = of("p", "legend").flag("hidden", move || since().is_none()).words(move || {
        since().map_or_else(String::new, |since| format!("No comparison: counting began on {}", locale::days(since, since)))
    });

    let annotate = button("link annotate", "Add a note", move |_| state.open.set(Some(Overlay::Annotate)));
    let annotate = annotate.flag("hidden", move || !state.may(SiteInfo::may_edit));
    let rows = move || state.series.get_untracked().map(|series| series.csv());
    let save = export::save("link annotate", "Download CSV", "chart.csv", "text/csv", rows);
    let drawing = plot.0.clone();
    let picture = move || export::picture(&drawing);
    let draw = export::save("link annotate", "Download SVG", "chart.svg", "image/svg+xml", picture);
    of("div", "chart")
        .with(of("div", "chart-head").with(el("h2").words(heading)).with(legend(drawn)).with(uncompared).with(units()))
        .with(plot)
        .with(el("div").part(move || notes.get(), |notes| if notes.is_empty() { Vec::new() } else { vec![note_list(&notes)] }))
        .with(save)
        .with(draw)
        .with(annotate)
        .with(as_table(drawn))
}

/// What the other line is.
pub(crate) fn legend(drawn: Signal<Option<Drawn>>) -> El {
    let compared =
        move || drawn.with(|drawn| drawn.as_ref().is_some_and(|d| !d.before.is_empty())).then(|| state().scope().against);
    let key = of("span", "key").set("aria-hidden", "true");
    of("p", "legend").flag("hidden", move || compared().is_none()).with(key).words(move || match compared() {
        Some(Against::YearBefore) => "the year before",
        _ => "the period before",
    })
}

/// By what unit of time the chart is parted; another one needs no request.
fn units() -> El {
    let state = state();
    let group = of("div", "units").set("role", "group").set("aria-label", "The chart's unit of time");
    group.part(
        move || if state.scope().period == Period::Realtime { (&[][..], None) } else { (state.units().0, Some(state.units().1)) },
        move |(units, shown)| {
            if units.len() < 2 {
                return Vec::new();
            }
            let one = |unit: &TimeDimension| {
                let unit = *unit;
                let choose = move |_| state.turn(|view| view.unit = Some(unit));
                let words = match unit {
                    TimeDimension::Hour => "Hours",
                    TimeDimension::Week => "Weeks",
                    TimeDimension::Month => "Months",
                    _ => "Days",
                };
                button("tab", words, choose).set("aria-pressed", if shown == Some(unit) { "true" } else { "false" })
            };
            units.iter().map(one).collect()
        },
    )
}

/// The values of a plot, for who opens them.
pub(crate) fn as_table(drawn: Signal<Option<Drawn>>) -> El {
    let values = of("div", "scroll").set("tabindex", "0").set("role", "group").set("aria-label", "Values of the chart");
    let open = Signal::new(false);
    // Rows that nobody looks at are not made.
    let values = values.part(
        move || if open.get() { drawn.get().map(|drawn| drawn.line) } else { None },
        |line| line.iter().map(table).collect(),
    );
    let details = of("details", "table");
    let opened = details.0.clone();
    details.on("toggle", move |_| open.put(opened.has_attribute("open"))).with(el("summary").text("Show as a table")).with(values)
}

fn table(line: &Line) -> El {
    let measure = line.measure;
    let spacing = line.spacing;
    let compared = !line.before.is_empty();
    let cell = |words: &str| of("td", "n").text(words);
    let rows = line.values.iter().zip(&line.labels).enumerate().map(|(n, (figure, text))| {
        let value = figure.tooltip(measure).unwrap_or_else(|| "–".into());
        let beside = line.beside(n).map_or_else(|| "–".into(), |(_, value)| measure.exact(value));
        let head = el("th").set("scope", "row").text(&label::full(text, spacing));
        el("tr").with(head).with(cell(&value)).all(compared.then(|| cell(&beside)))
    });
    let head = |words: &str| of("th", "n").set("scope", "col").text(words);
    let heads = el("tr").with(el("th").set("scope", "col").text("Time")).with(head(measure.label()));
    let heads = heads.all(compared.then(|| head("Before")));
    el("table").with(el("thead").with(heads)).with(el("tbody").all(rows))
}
