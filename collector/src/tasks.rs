//! All background work, in one table.
use std::time::Duration;

use crate::app::App;
use crate::buckets;
use crate::store::{StoreError, changes, imports, once, people, salts, sessions};

/// Something that has to be done again and again.
struct Duty {
    /// What is done.
    what: &'static str,
    /// How often.
    every: Duration,
    /// Does it, on a thread that may wait.
    run: fn(&App) -> Result<(), StoreError>,
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const DUTIES: &[Duty] = &[
    Duty { what: "notice sites and tokens that another process changed", every: seconds(1), run: notice },
    Duty { what: "merge the segments of buckets whose time is over", every: seconds(20), run: settle },
    Duty { what: "forget which minutes changed over an hour ago", every: seconds(60), run: forget_changes },
    Duty { what: "store what bots sent", every: seconds(5), run: App::store_bots },
    Duty { what: "delete what is no longer kept", every: seconds(600), run: retain },
    Duty { what: "make salts ahead and destroy those of the past", every: seconds(600), run: keep_salts },
    Duty {
        what: "forget sessions, links, tickets, invitations and imports whose time is over",
        every: seconds(600),
        run: expire,
    },
];

/// Starts all of it. Each ends when the server stops, never in the middle.
pub(crate) fn start(app: &App) -> Vec<tokio::task::JoinHandle<()>> {
    DUTIES.iter().map(|duty| tokio::spawn(repeat(app.clone(), duty))).collect()
}

async fn repeat(app: App, duty: &'static Duty) {
    let mut stopping = app.stopping.subscribe();
    let mut ticks = tokio::time::interval(duty.every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stopping.wait_for(|stopping| *stopping) => return,
        }
        let at_work = app.clone();
        let done = tokio::task::spawn_blocking(move || (duty.run)(&at_work)).await;
        match done {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!("could not {}: {error}", duty.what),
            Err(_) => tracing::error!("it panicked to {}", duty.what),
        }
    }
}

fn notice(app: &App) -> Result<(), StoreError> {
    app.poll()
}

fn settle(app: &App) -> Result<(), StoreError> {
    // A few buckets at a time: writers get in between.
    while app.store.write_now(|tx| buckets::settle(tx, app.now().minute()))? {
        if *app.stopping.borrow() {
            break;
        }
    }
    Ok(())
}

fn forget_changes(app: &App) -> Result<(), StoreError> {
    app.store.write_now(|tx| changes::forget(tx, app.now()).map(|_| ()))
}

fn retain(app: &App) -> Result<(), StoreError> {
    for entry in app.directory.accounts().sites() {
        while app.store.write_now(|tx| buckets::retain(tx, &entry.site, app.now().minute()))? {
            if *app.stopping.borrow() {
                return Ok(());
            }
        }
    }
    shrink(app)
}

/// Pages that are given back at once: a quarter of a megabyte, moved in some milliseconds.
const PAGES: u32 = 64;
/// As many free pages stay at least: those of the minutes that come and go.
const SPARE: u32 = 1024;

/// What was deleted leaves the file, but for a tenth of it: that will be written again.
fn shrink(app: &App) -> Result<(), StoreError> {
    let spare = (app.store.pages()? / 10).max(SPARE);
    let mut shrunk = false;
    while app.store.shrink(PAGES, spare)? {
        shrunk = true;
        if *app.stopping.borrow() {
            return Ok(());
        }
    }
    if shrunk { app.store.truncate_log() } else { Ok(()) }
}

/// Also before the first request: a server that was away for days has no salts for today.
pub(crate) fn keep_salts(app: &App) -> Result<(), StoreError> {
    let sites = app.directory.accounts().sites();
    let now = app.now();
    let (made, destroyed) = app.store.write_now(|tx| {
        let mut made = 0;
        for entry in &sites {
            // The site may have been removed since.
            let known: bool =
                tx.query_row("SELECT EXISTS (SELECT 1 FROM sites WHERE id = ?1)", [entry.site.id.0], |row| row.get(0))?;
            if known {
                made += salts::prepare(tx, &entry.site, now)?;
            }
        }
        Ok::<_, StoreError>((made, salts::destroy(tx, now)?))
    })?;
    if made + destroyed > 0 {
        app.directory.reload()?;
    }
    if destroyed > 0 {
        // The log holds what was deleted until it is cut.
        app.store.truncate_log()?;
    }
    Ok(())
}

fn expire(app: &App) -> Result<(), StoreError> {
    app.store.write_now(|tx| {
        sessions::expire(tx, app.now())?;
        once::expire(tx, app.now())?;
        people::expire(tx, app.now())?;
        imports::expire(tx, app.now())?;
        Ok(())
    })
}
