//! Pages that are strict, broken or wild: the page hears nothing of the tracker, and what is done there counts.
use serde_json::json;

use crate::stage::Stage;

const BUTTON: &str = "<button onclick=\"headwater('Click', {value: 2})\">click</button>";
/// Clicks on it as soon as it can be.
const CLICKS: &str = "<script>onload = () => { for (let i = 0; i < 3; i++) document.querySelector('button').click() }</script>";
/// Notes what a page would hear of.
const EARS: &str = "<script>window.heard = []; onerror = m => heard.push(m); \
                    addEventListener('unhandledrejection', e => heard.push(String(e.reason)))</script>";

/// Runs the same story on a page: a view, three clicks, leaving.
fn story(stage: &Stage, name: &str, headers: &'static str, before: &str) {
    let site = stage.site(name, &[]);
    let html = format!("{EARS}{before}{}{BUTTON}{CLICKS}", stage.tag(&site, ""));
    stage.page(&site, "/", 200, headers, &html);
    stage.go(&site, "/");
    crate::stage::pause(2200);
    assert_eq!(stage.browser.run("return heard.filter(heard => !String(heard).includes('mine'))"), json!([]), "{name}");
    stage.leave();
    stage.counts(&site, [1, 0, 1, 4]);
    assert_eq!(stage.metric(&site, "Click", "sum"), 6.0, "{name}");
}

#[test]
fn pages_of_every_kind_count() {
    let stage = Stage::new();

    // When the page's policy refuses Wasm, the signals are told instead.
    story(
        &stage,
        "strict",
        "Content-Security-Policy: default-src 'none'; script-src 'self' 'unsafe-inline' http://127.0.0.1:*; connect-src http://127.0.0.1:*\r\n",
        "",
    );
    // When it allows only scripts with a nonce, the second script comes with the first's.
    let nonce = "Content-Security-Policy: script-src 'nonce-abc' 'unsafe-hashes' 'unsafe-inline' 'wasm-unsafe-eval'\r\n";
    let site = stage.site("nonce", &[]);
    let tag = stage.tag(&site, "nonce=abc");
    stage.page(&site, "/", 200, nonce, &format!("{tag}<button data-headwater-event=Click>click</button>"));
    stage.go(&site, "/");
    stage.counts(&site, [1, 1, 1, 1]);
    stage.browser.click("button");
    stage.counts(&site, [1, 0, 1, 2]);

    // When the page throws, or breaks what the tracker could use.
    story(
        &stage,
        "throwing",
        "",
        "<script>addEventListener('click', () => { throw Error('mine') }); setTimeout(() => { throw 'mine' })</script>",
    );
    story(&stage, "fetchless", "", "<script>window.fetch = () => { throw Error('no fetch') }</script>");
    // (The driver needs JSON itself, so the page clicks, and is whole again in the end.)
    story(
        &stage,
        "patched",
        "",
        "<script>{ const { stringify, parse } = JSON; \
        history.pushState = history.replaceState = () => { throw 'mine' }; JSON.stringify = JSON.parse = () => { throw 'mine' }; \
        Array.prototype.toJSON = () => 'mine'; \
        setTimeout(() => { JSON.stringify = stringify; JSON.parse = parse; delete Array.prototype.toJSON }, 2000) }</script>",
    );
    story(
        &stage,
        "rejecting",
        "",
        "<script>{ const real = fetch; window.fetch = (a, b) => b ? Promise.reject('no') : real(a, b) }</script>",
    );
    // When storage is disabled, or full.
    story(
        &stage,
        "closed",
        "",
        "<script>Object.defineProperty(window, 'localStorage', { get() { throw Error('no storage') } })</script>",
    );
    story(
        &stage,
        "full",
        "",
        "<script>Storage.prototype.setItem = () => { throw 1 }; try { for (let n = 1e6; n >= 1; n /= 2) \
        for (;;) try { localStorage['x' + n + Math.random()] = 'x'.repeat(n) } catch { break } } catch {}</script>",
    );
    // When there is neither Wasm nor a way to send.
    story(&stage, "wasmless", "", "<script>delete window.WebAssembly</script>");
    // When an API is called wrongly, nothing happens.
    let site = stage.site("wrong", &[("/", "", EARS)]);
    stage.go(&site, "/");
    stage.browser.run(
        "headwater(); headwater(null, null); headwater('', {}); headwater('X', 5); headwater(Symbol()); \
        headwater('Y', {props: 7, value: 'much', currency: {}, callback: 5}); headwater('Z', {value: Infinity})",
    );
    assert_eq!(stage.browser.run("return heard"), json!([]));
    stage.leave();
    stage.events(&site, &[("X", 1), ("Y", 1), ("Z", 1)]);
}

#[test]
fn a_thousand_clicks_and_a_page_in_a_page_count() {
    let stage = Stage::new();
    // When a button is clicked a thousand times as fast as can be, and then some more, all count.
    let site = stage.site("thousand", &[("/", "", &format!("{EARS}{BUTTON}"))]);
    stage.go(&site, "/");
    stage.browser.run("for (let i = 0; i < 1000; i++) document.querySelector('button').click()");
    stage.browser.click("button");
    stage.counts(&site, [1, 0, 1, 1002]);
    stage.leave();
    stage.counts(&site, [1, 0, 1, 1002]);
    assert_eq!(stage.metric(&site, "Click", "sum"), 2002.0);

    // When a page is shown in a frame of another of the site, both are seen, in one visit.
    let site = stage.site("frames", &[("/", "", "<iframe src=/inner></iframe>"), ("/inner", "", "inside")]);
    stage.go(&site, "/");
    stage.counts(&site, [1, 0, 2, 2]);
    stage.leave();
    stage.counts(&site, [1, 0, 2, 2]);
}
