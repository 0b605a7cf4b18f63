//! The headers of ingest's answers. The same for every shell.
use std::borrow::Cow;

use crate::answer::Answer;

/// A header's name in lower case, and its value.
pub type Header = (&'static str, Cow<'static, str>);

const fn fixed(name: &'static str, value: &'static str) -> Header {
    (name, Cow::Borrowed(value))
}

/// Lets the page that asked read the answer. Which site it is for is not known before the body is read, and a preflight
/// has none: so any page may read that it was refused, and only one of a foreign host may not.
fn share(headers: &mut Vec<Header>, origin: Option<&str>) {
    headers.push(("access-control-allow-origin", origin.map_or(Cow::Borrowed("*"), |origin| origin.to_owned().into())));
    headers.push(fixed("access-control-expose-headers", "Retry-After, X-Headwater-Dropped, X-Headwater-Warning"));
    headers.push(fixed("vary", "Origin"));
}

/// The headers of an answer to a request from a page of `origin`. `warning`: what `X-Headwater-Warning` says, if anything.
#[must_use]
pub fn of_answer<Body>(answer: &Answer<Body>, origin: Option<&str>, warning: Option<&str>) -> Vec<Header> {
    let mut headers = Vec::with_capacity(8);
    if answer.body.is_some() {
        headers.push(fixed("content-type", if answer.status < 400 { "application/json" } else { "application/problem+json" }));
    }
    if let Some(seconds) = answer.retry_after {
        headers.push(("retry-after", seconds.to_string().into()));
    }
    if answer.dropped {
        headers.push(fixed("x-headwater-dropped", "bot"));
    }
    headers.extend(warning.map(|warning| ("x-headwater-warning", warning.to_owned().into())));
    headers.push(fixed("cache-control", "no-store"));
    if answer.foreign {
        headers.push(fixed("vary", "Origin"));
    } else {
        share(&mut headers, origin);
    }
    headers
}

/// The status and headers for a method other than POST: a preflight, or one that is not there.
#[must_use]
pub fn of_other_method(is_options: bool, origin: Option<&str>) -> (u16, Vec<Header>) {
    let mut headers = vec![fixed("allow", "POST, OPTIONS")];
    if is_options {
        headers.push(fixed("access-control-allow-methods", "POST, OPTIONS"));
        headers.push(fixed("access-control-allow-headers", "authorization, content-type"));
        headers.push(fixed("access-control-max-age", "86400"));
    }
    share(&mut headers, origin);
    (if is_options { 204 } else { 405 }, headers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Refusal;

    fn get<'a>(headers: &'a [Header], name: &str) -> Option<&'a str> {
        headers.iter().find(|(found, _)| *found == name).map(|(_, value)| &**value)
    }

    #[test]
    fn only_a_foreign_page_may_not_read_why() {
        let answer = Answer::from(Refusal::TooMany("from this visitor", 7));
        let headers = of_answer(&answer, Some("https://a.example"), None);
        assert_eq!(get(&headers, "access-control-allow-origin"), Some("https://a.example"));
        assert_eq!(get(&headers, "retry-after"), Some("7"));
        assert_eq!(get(&headers, "content-type"), Some("application/problem+json"));
        let headers = of_answer(&Answer::from(Refusal::Host), Some("https://evil.example"), None);
        assert_eq!((get(&headers, "access-control-allow-origin"), get(&headers, "vary")), (None, Some("Origin")));
    }

    #[test]
    fn a_preflight_is_answered_for_a_day() {
        let (status, headers) = of_other_method(true, None);
        assert_eq!((status, get(&headers, "access-control-max-age")), (204, Some("86400")));
        assert_eq!(get(&headers, "access-control-allow-origin"), Some("*"));
        let (status, headers) = of_other_method(false, None);
        assert_eq!((status, get(&headers, "allow"), get(&headers, "access-control-max-age")), (405, Some("POST, OPTIONS"), None));
    }
}
