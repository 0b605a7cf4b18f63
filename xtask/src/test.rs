//! `cargo xtask test`: every check and every test; and the longer ones, `fuzz` and `bench`.
use std::time::Duration;

use anyhow::Result;

use crate::args::Args;
use crate::install::{self, WASM};
use crate::run::{build_server, cargo, run, step};
use crate::shrink::Shrink;
use crate::{assets, crates, size, worker};

/// The tests that need a browser or workerd are behind this feature.
const BROWSER: &str = "headwater-tests/browser";

/// `cargo xtask test [--fast|--browsers]`.
pub(crate) fn test(mut args: Args) -> Result<()> {
    let fast = args.flag("--fast");
    let browsers = args.flag("--browsers");
    args.end()?;
    if browsers {
        return in_browsers();
    }
    install::packages(&[("node", "nodejs"), ("npm", "npm")])?;
    if !fast {
        let programs = [("chromium", "chromium"), ("chromedriver", "chromium-driver"), ("faketime", "faketime")];
        install::packages(&programs)?;
        install::all_node_modules()?;
    }
    let shrink = Shrink::install()?;
    install::wasm_target()?;

    step("Checking the format");
    run(&mut cargo(&["fmt", "--all", "--check"]))?;
    crates::check()?;

    assets::build(Some(&shrink))?;
    size::within_bounds()?;
    if !fast {
        worker::build(&shrink)?;
        size::worker_within_bounds()?;
    }

    step("Linting");
    run(&mut cargo(&[
        "clippy",
        "--release",
        "--workspace",
        "--exclude",
        "headwater-tracker",
        "--all-targets",
        "--features",
        BROWSER,
        "--",
        "--deny",
        "warnings",
    ]))?;
    // One by one: in one command the tracker would be given the dashboard's features, the standard library among them.
    let shells = ["headwater-tracker", "headwater-dashboard", "headwater-worker"];
    for shell in &shells[..if fast { 2 } else { 3 }] {
        run(cargo(&["clippy", "--profile", "wasm", "--target", WASM, "--package", shell]).args(["--", "--deny", "warnings"]))?;
    }

    step(if fast { "Testing, without browser and workerd" } else { "Testing" });
    // Alone, with the features that it was built with to run this: its dependencies are heavy.
    run(&mut cargo(&["test", "--package", "xtask"]))?;
    // This builds `target/release/headwater`, too, before the first test starts it. The tracker's shell is wasm32 only.
    let mut tests = cargo(&["test", "--release", "--workspace", "--exclude", "xtask", "--exclude", "headwater-tracker"]);
    if !fast {
        tests.args(["--features", BROWSER]);
    }
    run(&mut tests)?;
    println!("\nEverything passed.");
    Ok(())
}

/// The tracker's tests in Firefox and in WebKit, one after the other: what is timed in them does not like company.
fn in_browsers() -> Result<()> {
    let firefox = [("node", "nodejs"), ("npm", "npm"), ("firefox-esr", "firefox-esr")];
    install::packages(&firefox)?;
    install::packages(&[("WebKitWebDriver", "webkit2gtk-driver"), ("Xvfb", "xvfb")])?;
    install::all_node_modules()?;
    let tools = install::geckodriver()?;
    assets::build(Some(&Shrink::install()?))?;
    build_server()?;
    let path = std::env::var("PATH").unwrap_or_default();
    for browser in ["firefox", "webkit"] {
        step(&format!("Testing the tracker in {browser}"));
        let mut tests = cargo(&["test", "--release", "--package", "headwater-tests", "--features", BROWSER, "--test", "tracker"]);
        tests.args(["--", "--test-threads=1"]);
        // Only Chromium tells all vitals.
        tests.args(["--skip", "web_vitals"]);
        run(tests.env("HEADWATER_BROWSER", browser).env("PATH", format!("{}:{path}", tools.display())))?;
    }
    Ok(())
}

/// `cargo xtask fuzz [TARGET] [--seconds N]`.
pub(crate) fn fuzz(mut args: Args) -> Result<()> {
    // Without a limit: as long as one likes.
    let seconds = args.parsed::<u64>("--seconds", "a number of seconds")?.map(Duration::from_secs);
    let target = args.word();
    args.end()?;
    let mut fuzz = cargo(&["run", "--quiet", "--release", "--package", "headwater-tests", "--bin", "fuzz", "--"]);
    fuzz.args(target);
    if let Some(limit) = seconds {
        fuzz.arg("--seconds").arg(limit.as_secs().to_string());
    }
    run(&mut fuzz)
}

/// `cargo xtask bench [throughput|latency|fold|queries|dashboard|tracker|worker|accuracy]`.
pub(crate) fn bench(mut args: Args) -> Result<()> {
    let part = args.word();
    args.end()?;
    if part.as_deref() != Some("accuracy") {
        install::packages(&[("wrk", "wrk"), ("chromium", "chromium"), ("chromedriver", "chromium-driver")])?;
        let shrink = Shrink::if_possible();
        assets::build(shrink.as_ref())?;
        // Only Node runs the Worker, and only who asks for it, or for everything, needs it.
        if matches!(part.as_deref(), None | Some("worker")) {
            install::all_node_modules()?;
            worker::build(&Shrink::install()?)?;
        }
        build_server()?;
        step("Measuring");
        run(cargo(&["run", "--quiet", "--release", "--package", "headwater-tests", "--bin", "bench", "--"]).args(&part))?;
    }
    if matches!(part.as_deref(), None | Some("accuracy")) {
        step("Counting distinct visitors");
        run(&mut cargo(&["run", "--quiet", "--release", "--package", "headwater-core", "--example", "accuracy"]))?;
    }
    Ok(())
}
