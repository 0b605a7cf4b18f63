//! `headwater`: web analytics whose counting starts at the source.
use std::process::ExitCode;

use clap::Parser;
use headwater_collector::Cli;

fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("headwater: {failure}");
            ExitCode::from(failure.code())
        }
    }
}
