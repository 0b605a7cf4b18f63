//! Saved segments: the menu of them, and the dialog in which one is built from conditions, with its size.
use std::cell::Cell;
use std::rc::Rc;

use headwater_query::{Condition, Filter};
use wasm_bindgen_futures::spawn_local;
use web_sys::Event;

use super::chips::{condition_form, words};
use super::dialog::dialog;
use super::dom::{El, button, el, of};
use super::follow::{Signal, effect, memo, untrack};
use super::forms::{self, elsewhere, field_with, input, send};
use super::icons::{cross, down};
use super::state::{Overlay, state};
use super::{engine, http};
use crate::builder::Builder;
use crate::measure::Measure;
use crate::question;
use crate::site_info::{Segment, SiteInfo};

/// The menu: the segments of the site with their sizes, and the way to another one.
pub(crate) fn segments_menu() -> El {
    let state = state();
    let open = move || state.open.get() == Some(Overlay::Segments);
    let toggle =
        move |_| state.open.update(|open| *open = if *open == Some(Overlay::Segments) { None } else { Some(Overlay::Segments) });
    let button_ =
        button("tool", "", toggle).set("aria-haspopup", "true").says("aria-expanded", open).text("Segments").with(down());
    let any = move || state.segments.with(|segments| segments.as_ref().is_some_and(|segments| !segments.is_empty()));
    of("div", "pop-host").flag("hidden", move || !any() && !state.may(SiteInfo::may_edit)).with(button_).when(open, menu)
}

fn menu() -> El {
    let state = state();
    let segments = state.segments.get_untracked().unwrap_or_default();
    let current = untrack(|| state.view()).and_then(|view| view.scope.segment);
    let choose = move |id: Option<i64>| {
        state.open.set(None);
        state.turn(|view| view.scope.segment = id);
    };
    let rows = segments.iter().map(|segment| {
        let id = segment.id;
        let pressed = current == Some(id);
        let row = button("", &segment.name, move |_| choose(if pressed { None } else { Some(id) }));
        row.set("aria-pressed", if pressed { "true" } else { "false" }).with(of("span", "n").words(size(segment.filters.clone())))
    });
    let all = current.map(|id| {
        let change = button("", "Change this segment…", move |_| state.open.set(Some(Overlay::Segment(Some(id)))));
        [button("", "Everybody", move |_| choose(None)), change]
    });
    let make = button("", "Build a segment…", move |_| state.open.set(Some(Overlay::Segment(None))));
    let may = untrack(|| state.may(SiteInfo::may_edit));
    let [everybody, change] = all.map_or([None, None], |[a, b]| [Some(a), Some(b)]);
    of("div", "pop")
        .set("role", "group")
        .set("aria-label", "Segments")
        .all(rows)
        .all(everybody)
        .all(change.filter(|_| may))
        .all(may.then_some(make))
}

/// How many visitors a segment has in the range that is shown, as it is told; with its bounds where it is an estimate.
fn size(filters: Vec<Filter>) -> impl Fn() -> String + 'static {
    let told = Signal::new("…".to_owned());
    let scope = untrack(|| state().scope());
    spawn_local(async move {
        let question = question::size(&scope, &filters, http::server_minute());
        told.set(http::query(question).await.map_or_else(|_| "–".into(), |reading| written(&reading)));
    });
    move || told.get()
}

fn written(reading: &crate::report::Reading) -> String {
    let figure = reading.figure(0, 0, Measure::Visitors);
    match figure.bounds {
        Some([low, high]) => {
            format!(
                "{} ({} to {})",
                figure.written(Measure::Visitors),
                Measure::Visitors.exact(low),
                Measure::Visitors.exact(high)
            )
        }
        None => figure.written(Measure::Visitors),
    }
}

