//! Everything that the page shows, as signals that live as long as the page.
use headwater_query::{Date, Realtime, TimeDimension, Widget};

use super::browser;
use super::follow::{Signal, together, untrack};
use crate::arrivals::Arrivals;
use crate::board::{Board, Dashboard, Told};
use crate::failure::Failure;
use crate::filters::Filters;
use crate::link::LinkState;
use crate::merged;
use crate::panel::Panel;
use crate::period::Period;
use crate::report::Totals;
use crate::route::{Route, Scope, SiteView};
use crate::series::Series;
use crate::site_info::{Annotation, Me, Segment, SiteInfo};
use crate::strip::Strip;
use crate::table::Table;
use crate::vitals::Vitals;

/// Who is looking.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Session {
    /// Not known yet.
    Asking,
    /// Signed in.
    In,
    /// Not signed in, but the site is public.
    Guest,
    /// Not signed in, but with a shared link.
    Shared,
    /// Has a shared link that asks for a password; whether one was tried.
    Password(bool),
    /// Was invited, by this.
    Invited(String),
    /// Not signed in, with what there is to say about it.
    Out(Option<String>),
    /// The server did not say.
    Unknown(Failure),
}

/// What lies over the page, one at a time. It is no part of the address: nobody sends somebody else an open menu.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Overlay {
    /// The menu of ranges.
    Ranges,
    /// The menu of comparisons.
    Compare,
    /// The calendar.
    Calendar,
    /// The keys.
    Help,
    /// A condition that is made, or that of this number changed.
    Condition(Option<usize>),
    /// The menu of segments.
    Segments,
    /// A segment that is built: a new one, the filters as they are, or that of this number.
    Segment(Option<i64>),
    /// Something that happened is noted.
    Annotate,
    /// The menu of dashboards.
    Dashboards,
    /// A dashboard is made of what is shown.
    NewDashboard,
    /// The dashboard that is shown is shared.
    Share,
    /// A widget is added, or that of this key changed.
    Widget(Option<u32>),
    /// A web vital of this number, page by page.
    Vital(usize),
}

/// The state. `Copy`, because it is only handles.
#[derive(Clone, Copy)]
pub(crate) struct State {
    pub(crate) route: Signal<Route>,
    pub(crate) session: Signal<Session>,
    pub(crate) me: Signal<Me>,
    pub(crate) sites: Signal<Vec<SiteInfo>>,
    /// Since when the site that is shown counts, by its own clock.
    pub(crate) since: Signal<Option<Date>>,
    pub(crate) segments: Signal<Option<Vec<Segment>>>,
    pub(crate) annotations: Signal<Vec<Annotation>>,
    pub(crate) dashboards: Signal<Option<Vec<Dashboard>>>,
    /// The dashboard that is shown while it is arranged.
    pub(crate) draft: Signal<Option<Board>>,
    /// What was told to widgets.
    pub(crate) told: Signal<Vec<(Widget, Told)>>,
    pub(crate) totals: Signal<Option<Totals>>,
    pub(crate) series: Signal<Option<Series>>,
    pub(crate) tables: [Signal<Option<Table>>; Panel::ALL.len()],
    /// Which pages are being read, in the realtime view.
    pub(crate) reading: Signal<Option<Table>>,
    pub(crate) vitals: Signal<Option<Vitals>>,
    pub(crate) arrivals: Signal<Arrivals>,
    /// The names of the properties that events carry, the most frequent first.
    pub(crate) properties: Signal<Option<Vec<String>>>,
    pub(crate) open: Signal<Option<Overlay>>,
    /// Visitors and events of the last five minutes.
    pub(crate) now: Signal<Option<(u64, u64)>>,
    pub(crate) strip: Signal<Strip>,
    pub(crate) link: Signal<LinkState>,
    pub(crate) failure: Signal<Option<Failure>>,
    /// Whether anything was ever counted for the site.
    pub(crate) ever: Signal<Option<bool>>,
    /// Whether what is shown belongs to another range than the one asked for.
    pub(crate) loading: Signal<bool>,
    /// Whether cards and chart belong to it all the same, worked out from what was fetched before.
    pub(crate) ahead: Signal<bool>,
    /// The site's clock when the figures were told.
    pub(crate) as_of: Signal<Option<String>>,
}

