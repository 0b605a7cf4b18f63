//! A plot: a line with its area, and a crosshair that follows pointer or arrow keys. A stretch of it can be chosen, to zoom in.
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Element, Event, KeyboardEvent, PointerEvent};

use super::dom::{El, button, el, key, of, svg};
use super::follow::{Signal, memo, on_end};
use super::state::state;
use crate::filters::Filters;
use crate::label::{self, Spacing};
use crate::measure::Measure;
use crate::merged;
use crate::period::Period;
use crate::report::Figure;
use crate::scale::{self, Axis, Frame};
use crate::series::Line;
use crate::site_info::Annotation;

const HEIGHT: (f64, f64) = (264.0, 216.0);

/// Where everything stands, for one line and one width.
#[derive(Clone, PartialEq)]
pub(crate) struct Drawn {
    pub(crate) line: Line,
    frame: Frame,
    axis: Axis,
    /// A point for each value that there is.
    points: Vec<(usize, f64, f64)>,
    /// The same for the time that is compared with.
    pub(crate) before: Vec<(f64, f64)>,
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

/// A plot, what it shows, and what was noted in its time, each at its point.
pub(crate) struct Plot {
    pub(crate) element: El,
    pub(crate) drawn: Signal<Option<Drawn>>,
    pub(crate) notes: Signal<Vec<(usize, Annotation)>>,
}

/// The plot of a line.
pub(crate) fn plot(line: impl Fn() -> Option<Line> + 'static) -> Plot {
    let state = state();
    let width = Signal::new(0.0);
    let at = Signal::new(None::<usize>);
    // Where a stretch of time begins that is being chosen, to zoom in; it ends at the crosshair.
    let from = Signal::new(None::<usize>);
    let held = Signal::new(false);
    let drawn = memo(move || {
        let width = width.get();
        line().filter(|_| width > 0.0).map(|line| Drawn::new(line, width))
    });
    let empty = move || drawn.with(|drawn| drawn.as_ref().is_some_and(|d| d.line.largest() == 0.0));
    let summary = move || drawn.with(|drawn| drawn.as_ref().map(|d| d.line.summary()).unwrap_or_default());
    let notes = memo(move || {
        let labels = drawn.with(|drawn| drawn.as_ref().map(|d| d.line.labels.clone())).unwrap_or_default();
        state.annotations.with(|notes| {
            notes.iter().filter_map(|note| Some((label::place(&labels, &note.date)?, note.clone()))).collect::<Vec<_>>()
        })
    });
    let plot = of("div", "plot");
    let element = plot.0.clone();
    let find = move |event: Event| {
        let Some(event) = event.dyn_ref::<PointerEvent>() else { return };
        let x = f64::from(event.client_x()) - element.get_bounding_client_rect().left();
        at.put(drawn.with_untracked(|drawn| {
            let drawn = drawn.as_ref()?;
            let last = drawn.points.len().checked_sub(1)?;
            Some(drawn.frame.nearest(x, drawn.line.labels.len()).min(last))
        }));
    };
    // The days that are chosen, or those of the point under the crosshair.
    let chosen = move || {
        let (from, at) = (from.get_untracked(), at.get_untracked()?);
        drawn.with_untracked(|drawn| merged::days_under(&drawn.as_ref()?.line.labels, from.unwrap_or(at), at))
    };
    let zoom = move || {
        let period = chosen();
        from.set(None);
        at.set(None);
        if let Some(period) = period {
            state.turn(|view| view.scope.period = period);
        }
    };
    let begin = {
        let find = find.clone();
        move |event: Event| {
            find(event);
            held.set(true);
            from.set(at.get_untracked());
        }
    };
    let end = move |_| {
        let wide = from.get_untracked() != at.get_untracked();
        if held.get_untracked() && wide {
            zoom();
        }
        held.set(false);
        from.set(None);
    };
    let leave = move |_| {
        held.set(false);
        from.put(None);
        at.put(None);
    };
    let step = move |event: Event| {
        let Some(last) = drawn.with_untracked(|drawn| drawn.as_ref().and_then(|d| d.points.len().checked_sub(1))) else { return };
        let here = at.get_untracked();
        let next = match key(&event).as_str() {
            "ArrowLeft" => here.map_or(last, |n| n.saturating_sub(1)),
            "ArrowRight" => here.map_or(0, |n| (n + 1).min(last)),
            "Home" => 0,
            "End" => last,
            "Escape" => return leave(event),
            "Enter" => return zoom(),
            _ => return,
        };
        event.prevent_default();
        // With Shift the stretch grows that Enter zooms into.
        let shift = event.dyn_ref::<KeyboardEvent>().is_some_and(KeyboardEvent::shift_key);
        from.put(if shift { from.get_untracked().or(here) } else { None });
        at.set(Some(next));
    };
    follow_width(&plot.0, width);
    let plot = plot
        .set("role", "group")
        .tell("aria-label", move || {
            format!("{} Arrow keys read single values, with Shift they choose days; Enter zooms in.", summary())
        })
        .set("tabindex", "0")
        .on("pointermove", find)
        .on("pointerdown", begin)
        .on("pointerup", end)
        .on("pointerleave", leave)
        .on("blur", leave)
        .on("keydown", step)
        .part(
            move || (drawn.get(), notes.get()),
            |(drawn, notes)| drawn.iter().map(|drawn| picture(drawn).all(flags(drawn, &notes))).collect(),
        )
        .part(
            move || Some((drawn.get()?, from.get()?, at.get()?)),
            |found| found.iter().filter(|(_, from, at)| from != at).map(|(drawn, from, at)| stretch(drawn, *from, *at)).collect(),
        )
        .part(
            move || at.get().map(|at| (drawn.get(), at)),
            |found| found.and_then(|(drawn, at)| crosshair(drawn.as_ref()?, at)).unwrap_or_default(),
        )
        .when(empty, move || nothing(drawn.with(|drawn| drawn.as_ref().map(|d| d.line.measure)).unwrap_or_default()));
    Plot { element: plot, drawn, notes }
}

/// The stretch of time that is being chosen.
fn stretch(drawn: &Drawn, from: usize, at: usize) -> El {
    let Drawn { frame, line, .. } = drawn;
    let (a, b) = (frame.x(from.min(at), line.labels.len()), frame.x(from.max(at), line.labels.len()));
    let band =
        svg("rect").set("class", "stretch").num("x", a).num("width", b - a).num("y", frame.top).num("height", frame.height);
    svg("svg").set("aria-hidden", "true").with(band)
}

/// The element's width, now and whenever it changes.
fn follow_width(plot: &Element, width: Signal<f64>) {
    let measured = plot.clone();
    let changed = Closure::<dyn FnMut()>::new(move || width.put(measured.get_bounding_client_rect().width()));
    // The first time is when it is put into the page.
    if let Ok(observer) = web_sys::ResizeObserver::new(changed.as_ref().unchecked_ref()) {
        observer.observe(plot);
        on_end(move || {
            observer.disconnect();
            drop(changed);
        });
    }
}

fn path(class: &str, d: &str) -> El {
    svg("path").set("class", class).set("d", d)
}

fn picture(drawn: &Drawn) -> El {
    let Drawn { line, frame, axis, points, before } = drawn;
    let frame = *frame;
    let measure = line.measure;
    let right = frame.left + frame.width;
    // Without values there is nothing to measure: only the ground is drawn.
    let empty = line.largest_of_both() == 0.0;
    let mut svg_ = svg("svg").set("aria-hidden", "true");
    for value in axis.lines().into_iter().filter(|value| !empty || *value == 0.0) {
        let y = frame.y(value, *axis);
        let class = if value == 0.0 { "grid zero" } else { "grid" };
        let rule = svg("line").set("class", class).num("x1", frame.left).num("x2", right).num("y1", y).num("y2", y);
        let words = svg("text").num("x", frame.left - 9.0).num("y", y + 4.0).set("text-anchor", "end");
        svg_ = svg_.with(rule).with(words.text(&measure.axis(value)));
    }
    let count = line.labels.len();
    let room = if line.spacing == Spacing::Hour || line.spacing == Spacing::Minute { 52.0 } else { 58.0 };
    let every = scale::label_step(count, (frame.width / room) as usize);
    for (n, text) in line.labels.iter().enumerate().step_by(every) {
        let x = frame.x(n, count);
        // A label at the very end would stand out of the picture.
        let anchor = if x > right - 20.0 && count > 1 { "end" } else { "middle" };
        let words = svg("text").num("x", x).num("y", frame.bottom() + 20.0).set("text-anchor", anchor);
        svg_ = svg_.with(words.text(&label::axis(text, line.spacing)));
    }
    // Minutes are bars: a line between them would tell of a slope where there are single visitors.
    if line.spacing == Spacing::Minute && !empty {
        let wide = (frame.width / count.max(1) as f64 * 0.7).clamp(2.0, 14.0);
        return svg_.all(points.iter().map(move |(n, x, y)| {
            let class = if n + 1 == count { "column open" } else { "column" };
            let high = (frame.bottom() - y).max(0.0);
            let bar = svg("rect").set("class", class).num("x", x - wide / 2.0).num("y", *y);
            bar.num("width", wide).num("height", high).set("rx", "1.5")
        }));
    }
    let [done, open] = if empty { Default::default() } else { drawn.parts() };
    let all: Vec<_> = points.iter().map(|(_, x, y)| (*x, *y)).collect();
    let before = if empty { String::new() } else { scale::line(before) };
    let single = all.first().filter(|_| points.len() == 1 && !empty);
    svg_.with(path("line before", &before))
        .with(path("area", &scale::area(&all, frame.bottom())))
        .with(path("line", &scale::line(&done)))
        .with(path("line open", &scale::line(&open)))
        .all(single.map(|(x, y)| svg("circle").set("class", "single").num("cx", *x).num("cy", *y).set("r", "3.5")))
}

/// A flag over each point at which something was noted.
fn flags(drawn: &Drawn, notes: &[(usize, Annotation)]) -> Vec<El> {
    let count = drawn.line.labels.len();
    let flag = |(n, note): &(usize, Annotation)| {
        let x = drawn.frame.x(*n, count);
        let pole =
            svg("line").set("class", "pole").num("x1", x).num("x2", x).num("y1", drawn.frame.top).num("y2", drawn.frame.bottom());
        let mark = svg("circle").set("class", "flag").num("cx", x).num("cy", drawn.frame.top).set("r", "4");
        svg("g").with(svg("title").text(&note.text)).with(pole).with(mark)
    };
    notes.iter().map(flag).collect()
}

/// The same as words.
pub(crate) fn note_list(notes: &[(usize, Annotation)]) -> El {
    let item = |(_, note): &(usize, Annotation)| {
        el("li").with(el("b").text(&label::axis(&note.date, Spacing::Day))).text(" ").text(&note.text)
    };
    of("ul", "notes").set("aria-label", "Notes").all(notes.iter().map(item))
}

fn crosshair(drawn: &Drawn, at: usize) -> Option<Vec<El>> {
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
        let value = el("b").text(&line.measure.exact(value)).text(&change.unwrap_or_default());
        of("span", "beside").with(value).with(el("span").text(&label::full(when, line.spacing)))
    });
    let after = x < frame.left + frame.width * 0.6;
    let place = if after {
        format!("translate({}px, 6px)", (x + 14.0).round() as i64)
    } else {
        format!("translate(calc({}px - 100%), 6px)", (x - 14.0).round() as i64)
    };
    let cross = svg("line").set("class", "cross").num("x1", x).num("x2", x).num("y1", frame.top).num("y2", frame.bottom());
    let mark = svg("circle").set("class", "mark").num("cx", x).num("cy", y).set("r", "4.5");
    let tip = of("div", "tip").set("role", "status").style("transform", move || place.clone());
    let tip = tip.with(el("b").text(&value)).with(el("span").text(&words)).all(beside);
    Some(vec![svg("svg").set("aria-hidden", "true").with(cross).with(mark), tip])
}

