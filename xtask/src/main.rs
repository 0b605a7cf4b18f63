//! `cargo xtask`: the project's task runner. `cargo xtask help` lists the tasks.
use std::process::ExitCode;

mod args;
mod assets;
mod crates;
mod install;
mod run;
mod shrink;
mod size;
mod start;
mod test;
mod worker;

use args::{Args, Usage};

const HELP: &str = "\
Tasks of Headwater:

  cargo xtask start [--port 8700] [--data DIR] [--no-demo]
      Build everything and serve it at http://127.0.0.1:8700, with a demo site at /demo/. Data is kept in ./data.
      Needs nothing but Rust; with Node present it also shrinks the Wasm.
  cargo xtask test [--fast|--browsers]
      Run every check and every test, and install what they need. --fast leaves out browser and workerd.
      --browsers instead runs the tracker's tests in Firefox and WebKit.
  cargo xtask size
      Print what a page and the dashboard download, beside other trackers; fail above the bounds. Needs Node.
  cargo xtask fuzz [TARGET] [--seconds N]
      Feed mutated golden vectors to a decoder, or to each in turn: for N seconds, by default until stopped.
  cargo xtask bench [throughput|latency|fold|queries|dashboard|tracker|worker|accuracy]
      Measure Headwater beside a no-op server on this machine, and print the ratios.
  cargo xtask assets
      Build only the tracker and the dashboard, into target/assets/.
  cargo xtask worker
      Build the edge for Cloudflare Workers, into target/worker/; `npx wrangler deploy` calls it. Needs Node.
";

fn main() -> ExitCode {
    match task(Args::from_env()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<Usage>() => {
            eprintln!("{error}\n\n{HELP}");
            ExitCode::from(2)
        }
        Err(error) => {
            eprintln!("\nxtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn task(mut args: Args) -> anyhow::Result<()> {
    if args.flag("--help") || args.flag("-h") {
        println!("{HELP}");
        return Ok(());
    }
    match args.word().as_deref() {
        Some("start") => start::start(args),
        Some("test") => test::test(args),
        Some("size") => size::size(args),
        Some("fuzz") => test::fuzz(args),
        Some("bench") => test::bench(args),
        Some("assets") => assets::assets(args),
        Some("worker") => worker::worker(args),
        Some("help") | None => {
            println!("{HELP}");
            Ok(())
        }
        Some(other) => Err(Usage(format!("There is no task {other:?}.")).into()),
    }
}