impl State {
    pub(crate) fn new() -> Self {
        let (path, search, _) = browser::address();
        Self {
            route: Signal::new(Route::parse(&path, &search)),
            session: Signal::new(Session::Asking),
            me: Signal::new(Me::default()),
            sites: Signal::new(Vec::new()),
            since: Signal::new(None),
            segments: Signal::new(None),
            annotations: Signal::new(Vec::new()),
            dashboards: Signal::new(None),
            draft: Signal::new(None),
            told: Signal::new(Vec::new()),
            totals: Signal::new(None),
            series: Signal::new(None),
            tables: std::array::from_fn(|_| Signal::new(None)),
            reading: Signal::new(None),
            vitals: Signal::new(None),
            arrivals: Signal::new(Arrivals::default()),
            properties: Signal::new(None),
            open: Signal::new(None),
            now: Signal::new(None),
            strip: Signal::new(Strip::default()),
            link: Signal::new(LinkState::Opening),
            failure: Signal::new(None),
            ever: Signal::new(None),
            loading: Signal::new(false),
            ahead: Signal::new(false),
            as_of: Signal::new(None),
        }
    }

    /// Forgets what belongs to one site.
    pub(crate) fn clear(self) {
        together(|| self.forget());
    }

    fn forget(self) {
        self.totals.set(None);
        self.series.set(None);
        for table in self.tables {
            table.set(None);
        }
        self.since.set(None);
        self.segments.set(None);
        self.annotations.set(Vec::new());
        self.dashboards.set(None);
        self.draft.set(None);
        self.told.set(Vec::new());
        self.reading.set(None);
        self.vitals.set(None);
        self.arrivals.set(Arrivals::default());
        self.properties.set(None);
        self.now.set(None);
        self.strip.set(Strip::default());
        self.link.set(LinkState::Opening);
        self.failure.set(None);
        self.ever.set(None);
        self.as_of.set(None);
    }

    /// Merges a realtime answer. Says whether it held anything new.
    pub(crate) fn tell_realtime(self, realtime: &Realtime) -> bool {
        update(self.now, Some((realtime.visitors, realtime.events)));
        self.strip.update(|strip| strip.tell_realtime(realtime))
    }

    /// Goes to a page, as a step of the history.
    pub(crate) fn go(self, route: Route) {
        let shared = |route: &Route| matches!(route, Route::Site(view) if view.shared);
        if self.route.with_untracked(shared) && !shared(&route) {
            // Beyond what is shared the page begins anew, as whoever is signed in.
            return browser::leave(&route.to_string());
        }
        if self.route.get_untracked() != route {
            browser::set_address(&route.to_string(), true);
            self.route.set(route);
        }
    }

    /// Changes what is shown of the site, as a step of the history.
    pub(crate) fn turn(self, change: impl FnOnce(&mut SiteView)) {
        if let Route::Site(mut view) = self.route.get_untracked() {
            change(&mut view);
            self.go(Route::Site(view));
        }
    }

    /// Changes what is shown of the site in the address as it stands: a tab is no step that anybody wants to go back by.
    pub(crate) fn adjust(self, change: impl FnOnce(&mut SiteView)) {
        if let Route::Site(mut view) = self.route.get_untracked() {
            change(&mut view);
            let route = Route::Site(view);
            if self.route.get_untracked() != route {
                browser::set_address(&route.to_string(), false);
                self.route.set(route);
            }
        }
    }

    /// Counts something else.
    pub(crate) fn filter(self, change: impl FnOnce(&Filters) -> Filters) {
        self.turn(|view| view.scope.filters = change(&view.scope.filters));
    }

