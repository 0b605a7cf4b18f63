//! What keeps the figures true: it asks when the range changes and when something happened, follows the live feed, and looks after
//! both every few seconds.
mod board;
mod live;
mod round;
mod rows;

use std::cell::RefCell;
use std::rc::Rc;

use futures_util::future::join;
use headwater_query::{DateRange, Dimension, Realtime};
use wasm_bindgen_futures::spawn_local;

use live::connect;
use round::{First, Round, Shown, ask};
pub(crate) use rows::{list, needed, told};

use super::browser::{self, after};
use super::dom;
use super::follow::{together, untrack};
use super::http;
use super::socket::Socket;
use super::state::{Session, State, update};
use crate::board::DashboardList;
use crate::failure::Failure;
use crate::kept::Kept;
use crate::link::{Link, LinkState};
use crate::merged::Fetched;
use crate::pace::{self, Pace};
use crate::panel::{Panel, Tab};
use crate::period::Period;
use crate::question;
use crate::report::{self, Reading, Totals};
use crate::route::{Against, Scope};
use crate::series::Series;
use crate::site_info::{AnnotationList, PropertyList, SegmentList, SiteInfo};
use crate::table::Table;
use crate::vitals::Vitals;

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
    /// The buckets that were fetched last.
    kept: Option<Rc<Kept>>,
    /// What they are compared with.
    beside: Option<Beside>,
    /// The site and range of which nobody brings web vitals.
    unmeasured: Option<(String, Period)>,
    /// Whether the next round may do with what is kept.
    fresh: bool,
    /// The dimensions whose rows are under way.
    asked: Vec<Dimension>,
}

/// The time that a range is compared with.
#[derive(Clone)]
struct Beside {
    /// Of which range, compared how, on which date: for these it stays what it is.
    of: (String, Period, Against, String),
    range: DateRange,
    /// Its buckets, once they were fetched.
    fetched: Option<Fetched>,
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
        e.fresh = true;
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
            untrack(|| ahead(state));
            load(state);
        }
    }
}

/// Asks for what stands around the figures: since when there are some, segments, annotations.
pub(crate) fn surround(state: State) {
    let domain = state.domain_untracked();
    spawn_local(async move {
        let path = format!("/api/v1/sites/{domain}");
        let (site, (segments, (annotations, dashboards))) = join(
            http::get::<SiteInfo>(&path),
            join(
                http::get::<SegmentList>(&format!("{path}/segments")),
                join(
                    http::get::<AnnotationList>(&format!("{path}/annotations")),
                    http::get::<DashboardList>(&format!("{path}/dashboards")),
                ),
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
            state.dashboards.set(Some(dashboards.map(|list| list.dashboards).unwrap_or_default()));
            state.segments.set(Some(segments.map(|list| list.segments).unwrap_or_default()));
            state.annotations.put(annotations.map(|list| list.annotations).unwrap_or_default());
            // The first figures may have been compared with what was not counted yet.
            if let Some(totals) = state.totals.get_untracked().map(|totals| totals.counted_since(state.since.get_untracked())) {
                if totals.since.is_some() {
                    state.series.update(|series| *series = series.take().map(Series::alone));
                }
                update(state.totals, Some(totals));
            }
        });
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
        if current() {
            needed(state, None);
        }
        // What names there are seldom changes, and it takes reading many days.
        if current() && state.properties.with_untracked(Option::is_none) {
            name_properties(state, &scope.domain).await;
        }
    });
}

/// Shows cards and chart at once, if what they tell follows from what was fetched before: after zooming in, and out again.
fn ahead(state: State) {
    let Some(scope) = engine(|e| e.site.clone()) else { return };
    let clock = state.clock();
    let known = engine(|e| e.kept.as_ref().and_then(|kept| kept.covers(&scope, clock.get(..10)?)));
    let totals = known.as_ref().and_then(Fetched::totals);
    let series = known.as_ref().and_then(|fetched| fetched.series(state.units().1));
    let (Some(totals), Some(series)) = (totals, series) else { return state.ahead.set(false) };
    together(|| {
        update(state.totals, Some(Totals::read(&totals)));
        update(state.series, Some(Series::read(&series, includes_now(&scope, &clock), &clock)));
        state.ahead.set(true);
    });
}

