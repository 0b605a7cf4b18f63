//! A list that people keep, with what is told of each, a button that removes it, and a form for another. All that settings have is lists of
//! this kind, so one piece draws them: what differs are words, fields and addresses.
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::Event;

use super::dom::{El, button, el, of, unseen, value};
use super::follow::Signal;
use super::forms::{Wrong, elsewhere, field_with, input, send, tick, told};
use super::setup::copied;
use super::{http, json};
use crate::failure::Failure;

/// What a field takes.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// Text, of this type of input.
    Text(&'static str),
    /// A number.
    Number,
    /// One of these: value and words.
    One(&'static [(&'static str, &'static str)]),
    /// Yes or no.
    Flag,
}

/// A field: its name in the request, its label, help, and what it takes.
#[derive(Clone, Copy)]
pub(crate) struct Field(pub(crate) &'static str, pub(crate) &'static str, pub(crate) &'static str, pub(crate) Kind);

/// A list.
pub(crate) struct Collection {
    /// The heading.
    pub(crate) title: &'static str,
    /// What it is for.
    pub(crate) about: &'static str,
    /// The address of the list; each of it has its number behind it.
    pub(crate) path: String,
    /// The key under which the answer has it.
    pub(crate) key: &'static str,
    /// What another one needs to be told.
    pub(crate) fields: &'static [Field],
    /// What it is told besides, whatever the fields hold.
    pub(crate) also: Option<(&'static str, f64)>,
    /// The button that adds it.
    pub(crate) add: &'static str,
    /// What is told of one: name and details.
    pub(crate) tell: fn(&JsValue) -> (String, String),
    /// What is there to copy of one: words about it, and an address or a secret.
    pub(crate) copy: fn(&JsValue) -> Option<(&'static str, String)>,
}

/// A text of an answer.
pub(crate) fn text(of: &JsValue, key: &str) -> String {
    let value = json::field(of, key);
    match value.as_string() {
        Some(text) => text,
        None if value.as_f64().is_some() => json::written(&value),
        None => String::new(),
    }
}

/// Fields under each other, and a reading of what they hold; what is empty is left out.
pub(crate) fn fields(
    all: &'static [Field],
    at: &str,
    wrong: Wrong,
) -> (Vec<El>, impl Fn() -> js_sys::Object + Clone + use<>, impl Fn() + Clone + use<>) {
    let texts: Vec<Signal<String>> = all.iter().map(|_| Signal::new(String::new())).collect();
    let flags: Vec<Signal<bool>> = all.iter().map(|_| Signal::new(false)).collect();
    let draw = all.iter().zip(texts.iter().zip(&flags)).map(|(field, (text, flag))| {
        let Field(name, label, help, kind) = *field;
        let text = *text;
        match kind {
            Kind::Flag => tick(label, help, *flag),
            Kind::Text(of) => field_with(label, name, at, help, wrong, input(name, at, text, wrong).set("type", of)),
            Kind::Number => field_with(label, name, at, help, wrong, input(name, at, text, wrong).set("inputmode", "decimal")),
            Kind::One(choices) => {
                if let Some((first, _)) = choices.first() {
                    text.set((*first).to_owned());
                }
                field_with(label, name, at, help, wrong, select(name, at, choices, text))
            }
        }
    });
    let drawn = draw.collect();
    let (read_texts, read_flags) = (texts.clone(), flags.clone());
    let read = move || {
        let form = js_sys::Object::new();
        for (Field(name, _, _, kind), (text, flag)) in all.iter().zip(read_texts.iter().zip(&read_flags)) {
            let text = text.get_untracked().trim().to_owned();
            let value = match kind {
                Kind::Flag => JsValue::from_bool(flag.get_untracked()),
                Kind::Number => json::number(&text),
                Kind::Text(_) | Kind::One(_) => JsValue::from_str(&text),
            };
            if matches!(kind, Kind::Flag) || !text.is_empty() {
                json::put(&form, name, &value);
            }
        }
        form
    };
    let clear = move || {
        for ((Field(.., kind), text), flag) in all.iter().zip(&texts).zip(&flags) {
            flag.set(false);
            if !matches!(kind, Kind::One(_)) {
                text.set(String::new());
            }
        }
    };
    (drawn, read, clear)
}

/// The choice of one of several: value and words.
pub(crate) fn select<T: AsRef<str>>(name: &str, at: &str, choices: &[(T, T)], chosen: Signal<String>) -> El {
    let options = choices.iter().map(|(value, words)| el("option").set("value", value.as_ref()).text(words.as_ref()));
    let select = el("select").set("id", &format!("{at}-{name}")).on("change", move |event| chosen.set(value(&event)));
    select.all(options).prop("value", move || chosen.get().into())
}

/// Draws a list.
pub(crate) fn collection(of_list: Collection) -> El {
    let Collection { title, about, path, key, fields: asked, also, add, tell, copy } = of_list;
    let items = Signal::new(None::<Result<Vec<JsValue>, String>>);
    let made = Signal::new(None::<(&'static str, String)>);
    let wrong = Signal::new(None::<(String, String)>);
    let busy = Signal::new(false);
    let load = {
        let path = path.clone();
        move || {
            let path = path.clone();
            spawn_local(async move {
                let told = http::value(&path).await;
                let list = |told: JsValue| json::list(&told, key);
                items.set(Some(told.map(list).map_err(|failure| failure.message)));
            });
        }
    };
    load();
    let (drawn, read, clear) = fields(asked, key, wrong);
    let submit = {
        let (path, load) = (path.clone(), load.clone());
        move |event: Event| {
            event.prevent_default();
            let (body, path, load, clear) = (read(), path.clone(), load.clone(), clear.clone());
            if let Some((name, value)) = also {
                json::put(&body, name, &value.into());
            }
            busy.set(true);
            wrong.set(None);
            made.set(None);
            spawn_local(async move {
                match http::submit("POST", &path, &body).await {
                    Ok(answer) => {
                        made.set(copy(&answer));
                        clear();
                        load();
                    }
                    Err(failure) => wrong.set(told(failure)),
                }
                busy.set(false);
            });
        }
    };
    let row = move |item: &JsValue| {
        let (name, details) = tell(item);
        let target = format!("{path}/{}", text(item, "id"));
        let sure = Signal::new(false);
        let load = load.clone();
        let remove = move |_| {
            if !sure.get_untracked() {
                return sure.set(true);
            }
            let (target, load) = (target.clone(), load.clone());
            spawn_local(async move {
                if let Err(Failure { message, .. }) = http::delete(&target).await {
                    wrong.set(Some((String::new(), message)));
                }
                load();
            });
        };
        let remove = button("btn small", "", remove).words(move || if sure.get() { "Really remove?" } else { "Remove" });
        let remove = remove.with(unseen(&format!(" {name}")));
        let copyable = copy(item).map(|(_, line)| copied(&line));
        of("li", "kept")
            .with(of("div", "kept-in").with(el("b").text(&name)).with(el("span").text(&details)))
            .with(remove)
            .all(copyable)
    };
    let list = el("div").part(
        move || items.get(),
        move |told: Option<Result<Vec<JsValue>, String>>| match told {
            None => vec![of("p", "none").text("…")],
            Some(Err(message)) => vec![of("p", "note bad").set("role", "alert").text(&message)],
            Some(Ok(items)) if items.is_empty() => vec![of("p", "none").text("None yet.")],
            Some(Ok(items)) => vec![of("ul", "kept-list").all(items.iter().map(&row))],
        },
    );
    let news = el("div")
        .set("role", "status")
        .part(move || made.get(), |made| made.map_or_else(Vec::new, |(words, line)| vec![el("p").text(words), copied(&line)]));
    let names: &'static [&'static str] = Box::leak(asked.iter().map(|Field(name, ..)| *name).collect());
    let section =
        of("section", "sheet box part").with(el("h2").text(title)).with(of("p", "lead").text(about)).with(list).with(news);
    if asked.is_empty() {
        return section;
    }
    let form = of("form", "adding")
        .set("novalidate", "")
        .on("submit", submit)
        .all(drawn)
        .with(send(add, "One moment…", busy))
        .with(elsewhere(names, wrong));
    section.with(form)
}
