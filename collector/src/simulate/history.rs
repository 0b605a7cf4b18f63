//! Days of visits, folded as an edge folds them and brought as an edge brings them.
use std::collections::BTreeMap;

use headwater_core::{Activity, EventDelta, Fold, Minute, PAGEVIEW, Partial, SiteId, VisitDimension as D, VisitorHash};
use headwater_edge::client::{Client as Browser, screen_class};
use headwater_edge::source::{Campaign, origin};
use headwater_query::Span;

use super::Sums;
use super::random::Random;
use super::visit::Visit;

/// Visits by hour of the day in per mille: quiet nights, a peak in the evening.
const HOURS: [u64; 24] = [14, 9, 6, 5, 5, 8, 16, 28, 42, 52, 58, 60, 58, 56, 57, 58, 57, 56, 60, 66, 70, 66, 52, 33];

/// A day of `visits` visits as partials, and what it adds. Nothing happens at or after `until`.
#[must_use]
pub(crate) fn day(site: SiteId, host: &str, day: Span, until: Minute, visits: u64, random: &mut Random) -> (Vec<Partial>, Sums) {
    let mut folds: BTreeMap<Minute, Fold> = BTreeMap::new();
    let mut sums = Sums::default();
    for _ in 0..visits {
        let visit = Visit::draw(random);
        let start = day.start.0 + minute_of_day(random) * day.minutes() / 1440;
        let last = visit.views.last().map_or(0, |view| view.after) / 60;
        // A visit stays inside its day, so that its visitor is one visitor.
        let start = start.min(day.end.0.saturating_sub(last + 1));
        if start + last < until.0 {
            fold(&visit, host, start, random, &mut folds);
            sums += visit.sums();
        }
    }
    let partials = folds.into_iter().map(|(minute, fold)| Partial { site, minute, aggregate: fold.finish() });
    (partials.collect(), sums)
}

fn minute_of_day(random: &mut Random) -> u32 {
    let mut at = random.below(HOURS.iter().sum());
    let hour = HOURS.iter().position(|&share| {
        let here = at < share;
        at = at.saturating_sub(share);
        here
    });
    hour.unwrap_or(0) as u32 * 60 + random.below(60) as u32
}

fn fold(visit: &Visit, host: &str, start: u32, random: &mut Random, folds: &mut BTreeMap<Minute, Fold>) {
    let browser = Browser::parse(visit.user_agent);
    let [utm_source, utm_medium, utm_campaign] = visit.campaign;
    let campaign = Campaign { source: utm_source, medium: utm_medium, campaign: utm_campaign, click: "" };
    let referrer = visit.referrer.trim_start_matches("https://").trim_end_matches('/');
    let from = origin(referrer.split('/').next().unwrap_or(""), &campaign);
    let mut context = [""; D::COUNT];
    let properties = [
        (D::Country, headwater_edge::zone::country(visit.zone)),
        (D::Device, browser.device),
        (D::Browser, browser.browser),
        (D::BrowserVersion, &browser.browser_version),
        (D::Os, browser.os),
        (D::OsVersion, &browser.os_version),
        (D::Language, visit.language),
        (D::Screen, screen_class(visit.screen)),
        (D::Source, &from.source),
        (D::Referrer, referrer),
        (D::Channel, from.channel),
        (D::UtmSource, utm_source),
        (D::UtmMedium, utm_medium),
        (D::UtmCampaign, utm_campaign),
        (D::EntryPage, visit.views.first().map_or("", |view| view.page)),
    ];
    properties.into_iter().for_each(|(dimension, value)| context[dimension as usize] = value);
    let tag = random.bits() as u16 | 1;
    let vitals = visit.vitals();
    for (i, view) in visit.views.iter().enumerate() {
        let minute = Minute(start + view.after / 60);
        let went_on = u64::from(i + 1 < visit.views.len());
        let event = EventDelta { page: view.page, hostname: host, count: 1, order: visit.who, ..EventDelta::default() };
        let (engaged, depth) = visit.engagement(i);
        let mut events = vec![EventDelta { name: PAGEVIEW, went_on, engaged, depth, ..event }];
        events.extend(view.events.iter().map(|e| EventDelta {
            name: e.name,
            props: std::slice::from_ref(&e.prop),
            currency: e.value.as_ref().map_or("", |v| v.1),
            values: e.value.as_ref().map_or(&[], |v| std::slice::from_ref(&v.0)),
            ..event
        }));
        if i == 0 {
            let told = vitals.iter().map(|(name, value)| EventDelta { name, values: std::slice::from_ref(value), ..event });
            events.extend(told);
        }
        let (started, goes_on) = if i == 0 { (1, u64::from(visit.goes_on())) } else { (0, 0) };
        let visitor = VisitorHash(visit.who);
        let activity = Activity { visitor, minute, tag, visit: &context, started, went_on: goes_on, events: &events };
        folds.entry(minute).or_default().add(&activity);
    }
}
