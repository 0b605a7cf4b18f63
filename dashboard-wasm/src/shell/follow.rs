//! Values that change, and what follows them. A signal remembers who read it; when it is set, those run again, the oldest first, so what
//! is computed is there before what draws it. Everything stands in one thread and behind one type, which keeps the page small.
//!
//! A signal lives as long as the page: make them where a page, a dialog or a form begins, not for each row. What follows lives in a
//! [`Scope`] and ends with it.
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

type Job = Box<dyn FnMut()>;

/// What runs again whenever something that it read changes.
struct Effect {
    /// Counts the effects: an older one runs first.
    number: u64,
    /// Counts its runs: what an earlier run read is of no interest to a later one.
    turn: Cell<u32>,
    ended: Cell<bool>,
    job: RefCell<Job>,
    /// What its last run made.
    scope: Rc<Scope>,
}

/// What ends together.
#[derive(Default)]
pub(crate) struct Scope {
    effects: RefCell<Vec<Rc<Effect>>>,
    cleanups: RefCell<Vec<Box<dyn FnOnce()>>>,
}

#[derive(Default)]
struct Now {
    made: Cell<u64>,
    reader: RefCell<Option<Rc<Effect>>>,
    owner: RefCell<Option<Rc<Scope>>>,
    waiting: RefCell<BTreeMap<u64, Rc<Effect>>>,
    /// How many are at work that want what they change to be followed only when they have ended.
    held: Cell<u32>,
}

thread_local! {
    static NOW: Now = Now::default();
}

impl Scope {
    /// Ends everything in it.
    pub(crate) fn end(&self) {
        for effect in self.effects.take() {
            effect.ended.set(true);
            effect.scope.end();
        }
        for cleanup in self.cleanups.take() {
            cleanup();
        }
    }

    /// Has everything that `make` makes end with this scope.
    pub(crate) fn holds<T>(self: &Rc<Self>, make: impl FnOnce() -> T) -> T {
        let before = NOW.with(|now| now.owner.replace(Some(self.clone())));
        let made = make();
        NOW.with(|now| now.owner.replace(before));
        made
    }
}

/// Does this when what is being made ends.
pub(crate) fn on_end(cleanup: impl FnOnce() + 'static) {
    let cleanup: Box<dyn FnOnce()> = Box::new(cleanup);
    NOW.with(|now| {
        if let Some(owner) = &*now.owner.borrow() {
            owner.cleanups.borrow_mut().push(cleanup);
        } else {
            // Nothing ends: it belongs to the page.
            std::mem::forget(cleanup);
        }
    });
}

/// Runs now, and again whenever something that it read has changed.
pub(crate) fn effect(job: impl FnMut() + 'static) {
    begin(Box::new(job));
}

fn begin(job: Job) {
    let effect = NOW.with(|now| {
        let number = now.made.get();
        now.made.set(number + 1);
        let effect = Effect { number, turn: Cell::new(0), ended: Cell::new(false), job: RefCell::new(job), scope: Rc::default() };
        let effect = Rc::new(effect);
        if let Some(owner) = &*now.owner.borrow() {
            owner.effects.borrow_mut().push(effect.clone());
        } else {
            std::mem::forget(effect.clone());
        }
        effect
    });
    together(|| run(&effect));
}

fn run(effect: &Rc<Effect>) {
    effect.scope.end();
    effect.turn.set(effect.turn.get().wrapping_add(1));
    let before = NOW.with(|now| now.reader.replace(Some(effect.clone())));
    effect.scope.holds(|| {
        // An effect that caused itself to run is at it already.
        if let Ok(mut job) = effect.job.try_borrow_mut() {
            job();
        }
    });
    NOW.with(|now| now.reader.replace(before));
}

/// Has everything that `act` changes be followed when it has ended, and once.
pub(crate) fn together<T>(act: impl FnOnce() -> T) -> T {
    hold();
    let done = act();
    release();
    done
}

#[inline(never)]
fn hold() {
    NOW.with(|now| now.held.set(now.held.get() + 1));
}

