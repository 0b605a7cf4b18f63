//! The conditions as chips, and the dialog in which one is made or changed.
use std::cell::Cell;
use std::rc::Rc;

use headwater_query::{Condition, Dimension, Filter};
use wasm_bindgen_futures::spawn_local;
use web_sys::Event;

use super::dialog::dialog;
use super::dom::{El, button, el, of, value};
use super::follow::{Signal, effect, untrack};
use super::icons::{cross, funnel};
use super::state::{Overlay, state};
use super::{http, names};
use crate::builder::Builder;
use crate::filters::{self, Filters, OPERATORS};
use crate::measure::Measure;
use crate::panel::{self, Tab};
use crate::question;
use crate::report::Reading;
use crate::site_info::SiteInfo;

/// The chips; nothing without conditions.
pub(crate) fn chips() -> El {
    let state = state();
    let draw = move |(filters, segment): (Filters, Option<String>)| {
        if filters.is_empty() && segment.is_none() {
            return Vec::new();
        }
        let segment = segment.map(|name| {
            let away = button("away", "", move |_| state.turn(|view| view.scope.segment = None));
            let away = away.set("aria-label", &format!("Remove the segment {name}")).with(cross());
            of("span", "chip").with(of("span", "what seg").text("Segment ").with(el("b").text(&name))).with(away)
        });
        let chips = filters.0.iter().enumerate().map(|(n, condition)| chip(n, condition));
        let clear = button("quiet", "Clear all", move |_| {
            state.turn(|view| {
                view.scope.filters = Filters::default();
                view.scope.segment = None;
            });
        });
        let keep = !filters.is_empty() && segment.is_none();
        let keep = keep.then(|| {
            let keep = button("quiet", "Save as a segment", move |_| state.open.set(Some(Overlay::Segment(None))));
            keep.flag("hidden", move || !state.may(SiteInfo::may_edit))
        });
        let group = of("div", "chips").set("role", "group").set("aria-label", "Filters");
        vec![group.all(segment).all(chips).with(clear).all(keep)]
    };
    let segment = move || {
        let id = state.view().and_then(|view| view.scope.segment);
        // The list may not be there yet, or somebody may have removed the segment since the address was written.
        let missing = || if state.segments.with(Option::is_some) { "that is no more" } else { "…" }.to_owned();
        id.map(|_| state.segment(id).map_or_else(missing, |segment| segment.name))
    };
    el("div").part(move || (state.scope().filters, segment()), draw)
}

/// A condition in words: what is compared and how, and with which values.
pub(crate) fn words(condition: &Condition) -> (String, String) {
    let values = condition.values.iter().map(|value| names::of(&condition.dimension, value)).collect::<Vec<_>>().join(" or ");
    (filters::subject(condition), values)
}

/// Filters as people say them; none if they were not built here.
pub(crate) fn in_words(filters: &[Filter]) -> Option<String> {
    let one = |condition| {
        let (subject, values) = words(condition);
        format!("{subject} {values}")
    };
    let all = Builder::from_query(filters)?.0;
    Some(all.iter().map(|any| any.iter().map(one).collect::<Vec<_>>().join(", or ")).collect::<Vec<_>>().join("; and "))
}

fn chip(n: usize, condition: &Condition) -> El {
    let state = state();
    let (subject, values) = words(condition);
    let words = format!("{subject} {values}");
    let (sign, hint) = if condition.negated { ("≠", "Count these instead") } else { ("=", "Count everything but these") };
    let turn = button("not-button", sign, move |_| state.filter(|filters| filters.negated(n)))
        .set("title", hint)
        .set("aria-label", &format!("Turn into the opposite: {words}"));
    let change = button("what", &subject, move |_| state.open.set(Some(Overlay::Condition(Some(n)))));
    let change = change.set("title", "Change this filter").text(" ").with(el("b").text(&values));
    let away = button("away", "", move |_| state.filter(|filters| filters.without(n)));
    let away = away.set("aria-label", &format!("Remove the filter {words}")).with(cross());
    of("span", if condition.negated { "chip not" } else { "chip" }).with(turn).with(change).with(away)
}

/// The button that makes a condition.
pub(crate) fn add_filter() -> El {
    let add = of("button", "tool").set("type", "button");
    add.on("click", |_| state().open.set(Some(Overlay::Condition(None)))).with(funnel()).text("Filter")
}

/// Makes a condition, or changes the `n`th.
pub(crate) fn condition_dialog(n: Option<usize>) -> El {
    let state = state();
    let scope = untrack(|| state.scope());
    let old = n.and_then(|n| scope.filters.0.get(n).cloned());
    let apply = move |condition: Option<Condition>| {
        state.open.set(None);
        if let Some(condition) = condition {
            state.filter(|filters| filters.with(n, condition));
        }
    };
    let title = if n.is_some() { "Change the filter" } else { "Count only…" };
    let form = condition_form(old, n, "Apply", move || state.open.set(None), apply);
    dialog("", move || title.to_owned(), move || state.open.set(None), vec![form])
}

