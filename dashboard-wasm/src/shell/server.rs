//! What belongs to the whole server: one's own password, people, tokens.
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::Event;

use super::collection::{Collection, Field, Kind, collection, fields, text};
use super::dom::{El, el, of};
use super::follow::Signal;
use super::forms::{elsewhere, send, told};
use super::session::who;
use super::state::state;
use super::{http, json};
use crate::site_info::Me;

const PASSWORD: &[Field] = &[
    Field("current", "Password now", "", Kind::Text("password")),
    Field("password", "New password", "8 characters or more. Your sessions elsewhere end.", Kind::Text("password")),
];
const ACCOUNT: &[Field] = &[
    Field("name", "Your name", "", Kind::Text("text")),
    Field("email", "Email", "It is only what you sign in with; nothing is sent there.", Kind::Text("email")),
    Field(
        "password",
        "Password",
        "8 characters or more. A sentence is easy to remember and hard to guess.",
        Kind::Text("password"),
    ),
];
const PERSON: &[Field] = &[
    Field("email", "Email", "Nothing is sent there: you get a link to send yourself.", Kind::Text("email")),
    Field("name", "Name", "", Kind::Text("text")),
    Field("admin", "Administrator", "May do everything at every site.", Kind::Flag),
];
const TOKEN: &[Field] = &[
    Field("name", "What it is for", "", Kind::Text("text")),
    Field(
        "scope",
        "What it may do",
        "",
        Kind::One(&[("read", "Read the figures"), ("ingest", "Send events"), ("edge", "Run an edge"), ("admin", "Everything")]),
    ),
];

/// The page.
pub(crate) fn server() -> Vec<El> {
    let me = state().me.get_untracked();
    let admin = me.scope == "admin";
    let title = of("div", "titles").with(el("h1").text("Account"));
    let mut parts = vec![title];
    match &me.person {
        Some(person) => {
            let about = format!("You are signed in as {} ({}).", person.name, person.email);
            parts.push(form_part("Your password", &about, "password", "/api/v1/session/password", PASSWORD, "Change it"));
        }
        None if admin => parts.push(account(&me)),
        None => parts.push(of("p", "note").text("You are signed in by a token that may only read.")),
    }
    if admin {
        parts.push(collection(Collection {
            title: "People",
            about: "Who may sign in with a password. What they may do at a site, the site's settings say.",
            path: "/api/v1/people".into(),
            key: "people",
            fields: PERSON,
            also: None,
            add: "Invite",
            tell: person,
            copy: invitation,
        }));
        parts.push(collection(Collection {
            title: "Tokens",
            about: "For programs: the API, the command line, edges.",
            path: "/api/v1/tokens".into(),
            key: "tokens",
            fields: TOKEN,
            also: None,
            add: "Make a token",
            tell: |token| (text(token, "name"), text(token, "scope")),
            copy: |token| {
                Some(("Copy it now: it is shown only this once.", text(token, "token"))).filter(|(_, text)| !text.is_empty())
            },
        }));
    }
    vec![of("div", "settings").all(parts)]
}

/// What is told of a person.
pub(crate) fn person(of: &JsValue) -> (String, String) {
    let mut details = Vec::new();
    details.extend(Some(text(of, "name")).filter(|name| !name.is_empty()));
    details.extend(Some(text(of, "role")).filter(|role| !role.is_empty()));
    for (flag, words) in [("admin", "administrator"), ("invited", "invited")] {
        details.extend(json::field(of, flag).is_truthy().then(|| words.to_owned()));
    }
    (text(of, "email"), details.join(", "))
}

/// The link of an invitation, in the answer that made it.
pub(crate) fn invitation(of: &JsValue) -> Option<(&'static str, String)> {
    let path = Some(text(of, "invitation")).filter(|path| !path.is_empty())?;
    let words = "Send them this link. It works once, for seven days, and is shown only now.";
    Some((words, format!("{}{path}", super::browser::origin())))
}

/// Makes an account for who came by the server's own token or link.
fn account(me: &Me) -> El {
    let about = if me.people == Some(0) {
        "You are signed in by the server's link or token. Make an account, and next time you sign in with an address and a password."
    } else {
        "You are signed in by the server's link or a token. Here you can make an administrator's account."
    };
    form_part("Your account", about, "account", "/api/v1/people", ACCOUNT, "Make the account")
}

fn form_part(title: &str, about: &str, at: &'static str, path: &'static str, all: &'static [Field], words: &'static str) -> El {
    let wrong = Signal::new(None::<(String, String)>);
    let done = Signal::new(false);
    let busy = Signal::new(false);
    let (drawn, read, clear) = fields(all, at, wrong);
    let submit = move |event: Event| {
        event.prevent_default();
        let (body, clear) = (read(), clear.clone());
        if at == "account" {
            if json::field(&body, "password").is_undefined() {
                wrong.set(Some(("password".into(), "Choose a password.".into())));
                return;
            }
            json::put(&body, "admin", &JsValue::TRUE);
        }
        busy.set(true);
        wrong.set(None);
        spawn_local(async move {
            let mut sent = http::submit("POST", path, &body).await;
            if at == "account" && sent.is_ok() {
                // From now on this session is that of the person.
                let own = js_sys::Object::new();
                for name in ["email", "password"] {
                    json::put(&own, name, &json::field(&body, name));
                }
                sent = http::submit("POST", "/api/v1/session", &own).await;
            }
            busy.set(false);
            match sent {
                Ok(_) => {
                    clear();
                    done.set(true);
                    who(state());
                }
                Err(failure) => wrong.set(told(failure)),
            }
        });
    };
    let names: &'static [&'static str] = Box::leak(all.iter().map(|Field(name, ..)| *name).collect());
    let form = of("form", "stack").set("novalidate", "").on("submit", submit).all(drawn).with(elsewhere(names, wrong));
    let form = form.with(of("div", "acts").with(send(words, "One moment…", busy)));
    let news = el("p").set("role", "status").words(move || if done.get() { "Done." } else { "" });
    of("section", "sheet box part").with(el("h2").text(title)).with(of("p", "lead").text(about)).with(form).with(news)
}