#[inline(never)]
fn release() {
    let free = NOW.with(|now| {
        now.held.set(now.held.get().saturating_sub(1));
        now.held.get() == 0
    });
    if free {
        settle();
    }
}

fn settle() {
    NOW.with(|now| now.held.set(1));
    while let Some((_, effect)) = NOW.with(|now| now.waiting.borrow_mut().pop_first()) {
        if !effect.ended.get() {
            run(&effect);
        }
    }
    NOW.with(|now| now.held.set(0));
}

/// Reads without being told of changes.
pub(crate) fn untrack<T>(read: impl FnOnce() -> T) -> T {
    let before = read_as(None);
    let done = read();
    read_as(before);
    done
}

/// Who reads from now on; says who did. Apart from what is generic, of which there are a hundred copies.
#[inline(never)]
fn read_as(reader: Option<Rc<Effect>>) -> Option<Rc<Effect>> {
    NOW.with(|now| now.reader.replace(reader))
}

/// Who read a signal, and in which of their runs.
#[derive(Default)]
struct Readers(RefCell<Vec<(Weak<Effect>, u32)>>);

impl Readers {
    fn note(&self) {
        let Some(reader) = NOW.with(|now| now.reader.borrow().clone()) else { return };
        let mut all = self.0.borrow_mut();
        let is_reader =
            |(known, turn): &(Weak<Effect>, u32)| std::ptr::eq(known.as_ptr(), Rc::as_ptr(&reader)) && *turn == reader.turn.get();
        if all.last().is_some_and(is_reader) {
            return;
        }
        // What is seldom set is not to collect all that ever read it.
        if all.len() >= 64 && all.len().is_power_of_two() {
            all.retain(|(known, turn)| known.upgrade().is_some_and(|e| !e.ended.get() && e.turn.get() == *turn));
        }
        all.push((Rc::downgrade(&reader), reader.turn.get()));
    }

    fn tell(&self) {
        for (reader, turn) in self.0.take() {
            let Some(reader) = reader.upgrade() else { continue };
            if !reader.ended.get() && reader.turn.get() == turn {
                NOW.with(|now| now.waiting.borrow_mut().insert(reader.number, reader));
            }
        }
        together(|| {});
    }
}

/// A value that changes. `Copy`, because it is only a handle.
pub(crate) struct Signal<T: 'static>(&'static (RefCell<T>, Readers));

impl<T> Clone for Signal<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Signal<T> {}

impl<T> Signal<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Box::leak(Box::new((RefCell::new(value), Readers::default()))))
    }

    pub(crate) fn with<U>(self, read: impl FnOnce(&T) -> U) -> U {
        self.0.1.note();
        read(&self.0.0.borrow())
    }

    pub(crate) fn with_untracked<U>(self, read: impl FnOnce(&T) -> U) -> U {
        read(&self.0.0.borrow())
    }

    pub(crate) fn get(self) -> T
    where
        T: Clone,
    {
        self.with(T::clone)
    }

    pub(crate) fn get_untracked(self) -> T
    where
        T: Clone,
    {
        self.with_untracked(T::clone)
    }

    pub(crate) fn set(self, value: T) {
        let old = self.0.0.replace(value);
        self.0.1.tell();
        drop(old);
    }

    pub(crate) fn update<U>(self, change: impl FnOnce(&mut T) -> U) -> U {
        let done = change(&mut self.0.0.borrow_mut());
        self.0.1.tell();
        done
    }

    /// Sets it only if that changes it, so that nothing is drawn twice.
    pub(crate) fn put(self, value: T)
    where
        T: PartialEq,
    {
        if self.with_untracked(|old| *old != value) {
            self.set(value);
        }
    }
}

/// What follows from other values: those who read it are told only when it is another.
pub(crate) fn memo<T: PartialEq>(mut ask: impl FnMut() -> T + 'static) -> Signal<T> {
    let signal = Signal::new(untrack(&mut ask));
    effect(move || signal.put(ask()));
    signal
}
