//! The chart: a line with its area, a crosshair that follows pointer or arrow keys, and the same values as a table.
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;

use super::erased::{act, flag, text};
use super::state::{State, state};
use crate::filters::Filters;
use crate::label::{self, Spacing};
use crate::measure::Measure;
use crate::period::Period;
use crate::report::Figure;
use crate::route::Against;
use crate::scale::{self, Axis, Frame};
use crate::series::Line;

const HEIGHT: (f64, f64) = (264.0, 216.0);

/// Where everything stands, for one line and one width.
#[derive(Clone, PartialEq)]
struct Drawn {
    line: Line,
    frame: Frame,
    axis: Axis,
    /// A point for each value that there is.
    points: Vec<(usize, f64, f64)>,
    /// The same for the time that is compared with.
    before: Vec<(f64, f64)>,
}

impl Drawn {
    fn new(line: Line, width: f64) -> Self {
        let height = if width < 640.0 { HEIGHT.1 } else { HEIGHT.0 };
        let axis = axis_of(line.measure, line.largest_of_both());
        let widest = line.measure.axis(axis.top).chars().count().max(2) as f64;
        let left = widest * 7.2 + 10.0;
        let frame = Frame { left, top: 12.0, width: (width - left - 14.0).max(10.0), height: height - 12.0 - 28.0 };
        let count = line.labels.len();
        let place = |(n, figure): (usize, &Figure)| figure.value.map(|value| (n, frame.x(n, count), frame.y(value, axis)));
        let points = line.values.iter().enumerate().filter_map(place).collect();
        let before = line.before.iter().enumerate().filter_map(place).map(|(_, x, y)| (x, y)).collect();
        Self { line, frame, axis, points, before }
    }

    /// The points that are done, and those from the last of them to the one that is still being counted.
    fn parts(&self) -> [Vec<(f64, f64)>; 2] {
        let all: Vec<_> = self.points.iter().map(|(_, x, y)| (*x, *y)).collect();
        if self.line.open && all.len() > 1 {
            let done = all.get(..all.len() - 1).unwrap_or_default().to_vec();
            let open = all.get(all.len() - 2..).unwrap_or_default().to_vec();
            [done, open]
        } else {
            [all, Vec::new()]
        }
    }
}

/// An axis of figures that read well: seconds are parted as clocks part them.
fn axis_of(measure: Measure, largest: f64) -> Axis {
    if measure == Measure::VisitDuration {
        return Axis::of_seconds(largest, 4);
    }
    Axis::for_largest(largest, 4, measure.is_whole())
}

fn line_of(state: State) -> Option<Line> {
    let measure = state.view()?.measure;
    state.series.with(|series| series.as_ref().map(|s| s.line(measure)))
}

/// The chart of the chosen card.
#[component]
pub(crate) fn Chart() -> impl IntoView {
    let state = state();
    let plot = NodeRef::<html::Div>::new();
    let width = RwSignal::new(0.0);
    let at = RwSignal::new(None::<usize>);
    follow_width(plot, width);

    let drawn = Memo::new(move |_| {
        let width = width.get();
        line_of(state).filter(|_| width > 0.0).map(|line| Drawn::new(line, width))
    });
    let empty = Signal::derive(move || drawn.with(|drawn| drawn.as_ref().is_some_and(|d| d.line.largest() == 0.0)));
    let measure = Signal::derive(move || state.view().map(|view| view.measure).unwrap_or_default());
    let heading = move || {
        let spacing = drawn.with(|drawn| drawn.as_ref().map(|d| d.line.spacing.phrase())).unwrap_or_default();
        format!("{} {spacing}", measure.get().label())
    };
    let compared = Memo::new(move |_| {
        drawn.with(|drawn| drawn.as_ref().is_some_and(|d| !d.before.is_empty())).then(|| state.scope().against)
    });
    let summary = move || drawn.with(|drawn| drawn.as_ref().map(|d| d.line.summary()).unwrap_or_default());

    let find = move |event: leptos::ev::PointerEvent| {
        let Some(element) = plot.get() else { return };
        let x = f64::from(event.client_x()) - element.get_bounding_client_rect().left();
        at.set(drawn.with_untracked(|drawn| {
            let drawn = drawn.as_ref()?;
            let last = drawn.points.len().checked_sub(1)?;
            Some(drawn.frame.nearest(x, drawn.line.labels.len()).min(last))
        }));
    };
    let step = move |event: leptos::ev::KeyboardEvent| {
        let Some(last) = drawn.with_untracked(|drawn| drawn.as_ref().and_then(|d| d.points.len().checked_sub(1))) else { return };
        let here = at.get_untracked();
        let next = match event.key().as_str() {
            "ArrowLeft" => here.map_or(last, |n| n.saturating_sub(1)),
            "ArrowRight" => here.map_or(0, |n| (n + 1).min(last)),
            "Home" => 0,
            "End" => last,
            "Escape" => return at.set(None),
            _ => return,
        };
        event.prevent_default();
        at.set(Some(next));
    };
    view! {
        <div class="chart">
            <div class="chart-head">
                <h2>{text(heading)}</h2>
                <p class="legend" hidden=flag(move || compared.get().is_none())>
                    <span class="key" aria-hidden="true"></span>
                    {move || match compared.get() {
                        Some(Against::YearBefore) => "the year before",
                        _ => "the period before",
                    }}
                </p>
            </div>
            <div
                class="plot"
                node_ref=plot
                role="group"
                aria-label=text(move || format!("{} Arrow keys read single values.", summary()))
                tabindex="0"
                on:pointermove=find
                on:pointerdown=find
                on:pointerleave=move |_| at.set(None)
                on:blur=move |_| at.set(None)
                on:keydown=step
            >
                {move || drawn.get().map(|drawn| picture(&drawn))}
                {move || drawn.get().and_then(|drawn| crosshair(&drawn, at.get()?))}
                <Show when=move || empty.get()>
                    <Nothing />
                </Show>
            </div>
            <details class="table">
                <summary>"Show as a table"</summary>
                <div class="scroll" tabindex="0" role="group" aria-label="Values of the chart">
                    {move || drawn.get().map(|drawn| table(&drawn.line))}
                </div>
            </details>
        </div>
    }
}

