//! The keys.
use super::dialog::dialog;
use super::dom::{El, el, of};
use super::state::state;
use crate::period::Period;

/// All keys, and what else a mouse can do.
pub(crate) fn help() -> El {
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
    let rows = keys.flat_map(|(key, words)| [el("dt").with(el("kbd").text(&key)), el("dd").text(&words)]);
    let note = "A click on a row counts only what it names; with Shift it is counted besides what was chosen before. In the chart, arrow keys read single values.";
    let inner = vec![of("dl", "keys-list").all(rows), of("p", "fine").text(note)];
    dialog("", || "Keys".into(), || state().open.set(None), inner)
}
