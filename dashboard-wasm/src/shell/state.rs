//! Everything that the page shows, as signals that live as long as the page.
use headwater_query::Realtime;
use leptos::prelude::*;

use super::browser;
use crate::failure::Failure;
use crate::link::LinkState;
use crate::panel::Panel;
use crate::period::Period;
use crate::report::Totals;
use crate::route::{Route, SiteView};
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

/// The state. `Copy`, because it is only handles.
#[derive(Clone, Copy)]
pub(crate) struct State {
    pub(crate) route: RwSignal<Route>,
    pub(crate) session: RwSignal<Session>,
    pub(crate) sites: RwSignal<Vec<SiteInfo>>,
    pub(crate) totals: RwSignal<Option<Totals>>,
    pub(crate) series: RwSignal<Option<Series>>,
    pub(crate) tables: [RwSignal<Option<Table>>; Panel::ALL.len()],
    pub(crate) limits: [RwSignal<u32>; Panel::ALL.len()],
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
            limits: std::array::from_fn(|_| RwSignal::new(Panel::FEW)),
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
        for (table, limit) in self.tables.into_iter().zip(self.limits) {
            table.set(None);
            limit.set(Panel::FEW);
        }
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

    /// Changes what is shown of the site.
    pub(crate) fn turn(self, change: impl FnOnce(&mut SiteView)) {
        if let Route::Site(mut view) = self.route.get_untracked() {
            change(&mut view);
            self.go(Route::Site(view));
        }
    }

    /// The address of the site with another range.
    pub(crate) fn with_period(self, period: Period) -> Route {
        match self.route.get() {
            Route::Site(view) => Route::Site(SiteView { period, ..view }),
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
