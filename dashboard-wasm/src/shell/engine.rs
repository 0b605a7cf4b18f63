//! What keeps the figures true: it asks when the range changes and when something happened, follows the live feed, and looks after
//! both every few seconds.
use std::cell::RefCell;
use std::time::Duration;

use futures_util::future::{join, join_all};
use headwater_query::{LiveFrame, Realtime};
use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::browser;
use super::http;
use super::socket::Socket;
use super::state::{Session, State, update};
use crate::failure::Failure;
use crate::link::{Link, LinkState, Told};
use crate::pace::{self, Pace};
use crate::panel::Panel;
use crate::period::Period;
use crate::question;
use crate::report::{self, Reading, Totals};
use crate::series::Series;
use crate::strip::Strip;
use crate::table::Table;

/// How often the realtime answer is asked for although nothing happened: visitors leave without a frame.
const LOOK_AFTER: Duration = Duration::from_secs(10);

#[derive(Default)]
struct Engine {
    /// What is followed.
    site: Option<(String, Period)>,
    /// Counts what is followed, so that late answers to older questions are left.
    generation: u32,
    pace: Pace,
    link: Link,
    /// Counts the connections, so that the end of an older one is left.
    line: u32,
    socket: Option<Socket>,
    /// The site's clock when the figures were told.
    told: String,
}

thread_local! {
    static ENGINE: RefCell<Engine> = RefCell::default();
}

fn engine<T>(act: impl FnOnce(&mut Engine) -> T) -> T {
    ENGINE.with_borrow_mut(act)
}

/// Follows a site and range from now on, or nothing.
pub(crate) fn follow(state: State, site: Option<(String, Period)>) {
    let guest = state.session.with_untracked(|session| *session == Session::Guest);
    let (another, dropped) = engine(|e| {
        let domain = |site: &Option<(String, Period)>| site.as_ref().map(|(domain, _)| domain.clone());
        let another = domain(&e.site) != domain(&site);
        e.site = site;
        e.generation += 1;
        e.pace = Pace::new(if guest { pace::APART_GUEST } else { pace::APART });
        if another {
            e.link = Link::default();
            e.line += 1;
        }
        (another, if another { e.socket.take() } else { None })
    });
    drop(dropped);
    if another {
        state.clear();
    }
    if engine(|e| e.site.is_some()) {
        state.loading.set(true);
        if another {
            connect(state);
        }
        load(state);
    }
}

/// Starts the duties that never end: what is listened to here is listened to as long as the page lives. Called once.
pub(crate) fn start(state: State) {
    set_interval(move || look_after(state), LOOK_AFTER);
    _ = window_event_listener(leptos::ev::online, move |_| {
        engine(|e| e.link.network(true));
        connect(state);
        changed(state);
    });
    _ = window_event_listener(leptos::ev::offline, move |_| {
        let dropped = engine(|e| {
            e.link.network(false);
            e.line += 1;
            e.socket.take()
        });
        drop(dropped);
        state.link.set(LinkState::Offline);
    });
    _ = window_event_listener_untyped("visibilitychange", move |_| seen(state));
}

fn seen(state: State) {
    if browser::visible() && engine(|e| e.site.is_some()) {
        if engine(|e| e.socket.is_none()) {
            connect(state);
        }
        changed(state);
    }
}

/// Something changed: asks again, at most once a second.
pub(crate) fn changed(state: State) {
    if let Some(wait) = engine(|e| e.pace.changed(browser::now())) {
        after(wait, move || load(state));
    }
}

fn after(ms: u32, act: impl FnOnce() + 'static) {
    let handle: Result<TimeoutHandle, _> = set_timeout_with_handle(act, Duration::from_millis(ms.into()));
    drop(handle);
}

fn load(state: State) {
    let round = engine(|e| e.pace.start(browser::now()).then(|| (e.generation, e.site.clone())));
    let Some((generation, Some((domain, period)))) = round else { return };
    spawn_local(async move {
        let told = ask(state, &domain, period).await;
        if engine(|e| e.generation != generation) {
            return;
        }
        match told {
            Ok(told) => show(state, &domain, period, told).await,
            Err(failure) => fail(state, failure),
        }
        if engine(|e| e.generation == generation)
            && let Some(wait) = engine(|e| e.pace.done(browser::now()))
        {
            after(wait, move || load(state));
        }
    });
}

/// The answers of one round: the totals, the series, and the panels in their order.
struct Round {
    totals: Reading,
    series: Reading,
    panels: Vec<Reading>,
    realtime: Realtime,
}

