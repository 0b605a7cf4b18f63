//! A site that was never visited: the tag to paste, and the wait for the first visit. The live feed ends it.
use wasm_bindgen_futures::{JsFuture, spawn_local};

use super::browser::{self, after};
use super::dom::{El, button, el, of};
use super::follow::Signal;
use crate::site_info::script_tag;

/// What to do, in order. The demo shop has its tag already.
pub(crate) fn setup(domain: &str) -> El {
    let page = of("section", "setup sheet box fade").set("aria-label", "A new site");
    let page = page.with(el("h1").text("Ready for the first visit"));
    if domain == "demo.localhost" {
        let link = |to: &str, words: &str| el("a").set("href", to).set("target", "_blank").text(words);
        let where_ = el("p").text("It is at ").with(link("/demo/", "/demo/")).text(", and its ");
        let where_ = where_.with(link("/demo/playground.html", "playground")).text(" shows the buckets as they fill.");
        let steps = of("ol", "steps").with(step("1", "Open the shop", vec![where_, waiting(domain)]));
        return page.with(el("p").text("This is the demo shop. Look around in it, and this page fills by itself.")).with(steps);
    }
    let origin = browser::origin();
    let tag = script_tag(&origin, domain);
    let local = tag.replace(" src=", " data-local src=");
    let policy = format!("script-src {origin} 'wasm-unsafe-eval'; connect-src {origin}");
    let elsewhere = el("details")
        .with(el("summary").text("It is on a local machine, or behind a content security policy"))
        .with(el("p").text("On localhost nothing is counted unless the tag says so:"))
        .with(copied(&local))
        .with(el("p").text("A content security policy needs ").with(el("code").text(&policy)).text("."));
    let paste =
        el("p").text("Anywhere in the ").with(el("code").text("<head>")).text(". It loads aside and never holds a page up.");
    let help = "It shows here within a second. If it does not: browsers that ask not to be tracked are not counted, nor are pages of other hosts.";
    let steps = of("ol", "steps")
        .with(step("1", "Paste this line into every page", vec![paste, copied(&tag), elsewhere]))
        .with(step("2", "Open a page of the site", vec![waiting(domain), el("p").text(help)]));
    page.with(el("p").text("Nothing was counted yet. Two steps, then this page fills by itself.")).with(steps)
}

fn step(number: &str, title: &str, body: Vec<El>) -> El {
    let number = of("span", "num").set("aria-hidden", "true").text(number);
    el("li").with(number).with(el("h2").text(title)).with(of("div", "body").all(body))
}

fn waiting(domain: &str) -> El {
    let dot = of("span", "dot").set("aria-hidden", "true");
    let words = el("span").text("Waiting for the first visit to ").text(domain).text("…");
    of("p", "wait").set("role", "status").with(dot).with(words)
}

/// A line of text, and a button that copies it.
pub(crate) fn copied(line: &str) -> El {
    let done = Signal::new(None::<bool>);
    let text = line.to_owned();
    let copy = move |_| {
        let text = text.clone();
        spawn_local(async move {
            let copied = JsFuture::from(browser::window().navigator().clipboard().write_text(&text)).await.is_ok();
            done.set(Some(copied));
            after(3000, move || done.set(None));
        });
    };
    let words = move || match done.get() {
        None => "Copy",
        Some(true) => "Copied",
        Some(false) => "Select it",
    };
    of("div", "tagline").with(el("code").text(line)).with(button("", "", copy).words(words))
}
