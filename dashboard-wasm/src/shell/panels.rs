//! The panels: tabs, and rows with bars, largest first. A click on a row filters everything by it.
use headwater_query::Dimension;
use wasm_bindgen::JsCast;
use web_sys::MouseEvent;

use super::dom::{El, button, el, of, value};
use super::follow::Signal;
use super::map::map;
use super::names;
use super::state::state;
use crate::format;
use crate::measure::Measure;
use crate::panel::{Panel, Tab};
use crate::table::Table;

/// What a panel shows, once it is told.
type Told = Signal<Option<Table>>;

/// All panels.
pub(crate) fn panels() -> El {
    of("div", "panels").all(Panel::ALL.into_iter().zip(state().tables).map(|(panel, table)| one(panel, table)))
}

fn one(panel: Panel, table: Told) -> El {
    let state = state();
    let tab = move || state.view().map_or_else(|| panel.tabs().first().copied().unwrap_or(Tab::Pages), |v| v.tab(panel));
    let stale = move || state.loading.get() || table.with(|table| table.as_ref().is_some_and(|t| t.tab != tab()));
    let total = move || table.with(|table| table.as_ref().map_or(0, |t| t.total));
    let id = format!("panel-{}", panel.place());
    let open = move |_| state.turn(|view| view.whole = Some(view.tab(panel)));
    let all = button("", "Show all ", open)
        .flag("hidden", move || total() == 0)
        .with(el("b").words(move || format::full(total())))
        .with(of("span", "unseen").words(move || format!(" {}", tab().title().to_ascii_lowercase())));
    let head = of("div", "panel-head").with(el("h2").set("id", &id).words(move || tab().title())).with(tabs(panel, tab));
    let section = of("section", "panel sheet").class_if("loading", stale).set("aria-labelledby", &id).with(head);
    rows(section, table, None).with(of("div", "more").with(all))
}

/// What the panel can show.
fn tabs(panel: Panel, tab: impl Fn() -> Tab + Copy + 'static) -> El {
    let state = state();
    let turn = move |to: Tab| {
        state.adjust(|view| {
            if let Some(slot) = view.tabs.get_mut(panel.place()) {
                *slot = to;
            }
        });
    };
    let all = panel.tabs();
    let buttons = all.iter().copied().filter(|_| all.len() > 1 || panel.menu().is_some());
    let buttons = buttons.map(|of| button("tab", of.short(), move |_| turn(of)).says("aria-pressed", move || tab() == of));
    let menu = panel.menu().map(|(word, tabs)| {
        let inside = move || tabs.contains(&tab());
        let none = el("option").set("value", "").set("disabled", "").set("hidden", "").text(word);
        let options = tabs.iter().map(|of| el("option").set("value", &of.name()).text(of.short()));
        of("select", "tab")
            .class_if("on", inside)
            .set("aria-label", word)
            .on("change", move |event| {
                if let Some(to) = Tab::from_name(&value(&event)) {
                    turn(to);
                }
            })
            .with(none)
            .all(options)
            .prop("value", move || if inside() { tab().name() } else { String::new() }.into())
    });
    let group = of("div", "tabs").set("role", "group").set("aria-label", "What is listed").all(buttons).all(menu);
    if panel == Panel::Properties { property_choice(group) } else { group }
}

/// Which property's values are listed.
fn property_choice(group: El) -> El {
    let state = state();
    let names = move || {
        let mut names = state.properties.get().unwrap_or_default();
        if let Some(chosen) = state.view().and_then(|view| view.property)
            && !names.contains(&chosen)
        {
            names.push(chosen);
        }
        names
    };
    let chosen = move || state.view().and_then(|v| v.property).or_else(|| names().first().cloned()).unwrap_or_default();
    group.part(names, move |names| {
        if names.is_empty() {
            return Vec::new();
        }
        let options = names.iter().map(|name| el("option").set("value", name).text(name));
        let choose = move |event| state.adjust(|view| view.property = Some(value(&event)));
        let select = of("select", "tab on").set("aria-label", "Property").on("change", choose).all(options);
        vec![select.prop("value", move || chosen().into())]
    })
}