    /// The address of the site with another range.
    pub(crate) fn with_period(self, period: Period) -> Route {
        match self.route.get() {
            Route::Site(view) => Route::Site(SiteView { scope: Scope { period, ..view.scope }, ..view }),
            other => other,
        }
    }

    /// The site that is shown.
    pub(crate) fn view(self) -> Option<SiteView> {
        match self.route.get() {
            Route::Site(view) => Some(view),
            _ => None,
        }
    }

    /// Whose figures are shown.
    pub(crate) fn scope(self) -> Scope {
        let mut scope = self.view().map(|view| view.scope).unwrap_or_default();
        if let Some(segment) = self.segment(scope.segment) {
            scope.within = segment.filters;
        }
        scope
    }

    /// The segment of this number.
    pub(crate) fn segment(self, id: Option<i64>) -> Option<Segment> {
        let id = id?;
        self.segments.with(|segments| segments.iter().flatten().find(|segment| segment.id == id).cloned())
    }

    /// The dashboard that is shown, as it is arranged or was saved.
    pub(crate) fn board(self) -> Option<Board> {
        let id = self.view()?.dashboard?;
        self.draft
            .get()
            .filter(|draft| draft.id == id)
            .or_else(|| self.dashboards.with(|saved| saved.iter().flatten().find(|saved| saved.id == id).map(Board::new)))
    }

    /// Whether it is arranged.
    pub(crate) fn arranges(self) -> bool {
        let shown = self.view().and_then(|view| view.dashboard);
        self.draft.with(|draft| draft.as_ref().is_some_and(|draft| Some(draft.id) == shown))
    }

    /// Whether who is looking may do this to the site that is shown.
    pub(crate) fn may(self, what: fn(&SiteInfo) -> bool) -> bool {
        let domain = self.domain();
        self.session.get() == Session::In && self.sites.with(|sites| sites.iter().any(|site| site.domain == domain && what(site)))
    }

    /// Whether somebody reads without being signed in.
    pub(crate) fn is_guest(self) -> bool {
        self.session.with(|session| matches!(session, Session::Guest | Session::Shared))
    }

    /// The domain of the site that is shown.
    pub(crate) fn domain(self) -> String {
        match self.route.get() {
            Route::Site(view) => view.scope.domain,
            Route::Settings(domain) => domain,
            _ => String::new(),
        }
    }

    /// The same, without being told when it changes.
    pub(crate) fn domain_untracked(self) -> String {
        self.route.with_untracked(|route| match route {
            Route::Site(view) => view.scope.domain.clone(),
            Route::Settings(domain) => domain.clone(),
            _ => String::new(),
        })
    }

    /// The clock of the site that is shown, written as labels are.
    pub(crate) fn clock(self) -> String {
        browser::clock(&self.zone(&self.domain_untracked()), super::http::server_now())
    }

    /// By which units of time the chart can be shown, and by which it is.
    pub(crate) fn units(self) -> (&'static [TimeDimension], TimeDimension) {
        let view = self.view();
        let period = view.as_ref().map(|view| view.scope.period).unwrap_or_default();
        let today = untrack(|| self.today());
        let days = period.days(today, self.since.get());
        (merged::units(period, days, today), merged::unit(view.and_then(|view| view.unit), period, days, today))
    }

    /// The date by that clock.
    pub(crate) fn today(self) -> Date {
        self.clock().get(..10).and_then(Date::parse).unwrap_or_else(|| Date::from_days(0))
    }

    /// The zone of a site.
    pub(crate) fn zone(self, domain: &str) -> String {
        self.sites.with_untracked(|sites| {
            sites.iter().find(|site| site.domain == domain).map_or_else(|| "UTC".into(), |site| site.timezone.clone())
        })
    }
}

/// Sets a signal only if that changes it, so that nothing is drawn twice.
pub(crate) fn update<T: PartialEq + 'static>(signal: Signal<T>, value: T) {
    signal.put(value);
}

/// The state, from anywhere.
pub(crate) fn state() -> State {
    thread_local! {
        static STATE: State = State::new();
    }
    STATE.with(|state| *state)
}
