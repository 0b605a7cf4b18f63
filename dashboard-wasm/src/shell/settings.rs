//! What one site is set to: its clock, who is counted how, what is kept; goals, annotations, shared links, people; and its end.
use headwater_query::Filter;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::Event;

use super::browser;
use super::chips::in_words;
use super::collection::{Collection, Field, Kind, collection, text};
use super::dom::{El, button, el, of, value};
use super::follow::Signal;
use super::forms::{elsewhere, field_with, input, send, tick, told};
use super::go::go_to;
use super::server::{invitation, person};
use super::setup::copied;
use super::state::state;
use super::{http, json};
use crate::failure::Failure;
use crate::route::Route;
use crate::site_info::{SiteInfo, script_tag};

const GOAL: &[Field] = &[
    Field("event_name", "Event", "The name of an event, such as Signup. Or:", Kind::Text("text")),
    Field("page_path", "Page", "A path in which * stands for any text, such as /thanks*", Kind::Text("text")),
    Field("display_name", "Name", "If it should be called otherwise.", Kind::Text("text")),
    Field("value", "Worth", "If each is worth something.", Kind::Number),
    Field("currency", "Currency", "Such as EUR.", Kind::Text("text")),
];
const NOTE: &[Field] = &[Field("date", "Day", "", Kind::Text("date")), Field("text", "What happened", "", Kind::Text("text"))];
const LINK: &[Field] = &[
    Field("name", "Who it is for", "", Kind::Text("text")),
    Field("password", "Password", "If one shall be asked for; 8 characters or more.", Kind::Text("password")),
];
const MEMBER: &[Field] = &[
    Field("email", "Email", "Who is new gets a link from you to set a password.", Kind::Text("email")),
    Field(
        "role",
        "Role",
        "",
        Kind::One(&[
            ("viewer", "Viewer: reads the figures"),
            ("editor", "Editor: also goals, segments, dashboards, notes, links"),
            ("owner", "Owner: also the site and its people"),
        ]),
    ),
];
const IDENTITIES: [(&str, &str); 3] = [
    ("day", "For a day: by address and browser, forgotten every night"),
    ("month", "For a month: by address and browser, forgotten every month"),
    ("device", "For good: by a random number that their browser keeps; needs consent"),
];

/// The page.
pub(crate) fn settings(domain: &str) -> Vec<El> {
    let path = format!("/api/v1/sites/{domain}");
    let told = Signal::new(None::<Result<SiteInfo, Failure>>);
    let asked = path.clone();
    spawn_local(async move { told.set(Some(http::get::<SiteInfo>(&asked).await)) });
    let head = of("div", "titles")
        .with(el("h1").text(&format!("Settings of {domain}")))
        .with(go_to("btn", &Route::site(domain)).text("Back to the figures"));
    let owned = domain.to_owned();
    let body = of("div", "settings").part(
        move || told.get(),
        move |told| match told {
            None => vec![of("p", "boot").set("role", "status").text("Loading…")],
            Some(Err(failure)) => vec![of("p", "note bad").set("role", "alert").text(&failure.message)],
            Some(Ok(site)) => parts(&site, &owned, &path),
        },
    );
    vec![head, body]
}

