//! Who does what can be done side by side.

/// Something to be done.
pub type Task<'t> = Box<dyn FnOnce() + Send + 't>;

/// Does tasks, on several threads if it has them: this crate has none of its own.
pub trait Workers {
    /// Does all of them, in any order, and comes back when all are done.
    fn run(&self, tasks: Vec<Task<'_>>);
}

/// Does one after the other.
#[derive(Clone, Copy, Debug, Default)]
pub struct OneByOne;

impl Workers for OneByOne {
    fn run(&self, tasks: Vec<Task<'_>>) {
        tasks.into_iter().for_each(|task| task());
    }
}
