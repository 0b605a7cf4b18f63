//! Axum's extractors with errors that are problem documents.
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;

use super::problem::Refused;
use crate::app::App;

/// The whole body.
pub(crate) struct Body(pub(crate) Bytes);

/// The site that the address names.
pub(crate) struct Named(pub(crate) String);

impl FromRequest<App> for Body {
    type Rejection = Refused;

    async fn from_request(request: Request, app: &App) -> Result<Self, Refused> {
        Bytes::from_request(request, app).await.map(Self).map_err(|error: BytesRejection| {
            if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
                Refused::too_large()
            } else {
                Refused::body("the body ended early")
            }
        })
    }
}

impl FromRequestParts<App> for Named {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refused> {
        let named: Result<Path<String>, _> = Path::from_request_parts(parts, app).await;
        named.map(|Path(name)| Self(name)).map_err(|_| Refused::field("site", "must be a domain such as example.com"))
    }
}