fn parts(site: &SiteInfo, domain: &str, path: &str) -> Vec<El> {
    let mut parts = Vec::new();
    if site.may_own() {
        parts.push(general(site, path));
    }
    let tag = of("section", "sheet box part").with(el("h2").text("Script tag"));
    let tag = tag.with(of("p", "lead").text("One line in every page of the site."));
    parts.push(tag.with(copied(&script_tag(&browser::origin(), domain))));
    if site.may_edit() {
        parts.push(collection(Collection {
            title: "Goals",
            about: "What visitors are meant to do.",
            path: format!("{path}/goals"),
            key: "goals",
            fields: GOAL,
            also: None,
            add: "Add the goal",
            tell: |goal| {
                let of = if text(goal, "goal_type") == "page" { text(goal, "page_path") } else { text(goal, "event_name") };
                let worth = format!("{} {}", text(goal, "value"), text(goal, "currency"));
                (text(goal, "display_name"), format!("{of} {}", worth.trim()).trim().to_owned())
            },
            copy: |_| None,
        }));
        parts.push(collection(Collection {
            title: "Segments",
            about: "Filters with a name. They are built beside the figures, where they show their size.",
            path: format!("{path}/segments"),
            key: "segments",
            fields: &[],
            also: None,
            add: "",
            tell: |segment| (text(segment, "name"), segment_in_words(&json::field(segment, "filters"))),
            copy: |_| None,
        }));
        parts.push(collection(Collection {
            title: "Notes on the chart",
            about: "What happened on a day: a release, a campaign, an outage.",
            path: format!("{path}/annotations"),
            key: "annotations",
            fields: NOTE,
            also: None,
            add: "Add the note",
            tell: |note| (text(note, "text"), text(note, "date")),
            copy: |_| None,
        }));
        parts.push(links(path, None));
    }
    if site.may_own() {
        parts.push(collection(Collection {
            title: "People",
            about: "Who may see the site, and change it.",
            path: format!("{path}/people"),
            key: "people",
            fields: MEMBER,
            also: None,
            add: "Give the role",
            tell: person,
            copy: invitation,
        }));
        parts.push(removal(domain, path));
    }
    parts
}

/// Shared links; those that are made here open a dashboard, if it is given.
pub(crate) fn links(path: &str, dashboard: Option<i64>) -> El {
    collection(Collection {
        title: "Shared links",
        about: "Each shows the figures, and nothing else, to whoever has it, until you remove it. Its address also works in an iframe on your own pages.",
        path: format!("{path}/links"),
        key: "links",
        fields: LINK,
        also: dashboard.map(|number| ("dashboard", number as f64)),
        add: "Make a link",
        tell: |link| {
            let asks = json::field(link, "has_password").is_truthy();
            let mut details = Vec::new();
            details.extend(json::field(link, "dashboard").is_truthy().then_some("opens a dashboard"));
            details.extend(asks.then_some("asks for a password"));
            (text(link, "name"), details.join(", "))
        },
        copy: |link| Some(("Send this link.", format!("{}{}", browser::origin(), text(link, "path")))),
    })
}

/// The filters of a segment as people say them; as the API has them, if they were not built here.
fn segment_in_words(filters: &JsValue) -> String {
    let read = json::read::<Vec<Filter>>(filters.clone());
    read.and_then(|read| in_words(&read)).unwrap_or_else(|| json::written(filters))
}

