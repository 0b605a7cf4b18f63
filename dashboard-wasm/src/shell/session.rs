//! Who is looking: signing in by link or token, and what a guest may see.
use serde::{Deserialize, Serialize};
use wasm_bindgen_futures::spawn_local;

use super::follow::{together, untrack};
use super::state::{Session, State};
use super::{browser, http};
use crate::failure::Failure;
use crate::route::{self, Route};
use crate::site_info::{Me, SiteInfo, SiteList};

#[derive(Serialize)]
struct Token<'a> {
    token: &'a str,
}

/// Exchanges a token for a session's cookie.
pub(crate) async fn sign_in(token: &str) -> Result<(), Failure> {
    http::post_only("/api/v1/session", &Token { token }).await
}

/// Uses the token of a sign-in link, and takes it out of the address and the history before anything else.
pub(crate) fn sign_in_by_link(state: State) {
    let (path, search, hash) = browser::address();
    if let Some(invitation) = route::secret(&hash, "invitation") {
        browser::set_address(&format!("{path}{search}"), false);
        return state.session.set(Session::Invited(invitation.to_owned()));
    }
    if untrack(|| state.view()).is_some_and(|view| view.shared)
        && let Some(link) = route::secret(&hash, "link")
    {
        return open_link(state, link.to_owned(), None);
    }
    let Some(token) = route::secret(&hash, "sign-in").map(str::to_owned) else {
        who(state);
        return;
    };
    browser::set_address(&format!("{path}{search}"), false);
    spawn_local(async move {
        match sign_in(&token).await {
            Ok(()) => who(state),
            Err(failure) if failure.passes() => state.session.set(Session::Unknown(failure)),
            Err(_) => {
                // An open session is worth more than a used link.
                if http::get::<SiteList>("/api/v1/sites").await.is_ok() {
                    who(state);
                } else {
                    let why = "This sign-in link was used before or is too old: each works once. Paste a token instead, or start the server again for a new link.";
                    state.session.set(Session::Out(Some(why.into())));
                }
            }
        }
    });
}

#[derive(Serialize)]
struct Opening {
    link: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

#[derive(Deserialize)]
struct Opened {
    token: String,
}

/// Opens a shared link, with its password where it has one.
pub(crate) fn open_link(state: State, link: String, password: Option<String>) {
    let tried = password.is_some();
    spawn_local(async move {
        match http::post::<Opened>("/api/v1/share", &Opening { link, password }).await {
            Ok(Opened { token }) => {
                http::bear(token);
                if let Ok(list) = http::get::<SiteList>("/api/v1/sites").await {
                    state.sites.set(list.sites);
                }
                state.session.set(Session::Shared);
            }
            Err(failure) if failure.status == 401 => state.session.set(Session::Password(tried)),
            Err(failure) if failure.status == 404 => {
                state.session.set(Session::Out(Some(
                    "This link was revoked, or was not copied whole. Ask whoever gave it to you for another.".into(),
                )));
            }
            Err(failure) => state.session.set(Session::Unknown(failure)),
        }
    });
}

/// Asks who is looking, and with it for the sites.
pub(crate) fn who(state: State) {
    spawn_local(async move {
        match http::get::<SiteList>("/api/v1/sites").await {
            Ok(list) => {
                let me = http::get::<Me>("/api/v1/session").await.unwrap_or_default();
                together(|| {
                    state.me.set(me);
                    state.sites.set(list.sites);
                    state.session.set(Session::In);
                });
            }
            Err(failure) if failure.status == 401 => state.session.set(guest(state).await),
            Err(failure) => state.session.set(Session::Unknown(failure)),
        }
    });
}

/// Without a session, a public site can be read all the same.
async fn guest(state: State) -> Session {
    let Route::Site(view) = state.route.get_untracked() else { return Session::Out(None) };
    let domain = view.scope.domain;
    match http::get::<SiteInfo>(&format!("/api/v1/sites/{domain}")).await {
        Ok(site) => {
            state.sites.set(vec![site]);
            Session::Guest
        }
        Err(_) => Session::Out(None),
    }
}
