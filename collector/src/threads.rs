//! Threads that share what one question after the other would take too long for.
use std::sync::{Mutex, PoisonError};

use headwater_query::{Task, Workers};

/// The most threads that answer one request: as many as there are cores, but one less than the readers of the store.
const MOST: usize = 3;

/// So many threads, the one that asks among them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Threads(pub(crate) usize);

impl Threads {
    /// As many as are of use for so many questions.
    pub(crate) fn for_many(questions: usize) -> Self {
        Self::of_all_cores(questions.min(MOST))
    }

    /// As many as there are cores, if there is so much to do.
    pub(crate) fn of_all_cores(tasks: usize) -> Self {
        Self(std::thread::available_parallelism().map_or(1, usize::from).min(tasks))
    }
}

impl Workers for Threads {
    fn run(&self, tasks: Vec<Task<'_>>) {
        let others = self.0.min(tasks.len()).saturating_sub(1);
        let tasks = Mutex::new(tasks.into_iter());
        let next = || tasks.lock().unwrap_or_else(PoisonError::into_inner).next();
        let work = || {
            while let Some(task) = next() {
                task();
            }
        };
        std::thread::scope(|scope| {
            (0..others).for_each(|_| drop(scope.spawn(work)));
            work();
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn every_task_is_done_once_when_the_threads_come_back() {
        for (threads, tasks) in [(0, 3), (1, 3), (3, 1), (3, 50), (2, 0)] {
            let done: Vec<AtomicUsize> = (0..tasks).map(|_| AtomicUsize::new(0)).collect();
            let task = |done| -> Task<'_> {
                Box::new(move || {
                    AtomicUsize::fetch_add(done, 1, Ordering::Relaxed);
                })
            };
            Threads(threads).run(done.iter().map(task).collect());
            assert!(done.iter().all(|done| done.load(Ordering::Relaxed) == 1), "{threads} threads, {tasks} tasks");
        }
    }
}
