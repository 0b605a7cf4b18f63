//! `cargo xtask start`: from a fresh clone to a dashboard that moves.
use anyhow::Result;

use crate::args::Args;
use crate::assets;
use crate::run::{build_server, command, step};
use crate::shrink::Shrink;

pub(crate) fn start(mut args: Args) -> Result<()> {
    let port: u16 = args.parsed("--port", "a port between 1 and 65535")?.unwrap_or(8700);
    let data = args.value("--data")?.unwrap_or_else(|| "./data".to_owned());
    let demo = !args.flag("--no-demo");
    args.end()?;

    assets::build(Shrink::if_possible().as_ref())?;
    let server = build_server()?;

    step("Starting Headwater; Ctrl-C stops it");
    let mut serve = command(server, &["serve", "--port", &port.to_string()]);
    // A relative folder is meant from where the task was called, which is where the server runs, too.
    serve.arg("--data").arg(std::path::absolute(data)?).current_dir(std::env::current_dir()?);
    if demo {
        serve.arg("--demo");
    }
    become_it(serve)
}

/// Replaces this process, so that signals reach the server and its exit code is the task's.
#[cfg(unix)]
fn become_it(mut serve: std::process::Command) -> Result<()> {
    use std::os::unix::process::CommandExt;
    Err(serve.exec().into())
}

#[cfg(not(unix))]
fn become_it(mut serve: std::process::Command) -> Result<()> {
    let status = serve.status()?;
    std::process::exit(status.code().unwrap_or(1));
}
