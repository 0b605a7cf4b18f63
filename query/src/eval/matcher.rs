//! Filters, prepared once for a query and then once for each bucket: what remains for the scan is looking up booleans.
use headwater_core::{Dict, Profiles, StrId};
use regex::{RegexSet, RegexSetBuilder};

use super::labels;
use super::view::View;
use crate::{Comparison, Condition, Dimension, Filter, QueryError};

/// A part of a filter depends on the visit's context, the event's tuple, the visitor, or several of them.
const CONTEXT: u8 = 1;
const TUPLE: u8 = 2;
const VISITOR: u8 = 4;

/// A filter with its patterns compiled.
pub(super) enum Node {
    Leaf {
        dimension: Dimension,
        test: Test,
        negated: bool,
    },
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    /// Visitors of a set; see [`super::done`].
    Done(usize),
}

pub(super) enum Test {
    Is(Vec<String>, Fold),
    Contains(Vec<String>, Fold),
    Matches(RegexSet),
}

/// Whether case is folded before comparing.
#[derive(Clone, Copy)]
pub(super) struct Fold(bool);

/// The most memory that the patterns of one condition compile to.
const PATTERN_BYTES: usize = 1 << 20;

impl Node {
    /// Compiles a filter; each `has_done` inside is put into `done` and becomes its place there.
    pub(super) fn compile(filter: &Filter, field: &str, done: &mut Vec<Vec<Node>>) -> Result<Self, QueryError> {
        let mut list = |inner: &[Filter]| -> Result<Vec<Self>, QueryError> {
            inner.iter().enumerate().map(|(i, f)| Self::compile(f, &format!("{field}[1][{i}]"), done)).collect()
        };
        Ok(match filter {
            Filter::And(inner) => Self::And(list(inner)?),
            Filter::Or(inner) => Self::Or(list(inner)?),
            Filter::Not(inner) => Self::Not(Box::new(Self::compile(inner, &format!("{field}[1]"), done)?)),
            Filter::HasDone(inner) => {
                let node = Self::compile(inner, &format!("{field}[1]"), done)?;
                done.push(vec![node]);
                Self::Done(done.len() - 1)
            }
            Filter::HasNotDone(inner) => {
                let node = Self::compile(inner, &format!("{field}[1]"), done)?;
                done.push(vec![node]);
                Self::Not(Box::new(Self::Done(done.len() - 1)))
            }
            Filter::When(condition) => Self::Leaf {
                dimension: condition.dimension.clone(),
                test: Test::compile(condition, field)?,
                negated: condition.negated,
            },
        })
    }

    fn kinds(&self) -> u8 {
        match self {
            Self::Leaf { dimension, .. } if dimension.is_event() => TUPLE,
            Self::Leaf { .. } => CONTEXT,
            Self::Done(_) => VISITOR,
            Self::And(inner) | Self::Or(inner) => inner.iter().fold(0, |kinds, node| kinds | node.kinds()),
            Self::Not(inner) => inner.kinds(),
        }
    }

    fn tree(&self, people: &Profiles, view: &View<'_>, done: &[Vec<bool>]) -> Tree {
        match self {
            Self::And(inner) => Tree::And(inner.iter().map(|n| n.tree(people, view, done)).collect()),
            Self::Or(inner) => Tree::Or(inner.iter().map(|n| n.tree(people, view, done)).collect()),
            Self::Not(inner) => Tree::Not(Box::new(inner.tree(people, view, done))),
            Self::Done(set) => Tree::Visitor(done.get(*set).cloned().unwrap_or_else(|| vec![false; people.hashes.len()])),
            Self::Leaf { dimension: Dimension::Visit(property), test, negated } => {
                let missing = labels::missing_of(&Dimension::Visit(*property));
                let column = &people.contexts[*property as usize];
                let holds = |id| test.holds(people.dict.get(id), missing) != *negated;
                Tree::Context(view.of_kinds(column.map(holds)))
            }
            Self::Leaf { dimension: Dimension::ExitPage, test, negated } => {
                let holds = |kind| test.holds(view.exit(kind), "") != *negated;
                Tree::Context((0..view.contexts(people)).map(holds).collect())
            }
            Self::Leaf { dimension: Dimension::Goal, test, negated } => {
                let fits: Vec<bool> = view.goals.iter().map(|goal| test.holds(&goal.name, "")).collect();
                let nothing = test.holds("", "");
                let holds = |tuple| match view.reached(tuple) {
                    [] => nothing != *negated,
                    goals => goals.iter().any(|g| fits.get(usize::from(*g)).copied().unwrap_or(false)) != *negated,
                };
                Tree::Tuple((0..people.tuples.len()).map(holds).collect())
            }
            Self::Leaf { dimension, test, negated } => {
                let missing = labels::missing_of(dimension);
                let key = labels::key_of(people, dimension);
                let value = |tuple| labels::of_tuple(tuple, dimension, key);
                let used = |id: &mut dyn FnMut(usize)| people.tuples.iter().filter_map(value).for_each(|value| id(value.index()));
                let fits = test.table(&people.dict, missing, *negated, used);
                let nothing = test.holds("", missing) != *negated;
                let holds = |tuple| value(tuple).map_or(nothing, |id| fits.get(id.index()).copied().unwrap_or(false));
                Tree::Tuple(people.tuples.iter().map(holds).collect())
            }
        }
    }
}

