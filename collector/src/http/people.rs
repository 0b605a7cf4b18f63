//! `/api/v1/people`, `/api/v1/sites/{site}/people` and `/api/v1/invitation`: who may sign in, and what they may do where.
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::access::Access;
use super::extract::{Body, Named};
use super::fields::Fields;
use super::passwords;
use super::problem::{Refused, removed};
use super::session::enter;
use crate::app::App;
use crate::secret::{Secret, SecretHash};
use crate::store::StoreError;
use crate::store::people::{self, Person, PersonError, Role};
use crate::store::sessions::Holder;
use crate::store::tokens::Scope;

/// The longest name in bytes.
const MOST: usize = 254;

/// `GET /api/v1/people`
pub(crate) async fn list(State(app): State<App>, access: Access) -> Result<Response, Refused> {
    access.needs(Scope::Admin)?;
    let people = app.store.read(|tx| people::list(tx)).await?;
    Ok(Json(json!({ "people": people })).into_response())
}

/// `POST /api/v1/people`: somebody with a password, or with an invitation to set one.
pub(crate) async fn add(State(app): State<App>, access: Access, Body(body): Body) -> Result<Response, Refused> {
    access.needs(Scope::Admin)?;
    let mut fields = Fields::parse(&body)?;
    let email = email(&mut fields)?;
    let name = fields.parsed("name", short)?.unwrap_or_default();
    let admin = fields.flag("admin")?.unwrap_or(false);
    let password = fields.text("password")?;
    fields.end("email, name, admin, password")?;
    let kept = match password {
        Some(password) => Some(passwords::keep(password).await?),
        None => None,
    };
    let now = app.now();
    let added = app.store.write(move |tx| {
        let person = people::add(tx, &email, &name, admin, kept.as_ref(), now)?;
        let invitation = if kept.is_none() { Some(people::invite(tx, person.id, now)?) } else { None };
        Ok::<_, PersonError>((person, invitation))
    });
    let (person, invitation) = added.await?;
    Ok((StatusCode::CREATED, Json(told(&person, invitation.as_ref()))).into_response())
}

/// `DELETE /api/v1/people/{id}`
pub(crate) async fn remove(State(app): State<App>, access: Access, Path(id): Path<String>) -> Result<Response, Refused> {
    access.needs(Scope::Admin)?;
    let number = number("person", &id)?;
    let found = app.store.write(move |tx| people::remove(tx, number)).await?;
    removed(found, "person", &id)
}

/// `POST /api/v1/people/{id}/invitation`: another invitation, also for who lost the password.
pub(crate) async fn invite(State(app): State<App>, access: Access, Path(id): Path<String>) -> Result<Response, Refused> {
    access.needs(Scope::Admin)?;
    let (number, now) = (number("person", &id)?, app.now());
    let made = app.store.write(move |tx| {
        let Some(person) = people::get(tx, number)? else { return Ok(None) };
        Ok::<_, StoreError>(Some((people::invite(tx, number, now)?, person)))
    });
    let (invitation, person) = made.await?.ok_or_else(|| Refused::nothing_called("person", &id))?;
    Ok((StatusCode::CREATED, Json(told(&person, Some(&invitation)))).into_response())
}

