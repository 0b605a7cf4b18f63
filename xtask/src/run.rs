//! Running other programs, with a line that says what is being done.
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// The project's root.
pub(crate) fn root() -> PathBuf {
    // Cargo sets the variable for `cargo run`; the compiled-in path serves a binary that is called by hand.
    let manifest =
        std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    manifest.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// Says what comes next.
pub(crate) fn step(what: &str) {
    println!("\n== {what}");
}

/// `program` with arguments, started in the project's root.
pub(crate) fn command(program: impl AsRef<OsStr>, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(args).current_dir(root());
    command
}

/// The cargo that runs this task, writing to `target/`, where the assets and the server are looked for.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = command(program, args);
    command.env("CARGO_TARGET_DIR", root().join("target"));
    command
}

/// Runs a program to its end; its output is shown.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("{} cannot be started", show(command)))?;
    if !status.success() {
        bail!("{} failed ({status})", show(command));
    }
    Ok(())
}

/// Runs a program to its end and gives back what it printed.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    let output = command.stderr(Stdio::inherit()).output().with_context(|| format!("{} cannot be started", show(command)))?;
    if !output.status.success() {
        bail!("{} failed ({})", show(command), output.status);
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Whether `program` can be found.
pub(crate) fn found(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .any(|folder| folder.join(program).is_file() || folder.join(program).with_extension("exe").is_file())
}

/// Builds the server as it is shipped: `target/release/headwater`, with the assets of `target/assets/` inside.
pub(crate) fn build_server() -> Result<PathBuf> {
    step("Building the server");
    run(&mut cargo(&["build", "--release", "--package", "headwater-collector", "--bin", "headwater"]))?;
    Ok(root().join("target/release").join(format!("headwater{}", std::env::consts::EXE_SUFFIX)))
}

fn show(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut text = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    for arg in command.get_args() {
        text.push(' ');
        text.push_str(&arg.to_string_lossy());
    }
    text
}
