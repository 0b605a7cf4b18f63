//! Notes on the chart.
use wasm_bindgen_futures::spawn_local;
use web_sys::Event;

use super::collection::{Field, Kind, fields};
use super::dialog::dialog;
use super::dom::{El, el, of};
use super::follow::{Signal, untrack};
use super::forms::{elsewhere, send, told};
use super::state::state;
use super::{engine, http};

const NOTE: &[Field] = &[Field("date", "Day", "", Kind::Text("date")), Field("text", "What happened", "", Kind::Text("text"))];

/// The form for another note.
pub(crate) fn annotate_dialog() -> El {
    let state = state();
    let wrong = Signal::new(None::<(String, String)>);
    let busy = Signal::new(false);
    let (drawn, read, _) = fields(NOTE, "note", wrong);
    let path = format!("/api/v1/sites/{}/annotations", untrack(|| state.domain()));
    let submit = move |event: Event| {
        event.prevent_default();
        let (body, path) = (read(), path.clone());
        busy.set(true);
        spawn_local(async move {
            match http::submit("POST", &path, &body).await {
                Ok(_) => {
                    state.open.set(None);
                    engine::surround(state);
                }
                Err(failure) => wrong.set(told(failure)),
            }
            busy.set(false);
        });
    };
    let form =
        of("form", "stack").set("novalidate", "").on("submit", submit).all(drawn).with(elsewhere(&["date", "text"], wrong));
    let form = form.with(of("div", "acts").with(send("Add the note", "One moment…", busy)));
    dialog("", || "Note what happened".into(), move || state.open.set(None), vec![el("div").with(form)])
}