/// Puts the rows of a table into a panel.
pub(crate) fn rows(panel: El, table: Told, columns: Option<Vec<Measure>>) -> El {
    let shape = move || {
        table.with(|table| {
            let table = table.as_ref()?;
            let none = table.rows.is_empty().then(|| table.failure.clone().unwrap_or_else(|| table.tab.empty().into()));
            Some((table.tab, table.dimension.clone(), none))
        })
    };
    panel.part(shape, move |shape| {
        let Some((tab, dimension, none)) = shape else { return vec![of("p", "none").text("…")] };
        if let Some(words) = none {
            return vec![of("p", "none").text(&words)];
        }
        let dimension = dimension.unwrap_or(Dimension::Page);
        let columns: Vec<_> = columns.clone().unwrap_or_else(|| tab.columns().to_vec());
        let mapped = tab == Tab::Countries;
        let few = if mapped { Panel::BELOW } else { Panel::FEW as usize };
        let values = move || table.with(|table| table.iter().flat_map(|t| t.first(few)).map(|row| row.value.clone()).collect());
        let heads = columns.iter().enumerate().map(|(n, column)| {
            let head = of("span", nth(n)).set("role", "columnheader").set("title", column.about());
            head.text(heading(tab, *column))
        });
        let label = of("span", "label").set("role", "columnheader").text(tab.noun());
        let heads = of("div", "row heads").set("role", "row").with(label).all(heads);
        let class = if columns.len() == 1 { "rows single" } else { "rows" };
        let body = of("div", "rows").set("role", "rowgroup");
        let body = body.each(values, move |value| row(table, value, &dimension, &columns));
        let list = of("div", class).set("role", "table").set("aria-label", tab.title());
        let list = list.with(el("div").set("role", "rowgroup").with(heads)).with(body);
        mapped.then(|| map(table)).into_iter().chain([list]).collect()
    })
}

const fn nth(n: usize) -> &'static str {
    if n % 2 == 1 { "n second" } else { "n" }
}

/// The words over a column.
pub(crate) const fn heading(tab: Tab, column: Measure) -> &'static str {
    match (tab, column) {
        (Tab::Events | Tab::Goals, Measure::Events) => "Count",
        (Tab::EntryPages, Measure::Visits) => "Entries",
        (Tab::ExitPages, Measure::Visits) => "Exits",
        (_, column) => column.heading(),
    }
}

fn row(table: Told, value: &str, dimension: &Dimension, columns: &[Measure]) -> El {
    let wanted = value.to_owned();
    let found = move || table.with(|table| table.as_ref().and_then(|t| t.row(&wanted)).cloned());
    let other = found().is_some_and(|row| row.is_other());
    let share = {
        let found = found.clone();
        // Cut off rather than scaled, so that short bars keep their round ends.
        move || {
            let share = found().map_or(0.0, |row| row.share);
            format!("inset(0 {}% 0 0 round 6px)", format::decimal(100.0 - 100.0 * share))
        }
    };
    let cells = columns.iter().copied().enumerate().map(|(n, column)| {
        let figure = {
            let found = found.clone();
            move || found().and_then(|row| row.figures.get(n).copied()).unwrap_or_default()
        };
        let hint = figure.clone();
        let cell = of("span", nth(n)).set("role", "cell").bind("title", move || hint().tooltip(column));
        cell.words(move || figure().written(column))
    });
    of("div", if other { "row other" } else { "row" })
        .set("role", "row")
        .with(of("span", "bar").set("aria-hidden", "true").style("clip-path", share))
        .with(of("span", "label").set("role", "rowheader").with(name(dimension, value, other)))
        .all(cells)
}

/// The name of a row, which is a button that filters by it. `(other)` is no value.
pub(crate) fn name(dimension: &Dimension, value: &str, other: bool) -> El {
    let state = state();
    let label = names::of(dimension, value);
    if other {
        return el("bdi").set("title", "All values beyond the most frequent ones of each day").text(&label);
    }
    let hint = format!("{label} – click to count only this, with Shift besides others");
    let (its, own) = ((dimension.clone(), value.to_owned()), (dimension.clone(), value.to_owned()));
    let click = move |event: web_sys::Event| {
        let mouse = event.dyn_ref::<MouseEvent>();
        let also = mouse.is_some_and(|event| event.shift_key() || event.ctrl_key() || event.meta_key());
        state.turn(|view| {
            view.scope.filters = view.scope.filters.toggled(&own.0, &own.1, also);
            view.whole = None;
        });
    };
    button("value", "", click)
        .set("title", &hint)
        .says("aria-pressed", move || state.scope().filters.holds(&its.0, &its.1))
        .with(el("bdi").text(&label))
}