impl Test {
    fn compile(condition: &Condition, field: &str) -> Result<Self, QueryError> {
        let fold = Fold(!condition.case_sensitive);
        let values = || condition.values.iter().map(|v| fold.of(v).into_owned()).collect();
        Ok(match condition.comparison {
            Comparison::Is => {
                let mut values: Vec<String> = values();
                values.sort_unstable();
                Self::Is(values, fold)
            }
            Comparison::Contains => Self::Contains(values(), fold),
            Comparison::Matches => {
                let set = RegexSetBuilder::new(&condition.values)
                    .case_insensitive(fold.0)
                    .size_limit(PATTERN_BYTES)
                    .dfa_size_limit(PATTERN_BYTES)
                    .build();
                Self::Matches(set.map_err(|e| {
                    QueryError::invalid(format!("{field}[2]"), e.to_string(), "regular expressions (RE2's syntax)")
                })?)
            }
        })
    }

    /// Which strings of a dictionary fit, or do not if that is asked: right for those that are `used`.
    fn table(&self, dict: &Dict, missing: &str, negated: bool, used: impl FnOnce(&mut dyn FnMut(usize))) -> Vec<bool> {
        let mut fits = vec![negated; dict.len()];
        if let Self::Is(values, Fold(false)) = self {
            // Whole strings are found, where parts of them must be looked for.
            for value in values {
                let found = dict.find(value).and_then(|id| fits.get_mut(id.index()));
                found.into_iter().for_each(|fit| *fit = !negated);
            }
            if values.binary_search_by(|value| value.as_str().cmp(missing)).is_ok() {
                fits[0] = !negated;
            }
            return fits;
        }
        let mut known = vec![false; dict.len()];
        used(&mut |at| {
            if !known.get(at).copied().unwrap_or(true) {
                known[at] = true;
                fits[at] = self.holds(dict.get(StrId(at as u32)), missing) != negated;
            }
        });
        fits
    }

    /// Whether a value fits; an empty value also goes by its label.
    fn holds(&self, value: &str, missing: &str) -> bool {
        match self {
            Self::Is(values, fold) => {
                let has = |text: &str| values.binary_search_by(|v| v.as_str().cmp(&*fold.of(text))).is_ok();
                has(value) || (value.is_empty() && has(missing))
            }
            Self::Contains(values, fold) => {
                let value = fold.of(value);
                values.iter().any(|v| value.contains(v.as_str()))
            }
            Self::Matches(set) => set.is_match(value),
        }
    }
}

impl Fold {
    fn of<'a>(self, text: &'a str) -> std::borrow::Cow<'a, str> {
        if self.0 { text.to_lowercase().into() } else { text.into() }
    }
}

/// Answers by string id, each worked out once.
pub(super) struct Memo<T>(Vec<Option<T>>);

impl<T: Copy> Memo<T> {
    pub(super) fn new(len: usize) -> Self {
        Self(vec![None; len])
    }

    pub(super) fn get(&mut self, id: StrId, find: impl FnOnce(StrId) -> T) -> T {
        match self.0.get_mut(id.index()) {
            Some(slot) => *slot.get_or_insert_with(|| find(id)),
            None => find(id),
        }
    }
}

