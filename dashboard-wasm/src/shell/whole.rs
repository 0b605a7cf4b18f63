//! A whole list: every row of a tab, with more columns, searched, sorted and paged.
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::dialog::Dialog;
use super::erased::{act, flag, text};
use super::panels::{Value, heading};
use super::state::state;
use super::{engine, http};
use crate::format;
use crate::measure::Measure;
use crate::panel::Tab;
use crate::question::{self, PAGE, Wanted};
use crate::table::{Row, Table};

/// The list of a tab.
#[component]
pub(crate) fn Whole(tab: Tab) -> impl IntoView {
    let state = state();
    let close = Callback::new(move |()| state.turn(|view| view.whole = None));
    let wanted = RwSignal::new(Wanted::default());
    let table = RwSignal::new(None::<Table>);
    let asked = StoredValue::new(0_u32);
    let property = Memo::new(move |_| state.view().and_then(|view| view.property).or_else(|| engine::first_property(state)));
    let columns = tab.all_columns();

    Effect::new(move |_| {
        let scope = state.scope();
        let property = property.get();
        let wanted = wanted.get();
        let question = question::whole(&scope, tab, property.as_deref(), &wanted, http::server_minute());
        let (Some(question), Some(dimension)) = (question, tab.dimension(property.as_deref())) else {
            return table.set(Some(Table::empty(tab, None)));
        };
        let number = asked.with_value(|n| n + 1);
        asked.set_value(number);
        spawn_local(async move {
            let told = http::query(question).await;
            // Somebody types faster than answers come: only the last one counts.
            if asked.try_get_value() != Some(number) {
                return;
            }
            table.try_set(Some(match told {
                Ok(reading) => Table::read(&reading, tab, dimension, columns),
                Err(failure) => Table::empty(tab, Some(failure.message)),
            }));
        });
    });

    let total = Signal::derive(move || table.with(|table| table.as_ref().map_or(0, |t| t.total)));
    let page = Signal::derive(move || wanted.with(|wanted| wanted.page));
    let pages = move || total.get().div_ceil(PAGE.into()).max(1);
    let place = move || {
        let from = u64::from(page.get()) * u64::from(PAGE);
        let to = total.get().min(from + u64::from(PAGE));
        match total.get() {
            0 => String::new(),
            all => format!("{}–{} of {}", format::full(from + 1), format::full(to), format::full(all)),
        }
    };
    let title = Signal::derive(move || match (tab, property.get()) {
        (Tab::Properties, Some(name)) => format!("Values of {name}"),
        _ => tab.title().to_owned(),
    });
    let search = move |event| {
        wanted.update(|wanted| {
            wanted.search = event_target_value(&event);
            wanted.page = 0;
        });
    };
    view! {
        <Dialog title close class="wide">
            <div class="tools">
                <input
                    type="search"
                    class="search"
                    placeholder=format!("Search {}", tab.title().to_lowercase())
                    aria-label=format!("Search {}", tab.title().to_lowercase())
                    on:input=act(search)
                    autofocus=true
                />
                <span class="place" role="status">{text(place)}</span>
                <div class="pager" hidden=flag(move || pages() == 1)>
                    <button class="btn" disabled=flag(move || page.get() == 0) on:click=act(move |_| wanted.update(|w| w.page = w.page.saturating_sub(1)))>
                        "Back"
                    </button>
                    <button
                        class="btn"
                        disabled=flag(move || u64::from(page.get()) + 1 >= pages())
                        on:click=act(move |_| wanted.update(|w| w.page += 1))
                    >
                        "Next"
                    </button>
                </div>
            </div>
            <div class="scroll" tabindex="0" role="group" aria-label=tab.title()>
                {move || table.get().map(|told| list(&told, tab, columns, wanted))}
            </div>
        </Dialog>
    }
}

fn list(told: &Table, tab: Tab, columns: &'static [Measure], wanted: RwSignal<Wanted>) -> impl IntoView + use<> {
    let state = state();
    if told.rows.is_empty() {
        let search = wanted.with_untracked(|wanted| !wanted.search.is_empty());
        let words =
            told.failure.clone().unwrap_or_else(|| if search { "Nothing is called so.".into() } else { tab.empty().into() });
        return view! { <p class="none">{words}</p> }.into_any();
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
        view! {
            <th scope="col" class="n" aria-sort=aria>
                <button type="button" title=column.about() on:click=act(turn)>{heading(tab, *column)}<span aria-hidden="true">{mark}</span></button>
            </th>
        }
    });
    let rows = told.rows.iter().map(|row| {
        let cells = row.figures.iter().zip(columns).map(|(figure, column)| {
            view! { <td class="n" title=figure.tooltip(*column)>{figure.written(*column)}</td> }
        });
        let dimension = told.dimension.clone().unwrap_or(headwater_query::Dimension::Page);
        view! {
            <tr>
                <th scope="row">
                    <Value state dimension value=row.value.clone() other=Row::is_other(row) />
                </th>
                {cells.collect_view()}
            </tr>
        }
    });
    view! {
        <table class="whole">
            <thead>
                <tr>
                    <th scope="col">{tab.noun()}</th>
                    {heads.collect_view()}
                </tr>
            </thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    }
    .into_any()
}
