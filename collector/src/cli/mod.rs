//! The command line: one file for each command.
mod backup;
mod client;
mod export;
mod import;
mod live;
mod person;
mod query;
mod serve;
mod simulate;
mod site;
mod table;
mod token;

use std::path::PathBuf;

use clap::{CommandFactory, Parser, Subcommand};

use crate::clock::Clock;
use crate::data_dir::DataDir;
use crate::failure::Failure;
use crate::settings::{FileSettings, check_environment};
use crate::store::Store;

/// What `headwater --help` teaches after the list of commands.
const AFTER: &str = "\
Start here:
  headwater serve --data ./data                     run the server; it prints where to sign in
  headwater site add example.com --timezone Europe/Berlin
  headwater query --site example.com --metrics visitors,pageviews --date-range 7d

Then put this into the pages of example.com:
  <script defer data-site=\"example.com\" src=\"https://stats.example.com/t.js\"></script>

Settings come from a flag, then from HEADWATER_… in the environment (HEADWATER_PORT for --port), then from the TOML
file of --config (port = 8700). An unknown key is an error. HEADWATER_ADMIN_TOKEN (32 to 256 printable characters)
sets the administrator's token on first start.

Exit codes: 0 done, 1 failure, 2 usage or settings, 3 data directory in use by another server, 4 database from a newer
version (or from one between releases), 5 port taken.";

/// Web analytics whose counting starts at the source.
#[derive(Debug, Parser)]
#[command(name = "headwater", version, after_help = AFTER, max_term_width = 110)]
pub struct Cli {
    /// Settings in TOML; keys are the names of flags.
    #[arg(long, global = true, value_name = "FILE", env = "HEADWATER_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server: tracker, edge, collector and dashboard in one process.
    Serve(serve::Serve),
    /// Add, list, change and remove sites; works beside a running server.
    #[command(subcommand)]
    Site(site::SiteCommand),
    /// Create, list and revoke tokens; works beside a running server.
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Add, list, invite and remove people who sign in with a password; works beside a running server.
    #[command(subcommand)]
    Person(person::PersonCommand),
    /// Ask for numbers: from a data directory, also of a running server, or from a server by --url.
    Query(query::Query),
    /// Write what is kept of a site as CSV, JSON or Parquet: a row for each bucket, dimension and value.
    Export(export::Export),
    /// Count what web servers have logged, or take in what Plausible or GoatCounter export.
    Import(import::Import),
    /// Watch a site live, minute by minute.
    Live(live::Live),
    /// Copy the data while the server runs.
    Backup(backup::Backup),
    /// Make a data directory of a backup.
    Restore(backup::Restore),
    /// Play made-up visitors against a running server, and check that every one is counted.
    Simulate(simulate::Simulate),
}

/// Where the data is: for the commands that work on it directly.
#[derive(Debug, clap::Args)]
pub(crate) struct DataArgs {
    /// The data directory, also of a running server [default: ./data].
    #[arg(long, value_name = "DIR", env = "HEADWATER_DATA")]
    data: Option<PathBuf>,
}

impl DataArgs {
    fn path(&self, file: &FileSettings) -> PathBuf {
        self.data.clone().or_else(|| file.data.clone()).unwrap_or_else(|| PathBuf::from("./data"))
    }

    /// The store, which must be there.
    fn open(&self, file: &FileSettings) -> Result<Store, Failure> {
        Ok(Store::open(&DataDir::existing(&self.path(file))?, false)?)
    }

    /// The store, made if it is not there.
    fn open_or_create(&self, file: &FileSettings) -> Result<Store, Failure> {
        Ok(Store::open(&DataDir::create(&self.path(file))?, false)?)
    }
}

impl Cli {
    /// Does what the command line asks for.
    ///
    /// # Errors
    /// See [`Failure`], which has the exit code.
    pub fn run(self) -> Result<(), Failure> {
        check_environment(std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()), &known_variables())?;
        let file = FileSettings::load(self.config.as_deref())?;
        let clock = Clock::system();
        match self.command {
            Command::Serve(command) => command.run(&file, clock),
            Command::Site(command) => command.run(&file, &clock),
            Command::Token(command) => command.run(&file, &clock),
            Command::Person(command) => command.run(&file, &clock),
            Command::Query(command) => command.run(&file, &clock),
            Command::Export(command) => command.run(&file, &clock),
            Command::Import(command) => command.run(&file, &clock),
            Command::Live(command) => command.run(&file, &clock),
            Command::Backup(command) => command.run(&file),
            Command::Restore(command) => command.run(&file),
            Command::Simulate(command) => command.run(&file, &clock),
        }
    }
}

/// Prints what was asked for. Who reads it may have gone, as in `| head`: then the rest is nobody's.
pub(crate) fn print(text: &str) {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}

/// Every variable that some command reads.
fn known_variables() -> Vec<String> {
    fn collect(command: &clap::Command, into: &mut Vec<String>) {
        into.extend(command.get_arguments().filter_map(|arg| arg.get_env()?.to_str().map(str::to_owned)));
        command.get_subcommands().for_each(|sub| collect(sub, into));
    }
    let mut known = vec![serve::ADMIN_TOKEN.to_owned()];
    collect(&Cli::command(), &mut known);
    known.sort();
    known.dedup();
    known
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_flag_of_serve_has_its_variable() {
        let known = known_variables();
        for name in ["HEADWATER_ADMIN_TOKEN", "HEADWATER_CONFIG", "HEADWATER_DATA", "HEADWATER_PORT", "HEADWATER_TRUSTED_PROXY"] {
            assert!(known.iter().any(|k| k == name), "{name}");
        }
    }
}