/// `POST /api/v1/invitation`: sets a password by an invitation, and signs in.
pub(crate) async fn accept(
    State(app): State<App>,
    access: Access,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<Response, Refused> {
    access.attempt_from_own_page(&app, &headers)?;
    let mut fields = Fields::parse(&body)?;
    let token = fields.text("token")?.ok_or_else(|| Refused::field("token", "is missing"))?;
    let name = fields.parsed("name", short)?;
    let password = fields.text("password")?.ok_or_else(|| Refused::field("password", "is missing"))?;
    fields.end("token, name, password")?;
    let (hash, now) = (SecretHash::of(&token), app.now());
    // A guess costs neither a hash nor a write.
    if app.store.read(move |tx| people::invited(tx, hash, now)).await?.is_none() {
        return Err(Refused::bad_token());
    }
    let kept = passwords::keep(password).await?;
    let person = app.store.write(move |tx| people::accept(tx, hash, name.as_deref(), &kept, now)).await?;
    enter(&app, &headers, person.ok_or_else(Refused::bad_token)?).await
}

/// `GET /api/v1/sites/{site}/people`
pub(crate) async fn of_site(State(app): State<App>, access: Access, Named(domain): Named) -> Result<Response, Refused> {
    let entry = access.may(&app, "site", &domain, Role::Owner)?;
    let people = app.store.read(move |tx| people::of_site(tx, entry.site.id)).await?;
    let people = people.iter().map(|(person, role)| with_role(person, *role)).collect::<Vec<_>>();
    Ok(Json(json!({ "people": people })).into_response())
}

/// `POST /api/v1/sites/{site}/people`: gives somebody a role, and invites them if they are new.
pub(crate) async fn appoint(
    State(app): State<App>,
    access: Access,
    Named(domain): Named,
    Body(body): Body,
) -> Result<Response, Refused> {
    let entry = access.may(&app, "site", &domain, Role::Owner)?;
    let mut fields = Fields::parse(&body)?;
    let email = email(&mut fields)?;
    let role = fields.parsed("role", |word| Role::parse(word).ok_or("must be viewer, editor or owner"))?;
    let role = role.ok_or_else(|| Refused::field("role", "is missing; it is viewer, editor or owner"))?;
    fields.end("email, role")?;
    let (now, site) = (app.now(), entry.site.id);
    let appointed = app.store.write(move |tx| people::appoint_by_email(tx, &email, "", site, role, now));
    let (person, invitation) = appointed.await?;
    let mut view = with_role(&person, role);
    if let Some(invitation) = invitation {
        view["invitation"] = json!(people::invitation_path(&invitation));
    }
    Ok((StatusCode::CREATED, Json(view)).into_response())
}

/// `DELETE /api/v1/sites/{site}/people/{id}`
pub(crate) async fn dismiss(
    State(app): State<App>,
    access: Access,
    Path((domain, id)): Path<(String, String)>,
) -> Result<Response, Refused> {
    let entry = access.may(&app, "site", &domain, Role::Owner)?;
    let number = number("person", &id)?;
    if matches!(access.holder(), Some(Holder::Person(me, _)) if me.id == number && !me.admin) {
        return Err(Refused::field("id", "an owner cannot leave; another owner can take the role away"));
    }
    let found = app.store.write(move |tx| people::dismiss(tx, number, entry.site.id)).await?;
    removed(found, "person", &id)
}

fn told(person: &Person, invitation: Option<&Secret>) -> Value {
    let mut view = json!(person);
    if let Some(invitation) = invitation {
        view["invitation"] = json!(people::invitation_path(invitation));
    }
    view
}

fn with_role(person: &Person, role: Role) -> Value {
    let mut view = json!(person);
    view["role"] = json!(role);
    view
}

fn email(fields: &mut Fields) -> Result<String, Refused> {
    fields.parsed("email", people::address)?.ok_or_else(|| Refused::field("email", "is missing"))
}

/// A short text that people read.
pub(crate) fn short(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.len() > MOST || text.contains(char::is_control) {
        return Err(format!("must be 1 to {MOST} bytes of text"));
    }
    Ok(text.to_owned())
}

/// The number in an address.
pub(crate) fn number(noun: &str, id: &str) -> Result<i64, Refused> {
    id.parse().map_err(|_| Refused::field("id", format!("must be the number of a {noun}")))
}

impl From<PersonError> for Refused {
    fn from(error: PersonError) -> Self {
        match error {
            PersonError::Exists(_) => Self::exists("email", error.to_string()),
            PersonError::TooMany => Self::field("email", error),
            PersonError::Store(error) => error.into(),
        }
    }
}
