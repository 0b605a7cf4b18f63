//! What keeps the figures true: it asks when the range changes and when something happened, follows the live feed, and looks after
//! both every few seconds.
use std::cell::RefCell;

use futures_util::future::{join, join_all};
use headwater_query::{LiveFrame, Realtime};
use wasm_bindgen_futures::spawn_local;

use super::browser::{self, after};
use super::dom;
use super::follow::{together, untrack};
use super::http;
use super::socket::Socket;
use super::state::{Session, State, update};
use crate::failure::Failure;
use crate::link::{Link, LinkState, Told};
use crate::pace::{self, Pace};
use crate::panel::{Panel, Tab};
use crate::period::Period;
use crate::question;
use crate::report::{self, Reading, Totals};
use crate::route::Scope;
use crate::series::Series;
use crate::site_info::{AnnotationList, PropertyList, SegmentList, SiteInfo};
use crate::strip::Strip;
use crate::table::Table;

/// How often the realtime answer is asked for although nothing happened, in milliseconds: visitors leave without a frame.
const LOOK_AFTER: u32 = 10_000;

#[derive(Default)]
struct Engine {
    /// What is followed.
    site: Option<Scope>,
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

/// Follows these figures from now on, or nothing.
pub(crate) fn follow(state: State, site: Option<(Scope, bool)>) {
    let ready = site.as_ref().is_some_and(|(_, ready)| *ready);
    let site = site.map(|(scope, _)| scope);
    let guest = untrack(|| state.is_guest());
    let (another, dropped) = engine(|e| {
        let domain = |site: &Option<Scope>| site.as_ref().map(|scope| scope.domain.clone());
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
            surround(state);
        }
        // What a segment lets through may still have to be told; then this is called again.
        if ready {
            load(state);
        }
    }
}

/// Asks for what stands around the figures: since when there are some, segments, annotations.
pub(crate) fn surround(state: State) {
    let domain = state.domain_untracked();
    spawn_local(async move {
        let path = format!("/api/v1/sites/{domain}");
        let (site, (segments, annotations)) = join(
            http::get::<SiteInfo>(&path),
            join(
                http::get::<SegmentList>(&format!("{path}/segments")),
                http::get::<AnnotationList>(&format!("{path}/annotations")),
            ),
        )
        .await;
        if state.domain_untracked() != domain {
            return;
        }
        together(|| {
            if let Ok(site) = site {
                let since = site.since.as_deref().map(|since| browser::clock(&site.timezone, js_sys::Date::parse(since)));
                state.since.put(since.and_then(|clock| headwater_query::Date::parse(clock.get(..10)?)));
            }
            state.segments.set(Some(segments.map(|list| list.segments).unwrap_or_default()));
            state.annotations.put(annotations.map(|list| list.annotations).unwrap_or_default());
        });
        // The first figures may have been compared with what was not counted yet.
        changed(state);
    });
}

/// Starts the duties that never end: what is listened to here is listened to as long as the page lives. Called once.
pub(crate) fn start(state: State) {
    browser::every(LOOK_AFTER, move || look_after(state));
    dom::listen_to_window("online", move |_| {
        engine(|e| e.link.network(true));
        connect(state);
        changed(state);
    });
    dom::listen_to_window("offline", move |_| {
        let dropped = engine(|e| {
            e.link.network(false);
            e.line += 1;
            e.socket.take()
        });
        drop(dropped);
        state.link.set(LinkState::Offline);
    });
    dom::listen_to_window("visibilitychange", move |_| seen(state));
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

fn load(state: State) {
    let round = engine(|e| e.pace.start(browser::now()).then(|| (e.generation, e.site.clone())));
    let Some((generation, Some(scope))) = round else { return };
    spawn_local(async move {
        let current = move || engine(|e| e.generation == generation);
        let told = ask(state, &scope).await;
        if !current() {
            return;
        }
        match told {
            Ok(told) => show(state, &scope, told).await,
            Err(failure) => fail(state, failure),
        }
        if current()
            && let Some(wait) = engine(|e| e.pace.done(browser::now()))
        {
            after(wait, move || load(state));
        }
        // What names there are seldom changes, and it takes reading many days.
        if current() && state.properties.with_untracked(Option::is_none) {
            name_properties(state, &scope.domain).await;
        }
    });
}

/// The answers of one round.
struct Round {
    totals: Reading,
    series: Reading,
    before: Option<Reading>,
    panels: Vec<Table>,
    reading: Option<Table>,
    realtime: Realtime,
}

async fn ask(state: State, scope: &Scope) -> Result<Round, Failure> {
    let now = http::server_minute();
    let totals = async {
        let totals = http::query(question::totals(scope, now)).await?;
        let compared = totals.meta.comparison.as_ref().map(|meta| meta.date_range);
        let before = match compared {
            // The cards do not wait in vain: without the other line the chart is still right.
            Some(range) => http::query(question::series_before(scope, range, now)).await.ok(),
            None => None,
        };
        Ok::<_, Failure>((totals, before))
    };
    let series = http::query(question::series(scope, now));
    let panels = join_all(shown(state).into_iter().map(|(tab, property)| panel(scope, tab, property)));
    let reading = async {
        if scope.period != Period::Realtime {
            return Ok(None);
        }
        let reading = http::query(question::reading(scope, now)).await?;
        let dimension = headwater_query::Dimension::Page;
        Ok(Some(Table::read(&reading, Tab::Pages, dimension, &[crate::measure::Measure::Visitors])))
    };
    let path = format!("/api/v1/sites/{}/realtime", scope.domain);
    let (told, (series, (panels, (reading, realtime)))) =
        join(totals, join(series, join(panels, join(reading, http::get::<Realtime>(&path))))).await;
    let (totals, before) = told?;
    let panels = panels.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(Round { totals, series: series?, before, panels, reading: reading?, realtime: realtime? })
}

/// What each panel shows.
fn shown(state: State) -> Vec<(Tab, Option<String>)> {
    let view = state.route.with_untracked(|route| match route {
        crate::route::Route::Site(view) => Some(view.clone()),
        _ => None,
    });
    let tabs = view.as_ref().map_or(Panel::FIRST, |view| view.tabs);
    let property = view.and_then(|view| view.property).or_else(|| first_property(state));
    tabs.into_iter().map(|tab| (tab, property.clone())).collect()
}

/// The property that is shown before anybody chose one.
pub(crate) fn first_property(state: State) -> Option<String> {
    state.properties.with_untracked(|names| names.as_ref().and_then(|names| names.first().cloned()))
}

/// The rows of one panel. What only this panel can't be told stands in it; what nobody can be told is everybody's failure.
async fn panel(scope: &Scope, tab: Tab, property: Option<String>) -> Result<Table, Failure> {
    let question = question::panel(scope, tab, property.as_deref(), http::server_minute());
    let (Some(question), Some(dimension)) = (question, tab.dimension(property.as_deref())) else {
        return Ok(Table::empty(tab, None));
    };
    match http::query(question).await {
        Ok(reading) => Ok(Table::read(&reading, tab, dimension, &tab.columns())),
        Err(failure) if matches!(failure.status, 400 | 422) => Ok(Table::empty(tab, Some(failure.message))),
        Err(failure) => Err(failure),
    }
}

/// Tabs were turned: asks for what is not shown yet.
pub(crate) fn turned(state: State) {
    let Some(scope) = engine(|e| e.site.clone()) else { return };
    let generation = engine(|e| e.generation);
    for (at, (tab, property)) in shown(state).into_iter().enumerate() {
        let Some(table) = state.tables.get(at).copied() else { continue };
        let dimension = tab.dimension(property.as_deref());
        if table.with_untracked(|table| table.as_ref().is_none_or(|t| t.tab == tab && t.dimension == dimension)) {
            continue;
        }
        let scope = scope.clone();
        spawn_local(async move {
            let told = panel(&scope, tab, property).await;
            let still = shown(state)
                .get(at)
                .is_some_and(|(now, property)| *now == tab && now.dimension(property.as_deref()) == dimension);
            if engine(|e| e.generation != generation) || !still {
                return;
            }
            match told {
                Ok(told) => update(table, Some(told)),
                Err(failure) => fail(state, failure),
            }
        });
    }
}

async fn name_properties(state: State, domain: &str) {
    let told = http::get::<PropertyList>(&format!("/api/v1/sites/{domain}/properties")).await;
    if state.route.with_untracked(|route| matches!(route, crate::route::Route::Site(view) if view.scope.domain == domain)) {
        let names = told.map(|list| list.properties.into_iter().map(|property| property.name).collect());
        state.properties.set(Some(names.unwrap_or_default()));
        turned(state);
    }
}

async fn show(state: State, scope: &Scope, told: Round) {
    let clock = browser::clock(&state.zone(&scope.domain), http::server_now());
    let totals = Totals::read(&told.totals).counted_since(state.since.get_untracked());
    let uncovered = totals.since.is_some();
    let empty = totals.is_empty() && scope.filters.is_empty();
    let mut series = Series::read(&told.series, includes_now(scope, &clock), &clock);
    if let Some(before) = told.before.as_ref().filter(|_| !uncovered) {
        series = series.against(before);
    }
    engine(|e| e.told.clone_from(&clock));
    let wanted = shown(state);
    together(|| {
        state.tell_realtime(&told.realtime);
        update(state.totals, Some(totals));
        update(state.series, Some(series));
        for ((signal, table), (tab, _)) in state.tables.into_iter().zip(told.panels).zip(wanted) {
            // A tab that was turned meanwhile is asked for by itself.
            if table.tab == tab {
                update(signal, Some(table));
            }
        }
        update(state.reading, told.reading);
        update(state.as_of, Some(clock));
        update(state.failure, None);
        update(state.loading, false);
    });
    if !empty {
        update(state.ever, Some(true));
    } else if state.ever.get_untracked() != Some(true)
        && let Ok(reading) = http::query(question::ever(&scope.domain)).await
    {
        update(state.ever, Some(report::is_anything(&reading)));
    }
}

/// Whether what happens now changes what is shown; `clock` is the site's.
fn includes_now(scope: &Scope, clock: &str) -> bool {
    let today = clock.get(..10).and_then(headwater_query::Date::parse);
    today.is_none_or(|today| scope.period.includes_now(today))
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
    let Some(Scope { domain, .. }) = engine(|e| e.site.clone()) else { return };
    let (line, path) = engine(|e| {
        e.line += 1;
        (e.line, e.link.path(&domain))
    });
    if http::bears() {
        // A connection carries no header, so it takes a ticket, which works once.
        spawn_local(async move {
            let ticket = http::post::<Ticket>(&format!("/api/v1/sites/{domain}/live-ticket"), &()).await;
            if engine(|e| e.line != line) {
                return;
            }
            match ticket {
                Ok(Ticket { ticket }) => {
                    let mark = if path.contains('?') { '&' } else { '?' };
                    open(state, line, &format!("{path}{mark}ticket={ticket}"));
                }
                Err(_) => again(state),
            }
        });
        return;
    }
    open(state, line, &path);
}

/// `POST /api/v1/sites/{site}/live-ticket`.
#[derive(serde::Deserialize)]
struct Ticket {
    ticket: String,
}

fn open(state: State, line: u32, path: &str) {
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
    let socket = Socket::open(path, frame, closed);
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
            let clock = browser::clock(&state.zone(&state.domain_untracked()), http::server_now());
            state.arrivals.update(|arrivals| arrivals.tell(&minutes, clock.get(11..19).unwrap_or_default()));
            if state.strip.update(|strip| strip.tell_live(&minutes)) {
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
    let Some(scope) = engine(|e| e.site.clone()) else { return };
    if !browser::visible() {
        return;
    }
    let generation = engine(|e| e.generation);
    spawn_local(async move {
        let told = http::get::<Realtime>(&format!("/api/v1/sites/{}/realtime", scope.domain)).await;
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
                let clock = browser::clock(&state.zone(&scope.domain), http::server_now());
                let now = includes_now(&scope, &clock);
                // A new minute may bring late data and begins, now and then, another point; a new day moves the ranges of days.
                let same = if now { 16 } else { 10 };
                let turned = engine(|e| clock.get(..same) != e.told.get(..same));
                let failed = state.failure.with_untracked(Option::is_some);
                if failed || turned || (news && now) {
                    changed(state);
                }
            }
            Err(failure) => fail(state, failure),
        }
    });
}
