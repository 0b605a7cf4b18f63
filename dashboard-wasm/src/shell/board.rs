//! A saved dashboard: its widgets in four columns, and while it is arranged what each can be done to.
use headwater_query::{Show, Widget};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Event, HtmlElement};

use super::browser::{self, after};
use super::cards::figure;
use super::chart::{as_table, legend};
use super::chips::in_words;
use super::dom::{El, button, el, of, unseen, value};
use super::follow::{Signal, memo, untrack};
use super::icons::cross;
use super::panels::rows;
use super::plot::plot;
use super::state::{Overlay, State, state};
use super::{engine, http};
use crate::board::{self, Board, Dashboard, Told};
use crate::measure::Measure;

/// What its widths are called.
const WIDTHS: [&str; Widget::COLUMNS as usize] = ["¼", "½", "¾", "1"];

/// What is told to one widget.
type ToldTo = Signal<Option<Told>>;

/// The dashboard that the address names.
pub(crate) fn board() -> El {
    let state = state();
    // Which widget is being dragged.
    let dragged = Signal::new(None::<u32>);
    let keys = move || {
        let board = state.board();
        board.map(|board| board.widgets.iter().map(|(key, _)| key.to_string()).collect()).unwrap_or_default()
    };
    let grid = of("div", "board").class_if("loading", move || state.loading.get());
    let grid = grid.each(keys, move |key| one(state, key.parse().unwrap_or_default(), dragged));
    let none = move || {
        let gone = state.dashboards.with(Option::is_some) && state.board().is_none();
        match state.board() {
            None if gone => Some("This dashboard is no more."),
            Some(board) if board.widgets.is_empty() => Some("There is nothing on this dashboard yet."),
            _ => None,
        }
    };
    of("div", "fade")
        .part(
            move || state.view().and_then(|view| view.dashboard).filter(|_| state.arranges()),
            move |id| id.map(|id| arranging(state, id)).into_iter().collect(),
        )
        .part(none, |words| words.map(|words| of("p", "sheet box none").text(words)).into_iter().collect())
        .with(grid)
}

fn one(state: State, key: u32, dragged: Signal<Option<u32>>) -> El {
    let widget = memo(move || state.board().and_then(|board| board.get(key).cloned()));
    let told: ToldTo = memo(move || {
        let widget = widget.get()?;
        state.told.with(|all| all.iter().find(|(known, _)| board::is_same(known, &widget)).map(|(_, told)| told.clone()))
    });
    // Its width is no reason to draw it anew.
    let shape = move || (widget.get().map(|widget| Widget { width: 1, ..widget }), failure(told));
    let arranged = move || state.arranges();
    let class = move || format!("widget sheet w{}", widget.with(|widget| widget.as_ref().map_or(1, |widget| widget.width)));
    let drop_here = move |event: Event| {
        event.prevent_default();
        if let Some(moved) = dragged.get_untracked() {
            change(state, |draft| draft.move_to(moved, key));
        }
    };
    el("section")
        .tell("class", class)
        .bind("draggable", move || arranged().then(|| "true".into()))
        .on("dragstart", move |_| dragged.set(arranged().then_some(key)))
        .on("dragend", move |_| dragged.set(None))
        .on("dragover", move |event| {
            if dragged.get_untracked().is_some() {
                event.prevent_default();
            }
        })
        .on("drop", drop_here)
        .when(arranged, move || tools(state, key, widget))
        .part(shape, move |(widget, failure)| widget.map(|widget| draw(&widget, failure, told)).unwrap_or_default())
}

fn failure(told: ToldTo) -> Option<String> {
    told.with(|told| match told {
        Some(Told::Failed(words)) => Some(words.clone()),
        _ => None,
    })
}

fn draw(widget: &Widget, failure: Option<String>, told: ToldTo) -> Vec<El> {
    let words = board::heading(widget);
    let heading = el("h2").text(&words);
    if let Some(failure) = failure {
        return vec![heading, of("p", "none").text(&failure)];
    }
    let measure = board::measure(widget);
    // Who looks is told that it does not count everybody.
    let own = (!widget.filters.is_empty()).then(|| in_words(&widget.filters).unwrap_or_else(|| "with filters of its own".into()));
    let own = own.map(|words| of("p", "own").text(&words));
    match widget.show {
        Show::Card => {
            let totals = memo(move || match told.get() {
                Some(Told::Totals(totals)) => Some(*totals),
                _ => None,
            });
            vec![of("div", "card").with(of("h2", "name").text(&words)).all(figure(measure, totals)).all(own)]
        }
        Show::Chart => {
            let shown = plot(move || {
                told.with(|told| match told {
                    Some(Told::Series(series)) => Some(series.line(measure)),
                    _ => None,
                })
            });
            let head = of("div", "chart-head").with(heading).with(legend(shown.drawn)).with(save(told, words, Vec::new()));
            vec![of("div", "chart").with(head).all(own).with(shown.element).with(as_table(shown.drawn))]
        }
        Show::List => {
            let table = memo(move || match told.get() {
                Some(Told::Table(table)) => Some(table),
                _ => None,
            });
            let columns = board::columns(widget);
            let head = of("div", "panel-head").with(heading).with(save(told, words, columns.clone()));
            vec![rows(of("div", "panel").with(head).all(own), table, Some(columns))]
        }
    }
}