enum Tree {
    Context(Vec<bool>),
    Tuple(Vec<bool>),
    Visitor(Vec<bool>),
    And(Vec<Tree>),
    Or(Vec<Tree>),
    Not(Box<Tree>),
}

impl Tree {
    fn holds(&self, visitor: usize, context: u32, tuple: u32) -> bool {
        let at = |table: &[bool], index: usize| table.get(index).copied().unwrap_or(false);
        match self {
            Self::Context(table) => at(table, context as usize),
            Self::Tuple(table) => at(table, tuple as usize),
            Self::Visitor(table) => at(table, visitor),
            Self::And(inner) => inner.iter().all(|t| t.holds(visitor, context, tuple)),
            Self::Or(inner) => inner.iter().any(|t| t.holds(visitor, context, tuple)),
            Self::Not(inner) => !inner.holds(visitor, context, tuple),
        }
    }
}

/// The filters of a query over one bucket. A table that is `None` lets everything pass.
pub(super) struct Matched {
    visitors: Option<Vec<bool>>,
    contexts: Option<Vec<bool>>,
    tuples: Option<Vec<bool>>,
    /// What depends on the visitor and the visit together.
    visits: Vec<Tree>,
    /// What depends on the event and something else.
    events: Vec<Tree>,
}

impl Matched {
    /// `done` holds for each `has_done` of the query which visitors of this bucket have.
    pub(super) fn new(nodes: &[Node], people: &Profiles, view: &View<'_>, done: &[Vec<bool>]) -> Self {
        let mut all = Self { visitors: None, contexts: None, tuples: None, visits: Vec::new(), events: Vec::new() };
        let mut pending: Vec<&Node> = nodes.iter().collect();
        while let Some(node) = pending.pop() {
            if let Node::And(inner) = node {
                pending.extend(inner);
                continue;
            }
            let tree = node.tree(people, view, done);
            let (table, len) = match node.kinds() {
                VISITOR => (&mut all.visitors, people.hashes.len()),
                CONTEXT | 0 => (&mut all.contexts, view.contexts(people)),
                TUPLE => (&mut all.tuples, people.tuples.len()),
                kinds if kinds & TUPLE == 0 => {
                    all.visits.push(tree);
                    continue;
                }
                _ => {
                    all.events.push(tree);
                    continue;
                }
            };
            match (table.as_mut(), tree) {
                (None, Tree::Visitor(own) | Tree::Context(own) | Tree::Tuple(own)) => *table = Some(own),
                (Some(table), Tree::Visitor(own) | Tree::Context(own) | Tree::Tuple(own)) => {
                    table.iter_mut().zip(own).for_each(|(passes, own)| *passes &= own);
                }
                (_, tree) => {
                    let table = table.get_or_insert_with(|| vec![true; len]);
                    for (i, passes) in table.iter_mut().enumerate() {
                        *passes = *passes && tree.holds(i, i as u32, i as u32);
                    }
                }
            }
        }
        all
    }

    /// Which kinds of visits can pass; `None`: all.
    pub(super) fn by_kind(&self) -> Option<&[bool]> {
        self.contexts.as_deref()
    }

    /// Which tuples can pass; `None`: all.
    pub(super) fn by_tuple(&self) -> Option<&[bool]> {
        self.tuples.as_deref()
    }

    /// Whether single events are chosen.
    pub(super) fn is_of_events(&self) -> bool {
        self.tuples.is_some() || !self.events.is_empty()
    }

    pub(super) fn visitor(&self, visitor: usize) -> bool {
        self.visitors.as_ref().is_none_or(|t| t.get(visitor).copied().unwrap_or(false))
    }

    pub(super) fn visit(&self, visitor: usize, context: u32) -> bool {
        self.contexts.as_ref().is_none_or(|t| t.get(context as usize).copied().unwrap_or(false))
            && self.visits.iter().all(|t| t.holds(visitor, context, 0))
    }

    pub(super) fn event(&self, visitor: usize, context: u32, tuple: u32) -> bool {
        self.tuples.as_ref().is_none_or(|t| t.get(tuple as usize).copied().unwrap_or(false))
            && self.events.iter().all(|t| t.holds(visitor, context, tuple))
    }
}
