//! What browsers download, built into `target/assets/`: the tracker (`t.wasm` and the
//! scripts of its loader) and the dashboard.
//!
//! The server embeds the whole folder when it is compiled. A file is written only if it changed, so that building twice
//! compiles the server once.
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use crate::args::Args;
use crate::install::{self, WASM};
use crate::run::{cargo, root, run, step};
use crate::shrink::Shrink;

/// The scripts of the tracker, in `tracker-js/loader`.
const LOADER: [&str; 2] = ["t.js", "t.auto.js"];

/// `cargo xtask assets`.
pub(crate) fn assets(args: Args) -> Result<()> {
    args.end()?;
    build(Shrink::if_possible().as_ref())
}

/// Where the built files are.
pub(crate) fn folder() -> PathBuf {
    root().join("target/assets")
}

/// Builds everything that browsers download.
pub(crate) fn build(shrink: Option<&Shrink>) -> Result<()> {
    install::wasm_target()?;
    let work = root().join("target/assets-work");
    fs::create_dir_all(&work)?;
    let maker = Maker { work, shrink };
    let mut files = Files::new();

    step("Building the tracker (Rust to Wasm)");
    let tracker = compile("headwater-tracker")?;
    files.insert("t.wasm".into(), maker.shrunk("t.wasm", &fs::read(tracker)?, Shrink::tracker)?);
    for name in LOADER {
        let script = fs::read(root().join("tracker-js/loader").join(name)).context(name)?;
        files.insert(name.into(), maker.script(name, &script)?);
    }

    step("Building the dashboard (Rust to Wasm)");
    let dashboard = compile("headwater-dashboard")?;
    for entry in fs::read_dir(root().join("dashboard-wasm/static")).context("dashboard-wasm/static")? {
        let entry = entry?;
        files.insert(format!("dashboard/{}", entry.file_name().to_string_lossy()), fs::read(entry.path())?);
    }
    let bound = maker.work.join("bindgen");
    Bindgen::new().input_path(dashboard).web(true)?.typescript(false).out_name("dashboard").generate(&bound)?;
    let script = fs::read(bound.join("dashboard.js"))?;
    files.insert("dashboard/dashboard.js".into(), maker.script("dashboard.js", &script)?);
    let wasm = fs::read(bound.join("dashboard_bg.wasm"))?;
    files.insert("dashboard/dashboard_bg.wasm".into(), maker.wasm("dashboard_bg.wasm", &wasm)?);

    sync(&folder(), &files)
}

/// Path inside `target/assets/`, with slashes, and content.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// Compiles one package alone: in one command with another it would be given the other's features too.
pub(crate) fn compile(package: &str) -> Result<PathBuf> {
    run(&mut cargo(&["build", "--profile", "wasm", "--target", WASM, "--package", package]))?;
    let file = format!("{}.wasm", package.replace('-', "_"));
    Ok(root().join("target").join(WASM).join("wasm").join(file))
}

/// Shrinks files, and remembers what it shrunk.
pub(crate) struct Maker<'a> {
    pub(crate) work: PathBuf,
    pub(crate) shrink: Option<&'a Shrink>,
}

impl Maker<'_> {
    fn wasm(&self, name: &str, input: &[u8]) -> Result<Vec<u8>> {
        self.shrunk(name, input, Shrink::wasm)
    }

    fn script(&self, name: &str, input: &[u8]) -> Result<Vec<u8>> {
        let mut small = self.shrunk(name, input, Shrink::script)?;
        // The line's end is up to seven bytes after brotli.
        small.truncate(small.trim_ascii_end().len());
        Ok(small)
    }

    /// The small form of `input`, from the last time if the input is the same.
    pub(crate) fn shrunk(&self, name: &str, input: &[u8], make: impl Fn(&Shrink, &Path, &Path) -> Result<()>) -> Result<Vec<u8>> {
        let Some(tools) = self.shrink else { return Ok(input.to_vec()) };
        let (from, to) = (self.work.join(name), self.work.join(format!("small-{name}")));
        if fs::read(&from).is_ok_and(|last| last == input)
            && let Ok(small) = fs::read(&to)
        {
            return Ok(small);
        }
        // In this order an interrupted run leaves no pair that looks finished.
        let _ = fs::remove_file(&to);
        fs::write(&from, input)?;
        println!("   shrinking {name}");
        make(tools, &from, &to)?;
        Ok(fs::read(to)?)
    }
}

/// Makes `folder` hold exactly `files`.
pub(crate) fn sync(folder: &Path, files: &Files) -> Result<()> {
    for (name, content) in files {
        let path = folder.join(name);
        if fs::read(&path).is_ok_and(|old| old == *content) {
            continue;
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&path, content).with_context(|| path.display().to_string())?;
    }
    for name in names(folder, "")? {
        if !files.contains_key(&name) {
            fs::remove_file(folder.join(name))?;
        }
    }
    Ok(())
}

/// The names of all files under `folder`, each after `prefix`.
pub(crate) fn names(folder: &Path, prefix: &str) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            all.extend(names(&entry.path(), &format!("{name}/"))?);
        } else {
            all.push(name);
        }
    }
    all.sort();
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_made_to_hold_exactly_the_files() {
        let folder = std::env::temp_dir().join(format!("headwater-sync-{}", std::process::id()));
        let one = Files::from([("a".into(), b"1".to_vec()), ("sub/b".into(), b"2".to_vec())]);
        sync(&folder, &one).unwrap();
        assert_eq!(names(&folder, "").unwrap(), ["a", "sub/b"]);
        let written = fs::metadata(folder.join("a")).unwrap().modified().unwrap();
        sync(&folder, &Files::from([("a".into(), b"1".to_vec())])).unwrap();
        assert_eq!(names(&folder, "").unwrap(), ["a"]);
        assert_eq!(fs::metadata(folder.join("a")).unwrap().modified().unwrap(), written, "an equal file is left alone");
        fs::remove_dir_all(folder).unwrap();
    }
}