/// The element's width, now and whenever it changes.
fn follow_width(plot: NodeRef<html::Div>, width: RwSignal<f64>) {
    Effect::new(move |_| {
        let Some(element) = plot.get() else { return };
        let measured: web_sys::Element = element.unchecked_into();
        width.set(measured.get_bounding_client_rect().width());
        let watched = measured.clone();
        let changed = Closure::<dyn FnMut()>::new(move || {
            width.try_set(measured.get_bounding_client_rect().width());
        });
        if let Ok(observer) = web_sys::ResizeObserver::new(changed.as_ref().unchecked_ref()) {
            observer.observe(&watched);
            let kept = StoredValue::new_local((observer, changed));
            on_cleanup(move || {
                kept.try_with_value(|(observer, _)| observer.disconnect());
            });
        }
    });
}

fn picture(drawn: &Drawn) -> impl IntoView + use<> {
    let Drawn { line, frame, axis, points, before } = drawn;
    let frame = *frame;
    let measure = line.measure;
    let right = frame.left + frame.width;
    // Without values there is nothing to measure: only the ground is drawn.
    let empty = line.largest_of_both() == 0.0;
    let rules = axis.lines().into_iter().filter(|value| !empty || *value == 0.0).map(move |value| (value, frame.y(value, *axis)));
    let rules = rules.map(|(value, y)| {
        view! {
            <line class="grid" class:zero=value == 0.0 x1=frame.left x2=right y1=y y2=y />
            <text x=frame.left - 9.0 y=y + 4.0 text-anchor="end">{measure.axis(value)}</text>
        }
    });
    let count = line.labels.len();
    let room = if line.spacing == Spacing::Hour || line.spacing == Spacing::Minute { 52.0 } else { 58.0 };
    let every = scale::label_step(count, (frame.width / room) as usize);
    let spacing = line.spacing;
    let words = line.labels.iter().enumerate().step_by(every).map(|(n, text)| {
        let x = frame.x(n, count);
        // A label at the very end would stand out of the picture.
        let anchor = if x > right - 20.0 && count > 1 { "end" } else { "middle" };
        view! { <text x=x y=frame.bottom() + 20.0 text-anchor=anchor>{label::axis(text, spacing)}</text> }
    });
    let [done, open] = if empty { Default::default() } else { drawn.parts() };
    let all: Vec<_> = points.iter().map(|(_, x, y)| (*x, *y)).collect();
    let single = (points.len() == 1 && !empty).then(|| all.first().copied()).flatten();
    // Minutes are bars: a line between them would tell of a slope where there are single visitors.
    let bars = line.spacing == Spacing::Minute;
    if bars && !empty {
        let wide = (frame.width / count.max(1) as f64 * 0.7).clamp(2.0, 14.0);
        let columns = points.iter().map(move |(n, x, y)| {
            let class = if n + 1 == count { "column open" } else { "column" };
            let high = (frame.bottom() - y).max(0.0);
            view! { <rect class=class x=x - wide / 2.0 y=*y width=wide height=high rx="1.5" /> }
        });
        return view! { <svg aria-hidden="true">{rules.collect_view()} {words.collect_view()} {columns.collect_view()}</svg> }
            .into_any();
    }
    let before = if empty { String::new() } else { scale::line(before) };
    view! {
        <svg aria-hidden="true">
            {rules.collect_view()} {words.collect_view()} <path class="line before" d=before />
            <path class="area" d=scale::area(&all, frame.bottom()) />
            <path class="line" d=scale::line(&done) /> <path class="line open" d=scale::line(&open) />
            {single.map(|(x, y)| view! { <circle class="single" cx=x cy=y r="3.5" /> })}
        </svg>
    }
    .into_any()
}