async fn ask(state: State, domain: &str, period: Period) -> Result<Round, Failure> {
    let mut queries = vec![question::totals(domain, period), question::series(domain, period)];
    for (panel, limit) in Panel::ALL.into_iter().zip(state.limits) {
        queries.push(question::panel(domain, period, panel, limit.get_untracked()));
    }
    let path = format!("/api/v1/sites/{domain}/realtime");
    let (answers, realtime) = join(join_all(queries.into_iter().map(http::query)), http::get::<Realtime>(&path)).await;
    let mut answers = answers.into_iter().collect::<Result<Vec<_>, _>>()?;
    let panels = answers.split_off(2);
    let series = answers.pop().unwrap_or_default();
    let totals = answers.pop().unwrap_or_default();
    Ok(Round { totals, series, panels, realtime: realtime? })
}

async fn show(state: State, domain: &str, period: Period, told: Round) {
    let clock = browser::clock(&state.zone(domain), http::server_now());
    state.tell_realtime(&told.realtime);
    let totals = Totals::read(&told.totals);
    let empty = totals.is_empty();
    update(state.totals, Some(totals));
    update(state.series, Some(Series::read(&told.series, period, &clock)));
    for ((signal, panel), reading) in state.tables.into_iter().zip(Panel::ALL).zip(&told.panels) {
        update(signal, Some(Table::read(reading, panel)));
    }
    engine(|e| e.told.clone_from(&clock));
    update(state.as_of, Some(clock));
    update(state.failure, None);
    update(state.loading, false);
    if !empty {
        update(state.ever, Some(true));
    } else if state.ever.get_untracked() != Some(true)
        && let Ok(reading) = http::query(question::ever(domain)).await
    {
        update(state.ever, Some(report::is_anything(&reading)));
    }
}

fn fail(state: State, failure: Failure) {
    state.loading.set(false);
    if failure.status == 401 {
        state.session.set(Session::Out(Some("Your session has ended. Sign in again to go on.".into())));
        return;
    }
    if failure.status == 404 {
        // There is no such site, so there is nothing to follow.
        let dropped = engine(|e| {
            e.line += 1;
            e.socket.take()
        });
        drop(dropped);
    }
    update(state.failure, Some(failure));
}

fn connect(state: State) {
    let Some((domain, _)) = engine(|e| e.site.clone()) else { return };
    let (line, path) = engine(|e| {
        e.line += 1;
        (e.line, e.link.path(&domain))
    });
    let frame = move |told: LiveFrame| {
        if engine(|e| e.line == line) {
            hear(state, told);
        }
    };
    let closed = move || {
        if engine(|e| e.line == line) {
            again(state);
        }
    };
    let socket = Socket::open(&path, frame, closed);
    let failed = socket.is_none();
    let dropped = engine(|e| std::mem::replace(&mut e.socket, socket));
    drop(dropped);
    if failed {
        again(state);
    }
}

fn hear(state: State, frame: LiveFrame) {
    let told = engine(|e| e.link.frame(frame));
    update(state.link, LinkState::Live);
    match told {
        Told::Minutes(minutes) => {
            if state.strip.try_update(|strip| strip.tell_live(&minutes)).unwrap_or(false) {
                changed(state);
            }
        }
        Told::Everything => {
            state.strip.set(Strip::default());
            changed(state);
        }
    }
}

fn again(state: State) {
    let (wait, dropped, line) = engine(|e| (e.link.broken(browser::chance()), e.socket.take(), e.line));
    drop(dropped);
    update(state.link, engine(|e| e.link.state));
    after(wait, move || {
        if engine(|e| e.line == line && e.link.state != LinkState::Offline) {
            connect(state);
        }
    });
}

fn look_after(state: State) {
    let Some((domain, period)) = engine(|e| e.site.clone()) else { return };
    if !browser::visible() {
        return;
    }
    let generation = engine(|e| e.generation);
    spawn_local(async move {
        let told = http::get::<Realtime>(&format!("/api/v1/sites/{domain}/realtime")).await;
        if engine(|e| e.generation != generation) {
            return;
        }
        match told {
            Ok(realtime) => {
                let news = state.tell_realtime(&realtime);
                let dead = engine(|e| e.link.polled(news));
                if dead {
                    connect(state);
                }
                let clock = browser::clock(&state.zone(&domain), http::server_now());
                // A new minute may bring late data and begins, now and then, another point; a new day moves the ranges of days.
                let same = if period.includes_now() { 16 } else { 10 };
                let turned = engine(|e| clock.get(..same) != e.told.get(..same));
                let failed = state.failure.with_untracked(Option::is_some);
                if failed || turned || (news && period.includes_now()) {
                    changed(state);
                }
            }
            Err(failure) => fail(state, failure),
        }
    });
}
