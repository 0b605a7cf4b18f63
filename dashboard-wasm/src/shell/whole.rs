//! A whole list: every row of a tab, with more columns, searched, sorted and paged.
use std::cell::{Cell, RefCell};
use std::rc::Rc;

use wasm_bindgen_futures::spawn_local;

use super::dialog::dialog;
use super::dom::{El, button, el, of, value};
use super::follow::{Signal, effect, memo};
use super::panels::{heading, name};
use super::state::state;
use super::{browser, engine, http};
use crate::format;
use crate::measure::Measure;
use crate::panel::Tab;
use crate::question::{self, PAGE, Wanted};
use crate::table::{Row, Table};

/// The list of a tab.
pub(crate) fn whole(tab: Tab) -> El {
    let state = state();
    let wanted = Signal::new(Wanted::default());
    let table = Signal::new(None::<Table>);
    let asked = Rc::new(Cell::new(0_u32));
    let property = move || state.view().and_then(|view| view.property).or_else(|| engine::first_property(state));
    let columns = tab.all_columns();

    let subject = memo(move || (state.scope(), property(), wanted.get()));
    let last = RefCell::new(None);
    effect(move || {
        let (scope, property, wanted) = subject.get();
        // Another order of what is here already is no question.
        let asked_for = (scope.clone(), tab.dimension(property.as_deref()), Wanted { order: None, ..wanted.clone() });
        let same = last.replace(Some(asked_for.clone())) == Some(asked_for);
        if let Some(told) = table.get_untracked().filter(|told| same && told.is_whole())
            && let Some((measure, rising)) = wanted.order
            && let Some(n) = columns.iter().position(|column| *column == measure)
        {
            return table.set(Some(told.ordered(n, rising)));
        }
        let question = question::whole(&scope, tab, property.as_deref(), &wanted, http::server_minute());
        let (Some(question), Some(dimension)) = (question, tab.dimension(property.as_deref())) else {
            return table.set(Some(Table::empty(tab, None)));
        };
        let (asked, number) = (asked.clone(), asked.get() + 1);
        asked.set(number);
        if let Some(known) = engine::list(&scope, &question) {
            return table.set(Some(Table::read(&known, tab, dimension, columns)));
        }
        spawn_local(async move {
            let told = http::query(question).await;
            // Somebody types faster than answers come: only the last one counts.
            if asked.get() == number {
                table.set(Some(match told {
                    Ok(reading) => Table::read(&reading, tab, dimension, columns),
                    Err(failure) => Table::empty(tab, Some(failure.message)),
                }));
                engine::needed(state, tab.dimension(property.as_deref()));
            }
        });
    });

    let total = move || table.with(|table| table.as_ref().map_or(0, |t| t.total));
    let page = move || wanted.with(|wanted| wanted.page);
    let pages = move || total().div_ceil(PAGE.into()).max(1);
    let place = move || {
        let from = u64::from(page()) * u64::from(PAGE);
        let to = total().min(from + u64::from(PAGE));
        match total() {
            0 => String::new(),
            all => format!("{}–{} of {}", format::full(from + 1), format::full(to), format::full(all)),
        }
    };
    let title = move || match (tab, property()) {
        (Tab::Properties, Some(name)) => format!("Values of {name}"),
        _ => tab.title().to_owned(),
    };
    let search = move |event| {
        wanted.update(|wanted| {
            wanted.search = value(&event);
            wanted.page = 0;
        });
    };
    let hint = format!("Search {}", tab.title().to_ascii_lowercase());
    let field = of("input", "search").set("type", "search").set("placeholder", &hint).set("aria-label", &hint);
    let back = button("btn", "Back", move |_| wanted.update(|w| w.page = w.page.saturating_sub(1)));
    let next = button("btn", "Next", move |_| wanted.update(|w| w.page += 1));
    let pager = of("div", "pager")
        .flag("hidden", move || pages() == 1)
        .with(back.flag("disabled", move || page() == 0))
        .with(next.flag("disabled", move || u64::from(page()) + 1 >= pages()));
    let download = button("btn", "Download CSV", move |_| {
        let (scope, property, wanted) = subject.get_untracked();
        let Some(mut question) = question::whole(&scope, tab, property.as_deref(), &wanted, http::server_minute()) else {
            return;
        };
        question.pagination = headwater_query::Pagination { limit: 10_000, offset: 0 };
        spawn_local(async move {
            let Ok(reading) = engine::told(&scope, question).await else { return };
            let Some(dimension) = tab.dimension(property.as_deref()) else { return };
            browser::save(
                &format!("{}-{}.csv", scope.domain, tab.name()),
                "text/csv",
                &Table::read(&reading, tab, dimension, columns).csv(columns),
            );
        });
    });
    let tools = of("div", "tools")
        .with(field.on("input", search).set("autofocus", ""))
        .with(of("span", "place").set("role", "status").words(place))
        .with(pager)
        .with(download);
    let scroll = of("div", "scroll").set("tabindex", "0").set("role", "group").set("aria-label", tab.title());
    let scroll = scroll.part(move || table.get(), move |told| told.iter().map(|told| list(told, tab, columns, wanted)).collect());
    dialog("wide", title, move || state.turn(|view| view.whole = None), vec![tools, scroll])
}

fn list(told: &Table, tab: Tab, columns: &'static [Measure], wanted: Signal<Wanted>) -> El {
    if told.rows.is_empty() {
        let search = wanted.with_untracked(|wanted| !wanted.search.is_empty());
        let words =
            told.failure.clone().unwrap_or_else(|| if search { "Nothing is called so.".into() } else { tab.empty().into() });
        return of("p", "none").text(&words);
    }
    let order = wanted.with_untracked(|wanted| wanted.order).or_else(|| columns.first().map(|first| (*first, false)));
    let heads = columns.iter().map(|column| {
        let sorted = order.filter(|(measure, _)| measure == column).map(|(_, rising)| rising);
        let aria = sorted.map(|rising| if rising { "ascending" } else { "descending" });
        let mark = sorted.map_or("", |rising| if rising { " ↑" } else { " ↓" });
        let turn = move |_| {
            wanted.update(|wanted| {
                wanted.order = Some((*column, sorted == Some(false)));
                wanted.page = 0;
            });
        };
        let head = button("", heading(tab, *column), turn).set("title", column.about());
        let head = head.with(el("span").set("aria-hidden", "true").text(mark));
        of("th", "n").set("scope", "col").maybe("aria-sort", aria).with(head)
    });
    let rows = told.rows.iter().map(|row| {
        let cells = row.figures.iter().zip(columns).map(|(figure, column)| {
            of("td", "n").maybe("title", figure.tooltip(*column).as_deref()).text(&figure.written(*column))
        });
        let dimension = told.dimension.as_ref().unwrap_or(&headwater_query::Dimension::Page);
        el("tr").with(el("th").set("scope", "row").with(name(dimension, &row.value, Row::is_other(row)))).all(cells)
    });
    let first = el("th").set("scope", "col").text(tab.noun());
    let heads = el("thead").with(el("tr").with(first).all(heads));
    of("table", "whole").with(heads).with(el("tbody").all(rows))
}
