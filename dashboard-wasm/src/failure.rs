//! What went wrong with a request, in words that say what to do.
use headwater_query::Problem;

/// A request that gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The HTTP status; 0 when there was no answer at all.
    pub status: u16,
    /// What happened, and what to do.
    pub message: String,
    /// The field at fault, as the problem document names it.
    pub field: Option<String>,
}

impl Failure {
    /// There was no answer.
    #[must_use]
    pub fn unreachable() -> Self {
        Self {
            status: 0,
            message: "The server can't be reached. What is shown stays as it was; it is tried again by itself.".into(),
            field: None,
        }
    }

    /// The answer was not what this page understands.
    #[must_use]
    pub fn unreadable(path: &str) -> Self {
        Self {
            status: 0,
            message: format!("The answer of {path} could not be read. Reload the page; it may be older than the server."),
            field: None,
        }
    }

    /// An answer that is no success, with its problem document where it has one.
    #[must_use]
    pub fn answered(status: u16, problem: Option<Problem>) -> Self {
        let field = problem.as_ref().and_then(|p| p.field.clone());
        let told = problem.map(|p| if p.detail.is_empty() { p.title } else { p.detail }).filter(|text| !text.is_empty());
        let message = told.unwrap_or_else(|| {
            match status {
                401 => "You are not signed in.",
                403 => "You may not see this.",
                404 => "There is no such thing here.",
                429 => "Too many requests. It is tried again in a moment.",
                500.. => "The server could not answer. It is tried again by itself; its log says more.",
                _ => "The request was refused.",
            }
            .into()
        });
        Self { status, message, field }
    }

    /// Whether it may go well later without anybody doing anything.
    #[must_use]
    pub const fn passes(&self) -> bool {
        matches!(self.status, 0 | 429 | 500..)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_words_come_first() {
        let problem = Problem::new(409, "site-exists", "The site exists", "example.com is there already.").at("domain");
        let failure = Failure::answered(409, Some(problem));
        assert_eq!((failure.message.as_str(), failure.field.as_deref()), ("example.com is there already.", Some("domain")));
        assert!(!failure.passes());
    }

    #[test]
    fn without_words_the_status_has_some() {
        for status in [400, 401, 403, 404, 429, 500, 503] {
            let failure = Failure::answered(status, None);
            assert!(failure.message.ends_with('.'), "{status}");
            assert_eq!(failure.passes(), status == 429 || status >= 500, "{status}");
        }
        assert!(Failure::unreachable().passes());
    }
}