/// What stands in the chart when there is nothing to draw.
fn nothing(measure: Measure) -> El {
    let state = state();
    let period = move || state.scope().period;
    let filtered = move || !state.scope().filters.is_empty();
    let all_zero = move || state.totals.with(|totals| totals.as_ref().is_some_and(|t| t.is_empty()));
    let words = move || match measure {
        Measure::BounceRate if !all_zero() => "No visit bounced.".to_owned(),
        Measure::VisitDuration if !all_zero() => "No time was spent that could be measured.".to_owned(),
        _ if filtered() => format!("Nobody whom the filters let through was here {}.", period().phrase()),
        _ => format!("Nobody was here {}.", period().phrase()),
    };
    let wider = move || match period() {
        Period::All => None,
        Period::Realtime => Some(Period::Today),
        Period::Days28 | Period::Days30 | Period::Days91 | Period::Months12 | Period::Year | Period::Custom(..) => {
            Some(Period::All)
        }
        _ => Some(Period::Days28),
    };
    let show = move |period: Option<Period>| {
        let period = period?;
        let words = format!("Show {}", period.label());
        Some(button("btn", &words, move |_| state.turn(|view| view.scope.period = period)))
    };
    of("div", "plot-note")
        .with(el("p").words(words))
        .when(filtered, move || button("btn", "Clear the filters", move |_| state.filter(|_| Filters::default())))
        .part(move || wider().filter(|_| all_zero() && !filtered()), move |period| show(period).into_iter().collect())
}