/// The fields of one condition; `apply` is called with what was made of them.
pub(crate) fn condition_form(
    old: Option<Condition>,
    n: Option<usize>,
    words: &str,
    cancel: impl Fn() + 'static,
    apply: impl Fn(Option<Condition>) + 'static,
) -> El {
    let state = state();
    let scope = untrack(|| state.scope());
    let dimension = Signal::new(old.as_ref().map_or(Dimension::Page, |c| c.dimension.clone()));
    let operator = Signal::new(old.as_ref().map_or("is", Condition::operator).to_owned());
    let values = Signal::new(old.map(|c| c.values).unwrap_or_default());
    let search = Signal::new(String::new());
    let found = Signal::new(None::<Reading>);
    let asked = Rc::new(Cell::new(0_u32));
    effect(move || {
        let question = question::values(&scope, &dimension.get(), &search.get(), n, http::server_minute());
        let (asked, number) = (asked.clone(), asked.get() + 1);
        asked.set(number);
        spawn_local(async move {
            let told = http::query(question).await;
            if asked.get() == number {
                found.set(Some(told.unwrap_or_default()));
            }
        });
    });
    let exact = move || operator.with(|name| matches!(name.as_str(), "is" | "is_not"));
    let dimensions = move || {
        let tabs = Tab::ALL.into_iter().filter_map(|tab| tab.dimension(None));
        let properties = state.properties.get().unwrap_or_default().into_iter().map(Dimension::Prop);
        tabs.chain(properties).collect::<Vec<_>>()
    };
    let submit = move |event: Event| {
        event.prevent_default();
        let mut chosen = values.get_untracked();
        // What was typed and not taken from the list is meant too.
        let typed = search.get_untracked().trim().to_owned();
        if !typed.is_empty() && (!untrack(exact) || chosen.is_empty()) && !chosen.contains(&typed) {
            chosen.push(typed);
        }
        apply(filters::condition(&operator.get_untracked(), dimension.get_untracked(), chosen));
    };
    let toggle = move |value: &str| {
        values.update(|values| match values.iter().position(|v| v == value) {
            Some(at) => drop(values.remove(at)),
            None => values.push(value.to_owned()),
        });
    };
    // The chosen ones stay in the list, whatever is searched for.
    let rows = move || {
        let chosen = values.get();
        let mut rows: Vec<(String, String)> = chosen.iter().map(|value| (value.clone(), String::new())).collect();
        if exact() {
            found.with(|found| {
                let Some(found) = found else { return };
                for (n, row) in found.results.iter().enumerate() {
                    let Some(value) = row.dimensions.first().filter(|value| *value != "(other)") else { continue };
                    let figure = found.figure(n, 0, Measure::Visitors).written(Measure::Visitors);
                    match rows.iter_mut().find(|(known, _)| known == value) {
                        Some(known) => known.1 = figure,
                        None => rows.push((value.clone(), figure)),
                    }
                }
            });
        }
        rows
    };
    let choose = move |event: Event| {
        if let Some(chosen) = Dimension::from_name(&value(&event)) {
            dimension.set(chosen);
            values.set(Vec::new());
            search.set(String::new());
        }
    };
    let choices = move |dimensions: Vec<Dimension>| {
        let option = |of: &Dimension| el("option").set("value", &of.to_string()).text(&panel::dimension_label(of));
        let select = el("select").set("aria-label", "What is compared").on("change", choose);
        vec![select.all(dimensions.iter().map(option)).prop("value", move || dimension.get().to_string().into())]
    };
    let operators = OPERATORS.map(|(name, words)| el("option").set("value", name).text(words));
    let operators = el("select")
        .set("aria-label", "How it is compared")
        .on("change", move |event| operator.set(value(&event)))
        .all(operators)
        .prop("value", move || operator.get().into());
    let field = of("input", "search")
        .set("type", "search")
        .set("autofocus", "")
        .set("aria-label", "Search values, or type one")
        .tell("placeholder", move || if exact() { "Search values" } else { "Type a part of the value" }.into())
        .prop("value", move || search.get().into())
        .on("input", move |event| search.set(value(&event)));
    let row = move |value: &str| {
        let (own, other, shown) = (value.to_owned(), value.to_owned(), value.to_owned());
        let tick = el("input")
            .set("type", "checkbox")
            .prop("checked", move || values.with(|values| values.contains(&own)).into())
            .on("change", move |_| toggle(&other));
        let figure = move || rows().into_iter().find(|(value, _)| *value == shown).map(|(_, figure)| figure).unwrap_or_default();
        let name = names::of(&dimension.get_untracked(), value);
        of("label", "choice").with(tick).with(el("bdi").text(&name)).with(of("span", "n").words(figure))
    };
    let list = of("fieldset", "choices").set("tabindex", "0").with(of("legend", "unseen").text("Values"));
    let list = list.each(move || rows().into_iter().map(|(value, _)| value).collect(), row);
    let acts = of("div", "acts").with(of("button", "btn main").set("type", "submit").text(words));
    let acts = acts.with(button("btn", "Cancel", move |_| cancel()));
    of("form", "condition")
        .on("submit", submit)
        .with(of("div", "pair").part(dimensions, choices).with(operators))
        .with(field)
        .with(list)
        .with(acts)
}
