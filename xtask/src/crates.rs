//! The crates' arrows: who may depend on whom, and that the pure crates stay pure.
use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::install::{self, WASM};
use crate::run::{capture, cargo, run, step};

/// Each crate and the crates of this project that it may depend on. Nothing depends on an app; tests depend on what they like.
const ARROWS: [(&str, &[&str]); 9] = [
    ("headwater-core", &[]),
    ("headwater-query", &["headwater-core"]),
    ("headwater-tracker-logic", &["headwater-core"]),
    ("headwater-edge", &["headwater-core", "headwater-query", "headwater-tracker-logic"]),
    ("headwater-worker", &["headwater-core", "headwater-edge"]),
    ("headwater-tracker", &["headwater-core", "headwater-tracker-logic"]),
    ("headwater-dashboard", &["headwater-core", "headwater-query"]),
    ("headwater-collector", &["headwater-core", "headwater-query", "headwater-edge"]),
    ("xtask", &[]),
];

/// Built natively and for wasm32, with no C in them.
const PURE: [&str; 4] = ["headwater-core", "headwater-query", "headwater-edge", "headwater-tracker-logic"];

/// Crates that compile C or link to it.
const C: [&str; 5] = ["cc", "cmake", "pkg-config", "bindgen", "vcpkg"];

/// The crate that compiles C or links to it, if there is one in a tree of lines `DEPTH NAME VERSION FEATURES`.
fn user_of_c(tree: &str) -> Option<&str> {
    let mut path: Vec<&str> = Vec::new();
    for line in tree.lines() {
        let (depth, krate) = line.split_once(' ')?;
        path.truncate(depth.parse().ok()?);
        let user = path.last().copied().unwrap_or_default();
        // blake3 always names cc, and with this feature never calls it.
        let calls = !(user.starts_with("blake3 ") && user.contains("pure"));
        if calls && C.contains(&krate.split(' ').next()?) {
            return Some(user);
        }
        path.push(krate);
    }
    None
}

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
        let tree =
            ["tree", "--package", name, "--edges", "normal,build", "--target", WASM, "--prefix", "depth", "--format", " {p} {f}"];
        let tree = capture(&mut cargo(&tree))?;
        if let Some(user) = user_of_c(&tree) {
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

#[cfg(test)]
mod tests {
    use super::user_of_c;

    #[test]
    fn who_compiles_c_is_found_but_for_blake3_which_was_told_not_to() {
        assert_eq!(user_of_c("0 edge v1 \n1 blake3 v1.8 pure\n2 cc v1.2 \n1 serde v1 derive"), None);
        assert_eq!(user_of_c("0 edge v1 \n1 blake3 v1.8 std\n2 cc v1.2 "), Some("blake3 v1.8 std"));
        assert_eq!(user_of_c("0 edge v1 \n1 zstd v0.13 \n2 zstd-sys v2 \n3 cc v1.2 "), Some("zstd-sys v2 "));
    }
}
