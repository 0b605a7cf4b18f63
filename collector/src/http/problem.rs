//! Errors as RFC 9457 problem documents, and the one table that maps each to its status.
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use headwater_query::{Problem, QueryError};

use crate::ask::AskError;
use crate::deliver::ApplyError;
use crate::store::StoreError;
use crate::store::sites::SiteError;

/// An answer that is an error.
#[derive(Debug)]
pub(crate) struct Refused {
    problem: Problem,
    retry_after: Option<u32>,
}

/// The answer to a deletion by id: 204, or 404 if there was no such thing.
pub(crate) fn removed(found: bool, noun: &str, id: &str) -> Result<Response, Refused> {
    if found { Ok(StatusCode::NO_CONTENT.into_response()) } else { Err(Refused::nothing_called(noun, id)) }
}

impl Refused {
    /// What the body or the address says is not what may stand there.
    pub(crate) fn field(field: &str, allowed: impl std::fmt::Display) -> Self {
        Self::new(400, "bad-request", "The request is not valid", format!("{field}: {allowed}")).at(field)
    }

    /// No body of the kind that is needed.
    pub(crate) fn body(detail: impl Into<String>) -> Self {
        Self::new(400, "bad-request", "The request is not valid", detail)
    }

    /// The body is longer than is read here.
    pub(crate) fn too_large() -> Self {
        Self::new(413, "too-large", "The body is too large", "requests of the API are at most 256 KiB, batches at most 32 MiB")
    }

    /// Nobody is signed in.
    pub(crate) fn sign_in() -> Self {
        let detail = "sign in with POST /api/v1/session, or send Authorization: Bearer with a token of `headwater token create`";
        Self::new(401, "sign-in", "Who is asking?", detail)
    }

    /// The token or the link is not good (any more).
    pub(crate) fn bad_token() -> Self {
        Self::new(
            401,
            "sign-in",
            "This token is not known",
            "it was revoked, used, or mistyped; `headwater token create` makes a new one, and a restart of the server a new sign-in link",
        )
    }

    /// Signed in, but not for this.
    pub(crate) fn scope(needed: &str) -> Self {
        Self::new(403, "scope", "The token does not allow this", format!("this needs a token with scope {needed}"))
    }

    /// A request that another page made in the name of somebody who is signed in.
    pub(crate) fn origin() -> Self {
        let detail = "a session is good only for requests of this server's own pages; use a token elsewhere";
        Self::new(403, "origin", "The request came from another site", detail).at("Origin")
    }

    /// The person has not the role for it.
    pub(crate) fn role(needed: &str) -> Self {
        let detail = format!("this needs the role {needed} at the site; its owners give roles");
        Self::new(403, "role", "Not allowed", detail)
    }

    /// Address and password do not belong together.
    pub(crate) fn bad_password() -> Self {
        let detail = "this address and password do not belong together; who has administrator's rights can make a new invitation";
        Self::new(401, "sign-in", "Who is asking?", detail).at("password")
    }

    /// The shared link wants its password.
    pub(crate) fn link_password(given: bool) -> Self {
        let detail = if given { "this is not the link's password" } else { "this link asks for a password" };
        Self::new(401, "password", "A password is needed", detail).at("password")
    }

    /// There is nothing of this number.
    pub(crate) fn nothing_called(noun: &str, id: &str) -> Self {
        let id: String = id.chars().take(40).collect();
        let detail = format!("there is no {noun} {id:?} here; GET on the address above lists them");
        Self::new(404, "not-found", "There is no such thing", detail).at("id")
    }

    /// There is no such site.
    pub(crate) fn no_site(field: &str, domain: &str) -> Self {
        SiteError::Unknown(domain.chars().take(80).collect()).into_refused().at(field)
    }

    /// The site has no such goal.
    pub(crate) fn no_goal(field: &str, named: &str) -> Self {
        let named: String = named.chars().take(80).collect();
        let detail = format!("this site has no goal {named:?}; GET on the same address lists those that it has");
        Self::new(404, "no-goal", "There is no such goal", detail).at(field)
    }

    /// There is one already.
    pub(crate) fn exists(field: &str, detail: String) -> Self {
        Self::new(409, "exists", "There is one already", detail).at(field)
    }

    /// It is not as it was when it was read.
    pub(crate) fn changed(detail: String) -> Self {
        Self::new(409, "changed", "It was changed meanwhile", detail).at("version")
    }

    /// There is nothing at this address.
    pub(crate) fn nothing_here() -> Self {
        Self::new(404, "not-found", "There is nothing here", "the addresses of the API begin with /api/v1/ and /api/v2/")
    }

    /// The address is right, the method is not.
    pub(crate) fn method() -> Self {
        Self::new(405, "method", "This method is not allowed here", "the header Allow lists those that are")
    }

    /// Too many requests.
    pub(crate) fn too_many(retry_after: u32) -> Self {
        let detail = format!("try again in {retry_after} s, or use a token, for which there is no limit");
        Self { retry_after: Some(retry_after), ..Self::new(429, "too-many", "Too many requests", detail) }
    }

    /// Not now.
    pub(crate) fn unavailable(detail: impl Into<String>) -> Self {
        Self { retry_after: Some(5), ..Self::new(503, "unavailable", "Not now", detail) }
    }

    fn new(status: u16, name: &str, title: &str, detail: impl Into<String>) -> Self {
        Self { problem: Problem::new(status, name, title, detail), retry_after: None }
    }

    fn at(mut self, field: &str) -> Self {
        self.problem = self.problem.at(field);
        self
    }
}

impl SiteError {
    fn into_refused(self) -> Refused {
        match self {
            Self::Exists(_) => Refused::new(409, "exists", "There is such a site", self.to_string()).at("domain"),
            Self::Unknown(_) => Refused::new(404, "no-site", "There is no such site", self.to_string()),
            Self::Store(error) => error.into(),
        }
    }
}

impl From<SiteError> for Refused {
    fn from(error: SiteError) -> Self {
        error.into_refused()
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Full | StoreError::Busy => Self::unavailable(error.to_string()),
            StoreError::Sqlite(_) | StoreError::Corrupt(_) | StoreError::Random(_) | StoreError::Interrupted => {
                tracing::error!("{error}");
                Self::new(500, "internal", "The server failed", "its log says more; nothing was changed")
            }
        }
    }
}

impl From<ApplyError> for Refused {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::Wire(_) => Self::body(error.to_string()),
            ApplyError::Store(error) => error.into(),
        }
    }
}

impl From<AskError> for Refused {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Query(error) => error.into(),
            AskError::Store(error) => error.into(),
        }
    }
}

impl From<QueryError> for Refused {
    fn from(error: QueryError) -> Self {
        Self { problem: error.problem(), retry_after: None }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_string(&self.problem).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(Problem::MEDIA_TYPE));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