/// Builds a segment: a new one from the filters as they are, or that of this number.
pub(crate) fn segment_dialog(id: Option<i64>) -> El {
    let state = state();
    let scope = untrack(|| state.scope());
    let old = untrack(|| state.segment(id));
    let begin = match &old {
        Some(segment) => Builder::from_query(&segment.filters).unwrap_or_default(),
        None => Builder::from_query(&scope.filters.to_query()).unwrap_or_default(),
    };
    let built = Signal::new(begin);
    let name = Signal::new(old.as_ref().map(|segment| segment.name.clone()).unwrap_or_default());
    let wrong = Signal::new(None::<(String, String)>);
    let busy = Signal::new(false);
    // In which box a condition is made; the number of boxes stands for one of its own.
    let making = Signal::new(None::<usize>);

    let told = Signal::new(String::new());
    let asked = Rc::new(Cell::new(0_u32));
    let query = memo(move || built.with(Builder::to_query));
    effect(move || {
        let filters = query.get();
        let (asked, number) = (asked.clone(), asked.get() + 1);
        asked.set(number);
        if filters.is_empty() {
            return told.set("Add a condition; then its size stands here.".into());
        }
        let question = question::size(&scope, &filters, http::server_minute());
        let when = scope.period.phrase();
        spawn_local(async move {
            let words = match http::query(question).await {
                Ok(reading) => format!("{} visitors {when}", written(&reading)),
                Err(failure) => failure.message,
            };
            if asked.get() == number {
                told.set(words);
            }
        });
    });

    let boxes = move |(built_now, making_now): (Builder, Option<usize>)| {
        let mut drawn = Vec::new();
        for (n, any) in built_now.0.iter().enumerate() {
            if n > 0 {
                drawn.push(of("p", "joint").text("and"));
            }
            let lines = any.iter().enumerate().map(|(at, condition)| line(built, n, at, condition));
            let more = button("quiet", "or…", move |_| making.set(Some(n)));
            let more = (making_now != Some(n)).then(|| more.set("aria-label", "or… another condition in this box"));
            let form = (making_now == Some(n)).then(|| maker(built, making, Some(n)));
            drawn.push(of("div", "any").all(lines).all(more).all(form));
        }
        let own = built_now.0.len();
        if making_now.is_some_and(|n| n >= own) || (own == 0 && making_now.is_none()) {
            drawn.push(of("div", "any").with(maker(built, making, None)));
        } else if making_now.is_none() {
            drawn.push(
                button("quiet", "and…", move |_| making.set(Some(own)))
                    .set("aria-label", "and… another box, which must hold too"),
            );
        }
        drawn
    };
    let path = format!("/api/v1/sites/{}/segments", untrack(|| state.domain()));
    let save = move |event: Event| {
        event.prevent_default();
        let segment = Segment { id: 0, name: name.get_untracked().trim().to_owned(), filters: query.get_untracked() };
        let path = path.clone();
        busy.set(true);
        wrong.set(None);
        spawn_local(async move {
            let kept = match id {
                Some(id) => http::change::<Segment>("PUT", &format!("{path}/{id}"), &segment).await,
                None => http::post::<Segment>(&path, &segment).await,
            };
            match kept {
                Ok(kept) => {
                    let id = kept.id;
                    state.segments.update(|segments| {
                        let segments = segments.get_or_insert_default();
                        segments.retain(|known| known.id != id);
                        segments.push(kept);
                        segments.sort_by(|a, b| a.name.cmp(&b.name));
                    });
                    state.open.set(None);
                    state.turn(|view| {
                        view.scope.filters = Default::default();
                        view.scope.segment = Some(id);
                    });
                    engine::changed(state);
                }
                Err(failure) => wrong.set(forms::told(failure)),
            }
            busy.set(false);
        });
    };
    let form = of("form", "stack")
        .set("novalidate", "")
        .on("submit", save)
        .with(field_with("Name", "name", "segment", "", wrong, input("name", "segment", name, wrong)))
        .with(elsewhere(&["name"], wrong))
        .with(
            of("div", "acts")
                .with(send("Save the segment", "Saving…", busy))
                .with(of("span", "size").set("role", "status").words(move || told.get())),
        );
    let boxes = of("div", "boxes").part(move || (built.get(), making.get()), boxes);
    let title = if id.is_some() { "Change the segment" } else { "Build a segment" };
    dialog("segment", move || title.to_owned(), move || state.open.set(None), vec![boxes, form])
}

/// A condition of a box: a click on the sign turns it into its opposite.
fn line(built: Signal<Builder>, n: usize, at: usize, condition: &Condition) -> El {
    let (subject, values) = words(condition);
    let about = format!("{subject} {values}");
    let turn = button("not-button", if condition.negated { "≠" } else { "=" }, move |_| {
        built.update(|built| *built = built.negated(n, at))
    });
    let turn = turn.set("aria-label", &format!("Turn into the opposite: {about}"));
    let away = button("away", "", move |_| built.update(|built| *built = built.without(n, at)));
    let away = away.set("aria-label", &format!("Remove {about}")).with(cross());
    let what = of("span", "what").text(&subject).text(" ").with(el("b").text(&values));
    let or = (at > 0).then(|| of("span", "joint").text("or"));
    of("div", "line")
        .all(or)
        .with(of("span", if condition.negated { "chip not" } else { "chip" }).with(turn).with(what).with(away))
}

fn maker(built: Signal<Builder>, making: Signal<Option<usize>>, n: Option<usize>) -> El {
    condition_form(
        None,
        None,
        "Add the condition",
        move || making.set(None),
        move |condition| {
            if let Some(condition) = condition {
                built.update(|built| *built = built.with(n, condition));
            }
            making.set(None);
        },
    )
}