/// Another unit of time was chosen: parts the chart anew, from what is here if that can be.
pub(crate) fn parted(state: State) {
    let Some(scope) = engine(|e| e.site.clone()).filter(|_| state.series.with(Option::is_some)) else { return };
    if untrack(|| state.board()).is_some() {
        return changed(state);
    }
    let generation = engine(|e| e.generation);
    let unit = state.units().1;
    let clock = state.clock();
    let (fetched, beside) = engine(|e| {
        let fetched = e.kept.as_ref().and_then(|kept| kept.covers(&scope, clock.get(..10)?));
        (fetched, e.beside.clone().filter(|beside| beside.of == key(&scope, &clock)))
    });
    let own = fetched.as_ref().and_then(|fetched| fetched.series(unit));
    let other = beside.as_ref().and_then(|beside| beside.fetched.as_ref()?.series(unit));
    // What is compared with may have no hours any more: then nobody can tell that line.
    if own.is_some() && (other.is_some() || beside.as_ref().is_none_or(|beside| beside.fetched.is_some())) {
        return line(state, &scope, &clock, own, other);
    }
    spawn_local(async move {
        let now = http::server_minute();
        let before = beside.map(|beside| question::series_before(&scope, beside.range, unit, now));
        let questions: Vec<_> = [question::series(&scope, unit, now)].into_iter().chain(before).collect();
        let told = http::queries(&questions).await;
        if engine(|e| e.generation != generation) || state.units().1 != unit {
            return;
        }
        match told {
            Ok(told) => {
                let mut told = told.into_iter();
                match told.next() {
                    Some(Err(failure)) => fail(state, failure),
                    own => line(state, &scope, &clock, own.and_then(Result::ok), told.next().and_then(Result::ok)),
                }
            }
            Err(failure) => fail(state, failure),
        }
    });
}

fn line(state: State, scope: &Scope, clock: &str, own: Option<Reading>, other: Option<Reading>) {
    let Some(own) = own else { return };
    let uncovered = state.totals.with_untracked(|totals| totals.as_ref().is_some_and(|totals| totals.since.is_some()));
    let mut series = Series::read(&own, includes_now(scope, clock), clock);
    if let Some(other) = other.filter(|_| !uncovered) {
        series = series.against(&other);
    }
    update(state.series, Some(series));
}

fn key(scope: &Scope, clock: &str) -> (String, Period, Against, String) {
    (scope.domain.clone(), scope.period, scope.against, clock.get(..10).unwrap_or_default().to_owned())
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
fn table(tab: Tab, property: Option<&str>, told: Option<Result<Reading, Failure>>) -> Result<Table, Failure> {
    match (told, tab.dimension(property)) {
        (Some(Ok(reading)), Some(dimension)) => Ok(Table::read(&reading, tab, dimension, &tab.columns())),
        (Some(Err(failure)), _) if matches!(failure.status, 400 | 422) => Ok(Table::empty(tab, Some(failure.message))),
        (Some(Err(failure)), _) => Err(failure),
        _ => Ok(Table::empty(tab, None)),
    }
}

async fn panel(scope: &Scope, tab: Tab, property: Option<String>) -> Result<Table, Failure> {
    let told = match question::panel(scope, tab, property.as_deref(), http::server_minute()) {
        Some(question) => Some(rows::told(scope, question).await),
        None => None,
    };
    table(tab, property.as_deref(), told)
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
            needed(state, None);
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
    let clock = state.clock();
    let totals = Totals::read(&told.totals).counted_since(state.since.get_untracked());
    let uncovered = totals.since.is_some();
    let empty = totals.is_empty() && scope.filters.is_empty();
    engine(|e| e.told.clone_from(&clock));
    let wanted = shown(state);
    let vitals_later = matches!(&told.shown, Shown::First(first) if first.vitals_later);
    together(|| {
        if let Some(realtime) = &told.realtime {
            state.tell_realtime(realtime);
        }
        update(state.totals, Some(totals));
        match told.shown {
            Shown::Board(told) => update(state.told, told),
            Shown::First(first) => {
                let First { series, before, panels, reading, vitals, .. } = *first;
                let mut series = Series::read(&series, includes_now(scope, &clock), &clock);
                if let Some(before) = before.as_ref().filter(|_| !uncovered) {
                    series = series.against(before);
                }
                update(state.series, Some(series));
                for ((signal, table), (tab, _)) in state.tables.into_iter().zip(panels).zip(wanted) {
                    // A tab that was turned meanwhile is asked for by itself.
                    if table.tab == tab {
                        update(signal, Some(table));
                    }
                }
                update(state.reading, reading);
                if vitals.is_some() {
                    update(state.vitals, vitals);
                }
            }
        }
        update(state.as_of, Some(clock));
        update(state.failure, None);
        update(state.loading, false);
        update(state.ahead, false);
    });
    if !empty {
        // With the first visit begins the time that others can be compared with.
        if state.ever.get_untracked() == Some(false) {
            surround(state);
        }
        update(state.ever, Some(true));
    } else if state.ever.get_untracked() != Some(true)
        && let Ok(reading) = http::query(question::ever(&scope.domain)).await
    {
        update(state.ever, Some(report::is_anything(&reading)));
    }
    if vitals_later {
        let generation = engine(|e| e.generation);
        let told = http::queries(&[question::vitals(scope, http::server_minute())]).await;
        if engine(|e| e.generation == generation) {
            let told = told.ok().and_then(|told| told.into_iter().next()?.ok());
            update(state.vitals, told.map(|reading| Vitals::read(&reading)));
        }
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
