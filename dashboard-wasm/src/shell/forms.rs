//! Fields of forms, with their labels, what is wrong with them, and help.
use super::dom::{El, el, of, ticked, value};
use super::follow::Signal;
use crate::failure::Failure;

/// What is wrong, and with which field; no field for all of it.
pub(crate) type Wrong = Signal<Option<(String, String)>>;

/// What a request that failed says about a form.
pub(crate) fn told(failure: Failure) -> Option<(String, String)> {
    Some((failure.field.unwrap_or_default(), failure.message))
}
/// The input of a field that the server calls `name`, and so finds what is wrong with it, in the form `at`.
pub(crate) fn input(name: &'static str, at: &str, text: Signal<String>, wrong: Wrong) -> El {
    let mine = move || wrong.with(|wrong| wrong.as_ref().is_some_and(|(field, _)| field == name));
    el("input")
        .set("id", &format!("{at}-{name}"))
        .set("type", "text")
        .set("autocomplete", "off")
        .set("spellcheck", "false")
        .set("aria-describedby", &format!("{at}-{name}-help {at}-{name}-wrong"))
        .bind("aria-invalid", move || mine().then(|| "true".into()))
        .prop("value", move || text.get().into())
        .on("input", move |event| text.set(value(&event)))
}

/// A field around its input.
pub(crate) fn field_with(label: &str, name: &'static str, at: &str, help: &str, wrong: Wrong, input: El) -> El {
    let about = move || wrong.get().filter(|(field, _)| field == name).map(|(_, text)| text);
    of("div", "field")
        .with(el("label").set("for", &format!("{at}-{name}")).text(label))
        .with(input)
        .with(
            of("p", "wrong")
                .set("id", &format!("{at}-{name}-wrong"))
                .set("role", "alert")
                .flag("hidden", move || about().is_none())
                .words(move || about().unwrap_or_default()),
        )
        .with(el("small").set("id", &format!("{at}-{name}-help")).text(help))
}

/// What is wrong with none of these fields.
pub(crate) fn elsewhere(fields: &'static [&'static str], wrong: Wrong) -> El {
    let words = move || wrong.get().filter(|(field, _)| !fields.contains(&field.as_str())).map(|(_, text)| text);
    of("p", "note bad").set("role", "alert").flag("hidden", move || words().is_none()).words(move || words().unwrap_or_default())
}

/// A box to tick.
pub(crate) fn tick(label: &str, help: &str, on: Signal<bool>) -> El {
    let input = el("input").set("type", "checkbox").prop("checked", move || on.get().into());
    let input = input.on("change", move |event| on.set(ticked(&event)));
    of("label", "check").with(input).with(el("span").text(label).text(" ").with(el("small").text(help)))
}

/// The button that sends a form.
pub(crate) fn send(words: &'static str, busy_words: &'static str, busy: Signal<bool>) -> El {
    of("button", "btn main")
        .set("type", "submit")
        .flag("disabled", move || busy.get())
        .words(move || if busy.get() { busy_words } else { words })
}
