//! The range: a few one click away, all in a menu, any days in a calendar; and with what it is compared.
use headwater_query::Date;
use web_sys::Event;

use super::dialog::dialog;
use super::dom::{El, button, el, of, value};
use super::follow::{Signal, untrack};
use super::go::go;
use super::icons::down;
use super::state::{Overlay, state};
use super::{browser, http};
use crate::locale::{self, Form};
use crate::month::{self, Chosen};
use crate::period::Period;
use crate::route::Against;

/// The ranges and the comparison.
pub(crate) fn ranges() -> Vec<El> {
    let state = state();
    let period = move || state.scope().period;
    let against = move || state.scope().against;
    let link = move |of: Period| {
        go("", move || state.with_period(of))
            .bind("aria-current", move || (period() == of).then(|| "page".into()))
            .text(&of.label())
    };
    let listed = move || {
        Period::ALL.map(|period| {
            let key = period.key().map(|key| el("kbd").set("aria-hidden", "true").text(&key.to_ascii_uppercase().to_string()));
            link(period).text(" ").all(key)
        })
    };
    let toggle =
        move |overlay| move |_| state.open.update(|open| *open = if *open == Some(overlay) { None } else { Some(overlay) });
    let open = move |overlay| move || state.open.get() == Some(overlay);
    let elsewhere = move || !Period::NEAR.contains(&period());
    let choose = move |of: Against| {
        state.open.set(None);
        state.turn(|view| view.scope.against = of);
    };
    let compare = button("tool", "", toggle(Overlay::Compare))
        .set("aria-haspopup", "true")
        .says("aria-expanded", open(Overlay::Compare))
        .flag("hidden", move || !period().is_comparable())
        .words(move || match against() {
            Against::Nothing => "Compare",
            Against::Before => "vs before",
            Against::YearBefore => "vs year before",
        })
        .with(down());
    let comparisons = move || {
        let choices =
            Against::ALL.map(|of| button("", of.label(), move |_| choose(of)).says("aria-pressed", move || against() == of));
        of("div", "pop").set("role", "group").set("aria-label", "Compare with").all(choices)
    };
    let more = button("more-ranges", "", toggle(Overlay::Ranges))
        .class_if("on", elsewhere)
        .set("aria-haspopup", "true")
        .says("aria-expanded", open(Overlay::Ranges))
        .words(move || if elsewhere() { period().label() } else { "More".into() })
        .with(down());
    let all = move || {
        let calendar = move |event: Event| {
            event.stop_propagation();
            state.open.set(Some(Overlay::Calendar));
        };
        let calendar = button("", "Days of your choice…", calendar).with(el("kbd").set("aria-hidden", "true").text("C"));
        let menu = of("nav", "pop right").set("aria-label", "All ranges").on("click", move |_| state.open.set(None));
        menu.all(listed()).with(calendar)
    };
    let near = of("nav", "ranges").set("aria-label", "Range").all(Period::NEAR.map(link)).with(more);
    vec![
        of("div", "pop-host").with(compare).when(open(Overlay::Compare), comparisons),
        of("div", "pop-host").with(near).when(open(Overlay::Ranges), all),
    ]
}

/// The calendar: two clicks, or two dates.
pub(crate) fn calendar() -> El {
    let state = state();
    let scope = untrack(move || state.scope());
    let clock = browser::clock(&state.zone(&scope.domain), http::server_now());
    let today = clock.get(..10).and_then(Date::parse).unwrap_or_else(|| Date::from_days(0));
    let chosen = Signal::new(match scope.period {
        Period::Custom(from, to) => Chosen { from: Some(from), to: Some(to) },
        _ => Chosen::default(),
    });
    let shown = Signal::new(chosen.get_untracked().to.unwrap_or(today).first_of_month(0));
    let range = move || {
        let Chosen { from, to } = chosen.get();
        Period::between(from?, to.or(from)?)
    };
    let apply = move |event: Event| {
        event.prevent_default();
        if let Some(period) = untrack(range) {
            state.open.set(None);
            state.turn(|view| view.scope.period = period);
        }
    };
    let day = move |day: Date| {
        let class = move || {
            let Chosen { from, to } = chosen.get();
            let end = from == Some(day) || to == Some(day);
            let class = match (end, chosen.get().holds(day)) {
                (true, _) => "day end",
                (false, true) => "day in",
                _ => "day",
            };
            class.to_owned()
        };
        let words = day.day.to_string();
        let day_button = button("", &words, move |_| chosen.update(|chosen| *chosen = chosen.clicked(day)))
            .tell("class", class)
            .set("aria-label", &locale::date(day, Form::LongDate))
            .says("aria-pressed", move || chosen.get().holds(day))
            .maybe("aria-current", (day == today).then_some("date"));
        day_button.maybe("disabled", (day > today).then_some(""))
    };
    let weeks = move |first: Date| {
        let week = |week: [Option<Date>; 7]| of("div", "week").all(week.map(|of| of.map_or_else(|| el("span"), day)));
        month::weeks(first).into_iter().map(week).collect()
    };
    let field = move |words: &str, get: fn(Chosen) -> Option<Date>, set: fn(&mut Chosen, Date)| {
        let read = move |event: Event| {
            if let Some(date) = Date::parse(&value(&event)) {
                chosen.update(|chosen| set(chosen, date));
                shown.set(date.first_of_month(0));
            }
        };
        let written = move || get(chosen.get()).map(|date| date.to_string()).unwrap_or_default().into();
        let input = el("input").set("type", "date").set("max", &today.to_string()).on("change", read).prop("value", written);
        of("label", "field").with(el("span").text(words)).with(input)
    };
    let turn = move |words: &str, sign: &str, months: i32| {
        button("round", sign, move |_| shown.update(|s| *s = s.first_of_month(months))).set("aria-label", words)
    };
    let head = of("div", "month-head")
        .with(turn("Month before", "‹", -1))
        .with(el("b").set("aria-live", "polite").words(move || locale::date(shown.get(), Form::LongMonth)))
        .with(turn("Month after", "›", 1).flag("disabled", move || shown.get().first_of_month(1) > today));
    let names = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"].map(|name| el("span").text(name));
    let month = of("div", "month").with(head).with(of("div", "week names").set("aria-hidden", "true").all(names));
    let month = month.part(move || shown.get(), weeks);
    let words = move || range().map_or_else(|| "Choose two days".to_owned(), |period| format!("Show {}", period.label()));
    let show = of("button", "btn main").set("type", "submit").flag("disabled", move || range().is_none()).words(words);
    let pair = of("div", "pair").with(field("From", |c| c.from, |c, date| c.from = Some(date))).with(field(
        "To",
        |c| c.to,
        |c, date| c.to = Some(date),
    ));
    let form = el("form").on("submit", apply).with(pair).with(month).with(of("div", "acts").with(show));
    dialog("calendar", || "Days of your choice".into(), move || state.open.set(None), vec![form])
}
