//! What the tasks need besides Rust, installed where it is missing and may be.
use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::run::{capture, cargo, command, found, root, run, step};

/// The compilation target of the tracker and the dashboard.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";

/// Adds the wasm32 target to the pinned toolchain if it is not there.
pub(crate) fn wasm_target() -> Result<()> {
    let sysroot = capture(&mut command("rustc", &["--print", "sysroot"]))?;
    let installed = std::path::Path::new(sysroot.trim()).join("lib/rustlib").join(WASM).is_dir();
    if installed {
        return Ok(());
    }
    step("Adding the Rust target wasm32-unknown-unknown");
    if !found("rustup") {
        bail!("the Rust target {WASM} is missing and there is no rustup to add it: install it with your Rust toolchain");
    }
    run(&mut command("rustup", &["target", "add", WASM]))
}

/// Debian packages for the programs that are missing: `(program, package)`.
pub(crate) fn packages(wanted: &[(&str, &'static str)]) -> Result<()> {
    let missing: Vec<&str> = wanted.iter().filter(|(program, _)| !found(program)).map(|(_, package)| *package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    step(&format!("Installing {list}"));
    let is_root = || capture(&mut command("id", &["-u"])).is_ok_and(|id| id.trim() == "0");
    if !found("apt-get") || !is_root() {
        bail!("missing: {list}. Install them (Debian: sudo apt-get install {list}), then run this again");
    }
    let quiet = ["DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y"];
    run(command("env", &quiet).arg("update"))?;
    run(command("env", &quiet).args(["install", "--no-install-recommends"]).args(&missing))
}

/// Firefox's driver, which Debian does not have: built by cargo, once, into `target/tools`. Gives the folder that it is in.
pub(crate) fn geckodriver() -> Result<PathBuf> {
    let tools = root().join("target/tools");
    if !found("geckodriver") && !tools.join("bin/geckodriver").is_file() {
        step("Installing geckodriver (a few minutes)");
        run(cargo(&["install", "geckodriver", "--version", "0.37.1", "--locked", "--root"]).arg(&tools))?;
    }
    Ok(tools.join("bin"))
}

/// The npm packages that shrink Wasm and scripts, exactly as locked.
pub(crate) fn node_modules() -> Result<()> {
    if root().join("node_modules/.package-lock.json").is_file() {
        return Ok(());
    }
    step("Installing the npm packages that shrink the Wasm (npm ci)");
    run(&mut command("npm", &["ci", "--omit=dev", "--no-fund", "--no-audit"]))
}

/// These and what only tests and deploying need, 250 MB: what runs the Worker (Miniflare, wrangler, workerd), what the tracker
/// is compared with, and what checks the dashboard for accessibility.
pub(crate) fn all_node_modules() -> Result<()> {
    let all = ["miniflare", "wrangler", "plausible-tracker", "@plausible-analytics/tracker", "axe-core"];
    if all.iter().all(|package| root().join("node_modules").join(package).join("package.json").is_file()) {
        return Ok(());
    }
    step("Installing the npm packages that tests need (npm ci)");
    run(&mut command("npm", &["ci", "--no-fund", "--no-audit"]))
}
