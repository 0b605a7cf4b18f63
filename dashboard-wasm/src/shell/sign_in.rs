//! Signing in: with an address and a password, or by pasting a token; accepting an invitation; opening a link that asks for a password.
use wasm_bindgen_futures::spawn_local;
use web_sys::Event;

use super::collection::{Field, Kind, fields};
use super::dom::{El, el, of};
use super::follow::Signal;
use super::forms::{elsewhere, send, told};
use super::session::{open_link, who};
use super::state::state;
use super::{browser, http, json};
use crate::route;

/// A form that posts its fields, and then asks who is looking.
fn form(at: &'static str, path: &'static str, all: &'static [Field], words: &'static str, token: Option<String>) -> El {
    let wrong = Signal::new(None::<(String, String)>);
    let busy = Signal::new(false);
    let (drawn, read, _) = fields(all, at, wrong);
    let submit = move |event: Event| {
        event.prevent_default();
        let body = read();
        if let Some(token) = &token {
            json::put(&body, "token", &token.into());
        }
        busy.set(true);
        wrong.set(None);
        spawn_local(async move {
            match http::submit("POST", path, &body).await {
                Ok(_) => who(state()),
                Err(failure) => wrong.set(told(failure)),
            }
            busy.set(false);
        });
    };
    let names: &'static [&'static str] = Box::leak(all.iter().map(|Field(name, ..)| *name).collect());
    let form = of("form", "stack").set("novalidate", "").on("submit", submit).all(drawn).with(elsewhere(names, wrong));
    form.with(of("div", "acts").with(send(words, "One moment…", busy)))
}

const BY_PASSWORD: &[Field] =
    &[Field("email", "Email", "", Kind::Text("email")), Field("password", "Password", "", Kind::Text("password"))];
const BY_TOKEN: &[Field] = &[Field(
    "token",
    "Token",
    "The server printed a sign-in link when it started, and on its first start the administrator's token; `headwater token create` makes another.",
    Kind::Text("password"),
)];
const ACCEPTING: &[Field] = &[
    Field("name", "Your name", "", Kind::Text("text")),
    Field(
        "password",
        "Password",
        "8 characters or more. A sentence is easy to remember and hard to guess.",
        Kind::Text("password"),
    ),
];
const OPENING: &[Field] = &[Field("password", "Password", "Whoever gave you the link knows it.", Kind::Text("password"))];

/// The form. `why` is what there is to say about why it is shown.
pub(crate) fn sign_in_form(why: Option<String>) -> El {
    let page = of("div", "narrow sheet box fade").with(el("h1").text("Sign in"));
    let token = el("details").with(el("summary").text("With a token"));
    page.all(why.map(|why| el("p").set("role", "status").text(&why)))
        .with(form("person", "/api/v1/session", BY_PASSWORD, "Sign in", None))
        .with(token.with(form("by-token", "/api/v1/session", BY_TOKEN, "Sign in", None)))
}

/// The form for who was invited.
pub(crate) fn invited(token: String) -> El {
    of("div", "narrow sheet box fade")
        .with(el("h1").text("Welcome"))
        .with(
            el("p").text("You were invited to look at the figures here. Choose a password, with which you sign in from now on."),
        )
        .with(form("invitation", "/api/v1/invitation", ACCEPTING, "Set the password", Some(token)))
}

/// The form for a shared link that asks for a password.
pub(crate) fn link_password(tried: bool) -> El {
    let wrong = Signal::new(tried.then(|| ("password".to_owned(), "This is not the link's password.".to_owned())));
    let busy = Signal::new(false);
    let (drawn, read, _) = fields(OPENING, "link", wrong);
    let submit = move |event: Event| {
        event.prevent_default();
        let (_, _, hash) = browser::address();
        let password = json::field(&read(), "password").as_string().unwrap_or_default();
        if let Some(link) = route::secret(&hash, "link") {
            busy.set(true);
            open_link(state(), link.to_owned(), Some(password));
        }
    };
    let form = of("form", "stack").set("novalidate", "").on("submit", submit).all(drawn);
    of("div", "narrow sheet box fade")
        .with(el("h1").text("These figures were shared with a password"))
        .with(form.with(of("div", "acts").with(send("Show them", "One moment…", busy))))
}
