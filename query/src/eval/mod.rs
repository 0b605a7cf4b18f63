//! From a [`Query`](crate::Query) to its [`Answer`](crate::Answer), over buckets.
//!
//! [`plan`] says which buckets to read; [`answer`](crate::answer) reads them and evaluates the query over them.
//!
//! Counts of one dimension without filters are sums of tallies. Everything else looks at samples: a filter is
//! evaluated once for each distinct string, visit context and event tuple of a bucket, which tells who is chosen; then one scan
//! over them adds up, or one for each of the questions that choose the same. Distinct visitors are counted per identity window, by the union of hashes of its buckets.
mod bases;
mod buckets;
mod choice;
mod compare;
mod distinct;
mod done;
mod evaluate;
mod exits;
mod gather;
mod goals;
mod groups;
mod imports;
mod labels;
mod ledger;
mod lens;
mod local;
mod matcher;
mod metrics;
pub(crate) mod money;
mod names;
mod needs;
mod page;
mod plan;
mod range;
mod realtime;
mod room;
mod scan;
mod sheets;
mod site;
mod time;
mod together;
mod unit;
mod view;
mod workers;

pub use buckets::buckets;
pub use imports::ReadImported;
pub use lens::Lens;
pub use names::Names;
pub use plan::{Need, Plan, Read, Rows, plan};
pub use realtime::{changes, realtime};
pub use site::{Identity, Kept, Retention, SiteContext};
pub use together::{AnswerError, answer, answer_together, answer_with_imports, sets};
pub use workers::{OneByOne, Task, Workers};

use headwater_core::Packed;

use crate::Span;

/// A bucket as it is read.
pub trait Bucket {
    /// Its minutes.
    fn span(&self) -> Span;
    /// What happened in them.
    fn aggregate(&self) -> &Packed;
    /// Whether its people are kept; if not, only tallies can answer.
    fn has_people(&self) -> bool {
        true
    }
    /// What is kept beside this aggregate, if anything is: it makes the most frequent questions cheap to ask again.
    fn lens(&self) -> Option<&Lens> {
        None
    }
}

impl Bucket for (Span, &Packed) {
    fn span(&self) -> Span {
        self.0
    }
    fn aggregate(&self) -> &Packed {
        self.1
    }
}

impl Bucket for (Span, std::sync::Arc<Packed>) {
    fn span(&self) -> Span {
        self.0
    }
    fn aggregate(&self) -> &Packed {
        &self.1
    }
}
