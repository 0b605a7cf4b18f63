//! A segment under construction, without a query language: boxes that must all hold, and in each box conditions of which one must hold. Every
//! combination of conditions can be written so (it is the conjunctive normal form), for each condition has its opposite.
use headwater_query::{Condition, Filter};

/// The boxes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Builder(pub Vec<Vec<Condition>>);

impl Builder {
    /// From the filters of a segment; what was written by hand in another form gives nothing.
    #[must_use]
    pub fn from_query(filters: &[Filter]) -> Option<Self> {
        let mut boxes = Vec::new();
        for filter in filters {
            match filter {
                Filter::When(condition) => boxes.push(vec![condition.clone()]),
                Filter::Or(any) => boxes.push(any.iter().map(when).collect::<Option<_>>()?),
                Filter::And(all) => boxes.extend(Self::from_query(all)?.0),
                Filter::Not(_) | Filter::HasDone(_) | Filter::HasNotDone(_) => return None,
            }
        }
        Some(Self(boxes))
    }

    /// The filters of the segment.
    #[must_use]
    pub fn to_query(&self) -> Vec<Filter> {
        let one = |any: &Vec<Condition>| match any.as_slice() {
            [] => None,
            [one] => Some(Filter::When(one.clone())),
            many => Some(Filter::Or(many.iter().cloned().map(Filter::When).collect())),
        };
        self.0.iter().filter_map(one).collect()
    }

    /// With a condition in the `n`th box, or in one of its own.
    #[must_use]
    pub fn with(&self, n: Option<usize>, condition: Condition) -> Self {
        let mut boxes = self.0.clone();
        match n.and_then(|n| boxes.get_mut(n)) {
            Some(any) => any.push(condition),
            None => boxes.push(vec![condition]),
        }
        Self(boxes)
    }

    /// Without one condition; a box that is empty goes, too.
    #[must_use]
    pub fn without(&self, n: usize, at: usize) -> Self {
        let mut boxes = self.0.clone();
        if let Some(any) = boxes.get_mut(n)
            && at < any.len()
        {
            any.remove(at);
        }
        boxes.retain(|any| !any.is_empty());
        Self(boxes)
    }

    /// With one condition turned into its opposite.
    #[must_use]
    pub fn negated(&self, n: usize, at: usize) -> Self {
        let mut boxes = self.0.clone();
        if let Some(condition) = boxes.get_mut(n).and_then(|any| any.get_mut(at)) {
            condition.negated = !condition.negated;
        }
        Self(boxes)
    }
}

fn when(filter: &Filter) -> Option<Condition> {
    match filter {
        Filter::When(condition) => Some(condition.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use headwater_query::Dimension;

    use super::*;
    use crate::filters::condition;

    fn is(page: &str) -> Condition {
        condition("is", Dimension::Page, vec![page.to_owned()]).unwrap()
    }

    #[test]
    fn boxes_become_filters_and_come_back() {
        let built = Builder::default().with(None, is("/a")).with(None, is("/b")).with(Some(1), is("/c")).negated(1, 0);
        let query = serde_json::to_value(built.to_query()).unwrap();
        let expected = serde_json::json!([
            ["is", "event:page", ["/a"]],
            ["or", [["is_not", "event:page", ["/b"]], ["is", "event:page", ["/c"]]]]
        ]);
        assert_eq!(query, expected);
        assert_eq!(Builder::from_query(&built.to_query()), Some(built.clone()));
        assert_eq!(Builder::from_query(&[Filter::And(built.to_query())]), Some(built.clone()));
        assert_eq!(Builder::from_query(&[Filter::Not(Box::new(Filter::And(Vec::new())))]), None);
        assert_eq!(built.without(1, 0).without(1, 0), Builder::default().with(None, is("/a")));
        assert_eq!(built.without(7, 0).negated(0, 7), built);
        assert!(Builder::default().to_query().is_empty());
    }
}
