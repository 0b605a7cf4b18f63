//! Two exports, three imports.
extern crate alloc;

use core::cell::{Cell, UnsafeCell};

use alloc::vec::Vec;
use headwater_tracker_logic::{Action, Settings, Tracker, text::{Fields, cut_at}};

use crate::heap::Heap;

#[global_allocator]
static HEAP: Heap = Heap::new();

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// Bytes of the input buffer; the loader knows it too. The encoder cuts what is longer.
const INPUT: usize = 32_768;

struct Shared {
    input: UnsafeCell<[u8; INPUT]>,
    tracker: UnsafeCell<Tracker<'static>>,
    /// Whether `tracker` is at work: whatever a page does to our imports, nothing gets at it twice.
    busy: Cell<bool>,
}

// SAFETY: a page's Wasm instance has one thread.
unsafe impl Sync for Shared {}

static SHARED: Shared =
    Shared { input: UnsafeCell::new([0; INPUT]), tracker: UnsafeCell::new(Tracker::NONE), busy: Cell::new(false) };

unsafe extern "C" {
    /// Keep this text for the other pages.
    safe fn keep(at: *const u8, len: usize);
    /// Send this body by `fetch`, and hand in its answer later.
    safe fn send(at: *const u8, len: usize);
    /// Send this body by `sendBeacon`: not 0 if the browser took it.
    safe fn part(at: *const u8, len: usize) -> u32;
}

/// Where the input buffer is.
#[unsafe(no_mangle)]
extern "C" fn buffer() -> *mut u8 {
    SHARED.input.get().cast()
}

/// Takes the message that is in the buffer. Gives the milliseconds after which to call again with `t`, 0 for never.
#[unsafe(no_mangle)]
extern "C" fn run(len: usize) -> u32 {
    if SHARED.busy.replace(true) {
        return 0;
    }
    // SAFETY: `busy` is set, so this is the only reference; there is one thread.
    let tracker = unsafe { &mut *SHARED.tracker.get() };
    // SAFETY: only the loader writes here, by `TextEncoder.encodeInto` (so it is UTF-8), and not while this runs.
    let input = unsafe { &*SHARED.input.get() };
    let wait = handle(tracker, input.get(..len).unwrap_or_default());
    SHARED.busy.set(false);
    wait
}

/// What storage holds, NUL, then the message's fields: what it is, when, and what it needs.
fn handle(tracker: &mut Tracker<'static>, text: &[u8]) -> u32 {
    let (stored, message) = cut_at(text, 0);
    let mut fields = Fields::new(message);
    let kind = fields.text();
    let now = fields.number();
    match kind {
        // The page load begins: its settings are kept for as long as it lives.
        b"b" => {
            let random = fields.number();
            let mut kept = Vec::new();
            kept.extend_from_slice(fields.rest);
            tracker.begin(now, random, Settings::read(Fields::new(kept.leak())));
        }
        // The server answered, or did not (status 0).
        b"a" => tracker.answer(now, fields.number(), fields.number()),
        // The page goes out of sight, and comes back.
        b"h" => tracker.hide(now, |body| part(body.as_ptr(), body.len()) != 0),
        b"s" => tracker.show(),
        // Time has passed.
        b"t" => match tracker.step(now) {
            Action::Send(body) => send(body.as_ptr(), body.len()),
            Action::Wait(ms) => return ms as u32,
            Action::Done => {}
        },
        _ => {
            if let Some(text) = tracker.signal(kind, now, fields, stored) {
                keep(text.as_ptr(), text.len());
            }
        }
    }
    0
}
