//! `/api/v1/sites/{site}/goals`
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use headwater_query::{Goal, Pattern, Target, Worth};
use serde_json::{Value, json};

use super::access::Access;
use super::extract::{Body, Named};
use super::fields::Fields;
use super::problem::Refused;
use crate::app::App;
use crate::store::goals::{self, GoalError, StoredGoal};
use crate::store::people::Role;

/// The longest name in bytes, as of an event.
const MOST_NAME: usize = 1024;
/// The largest value either way, as of an event.
const MOST_VALUE: f64 = 1e12;

const KEYS: &str = "event_name (or event), page_path (or page), display_name (or name), value, currency, goal_type";

/// `GET /api/v1/sites/{site}/goals`
pub(crate) async fn list(State(app): State<App>, access: Access, Named(domain): Named) -> Result<Response, Refused> {
    let entry = access.reads(&app, "site", &domain)?;
    let found = app.store.read(move |tx| goals::list(tx, entry.site.id)).await?;
    Ok(Json(json!({ "goals": found.iter().map(view).collect::<Vec<_>>() })).into_response())
}

/// `POST /api/v1/sites/{site}/goals`
pub(crate) async fn add(
    State(app): State<App>,
    access: Access,
    Named(domain): Named,
    Body(body): Body,
) -> Result<Response, Refused> {
    let entry = access.may(&app, "site", &domain, Role::Editor)?;
    let goal = parse(&body)?;
    let (id, name) = (entry.site.id, entry.site.domain.to_string());
    let stored = app.store.write(move |tx| goals::add(tx, id, &goal)).await?;
    let mut response = (StatusCode::CREATED, Json(view(&stored))).into_response();
    if let Ok(location) = HeaderValue::from_str(&format!("/api/v1/sites/{name}/goals/{}", stored.id)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// `DELETE /api/v1/sites/{site}/goals/{id}`
pub(crate) async fn remove(
    State(app): State<App>,
    access: Access,
    Path((domain, id)): Path<(String, String)>,
) -> Result<Response, Refused> {
    delete(&app, &access, &domain, &Value::String(id)).await
}

/// `DELETE /api/v1/sites/{site}/goals`, with the goal's `id` or `display_name` behind the `?` or in the body.
pub(crate) async fn remove_named(
    State(app): State<App>,
    access: Access,
    Named(domain): Named,
    uri: Uri,
    Body(body): Body,
) -> Result<Response, Refused> {
    let entry = access.may(&app, "site", &domain, Role::Editor)?;
    let asked = uri.query().and_then(|query| query.strip_prefix("id="));
    if let Some(id) = asked {
        return delete(&app, &access, &domain, &Value::String(id.to_owned())).await;
    }
    let mut fields = Fields::parse(&body)?;
    let id = fields.take("id");
    let name = either(&mut fields, "display_name", "name")?;
    fields.end("id, display_name (or name)")?;
    let id = match (id, name) {
        (Some(id), None) => id,
        (None, Some(name)) => {
            let found = app.store.read(move |tx| goals::list(tx, entry.site.id)).await?;
            let goal = found.iter().find(|stored| stored.goal.name == name);
            goal.ok_or_else(|| Refused::no_goal("display_name", &name))?.id.into()
        }
        _ => return Err(Refused::field("id", "say which goal: its id, or its display_name")),
    };
    delete(&app, &access, &domain, &id).await
}

async fn delete(app: &App, access: &Access, domain: &str, id: &Value) -> Result<Response, Refused> {
    let entry = access.may(app, "site", domain, Role::Editor)?;
    let number = id.as_i64().or_else(|| id.as_str().and_then(|text| text.parse().ok()));
    let number = number.ok_or_else(|| Refused::field("id", "must be the number of a goal"))?;
    let found = app.store.write(move |tx| goals::remove(tx, entry.site.id, number)).await?;
    if found { Ok(StatusCode::NO_CONTENT.into_response()) } else { Err(Refused::no_goal("id", &number.to_string())) }
}

/// Reads a goal: one of an event or a page, a name if it should have another than the default, and a value.
fn parse(body: &[u8]) -> Result<Goal, Refused> {
    let mut fields = Fields::parse(body)?;
    let (event, page) = (either(&mut fields, "event_name", "event")?, either(&mut fields, "page_path", "page")?);
    let kind = fields.text("goal_type")?;
    let name = either(&mut fields, "display_name", "name")?;
    let (value, currency) = (fields.take("value"), fields.text("currency")?);
    fields.end(KEYS)?;
    let target = match (event, page) {
        (Some(event), None) => Target::Event(short("event_name", event)?),
        (None, Some(page)) => Target::Page(page.parse::<Pattern>().map_err(|error| Refused::field("page_path", error))?),
        (Some(_), Some(_)) => return Err(Refused::field("page_path", "a goal is an event or a page, not both")),
        (None, None) => {
            let detail = "is missing; a goal is an event (event_name) or a page in which * stands for any text (page_path)";
            return Err(Refused::field("event_name", detail));
        }
    };
    let fits = match kind.as_deref() {
        None => true,
        Some("event") => matches!(target, Target::Event(_)),
        Some("page") => matches!(target, Target::Page(_)),
        Some(_) => false,
    };
    if !fits {
        return Err(Refused::field("goal_type", "must be event with event_name, or page with page_path; it can be left out"));
    }
    let name = name.map(|name| short("display_name", name)).transpose()?.unwrap_or_else(|| target.default_name());
    let worth = match (value, currency) {
        (Some(value), currency) => Some(Worth { value: millionths(&value)?, currency: code(currency)? }),
        (None, None) => None,
        (None, Some(_)) => return Err(Refused::field("currency", "goes with a value")),
    };
    Ok(Goal { name, target, worth })
}

/// A text under Plausible's name for it or under the short one.
fn either(fields: &mut Fields, name: &str, short: &str) -> Result<Option<String>, Refused> {
    match (fields.text(name)?, fields.text(short)?) {
        (Some(_), Some(_)) => Err(Refused::field(short, format!("is the same as {name}: give one of them"))),
        (one, other) => Ok(one.or(other)),
    }
}

fn short(field: &str, text: String) -> Result<String, Refused> {
    let text = text.trim();
    if text.is_empty() || text.len() > MOST_NAME || text.contains(char::is_control) {
        return Err(Refused::field(field, format!("must be 1 to {MOST_NAME} bytes of text")));
    }
    Ok(text.to_owned())
}

fn millionths(value: &Value) -> Result<i64, Refused> {
    let number = value.as_f64().filter(|number| number.abs() <= MOST_VALUE);
    let number = number.ok_or_else(|| Refused::field("value", "must be a number from -10^12 to 10^12"))?;
    Ok((number * 1e6).round() as i64)
}

fn code(currency: Option<String>) -> Result<String, Refused> {
    let Some(code) = currency else { return Ok(String::new()) };
    if code.len() == 3 && code.bytes().all(|b| b.is_ascii_alphabetic()) {
        Ok(code.to_ascii_uppercase())
    } else {
        Err(Refused::field("currency", "must be an ISO 4217 code such as EUR"))
    }
}

/// A goal as it is shown.
fn view(stored: &StoredGoal) -> Value {
    let Goal { name, target, worth } = &stored.goal;
    let mut view = match target {
        Target::Event(event) => json!({"id": stored.id, "display_name": name, "goal_type": "event", "event_name": event}),
        Target::Page(page) => {
            json!({"id": stored.id, "display_name": name, "goal_type": "page", "page_path": page.to_string()})
        }
    };
    if let Some(worth) = worth {
        view["value"] = json!(worth.value as f64 / 1e6);
        if !worth.currency.is_empty() {
            view["currency"] = json!(worth.currency);
        }
    }
    view
}

impl From<GoalError> for Refused {
    fn from(error: GoalError) -> Self {
        match error {
            GoalError::SameName(_) => Self::exists("display_name", error.to_string()),
            GoalError::SameTarget(_) => Self::exists("event_name", error.to_string()),
            GoalError::TooMany => Self::field("site", error),
            GoalError::Store(error) => error.into(),
        }
    }
}
