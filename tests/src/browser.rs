//! A real browser, driven by the WebDriver protocol (<https://www.w3.org/TR/webdriver2/>): Chromium, or what
//! `HEADWATER_BROWSER` names (`firefox`, `webkit`).
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::api::Api;
use crate::server::free_port;

/// How long a page may take to show what is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// A browser with a profile of its own; closed when it goes out of scope.
pub struct Browser {
    /// Which one it is.
    pub kind: Kind,
    driver: Child,
    /// What WebKit draws on: it knows no headless mode.
    screen: Option<Child>,
    api: Api,
    session: String,
    /// There until the browser is dropped.
    profile: Option<TempDir>,
}

/// The browsers that tests can drive, with the names of Debian's packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// chromium, chromium-driver.
    Chromium,
    /// firefox-esr, and geckodriver, which Debian has not.
    Firefox,
    /// webkit2gtk-driver, and xvfb: WebKit as GTK's little browser shows it.
    WebKit,
}

impl Kind {
    /// What `HEADWATER_BROWSER` asks for.
    pub fn asked() -> Self {
        match std::env::var("HEADWATER_BROWSER").as_deref() {
            Ok("firefox") => Self::Firefox,
            Ok("webkit") => Self::WebKit,
            Ok("chromium") | Err(_) => Self::Chromium,
            Ok(other) => panic!("HEADWATER_BROWSER is {other:?}, but can be chromium, firefox or webkit"),
        }
    }
}

/// What keeps Chromium from drawing on a screen and from talking to anyone but the page.
const FLAGS: [&str; 10] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,1000",
    "--host-resolver-rules=MAP elsewhere.example 127.0.0.1",
];

/// A host that is this machine, but not by its name; not in WebKit.
pub const ELSEWHERE: &str = "elsewhere.example";

impl Browser {
    /// Starts the browser that is asked for.
    pub fn start() -> Self {
        match Kind::asked() {
            Kind::Chromium => Self::start_as(None),
            Kind::Firefox => Self::firefox(),
            Kind::WebKit => Self::webkit(),
        }
    }

    fn firefox() -> Self {
        let mut options = json!({"binary": "/usr/bin/firefox-esr", "args": ["-headless", "--width=1280", "--height=1000"]});
        options["prefs"] = json!({"network.dns.localDomains": ELSEWHERE});
        let wanted = json!({"browserName": "firefox", "moz:firefoxOptions": options});
        let port = free_port();
        let driver = Command::new("geckodriver").arg(format!("--port={port}")).arg("--log=fatal").spawn_quietly();
        Self::open(Kind::Firefox, driver, port, None, &wanted, tempfile::tempdir().expect("a temporary directory"))
    }

