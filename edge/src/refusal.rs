//! Why something is not counted, and the one table that maps each reason to a status.
use headwater_core::BeaconError;

/// Why a request, or one item of it, is refused. The text names the field and says what is allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The bytes are no beacon, or a field of it is outside its limits.
    #[error("{0}")]
    Beacon(BeaconError),
    /// The body is no JSON, or neither an object nor an array of 1 to 1,000.
    #[error("{0}")]
    Body(&'static str),
    /// A field is missing or outside its limits: its name, and what is allowed.
    #[error("{0}: {1}")]
    Field(&'static str, &'static str),
    /// No (valid) token, where one is needed.
    #[error("Authorization: this token is unknown or revoked; create one with `headwater token create`")]
    Token,
    /// A field that only requests with a token may carry.
    #[error("{0}: only requests with a token may carry it")]
    NeedsToken(&'static str),
    /// The token is not for this site.
    #[error("Authorization: this token may not send for the site")]
    Forbidden,
    /// The page's host is not one of the site's.
    #[error("Origin, Referer: events of this site come from pages of its own hosts; see `headwater site set --hosts`")]
    Host,
    /// There is no such site.
    #[error("{0}: there is no such site here; add it with `headwater site add`")]
    UnknownSite(&'static str),
    /// Happened, or was created, too long ago.
    #[error("{0}: at most 72 hours ago")]
    TooOld(&'static str),
    /// The body is too large; how many bytes are allowed.
    #[error("the body is at most {0} bytes")]
    TooLarge(usize),
    /// Too many requests; how many seconds to wait.
    #[error("too many requests {0}; try again in {1} s")]
    TooMany(&'static str, u32),
    /// The salt of the minute is not here yet, or the request can't be made durable now.
    #[error("{0}; try again in {1} s")]
    Unavailable(&'static str, u32),
}

impl From<BeaconError> for Refusal {
    fn from(error: BeaconError) -> Self {
        Self::Beacon(error)
    }
}

impl Refusal {
    /// The salt of a minute is not known (yet).
    pub const NO_SALT: Self = Self::Unavailable("the site's identity window is not known here yet", 30);
    /// Nothing can be written: the disk may be full.
    pub const NOT_DURABLE: Self = Self::Unavailable("events can't be stored now", 5);
    /// Nothing is known of the site yet, and the collector can't be asked now.
    pub const NO_FACTS: Self = Self::Unavailable("the collector can't be asked about the site now", 5);
    /// More waits for the collector than an inbox may hold.
    pub const FULL: Self = Self::Unavailable("the inbox is full until the collector takes what waits", 30);
    /// More is waiting than can be written in time.
    pub const BUSY: Self = Self::Unavailable("too much is waiting to be stored", 1);

    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Beacon(BeaconError::TooLarge) | Self::TooLarge(_) => 413,
            Self::Beacon(_) | Self::Body(_) | Self::Field(..) => 400,
            Self::Token => 401,
            Self::NeedsToken(_) | Self::Forbidden | Self::Host => 403,
            Self::UnknownSite(_) => 404,
            Self::TooOld(_) => 410,
            Self::TooMany(..) => 429,
            Self::Unavailable(..) => 503,
        }
    }

    /// A short name of the status, for people.
    #[must_use]
    pub const fn title(&self) -> &'static str {
        match self.status() {
            401 => "Unknown token",
            403 => "Not allowed",
            404 => "Unknown site",
            410 => "Too old",
            413 => "Too large",
            429 => "Too many requests",
            503 => "Not available now",
            _ => "Malformed",
        }
    }

    /// After how many seconds the same request may succeed.
    #[must_use]
    pub const fn retry_after(&self) -> Option<u32> {
        match self {
            Self::TooMany(_, seconds) | Self::Unavailable(_, seconds) => Some(*seconds),
            _ => None,
        }
    }

    /// The problem document (RFC 9457).
    #[must_use]
    pub fn problem(&self) -> serde_json::Value {
        serde_json::json!({
            "type": "about:blank",
            "title": self.title(),
            "status": self.status(),
            "detail": self.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_its_status_and_says_what_to_do() {
        let all = [
            (Refusal::Beacon(BeaconError::Malformed), 400),
            (Refusal::Beacon(BeaconError::TooLarge), 413),
            (Refusal::Body("an object or an array"), 400),
            (Refusal::Field("name", "1 to 1024 bytes"), 400),
            (Refusal::Token, 401),
            (Refusal::NeedsToken("ip"), 403),
            (Refusal::Forbidden, 403),
            (Refusal::Host, 403),
            (Refusal::UnknownSite("domain"), 404),
            (Refusal::TooOld("timestamp"), 410),
            (Refusal::TooLarge(65_536), 413),
            (Refusal::TooMany("from this visitor", 3), 429),
            (Refusal::NO_SALT, 503),
            (Refusal::NOT_DURABLE, 503),
            (Refusal::NO_FACTS, 503),
            (Refusal::FULL, 503),
        ];
        for (refusal, status) in all {
            assert_eq!(refusal.status(), status);
            assert_eq!(refusal.retry_after().is_some(), matches!(status, 429 | 503));
            let problem = refusal.problem();
            assert_eq!(problem["status"], status);
            assert!(problem["detail"].as_str().unwrap().len() > 10);
        }
    }
}
