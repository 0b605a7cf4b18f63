//! The keys.
use leptos::prelude::*;

use super::dialog::Dialog;
use super::state::state;
use crate::period::Period;

/// All keys, and what else a mouse can do.
#[component]
pub(crate) fn Help() -> impl IntoView {
    let state = state();
    let close = Callback::new(move |()| state.open.set(None));
    let periods =
        Period::ALL.into_iter().filter_map(|period| Some((period.key()?.to_ascii_uppercase().to_string(), period.label())));
    let others = [
        ("C", "Days of your choice"),
        ("X", "Compare, or compare no longer"),
        ("/", "Make a filter"),
        ("Esc", "Clear the filters"),
        ("?", "These keys"),
    ];
    let keys = periods.chain(others.map(|(key, words)| (key.to_owned(), words.to_owned())));
    let rows = keys.map(|(key, words)| {
        view! {
            <dt>
                <kbd>{key}</kbd>
            </dt>
            <dd>{words}</dd>
        }
    });
    view! {
        <Dialog title="Keys".to_owned() close>
            <dl class="keys-list">{rows.collect_view()}</dl>
            <p class="fine">
                "A click on a row counts only what it names; with Shift it is counted besides what was chosen before. In the chart, arrow keys read single values."
            </p>
        </Dialog>
    }
}