fn crosshair(drawn: &Drawn, at: usize) -> Option<impl IntoView + use<>> {
    let (n, x, y) = drawn.points.get(at).copied()?;
    let line = &drawn.line;
    let figure = line.values.get(n)?;
    let value = figure.tooltip(line.measure)?;
    let open = line.open && at + 1 == drawn.points.len();
    let words = format!("{}{}", label::full(line.labels.get(n)?, line.spacing), if open { ", so far" } else { "" });
    let frame = drawn.frame;
    let beside = line.beside(n).map(|(when, value)| {
        let change = figure.value.filter(|_| !open && value > 0.0 && line.measure.is_count()).map(|now| {
            let change = ((now - value) / value * 100.0).round();
            format!(" ({})", line.measure.change(change))
        });
        view! {
            <span class="beside">
                <b>{line.measure.exact(value)}{change}</b>
                <span>{label::full(when, line.spacing)}</span>
            </span>
        }
    });
    let after = x < frame.left + frame.width * 0.6;
    let place = if after {
        format!("translate({:.0}px, 6px)", x + 14.0)
    } else {
        format!("translate(calc({:.0}px - 100%), 6px)", x - 14.0)
    };
    Some(view! {
        <svg aria-hidden="true">
            <line class="cross" x1=x x2=x y1=frame.top y2=frame.bottom() />
            <circle class="mark" cx=x cy=y r="4.5" />
        </svg>
        <div class="tip" role="status" style:transform=place>
            <b>{value}</b>
            <span>{words}</span>
            {beside}
        </div>
    })
}

fn table(line: &Line) -> impl IntoView + use<> {
    let measure = line.measure;
    let spacing = line.spacing;
    let compared = !line.before.is_empty();
    let rows = line.values.iter().zip(&line.labels).enumerate().map(|(n, (figure, text))| {
        let value = figure.tooltip(measure).unwrap_or_else(|| "–".into());
        let beside = line.beside(n).map_or_else(|| "–".into(), |(_, value)| measure.exact(value));
        view! {
            <tr>
                <th scope="row">{label::full(text, spacing)}</th>
                <td class="n">{value}</td>
                {compared.then(|| view! { <td class="n">{beside}</td> })}
            </tr>
        }
    });
    view! {
        <table>
            <thead>
                <tr>
                    <th scope="col">"Time"</th>
                    <th scope="col" class="n">{measure.label()}</th>
                    {compared.then(|| view! { <th scope="col" class="n">"Before"</th> })}
                </tr>
            </thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    }
}

/// What stands in the chart when there is nothing to draw.
#[component]
fn Nothing() -> impl IntoView {
    let state = state();
    let period = Signal::derive(move || state.scope().period);
    let filtered = Signal::derive(move || !state.scope().filters.is_empty());
    let measure = Signal::derive(move || state.view().map(|view| view.measure).unwrap_or_default());
    let all_zero = Signal::derive(move || state.totals.with(|totals| totals.as_ref().is_some_and(|t| t.is_empty())));
    let words = move || match measure.get() {
        Measure::BounceRate if !all_zero.get() => "No visit bounced.".to_owned(),
        Measure::VisitDuration if !all_zero.get() => "No time was spent that could be measured.".to_owned(),
        _ if filtered.get() => format!("Nobody whom the filters let through was here {}.", period.get().phrase()),
        _ => format!("Nobody was here {}.", period.get().phrase()),
    };
    let wider = move || match period.get() {
        Period::All => None,
        Period::Realtime => Some(Period::Today),
        Period::Days28 | Period::Days30 | Period::Days91 | Period::Months12 | Period::Year | Period::Custom(..) => {
            Some(Period::All)
        }
        _ => Some(Period::Days28),
    };
    view! {
        <div class="plot-note">
            <p>{text(words)}</p>
            <Show when=move || filtered.get()>
                <button class="btn" on:click=act(move |_| state.filter(|_| Filters::default()))>"Clear the filters"</button>
            </Show>
            {move || {
                let wider = wider().filter(|_| all_zero.get() && !filtered.get());
                wider.map(|period| {
                    view! { <button class="btn" on:click=act(move |_| state.turn(|view| view.scope.period = period))>"Show " {period.label()}</button> }
                })
            }}
        </div>
    }
}
