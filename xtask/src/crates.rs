//! The crates' arrows: who may depend on whom, and that the pure crates stay pure.
use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::install::{self, WASM};
use crate::run::{capture, cargo, run, step};

/// Each crate and the crates of this project that it may depend on. Nothing depends on an app; tests depend on what they like.
const ARROWS: [(&str, &[&str]); 8] = [
    ("headwater-core", &[]),
    ("headwater-query", &["headwater-core"]),
    ("headwater-tracker-logic", &["headwater-core"]),
    ("headwater-edge", &["headwater-core", "headwater-query", "headwater-tracker-logic"]),
    ("headwater-tracker", &["headwater-core", "headwater-tracker-logic"]),
    ("headwater-dashboard", &["headwater-core", "headwater-query"]),
    ("headwater-collector", &["headwater-core", "headwater-query", "headwater-edge"]),
    ("xtask", &[]),
];

/// Built natively and for wasm32, with no C in them.
const PURE: [&str; 4] = ["headwater-core", "headwater-query", "headwater-edge", "headwater-tracker-logic"];

/// Crates that compile C or link to it.
const C: [&str; 5] = ["cc", "cmake", "pkg-config", "bindgen", "vcpkg"];

/// Fails if an arrow points the wrong way, or a pure crate uses C or does not build for wasm32.
pub(crate) fn check() -> Result<()> {
    step("Checking the crates' arrows");
    let metadata: Value = serde_json::from_str(&capture(&mut cargo(&["metadata", "--no-deps", "--format-version", "1"]))?)?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let names: BTreeSet<&str> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        if name == "headwater-tests" {
            continue;
        }
        let Some((_, allowed)) = ARROWS.iter().find(|(known, _)| *known == name) else {
            bail!("the crate {name} is not in the table of xtask/src/crates.rs: say what it may depend on");
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let on = dependency["name"].as_str().unwrap_or_default();
            // A crate's tests may look further.
            if names.contains(on) && dependency["kind"] != "dev" && !allowed.contains(&on) {
                bail!("{name} must not depend on {on}");
            }
        }
    }

    for name in PURE {
        let tree = capture(&mut cargo(&[
            "tree",
            "--package",
            name,
            "--edges",
            "normal,build",
            "--target",
            WASM,
            "--prefix",
            "none",
            "--format",
            "{p}",
        ]))?;
        if let Some(user) = tree.lines().find(|line| line.split(' ').next().is_some_and(|krate| C.contains(&krate))) {
            bail!("{name} uses C, through {user}");
        }
    }
    install::wasm_target()?;
    let mut build = cargo(&["check", "--profile", "wasm", "--target", WASM]);
    for name in PURE {
        build.args(["--package", name]);
    }
    run(&mut build)
}
