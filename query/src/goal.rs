//! Goals: what a site wants its visitors to do.
use core::fmt;

/// A goal of a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Goal {
    /// Its name in queries and answers; of one site each once.
    pub name: String,
    /// What reaches it.
    pub target: Target,
    /// What an event that reaches it is worth if it brings no value of its own.
    pub worth: Option<Worth>,
}

/// What reaches a goal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// An event of this name.
    Event(String),
    /// A view of a page that fits.
    Page(Pattern),
}

/// The value of a goal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worth {
    /// In millionths.
    pub value: i64,
    /// ISO 4217 code; empty where it is no money.
    pub currency: String,
}

/// The path of a page in which `*` stands for any text, slashes and nothing included.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pattern(String);

/// The longest pattern in bytes, as the longest path.
const MAX_PATTERN: usize = 1024;

/// Why a text is no pattern of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidPattern;

impl fmt::Display for InvalidPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "must be a path such as \"/thanks\" or \"/blog/*\", at most {MAX_PATTERN} bytes long; * stands for any text")
    }
}

impl std::str::FromStr for Pattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        let fits = text.len() <= MAX_PATTERN && (text.starts_with('/') || text.starts_with('*'));
        if fits && !text.contains(char::is_control) { Ok(Self(text.to_owned())) } else { Err(InvalidPattern) }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Pattern {
    /// Whether a path fits. Looks at each byte of the path at most as often as there are bytes between two stars.
    #[must_use]
    pub fn fits(&self, path: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or("");
        let Some(mut rest) = path.strip_prefix(first) else { return false };
        let Some(last) = parts.next_back() else { return rest.is_empty() };
        for part in parts {
            let Some(at) = rest.find(part) else { return false };
            rest = rest.get(at + part.len()..).unwrap_or("");
        }
        rest.len() >= last.len() && rest.ends_with(last)
    }
}

impl Target {
    /// The name of a goal that was given none.
    #[must_use]
    pub fn default_name(&self) -> String {
        match self {
            Self::Event(name) => name.clone(),
            Self::Page(pattern) => format!("Visit {pattern}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_text() {
        let fits = |pattern: &str, path: &str| pattern.parse::<Pattern>().is_ok_and(|p| p.fits(path));
        assert!(fits("/thanks", "/thanks"));
        assert!(!fits("/thanks", "/thanks/"));
        assert!(!fits("/thanks", "/"));
        assert!(fits("/blog/*", "/blog/") && fits("/blog/*", "/blog/a/b"));
        assert!(!fits("/blog/*", "/blog"));
        assert!(fits("*", "") && fits("**", "/x"));
        assert!(fits("/*/edit", "/a/b/edit") && !fits("/*/edit", "/a/edits"));
        assert!(fits("/a*b*c", "/aXbYbZc") && !fits("/a*b*c", "/acb"));
        // The parts do not share a byte.
        assert!(!fits("/aa*aa", "/aaa") && fits("/aa*aa", "/aaaa"));
        assert!(fits("/gr*ße", "/größe") && !fits("/gr*ße", "/größer"));
        assert!("blog".parse::<Pattern>().is_err() && "/a\nb".parse::<Pattern>().is_err());
    }
}
