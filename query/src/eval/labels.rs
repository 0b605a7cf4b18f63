//! What a missing value is called, as Plausible calls it.
use headwater_core::{Profiles, RowDimension, StrId, Tuple};

use crate::{Dimension, VisitProperty};

/// The name of the empty value of a property of visits.
const fn missing(property: VisitProperty) -> &'static str {
    use VisitProperty as V;
    match property {
        V::Source | V::Referrer => "Direct / None",
        V::Channel => "Direct",
        V::Country | V::Region | V::City | V::EntryPage => "",
        _ => "(not set)",
    }
}

/// The name of the missing value of a dimension.
pub(super) const fn missing_of(dimension: &Dimension) -> &'static str {
    match dimension {
        Dimension::Visit(property) => missing(*property),
        Dimension::Prop(_) | Dimension::Currency => "(none)",
        _ => "",
    }
}

/// A value of a row of tallies as it is shown.
pub(super) fn of_row(dimension: RowDimension, value: &str) -> &str {
    match dimension {
        RowDimension::Visit(property) if value.is_empty() => missing(property),
        _ => value,
    }
}

/// A tuple's value of an event dimension; `None` where the event has no such property.
pub(super) fn of_tuple(tuple: &Tuple, dimension: &Dimension, key: Option<StrId>) -> Option<StrId> {
    match dimension {
        Dimension::Name => Some(tuple.name),
        Dimension::Page => Some(tuple.page),
        Dimension::Hostname => Some(tuple.hostname),
        Dimension::Currency => Some(tuple.currency).filter(|currency| *currency != StrId(0)),
        Dimension::Prop(_) => {
            let key = key?;
            tuple.props.binary_search_by_key(&key, |p| p.0).ok().and_then(|at| tuple.props.get(at)).map(|p| p.1)
        }
        _ => None,
    }
}

/// The id of the property's name of `event:props:*` in a bucket, if it is there.
pub(super) fn key_of(people: &Profiles, dimension: &Dimension) -> Option<StrId> {
    match dimension {
        Dimension::Prop(key) => people.dict.find(key),
        _ => None,
    }
}
