//! Making what a browser downloads small: wasm-opt for Wasm, esbuild for JavaScript. Both come from npm and are optional.
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::install;
use crate::run::{capture, command, found, root, run};

/// The tools, found.
pub(crate) struct Shrink {
    wasm_opt: PathBuf,
    metadce: PathBuf,
    esbuild: PathBuf,
}

/// What wasm-opt may use. Never `--all-features`: it emits imports that browsers refuse.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];
/// What it does.
const SMALL: [&str; 3] = ["-Oz", "--strip-target-features", "--strip-producers"];

/// What the tracker's loader uses of its Wasm, for wasm-metadce: the linker exports two globals more.
const TRACKER_USES: &str = r#"[{"name": "loader", "root": true, "reaches": ["memory", "buffer", "run"]},
    {"name": "memory", "export": "memory"}, {"name": "buffer", "export": "b"}, {"name": "run", "export": "r"}]"#;

impl Shrink {
    /// The tools, installed by `npm ci` if need be.
    pub(crate) fn install() -> Result<Self> {
        install::node_modules()?;
        Self::find().context("node_modules lacks wasm-opt or esbuild: remove it and run `npm ci`")
    }

    /// The tools if this machine has Node, else nothing and a word about it: the result works, it is just larger.
    pub(crate) fn if_possible() -> Option<Self> {
        if !found("node") || !found("npm") {
            println!("   Node is not here, so the Wasm is not shrunk. It works all the same.");
            return None;
        }
        match Self::install() {
            Ok(tools) => Some(tools),
            Err(error) => {
                println!("   The Wasm is not shrunk ({error:#}). It works all the same.");
                None
            }
        }
    }

    fn find() -> Option<Self> {
        let modules = root().join("node_modules");
        let [wasm_opt, metadce] = ["wasm-opt", "wasm-metadce"].map(|tool| modules.join("binaryen/bin").join(tool));
        // npm may be told not to run install scripts, so esbuild's own package is not relied on: the binary is in the
        // one package of its platform that npm chose.
        let esbuild = std::fs::read_dir(modules.join("@esbuild"))
            .ok()?
            .filter_map(Result::ok)
            .map(|platform| platform.path().join("bin/esbuild"))
            .find(|binary| binary.is_file())?;
        wasm_opt.is_file().then_some(Self { wasm_opt, metadce, esbuild })
    }

    /// `input` as small as wasm-opt makes it.
    pub(crate) fn wasm(&self, input: &Path, output: &Path) -> Result<()> {
        self.optimize(&[], input, output)
    }

    /// The same for the tracker: flattened first and optimized until nothing changes it is 1 % smaller, which is not worth the minutes that
    /// it would take for the dashboard. Only what the loader uses is kept.
    pub(crate) fn tracker(&self, input: &Path, output: &Path) -> Result<()> {
        let (graph, used) = (output.with_extension("json"), output.with_extension("used"));
        std::fs::write(&graph, TRACKER_USES)?;
        let mut node = command("node", &[]);
        node.arg(&self.metadce).args(FEATURES).arg(input).arg("--graph-file").arg(&graph).arg("-o").arg(&used);
        capture(&mut node)?;
        self.optimize(&["--converge", "--flatten", "--rereloop", "-O4"], &used, output)
    }

    fn optimize(&self, first: &[&str], input: &Path, output: &Path) -> Result<()> {
        let mut node = command("node", &[]);
        run(node.arg(&self.wasm_opt).args(first).args(SMALL).args(FEATURES).arg(input).arg("-o").arg(output))
    }

    /// The same for the Worker, whose panics are exceptions that its JavaScript catches.
    pub(crate) fn worker(&self, input: &Path, output: &Path) -> Result<()> {
        let mut node = command("node", &[]);
        node.arg(&self.wasm_opt).args(SMALL).args(FEATURES).arg("--enable-exception-handling");
        run(node.arg(input).arg("-o").arg(output))
    }

    /// The command that makes one script of one and all that it imports, but for Wasm.
    pub(crate) fn bundle(&self, input: &Path, output: &Path) -> Command {
        let options = ["--bundle", "--format=esm", "--external:./index_bg.wasm", "--external:cloudflare:*"];
        let quiet = ["--minify", "--charset=utf8", "--log-level=warning", "--legal-comments=none"];
        let mut esbuild = command(&self.esbuild, &options);
        esbuild.args(quiet).arg(input).arg(format!("--outfile={}", output.display()));
        esbuild
    }

    /// A script without its blanks, comments and long names.
    pub(crate) fn script(&self, input: &Path, output: &Path) -> Result<()> {
        let options = ["--minify", "--target=es2021", "--charset=utf8", "--log-level=warning", "--legal-comments=none"];
        run(command(&self.esbuild, &options).arg(input).arg(format!("--outfile={}", output.display())))
    }
}
