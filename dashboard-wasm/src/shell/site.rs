//! One site: where the connection stands, the range, the cards and the chart, the last hour, the panels.
use super::annotations::annotate_dialog;
use super::board::board;
use super::boards::{new_dashboard, share_dialog};
use super::cards::cards;
use super::chart::chart;
use super::chips::{add_filter, chips, condition_dialog};
use super::dom::{El, button, el, of};
use super::follow::{Signal, effect, memo, untrack};
use super::go::{go, go_to};
use super::help::help;
use super::hour::hour;
use super::panels::panels;
use super::picker::site_name;
use super::ranges::{calendar, ranges};
use super::realtime::realtime;
use super::segments::{segment_dialog, segments_menu};
use super::setup::setup;
use super::state::{Overlay, Session, state};
use super::vitals::{vital_dialog, vitals};
use super::whole::whole;
use super::widget_form::widget_dialog;
use super::{browser, engine};
use crate::format;
use crate::link::LinkState;
use crate::measure::Measure;
use crate::period::Period;
use crate::route::Route;
use crate::site_info::SiteInfo;

#[derive(Clone, Copy, PartialEq)]
enum Body {
    Loading,
    Failed,
    Setup,
    Figures,
}

/// The page of a site.
pub(crate) fn site_page() -> Vec<El> {
    let state = state();
    let body = memo(move || {
        match (state.totals.with(Option::is_some), state.failure.with(Option::is_some), state.ever.get()) {
            (_, _, Some(false)) => Body::Setup,
            (true, _, Some(true)) => Body::Figures,
            (false, true, _) => Body::Failed,
            // Told, but it is not yet known whether the site was ever visited.
            (true, true, None) => Body::Figures,
            _ => Body::Loading,
        }
    });
    let figures = move || body.get() == Body::Figures;
    let head = of("div", "head").with(site_name()).with(connection()).when(figures, current).with(of("span", "grow")).part(
        figures,
        |shown| {
            if shown { [vec![segments_menu(), add_filter()], ranges()].concat() } else { Vec::new() }
        },
    );
    let page = of("div", "site-page")
        .with(head)
        .part(figures, |shown| if shown { vec![chips(), trouble()] } else { Vec::new() })
        .part(move || body.get(), move |body| vec![fill(body)])
        .part(
            move || state.open.get(),
            |open| match open {
                Some(Overlay::Calendar) => vec![calendar()],
                Some(Overlay::Help) => vec![help()],
                Some(Overlay::Condition(n)) => vec![condition_dialog(n)],
                Some(Overlay::Segment(id)) => vec![segment_dialog(id)],
                Some(Overlay::Annotate) => vec![annotate_dialog()],
                Some(Overlay::NewDashboard) => vec![new_dashboard()],
                Some(Overlay::Share) => vec![share_dialog()],
                Some(Overlay::Widget(key)) => vec![widget_dialog(key)],
                Some(Overlay::Vital(n)) => vec![vital_dialog(n)],
                Some(Overlay::Ranges | Overlay::Compare | Overlay::Segments | Overlay::Dashboards) | None => Vec::new(),
            },
        )
        .part(move || state.view().and_then(|view| view.whole).filter(|_| figures()), |tab| tab.map(whole).into_iter().collect())
        .with(spoken());
    vec![page]
}

fn fill(body: Body) -> El {
    let state = state();
    match body {
        Body::Loading => of("p", "boot").set("role", "status").text("Loading…"),
        Body::Failed => failed(),
        Body::Setup => setup(&untrack(|| state.domain())),
        Body::Figures => {
            let shown = move || state.view().and_then(|view| view.dashboard).is_some();
            el("div").part(shown, |saved| vec![if saved { board() } else { first() }]).with(foot())
        }
    }
}

/// The figures as they are shown at first.
fn first() -> El {
    let state = state();
    let sheet = of("section", "sheet")
        .class_if("loading", move || state.loading.get() && !state.ahead.get())
        .set("aria-label", "Figures");
    of("div", "fade")
        .with(sheet.with(cards()).with(chart()))
        .part(move || state.scope().period == Period::Realtime, |now| vec![if now { realtime() } else { hour() }])
        .with(panels())
        .with(vitals())
}

