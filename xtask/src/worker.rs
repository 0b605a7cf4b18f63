//! `cargo xtask worker`: the edge for Cloudflare Workers, built into `target/worker/`, where wrangler.toml looks for it.
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use wasm_bindgen_cli_support::Bindgen;

use crate::args::Args;
use crate::assets::{self, Files, Maker, compile, sync};
use crate::run::{root, run, step};
use crate::shrink::Shrink;

/// `cargo xtask worker`.
pub(crate) fn worker(args: Args) -> Result<()> {
    args.end()?;
    let shrink = Shrink::install()?;
    assets::build(Some(&shrink))?;
    build(&shrink)
}

/// Where the built Worker is.
pub(crate) fn folder() -> PathBuf {
    root().join("target/worker")
}

/// Builds the Worker: `index.js`, which has everything but the Wasm in it, and `index_bg.wasm`. The tracker must be built.
pub(crate) fn build(shrink: &Shrink) -> Result<()> {
    step("Building the Worker (Rust to Wasm)");
    let compiled = compile("headwater-worker")?;
    let work = root().join("target/worker-work");
    let bound = work.join("bindgen");
    fs::create_dir_all(&bound)?;
    Bindgen::new()
        .input_path(compiled)
        .module(true)?
        .typescript(false)
        .out_name("index")
        // After a panic the Wasm is instantiated anew.
        .reset_state_function(true)
        .force_enable_abort_handler(true)
        .generate(&bound)?;
    // No bundler knows the source phase yet; on Workers an import of Wasm is the module as it is.
    let script = fs::read_to_string(bound.join("index.js"))?.replace("import source wasmModule", "import wasmModule");
    fs::write(bound.join("index.js"), script)?;
    let shim = root().join("edge/worker/shim.js");
    fs::copy(&shim, bound.join("shim.js")).with_context(|| shim.display().to_string())?;
    let bundle = work.join("index.js");
    run(&mut shrink.bundle(&bound.join("shim.js"), &bundle))?;

    let maker = Maker { work: work.clone(), shrink: Some(shrink) };
    let wasm = maker.shrunk("index_bg.wasm", &fs::read(bound.join("index_bg.wasm"))?, Shrink::worker)?;
    let files = Files::from([("index.js".into(), fs::read(bundle)?), ("index_bg.wasm".into(), wasm)]);
    fs::create_dir_all(folder())?;
    sync(&folder(), &files)?;

    // Cloudflare answers these itself, for nothing; the Worker has them too, for where it is run without them.
    let read = |path: PathBuf| fs::read(&path).with_context(|| path.display().to_string());
    let mut assets = Files::from([("_headers".into(), read(root().join("edge/worker/_headers"))?)]);
    for name in assets::names(&assets::folder(), "")?.into_iter().filter(|name| name.starts_with("t.")) {
        let mut content = read(assets::folder().join(&name))?;
        if name == "t.js" {
            content = by_name(&content)?;
        }
        assets.insert(name, content);
    }
    let folder = root().join("target/worker-assets");
    fs::create_dir_all(&folder)?;
    sync(&folder, &assets)
}

/// The loader that asks for its second part, `t.js?auto`, by the name of its file: static assets do not see a query.
fn by_name(loader: &[u8]) -> Result<Vec<u8>> {
    let text = std::str::from_utf8(loader)?;
    let named = text.replacen("+\"?auto\"", ".replace(\".js\",\".auto.js\")", 1);
    ensure!(named != text && !named.contains("?auto"), "t.js does not ask for its second part as `src + '?auto'`");
    Ok(named.into_bytes())
}