/// The button that saves what a widget shows.
fn save(told: ToldTo, name: String, columns: Vec<Measure>) -> El {
    let unseen_name = unseen(&format!(" of {name}"));
    let act = move |_| {
        let rows = told.with_untracked(|told| match told {
            Some(Told::Table(table)) => Some(table.csv(&columns)),
            Some(Told::Series(series)) => Some(series.csv()),
            _ => None,
        });
        if let Some(rows) = rows {
            browser::save(&format!("{name}.csv"), "text/csv", &rows);
        }
    };
    button("link save", "CSV", act).with(unseen_name)
}

/// Changes the dashboard that is arranged.
pub(crate) fn change(state: State, change: impl FnOnce(&mut Board)) {
    state.draft.update(|draft| {
        if let Some(draft) = draft {
            change(draft);
        }
    });
}

/// What can be done to a widget. It is also moved by dragging.
fn tools(state: State, key: u32, widget: Signal<Option<Widget>>) -> El {
    let step = |words: &str, mark: &str, later: bool| {
        button("btn small", mark, move |event| {
            change(state, |draft| draft.step(key, later));
            // What is moved in the document loses the focus.
            let pressed = event.current_target().and_then(|target| target.dyn_into::<HtmlElement>().ok());
            after(0, move || drop(pressed.map(|pressed| pressed.focus())));
        })
        .set("aria-label", words)
    };
    let resize = move |event: Event| {
        change(state, |draft| {
            if let (Some(widget), Ok(width)) = (draft.get(key).cloned(), value(&event).parse()) {
                draft.put(Some(key), Widget { width, ..widget });
            }
        });
    };
    let widths = (1..).zip(WIDTHS).map(|(width, words)| el("option").set("value", &i32::to_string(&width)).text(words));
    let width = el("select").set("aria-label", "Width").on("change", resize).all(widths);
    let width = width.prop("value", move || widget.get().map_or(1, |widget| widget.width).to_string().into());
    let edit = button("btn small", "Change", move |_| state.open.set(Some(Overlay::Widget(Some(key)))));
    let away = button("round", "", move |_| change(state, |draft| draft.remove(key))).set("aria-label", "Remove").with(cross());
    of("div", "tools-in")
        .set("role", "group")
        .tell("aria-label", move || widget.get().map(|widget| format!("Arrange {}", board::heading(&widget))).unwrap_or_default())
        .with(step("Move before", "←", false))
        .with(step("Move behind", "→", true))
        .with(width)
        .with(edit)
        .with(away)
}

/// What can be done to the whole of it.
fn arranging(state: State, id: i64) -> El {
    let path = format!("/api/v1/sites/{}/dashboards/{id}", untrack(|| state.domain()));
    let failed = Signal::new(String::new());
    let sure = Signal::new(false);
    let save = {
        let path = path.clone();
        move |_| {
            let (path, Some(draft)) = (path.clone(), state.draft.get_untracked()) else { return };
            spawn_local(async move {
                match http::change::<Dashboard>("PATCH", &path, &draft.saved()).await {
                    Ok(saved) => {
                        keep(state, saved);
                        state.draft.set(None);
                    }
                    Err(failure) if failure.field.as_deref() == Some("version") => {
                        failed.set(
                            "Somebody else has saved this dashboard meanwhile. Cancel shows theirs; arrange it from there."
                                .into(),
                        );
                        engine::surround(state);
                    }
                    Err(failure) => failed.set(failure.message),
                }
            });
        }
    };
    let remove = move |_| {
        if !sure.get_untracked() {
            return sure.set(true);
        }
        let path = path.clone();
        spawn_local(async move {
            match http::delete(&path).await {
                Ok(()) => {
                    state.draft.set(None);
                    state.turn(|view| view.dashboard = None);
                    engine::surround(state);
                }
                Err(failure) => failed.set(failure.message),
            }
        });
    };
    let name = el("input").set("type", "text").set("aria-label", "Name of the dashboard");
    let name = name
        .prop("value", move || {
            state.draft.with(|draft| draft.as_ref().map(|draft| draft.name.clone()).unwrap_or_default()).into()
        })
        .on("input", move |event| change(state, |draft| draft.name = value(&event)));
    let trouble = of("p", "wrong").set("role", "alert").words(move || failed.get());
    of("div", "note arranging")
        .with(of("div", "field").with(name))
        .with(button("btn", "Add a widget", move |_| state.open.set(Some(Overlay::Widget(None)))))
        .with(of("span", "grow"))
        .with(button("btn danger", "", remove).words(move || if sure.get() { "Really remove?" } else { "Remove the dashboard" }))
        .with(button("btn", "Cancel", move |_| state.draft.set(None)))
        .with(button("btn main", "Save", save))
        .with(trouble)
}

/// Knows a dashboard as it was saved.
pub(crate) fn keep(state: State, saved: Dashboard) {
    state.dashboards.update(|all| {
        let all = all.get_or_insert_default();
        all.retain(|known| known.id != saved.id);
        all.push(saved);
        all.sort_by(|a, b| a.name.cmp(&b.name));
    });
}