/// What the site itself is set to.
fn general(site: &SiteInfo, path: &str) -> El {
    let wrong = Signal::new(None::<(String, String)>);
    let busy = Signal::new(false);
    let done = Signal::new(false);
    let zone = Signal::new(site.timezone.clone());
    let identity = Signal::new(site.identity.clone());
    let hosts = Signal::new(site.hosts.join(", "));
    let public = Signal::new(site.public);
    let days = |days: Option<u32>| Signal::new(days.map(|days| days.to_string()).unwrap_or_default());
    let kept = &site.retention;
    let kept: [(&'static str, &str, Signal<String>); 5] = [
        ("minutes", "Minutes", days(kept.minutes)),
        ("hours", "Hours", days(kept.hours)),
        ("hour_samples", "Filters by hour", days(kept.hour_samples)),
        ("days", "Days", days(kept.days)),
        ("day_samples", "Filters by day", days(kept.day_samples)),
    ];
    let path = path.to_owned();
    let submit = move |event: Event| {
        event.prevent_default();
        let retention = js_sys::Object::new();
        for (name, _, days) in kept {
            let days = days.get_untracked().trim().to_owned();
            json::put(&retention, name, &if days.is_empty() { JsValue::NULL } else { json::number(&days) });
        }
        let hosts = hosts.get_untracked();
        let hosts = hosts.split([',', ' ', '\n']).filter(|host| !host.is_empty()).map(JsValue::from_str);
        let body = js_sys::Object::new();
        for (name, value) in [
            ("timezone", zone.get_untracked().into()),
            ("identity", identity.get_untracked().into()),
            ("hosts", hosts.collect::<js_sys::Array>().into()),
            ("public", public.get_untracked().into()),
            ("retention", retention.into()),
        ] {
            json::put(&body, name, &value);
        }
        busy.set(true);
        wrong.set(None);
        done.set(false);
        let path = path.clone();
        spawn_local(async move {
            match http::submit("PATCH", &path, &body).await {
                Ok(answer) => {
                    done.set(true);
                    let Some(site) = json::read::<SiteInfo>(answer) else { return };
                    state().sites.update(|sites| {
                        if let Some(known) = sites.iter_mut().find(|known| known.domain == site.domain) {
                            *known = SiteInfo { role: known.role.clone(), ..site };
                        }
                    });
                }
                Err(failure) => wrong.set(told(failure)),
            }
            busy.set(false);
        });
    };
    let options = IDENTITIES.map(|(name, words)| el("option").set("value", name).text(words));
    let identities = el("select").set("id", "general-identity").on("change", move |event| identity.set(value(&event)));
    let identities = identities.all(options).prop("value", move || identity.get().into());
    let later = "A change takes effect at the site's next midnight.";
    let keeping = kept.map(|(name, words, days)| {
        let input = el("input").set("type", "text").set("inputmode", "numeric").set("placeholder", "for ever");
        let input = input.prop("value", move || days.get().into()).on("input", move |event| days.set(value(&event)));
        of("label", "field").with(el("span").text(words)).with(input.set("name", name))
    });
    let keeping = of("fieldset", "keeping").with(el("legend").text("Days that are kept of each")).all(keeping);
    let form = of("form", "stack")
        .set("novalidate", "")
        .on("submit", submit)
        .with(field_with("Time zone", "timezone", "general", later, wrong, input("timezone", "general", zone, wrong)))
        .with(field_with("How long a visitor is told from others", "identity", "general", later, wrong, identities))
        .with(field_with(
            "Hosts",
            "hosts",
            "general",
            "From which pages events are taken, as in example.com, *.example.com. Empty: the domain and its subdomains.",
            wrong,
            input("hosts", "general", hosts, wrong),
        ))
        .with(tick("Public", "Anybody may read the figures without signing in.", public))
        .with(keeping)
        .with(elsewhere(&["timezone", "identity", "hosts"], wrong))
        .with(
            of("div", "acts")
                .with(send("Save", "Saving…", busy))
                .with(el("span").set("role", "status").words(move || if done.get() { "Saved." } else { "" })),
        );
    of("section", "sheet box part").with(el("h2").text("The site")).with(form)
}

fn removal(domain: &str, path: &str) -> El {
    let typed = Signal::new(String::new());
    let wrong = Signal::new(None::<(String, String)>);
    let (name, path) = (domain.to_owned(), path.to_owned());
    let right = {
        let name = name.clone();
        move || typed.with(|typed| *typed == name)
    };
    let remove = move |_| {
        let (path, name) = (path.clone(), name.clone());
        spawn_local(async move {
            match http::delete(&path).await {
                Ok(()) => {
                    state().sites.update(|sites| sites.retain(|site| site.domain != name));
                    state().go(Route::Sites);
                }
                Err(failure) => wrong.set(told(failure)),
            }
        });
    };
    let words = "All its figures are deleted, here and at every edge. There is no way back but a backup.";
    let field = field_with(
        "Type the domain to remove the site",
        "confirm",
        "removal",
        words,
        wrong,
        input("confirm", "removal", typed, wrong),
    );
    let remove = button("btn danger", "Remove the site", remove).flag("disabled", move || !right());
    of("section", "sheet box part")
        .with(el("h2").text("Remove the site"))
        .with(field)
        .with(of("div", "acts").with(remove))
        .with(elsewhere(&["confirm"], wrong))
}
