//! What is counted: conditions that all must hold. Each stands in the address as `f=is,visit:country,DE,FR` and on the page as a chip.
use core::fmt;

use headwater_query::{Comparison, Condition, Dimension, Filter};

use crate::panel::dimension_label;
use crate::url;

/// How a chip compares, in the order of the editor's list.
pub const OPERATORS: [(&str, &str); 4] =
    [("is", "is"), ("is_not", "is not"), ("contains", "contains"), ("contains_not", "does not contain")];

/// The conditions, in the order in which they were made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filters(pub Vec<Condition>);

impl Filters {
    /// Reads one `f=` of an address; nothing for what is none.
    #[must_use]
    pub fn parse_one(text: &str) -> Option<Condition> {
        // A browser may have encoded the commas between the parts, but never those inside of a part only once.
        let text = if text.contains(',') { text.to_owned() } else { url::decode(text) };
        let mut parts = text.split(',').map(url::decode);
        let operator = parts.next()?;
        let dimension = Dimension::from_name(&parts.next()?).filter(|d| d.time().is_none())?;
        condition(&operator, dimension, parts.collect())
    }

    /// As the API takes them.
    #[must_use]
    pub fn to_query(&self) -> Vec<Filter> {
        self.0.iter().cloned().map(Filter::When).collect()
    }

    /// Whether everything is counted.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether exactly this value is asked for.
    #[must_use]
    pub fn holds(&self, dimension: &Dimension, value: &str) -> bool {
        self.0.iter().any(|c| is_plain(c) && c.dimension == *dimension && c.values.iter().any(|v| v == value))
    }

    /// A click on a row: its value is asked for, or no longer. With `also` it is asked for besides those of the same dimension,
    /// otherwise in their place.
    #[must_use]
    pub fn toggled(&self, dimension: &Dimension, value: &str, also: bool) -> Self {
        let mut filters = self.clone();
        match filters.0.iter_mut().find(|c| is_plain(c) && c.dimension == *dimension) {
            Some(found) if found.values.iter().any(|v| v == value) => found.values.retain(|v| v != value),
            Some(found) if also => found.values.push(value.to_owned()),
            Some(found) => found.values = vec![value.to_owned()],
            None => filters.0.extend(condition("is", dimension.clone(), vec![value.to_owned()])),
        }
        filters.0.retain(|c| !c.values.is_empty());
        filters
    }

    /// Without the `n`th.
    #[must_use]
    pub fn without(&self, n: usize) -> Self {
        let mut filters = self.clone();
        if n < filters.0.len() {
            filters.0.remove(n);
        }
        filters
    }

    /// With the `n`th turned into its opposite.
    #[must_use]
    pub fn negated(&self, n: usize) -> Self {
        let mut filters = self.clone();
        if let Some(found) = filters.0.get_mut(n) {
            found.negated = !found.negated;
        }
        filters
    }

    /// With the `n`th replaced, or one more if there is no `n`th.
    #[must_use]
    pub fn with(&self, n: Option<usize>, condition: Condition) -> Self {
        let mut filters = self.clone();
        match n.and_then(|n| filters.0.get_mut(n)) {
            Some(found) => *found = condition,
            None => filters.0.push(condition),
        }
        filters
    }
}

/// A condition by its operator's name; nothing without values, or for an operator that no chip has.
#[must_use]
pub fn condition(operator: &str, dimension: Dimension, values: Vec<String>) -> Option<Condition> {
    let (comparison, negated) = match operator {
        "is" => (Comparison::Is, false),
        "is_not" => (Comparison::Is, true),
        "contains" => (Comparison::Contains, false),
        "contains_not" => (Comparison::Contains, true),
        "matches" => (Comparison::Matches, false),
        "matches_not" => (Comparison::Matches, true),
        _ => return None,
    };
    let case_sensitive = comparison != Comparison::Contains;
    (!values.is_empty()).then_some(Condition { dimension, comparison, negated, values, case_sensitive })
}

fn is_plain(condition: &Condition) -> bool {
    condition.comparison == Comparison::Is && !condition.negated
}

/// The words of a chip before its values: `Country is not`.
#[must_use]
pub fn subject(condition: &Condition) -> String {
    let operator = condition.operator();
    let words = OPERATORS.iter().find(|(name, _)| *name == operator).map_or("matches", |(_, words)| words);
    let words = if operator == "matches_not" { "does not match" } else { words };
    format!("{} {words}", dimension_label(&condition.dimension))
}

/// The parameters of the address, joined by `&`; empty for none.
impl fmt::Display for Filters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, condition) in self.0.iter().enumerate() {
            let mark = if n == 0 { "" } else { "&" };
            let dimension = url::encode_readable(&condition.dimension.to_string());
            write!(f, "{mark}f={},{dimension}", condition.operator())?;
            for value in &condition.values {
                write!(f, ",{}", url::encode_readable(value))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use headwater_query::VisitProperty;

    use super::*;

    const COUNTRY: Dimension = Dimension::Visit(VisitProperty::Country);

    #[test]
    fn a_click_asks_for_a_value_and_another_click_no_longer() {
        let none = Filters::default();
        let german = none.toggled(&COUNTRY, "DE", false);
        assert!(german.holds(&COUNTRY, "DE"));
        assert_eq!(german.toggled(&COUNTRY, "DE", false), none);
        assert_eq!(german.toggled(&COUNTRY, "FR", false).0[0].values, ["FR"]);
        let both = german.toggled(&COUNTRY, "FR", true);
        assert_eq!(both.0[0].values, ["DE", "FR"]);
        assert_eq!(both.to_string(), "f=is,visit:country,DE,FR");
        assert_eq!(both.negated(0).to_string(), "f=is_not,visit:country,DE,FR");
        assert_eq!(subject(&both.negated(0).0[0]), "Country is not");
        // What is shut out is not what is asked for: a click adds a chip of its own.
        assert_eq!(both.negated(0).toggled(&COUNTRY, "AT", false).0.len(), 2);
        assert_eq!(both.without(0), none);
        assert_eq!(both.without(7).negated(7), both);
    }

    #[test]
    fn every_chip_survives_its_address() {
        let odd = ["/a,b", "100%", "Direct / None", "ä&b=c#d", ""];
        for (operator, _) in OPERATORS.into_iter().chain([("matches", ""), ("matches_not", "")]) {
            for dimension in [COUNTRY, Dimension::Page, Dimension::Prop("my plan, new".into())] {
                let made = condition(operator, dimension, odd.map(str::to_owned).to_vec()).unwrap();
                let text = Filters(vec![made.clone()]).to_string();
                assert!(!text.contains([' ', '#']), "{text}");
                assert_eq!(Filters::parse_one(text.strip_prefix("f=").unwrap()), Some(made), "{text}");
            }
        }
        assert_eq!(Filters::parse_one("is%2Cvisit%3Acountry%2CDE"), condition("is", COUNTRY, vec!["DE".into()]));
        for nonsense in ["", "is", "is,visit:country", "is,time:day,1", "or,visit:country,DE", "is,visit:nothing,1"] {
            assert_eq!(Filters::parse_one(nonsense), None, "{nonsense}");
        }
    }
}