    fn webkit() -> Self {
        // On a screen that nobody sees; it says its number once it is there.
        let mut screen = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1280x1000x24", "-nolisten", "tcp"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb starts: Debian has it in xvfb");
        let mut number = String::new();
        BufReader::new(screen.stdout.take().expect("its output")).read_line(&mut number).expect("the number of the screen");
        let profile = tempfile::tempdir().expect("a temporary directory");
        let port = free_port();
        let driver = Command::new("WebKitWebDriver")
            .arg(format!("--port={port}"))
            .env("DISPLAY", format!(":{}", number.trim()))
            .env("HOME", profile.path())
            .env("XDG_RUNTIME_DIR", profile.path())
            // Its sandbox wants rights that a container does not have, and there is no graphics card.
            .env("WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS", "1")
            .env("WEBKIT_DISABLE_COMPOSITING_MODE", "1")
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            .spawn_quietly();
        let binary = format!("/usr/lib/{}-linux-gnu/webkit2gtk-4.1/MiniBrowser", std::env::consts::ARCH);
        let options = json!({"binary": binary, "args": ["--automation"]});
        let wanted = json!({"browserName": "MiniBrowser", "webkitgtk:browserOptions": options});
        Self::open(Kind::WebKit, driver, port, Some(screen), &wanted, profile)
    }

    /// Opens a session of a driver that was started on a port.
    fn open(kind: Kind, driver: Child, port: u16, screen: Option<Child>, wanted: &Value, profile: TempDir) -> Self {
        let api = Api::new(port, None);
        let start = Instant::now();
        while api.get("/status").is_err() {
            assert!(start.elapsed() < PATIENCE, "the driver of {kind:?} does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        let wanted = json!({"capabilities": {"alwaysMatch": wanted}});
        let answer = api.post("/session", &wanted).expect("an answer from the driver");
        let session =
            answer.json()["value"]["sessionId"].as_str().unwrap_or_else(|| panic!("no session: {}", answer.text)).to_owned();
        Self { kind, driver, screen, api, session, profile: Some(profile) }
    }

    /// Chromium, under a user agent of its own or another: to a site, somebody else.
    pub fn start_as(user_agent: Option<&str>) -> Self {
        Self::chromium(user_agent, "", tempfile::tempdir().expect("a temporary directory"))
    }

    /// Chromium, noting what it does: events of these categories
    /// (<https://chromium.googlesource.com/chromium/src/+/main/base/trace_event/builtin_categories.h>).
    pub fn traced(categories: &str) -> Self {
        Self::chromium(None, categories, tempfile::tempdir().expect("a temporary directory"))
    }

    /// Closes Chromium and opens it again, with what it keeps on disk.
    pub fn reopened(mut self) -> Self {
        let profile = self.profile.take().expect("it is there until the browser is dropped");
        drop(self);
        Self::chromium(None, "", profile)
    }

    fn chromium(user_agent: Option<&str>, traced: &str, profile: TempDir) -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver starts: Debian has it in chromium-driver");
        let mut lines = BufReader::new(driver.stdout.take().expect("its output")).lines();
        let port = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.split_once("successfully on port ")?.1.trim_end_matches('.').parse().ok())
            .expect("chromedriver says its port");
        // What it says later is read and dropped, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));

        let mut flags: Vec<String> = FLAGS.iter().map(|flag| (*flag).to_owned()).collect();
        flags.push(format!("--user-data-dir={}", profile.path().display()));
        flags.extend(user_agent.map(|agent| format!("--user-agent={agent}")));
        let mut options = json!({"args": flags});
        let mut wanted = json!({"browserName": "chrome"});
        if !traced.is_empty() {
            options["perfLoggingPrefs"] = json!({"traceCategories": traced, "enableNetwork": false, "enablePage": false});
            wanted["goog:loggingPrefs"] = json!({"performance": "ALL"});
        }
        wanted["goog:chromeOptions"] = options;
        Self::open(Kind::Chromium, driver, port, None, &wanted, profile)
    }

    fn call(&self, command: &str, body: &Value) -> Result<Value, String> {
        let answer = self.api.post(&format!("/session/{}/{command}", self.session), body).map_err(|error| error.to_string())?;
        let value = answer.json()["value"].take();
        if answer.status == 200 { Ok(value) } else { Err(format!("{command}: {value}")) }
    }

    fn must(&self, command: &str, body: &Value) -> Value {
        self.call(command, body).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Goes to a page and waits until it is loaded.
    pub fn visit(&self, url: &str) {
        self.must("url", &json!({"url": url}));
    }

    /// Runs a script in the page and gives what it returns.
    pub fn run(&self, script: &str) -> Value {
        self.must("execute/sync", &json!({"script": script, "args": []}))
    }

    /// A command of Chromium's own protocol (<https://chromedevtools.github.io/devtools-protocol/>).
    pub fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.must("goog/cdp/execute", &json!({"cmd": command, "params": parameters}))
    }

    /// Clicks the first element that matches a CSS selector, as a person would.
    pub fn click(&self, selector: &str) {
        let found = self.must("element", &json!({"using": "css selector", "value": selector}));
        // The protocol's own key for an element.
        let id = found["element-6066-11e4-a52e-4f735466cecf"].as_str().unwrap_or_default();
        self.must(&format!("element/{id}/click"), &json!({}));
    }

    /// Presses keys, as a person would where the focus is.
    pub fn press(&self, keys: &str) {
        let strokes =
            keys.chars().flat_map(|key| [json!({"type": "keyDown", "value": key}), json!({"type": "keyUp", "value": key})]);
        let actions = json!([{"type": "key", "id": "keyboard", "actions": strokes.collect::<Vec<_>>()}]);
        self.must("actions", &json!({"actions": actions}));
    }

    /// Makes the window that large.
    pub fn resize(&self, width: u32, height: u32) {
        self.must("window/rect", &json!({"width": width, "height": height}));
    }

    /// The text that a person reads in the first element that matches; empty if there is none.
    pub fn text(&self, selector: &str) -> String {
        let script = format!("return document.querySelector({})?.innerText ?? ''", json!(selector));
        self.run(&script).as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the element's text is as wanted, and gives it.
    pub fn wait_for_text(&self, selector: &str, wanted: impl Fn(&str) -> bool) -> String {
        let start = Instant::now();
        loop {
            let text = self.text(selector);
            if wanted(&text) {
                return text;
            }
            assert!(start.elapsed() < PATIENCE, "{selector} shows {text:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The handle of this tab.
    pub fn window(&self) -> String {
        self.get("window").as_str().unwrap_or_default().to_owned()
    }

    /// Opens another tab, goes there, and gives the handle of the tab before.
    pub fn new_tab(&self) -> String {
        let before = self.window();
        let tab = self.must("window/new", &json!({"type": "tab"}));
        self.switch_to(tab["handle"].as_str().unwrap_or_default());
        before
    }

    /// Closes this tab and goes to another.
    pub fn close_tab(&self, then: &str) {
        let closed = self.api.delete(&format!("/session/{}/window", self.session)).expect("an answer");
        assert_eq!(closed.status, 200, "{}", closed.text);
        self.switch_to(then);
    }

    /// Goes to a tab.
    pub fn switch_to(&self, handle: &str) {
        self.must("window", &json!({"handle": handle}));
    }

    fn get(&self, what: &str) -> Value {
        let answer = self.api.get(&format!("/session/{}/{what}", self.session)).expect("an answer");
        answer.json()["value"].take()
    }

    /// Writes what the window shows to `target/screenshots/NAME.png`.
    pub fn screenshot(&self, name: &str) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/screenshots");
        std::fs::create_dir_all(&folder).expect("the folder for screenshots");
        let encoded = self.get("screenshot");
        let png = from_base64(encoded.as_str().unwrap_or_default());
        assert!(png.starts_with(b"\x89PNG"), "a screenshot is a PNG");
        std::fs::write(folder.join(format!("{name}.png")), png).expect("the screenshot is written");
    }

    /// What a traced browser noted since it was last asked.
    pub fn trace(&self) -> Vec<Value> {
        let log = self.must("se/log", &json!({"type": "performance"}));
        let texts = log.as_array().into_iter().flatten().filter_map(|entry| entry["message"].as_str());
        let messages = texts.filter_map(|text| serde_json::from_str::<Value>(text).ok());
        messages
            .filter(|message| message["message"]["method"] == "Tracing.dataCollected")
            .map(|mut message| message["message"]["params"].take())
            .collect()
    }

    /// The messages of the page's console that are errors.
    pub fn console_errors(&self) -> Vec<String> {
        let log = self.must("se/log", &json!({"type": "browser"}));
        let entries = log.as_array().cloned().unwrap_or_default();
        entries.iter().filter(|entry| entry["level"] == "SEVERE").map(|entry| entry["message"].to_string()).collect()
    }
}

/// Starting a driver.
trait Quietly {
    /// Starts it without a word from it.
    fn spawn_quietly(&mut self) -> Child;
}

impl Quietly for Command {
    fn spawn_quietly(&mut self) -> Child {
        let program = self.get_program().to_owned();
        let quiet = self.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        quiet.spawn().unwrap_or_else(|error| panic!("{}: {error}", program.display()))
    }
}

/// The bytes of standard base64; what is not of its alphabet is skipped.
fn from_base64(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held) = (0u32, 0);
    for symbol in text.bytes() {
        let value = match symbol {
            b'A'..=b'Z' => symbol - b'A',
            b'a'..=b'z' => symbol - b'a' + 26,
            b'0'..=b'9' => symbol - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => continue,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    bytes
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Told to quit, a driver takes its browser with it.
        let _ = self.api.delete(&format!("/session/{}", self.session));
        for child in [Some(&mut self.driver), self.screen.as_mut()].into_iter().flatten() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn base64_is_read() {
        assert_eq!(super::from_base64("aGVhZA=="), b"head");
        assert_eq!(super::from_base64("iVBORw"), b"\x89PNG");
    }
}