/// Who is here now, and the way to the realtime view.
fn current() -> El {
    let state = state();
    let now = move || state.now.get().map(|(visitors, _)| visitors);
    go("now", move || state.with_period(Period::Realtime))
        .bind("aria-current", move || (state.scope().period == Period::Realtime).then(|| "page".into()))
        .with(el("b").words(move || now().map_or_else(|| "–".into(), format::full)))
        .words(move || if now() == Some(1) { " visitor now" } else { " visitors now" })
}

/// Whether the figures move by themselves.
fn connection() -> El {
    let state = state();
    let as_of = move || state.as_of.get().and_then(|clock| clock.get(11..19).map(str::to_owned));
    let class = move || match state.link.get() {
        LinkState::Opening => "state",
        LinkState::Live => "state live",
        LinkState::Broken => "state stale",
        LinkState::Offline => "state off",
    };
    let words = move || match (state.link.get(), as_of()) {
        (LinkState::Opening, _) => "Connecting…".to_owned(),
        (LinkState::Live, _) => "Live".to_owned(),
        (LinkState::Broken, Some(time)) => format!("Reconnecting, as of {time}"),
        (LinkState::Broken, None) => "Reconnecting".to_owned(),
        (LinkState::Offline, Some(time)) => format!("Offline, as of {time}"),
        (LinkState::Offline, None) => "Offline".to_owned(),
    };
    let dot = of("span", "dot").set("aria-hidden", "true");
    el("span").tell("class", move || class().into()).set("role", "status").with(dot).words(words)
}

/// A request failed, but there are older figures to look at.
fn trouble() -> El {
    let state = state();
    let message = move || state.failure.get().map(|failure| failure.message);
    of("div", "note bad")
        .set("role", "alert")
        .flag("hidden", move || message().is_none())
        .with(el("p").words(move || message().unwrap_or_default()))
        .with(button("btn", "Try again", move |_| engine::changed(state)))
}

/// A request failed, and there is nothing to look at.
fn failed() -> El {
    let state = state();
    let missing = move || state.failure.with(|failure| failure.as_ref().is_some_and(|f| f.status == 404));
    let title = move || if missing() { "This site is not here" } else { "The figures could not be loaded" };
    let acts = of("div", "acts")
        .with(button("btn main", "Try again", move |_| engine::changed(state)))
        .when(move || state.session.get() == Session::In, || go_to("btn", &Route::Sites).text("All sites"));
    of("div", "narrow sheet box fade")
        .set("role", "alert")
        .with(el("h1").words(title))
        .with(el("p").words(move || state.failure.get().map(|failure| failure.message).unwrap_or_default()))
        .with(acts)
}

fn foot() -> El {
    let state = state();
    let zone = move || state.zone(&state.domain());
    let keys = of("span", "keys").with(el("kbd").text("?")).text(" ");
    let keys = keys.with(button("link", "shows the keys", move |_| state.open.set(Some(Overlay::Help))));
    let settings = move || go("", move || Route::Settings(state.domain())).text("Settings of this site");
    of("footer", "foot")
        .with(el("span").text("Times by the site's clock, ").words(zone))
        .when(move || state.may(SiteInfo::may_edit), settings)
        .with(keys)
}

/// The figures for those who listen: said when the range changes, and otherwise every fifteen seconds if they have changed.
fn spoken() -> El {
    let state = state();
    let words = Signal::new(String::new());
    let said = Signal::new(None::<Period>);
    let say = move || {
        let period = state.view().map(|view| view.scope.period);
        let Some(totals) = state.totals.get_untracked() else { return };
        let count = |measure| totals.get(measure).value.unwrap_or(0.0) as u64;
        let current = state.now.get_untracked().map_or(0, |(visitors, _)| visitors);
        said.set(period);
        words.put(format!(
            "{} now. {}, {} and {} {}.",
            format::counted(current, "visitor", "visitors"),
            format::counted(count(Measure::Visitors), "visitor", "visitors"),
            format::counted(count(Measure::Visits), "visit", "visits"),
            format::counted(count(Measure::Pageviews), "page view", "page views"),
            period.unwrap_or_default().phrase(),
        ));
    };
    effect(move || {
        let period = state.view().map(|view| view.scope.period);
        if state.totals.with(Option::is_some) && !state.loading.get() && said.get_untracked() != period {
            untrack(say);
        }
    });
    browser::every(15_000, say);
    of("p", "unseen").set("role", "status").set("aria-live", "polite").words(move || words.get())
}
