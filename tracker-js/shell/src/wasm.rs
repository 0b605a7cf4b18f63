//! Two exports, three imports. Their names have one letter, because two files have to carry them.
use core::{
    alloc::{GlobalAlloc, Layout},
    cell::{Cell, UnsafeCell},
    ptr::null_mut,
};

use headwater_tracker_logic::{
    Action, Tracker,
    text::{Fields, cut_at},
};

/// There is no heap: everything has its place. The language asks for an allocator because a crate below could use one.
struct NoHeap;

// SAFETY: nothing is ever given out.
unsafe impl GlobalAlloc for NoHeap {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        null_mut()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static HEAP: NoHeap = NoHeap;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// Bytes of the input buffer; the loader knows it too. Room for what storage holds (at most 12.1 KiB) and a message. The
/// encoder cuts what is longer.
const INPUT: usize = 24_576;

/// All that there is. The input is last: the tracker's addresses are in the code most often, and small ones have fewer bytes.
#[repr(C)]
struct Memory {
    /// Whether the tracker is at work: whatever a page does to our imports, nothing gets at it twice.
    busy: Cell<bool>,
    tracker: UnsafeCell<Tracker>,
    input: UnsafeCell<[u8; INPUT]>,
}

// SAFETY: a page's Wasm instance has one thread.
unsafe impl Sync for Memory {}

static MEMORY: Memory =
    Memory { tracker: UnsafeCell::new(Tracker::NEW), input: UnsafeCell::new([0; INPUT]), busy: Cell::new(false) };

#[link(wasm_import_module = "e")]
unsafe extern "C" {
    /// Keep this text for the other pages.
    #[link_name = "k"]
    safe fn keep(at: *const u8, len: usize);
    /// Send this body by `fetch`, and hand in its answer later.
    #[link_name = "s"]
    safe fn send(at: *const u8, len: usize);
    /// Send this body by `sendBeacon`, and keep it until it is acknowledged.
    #[link_name = "p"]
    safe fn part(at: *const u8, len: usize);
}

/// Where the input buffer is.
#[unsafe(export_name = "b")]
extern "C" fn buffer() -> *mut u8 {
    MEMORY.input.get().cast()
}

/// Takes the message that is in the buffer, and sends what is due. Gives the milliseconds after which to call again with `t`,
/// 0 for never.
#[unsafe(export_name = "r")]
extern "C" fn run(len: usize) -> u32 {
    if MEMORY.busy.replace(true) {
        return 0;
    }
    // SAFETY: it was not busy, so this is the only reference.
    let tracker = unsafe { &mut *MEMORY.tracker.get() };
    // SAFETY: only the loader writes here, by `TextEncoder.encodeInto` (so it is UTF-8), and not while this runs.
    let input = unsafe { &*MEMORY.input.get() };
    let wait = handle(tracker, input.get(..len).unwrap_or_default());
    MEMORY.busy.set(false);
    wait
}

/// What storage holds, NUL, then the message's fields: what it is, when, and what it needs.
fn handle(tracker: &mut Tracker, text: &[u8]) -> u32 {
    let (stored, message) = cut_at(text, 0);
    let mut fields = Fields::new(message);
    let kind = fields.letter();
    let now = fields.number();
    match kind {
        // The page load begins.
        b'b' => tracker.begin(now, fields),
        // The server answered, or did not (status 0).
        b'a' => tracker.answer(now, fields.number(), fields.number()),
        // The page goes out of sight.
        b'h' => tracker.hide(now, |body| part(body.as_ptr(), body.len())),
        // A signal; or none of these: time has passed.
        _ => {
            if let Some(text) = tracker.signal(kind, now, fields, stored) {
                keep(text.as_ptr(), text.len());
            }
        }
    }
    match tracker.step(now) {
        Action::Send(body) => send(body.as_ptr(), body.len()),
        Action::Wait(ms) => return ms as u32,
        Action::Done => {}
    }
    0
}
