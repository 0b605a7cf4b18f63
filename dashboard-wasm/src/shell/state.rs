//! Everything that the page shows, as signals that live as long as the page.
use headwater_query::Realtime;
use leptos::prelude::*;

use super::browser;
use crate::arrivals::Arrivals;
use crate::failure::Failure;
use crate::filters::Filters;
use crate::link::LinkState;
use crate::panel::Panel;
use crate::period::Period;
use crate::report::Totals;
use crate::route::{Route, Scope, SiteView};
use crate::series::Series;
use crate::site_info::SiteInfo;
use crate::strip::Strip;
use crate::table::Table;

/// Who is looking.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Session {
    /// Not known yet.
    Asking,
    /// Signed in.
    In,
    /// Not signed in, but the site is public.
    Guest,
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
}

/// The state. `Copy`, because it is only handles.
#[derive(Clone, Copy)]
pub(crate) struct State {
    pub(crate) route: RwSignal<Route>,
    pub(crate) session: RwSignal<Session>,
    pub(crate) sites: RwSignal<Vec<SiteInfo>>,
    pub(crate) totals: RwSignal<Option<Totals>>,
    pub(crate) series: RwSignal<Option<Series>>,
    pub(crate) tables: [RwSignal<Option<Table>>; Panel::ALL.len()],
    /// Which pages are being read, in the realtime view.
    pub(crate) reading: RwSignal<Option<Table>>,
    pub(crate) arrivals: RwSignal<Arrivals>,
    /// The names of the properties that events carry, the most frequent first.
    pub(crate) properties: RwSignal<Option<Vec<String>>>,
    pub(crate) open: RwSignal<Option<Overlay>>,
    /// Visitors and events of the last five minutes.
    pub(crate) now: RwSignal<Option<(u64, u64)>>,
    pub(crate) strip: RwSignal<Strip>,
    pub(crate) link: RwSignal<LinkState>,
    pub(crate) failure: RwSignal<Option<Failure>>,
    /// Whether anything was ever counted for the site.
    pub(crate) ever: RwSignal<Option<bool>>,
    /// Whether what is shown belongs to another range than the one asked for.
    pub(crate) loading: RwSignal<bool>,
    /// The site's clock when the figures were told.
    pub(crate) as_of: RwSignal<Option<String>>,
}

impl State {
    pub(crate) fn new() -> Self {
        let (path, search, _) = browser::address();
        Self {
            route: RwSignal::new(Route::parse(&path, &search)),
            session: RwSignal::new(Session::Asking),
            sites: RwSignal::new(Vec::new()),
            totals: RwSignal::new(None),
            series: RwSignal::new(None),
            tables: std::array::from_fn(|_| RwSignal::new(None)),
            reading: RwSignal::new(None),
            arrivals: RwSignal::new(Arrivals::default()),
            properties: RwSignal::new(None),
            open: RwSignal::new(None),
            now: RwSignal::new(None),
            strip: RwSignal::new(Strip::default()),
            link: RwSignal::new(LinkState::Opening),
            failure: RwSignal::new(None),
            ever: RwSignal::new(None),
            loading: RwSignal::new(false),
            as_of: RwSignal::new(None),
        }
    }

    /// Forgets what belongs to one site.
    pub(crate) fn clear(self) {
        self.totals.set(None);
        self.series.set(None);
        for table in self.tables {
            table.set(None);
        }
        self.reading.set(None);
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
        self.strip.try_update(|strip| strip.tell_realtime(realtime)).unwrap_or(false)
    }

    /// Goes to a page, as a step of the history.
    pub(crate) fn go(self, route: Route) {
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
        self.view().map(|view| view.scope).unwrap_or_default()
    }

    /// The domain of the site that is shown.
    pub(crate) fn domain(self) -> String {
        self.view().map(|view| view.scope.domain).unwrap_or_default()
    }

    /// The same, without being told when it changes.
    pub(crate) fn domain_untracked(self) -> String {
        self.route.with_untracked(|route| match route {
            Route::Site(view) => view.scope.domain.clone(),
            _ => String::new(),
        })
    }

    /// The zone of a site.
    pub(crate) fn zone(self, domain: &str) -> String {
        self.sites.with_untracked(|sites| {
            sites.iter().find(|site| site.domain == domain).map_or_else(|| "UTC".into(), |site| site.timezone.clone())
        })
    }
}

/// Sets a signal only if that changes it, so that nothing is drawn twice.
pub(crate) fn update<T: PartialEq + Send + Sync + 'static>(signal: RwSignal<T>, value: T) {
    if signal.with_untracked(|old| *old != value) {
        signal.set(value);
    }
}

/// The state, from anywhere below the root.
pub(crate) fn state() -> State {
    use_context::<State>().unwrap_or_else(State::new)
}
