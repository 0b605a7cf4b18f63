//! `headwater token …`
use clap::{Subcommand, ValueEnum};

use super::DataArgs;
use super::table::{printable, table};
use crate::clock::Clock;
use crate::failure::Failure;
use crate::secret::Secret;
use crate::settings::FileSettings;
use crate::store::StoreError;
use crate::store::tokens::{self, Scope};
use crate::text::iso_minute;

/// What can be done with tokens.
#[derive(Debug, Subcommand)]
pub(super) enum TokenCommand {
    /// Create a token and print it: once, for only its hash is kept.
    Create {
        /// What it may do.
        #[arg(long, default_value = "read")]
        scope: ScopeWord,
        /// What it is for, in your words.
        #[arg(long, default_value = "")]
        name: String,
        #[command(flatten)]
        data: DataArgs,
    },
    /// List the tokens: number, scope, name, when they were made.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        data: DataArgs,
    },
    /// Revoke a token, and with it the sessions that were opened with it.
    Revoke {
        /// Its number in `headwater token list`.
        id: i64,
        #[command(flatten)]
        data: DataArgs,
    },
}

/// The scopes as words of the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum ScopeWord {
    /// Everything.
    Admin,
    /// Read the numbers of every site.
    Read,
    /// Send events from a server, with addresses and times of their own.
    Ingest,
    /// Run an edge: deliver its batches and learn what edges must know.
    Edge,
}

impl From<ScopeWord> for Scope {
    fn from(word: ScopeWord) -> Self {
        match word {
            ScopeWord::Admin => Self::Admin,
            ScopeWord::Read => Self::Read,
            ScopeWord::Ingest => Self::Ingest,
            ScopeWord::Edge => Self::Edge,
        }
    }
}

impl TokenCommand {
    pub(super) fn run(self, file: &FileSettings, clock: &Clock) -> Result<(), Failure> {
        match self {
            Self::Create { scope, name, data } => {
                let secret = data.open_or_create(file)?.write_now(|tx| {
                    let secret = Secret::random()?;
                    tokens::add(tx, &name, scope.into(), &secret, clock.now())?;
                    Ok::<_, StoreError>(secret)
                })?;
                // Only the token on standard output, so that a script can take it.
                eprintln!("This token is shown once; keep it safe. Use it as `Authorization: Bearer …`:");
                println!("{}", secret.reveal());
            }
            Self::List { json, data } => {
                let tokens = data.open(file)?.read_now(|tx| tokens::list(tx))?;
                if json {
                    println!("{}", serde_json::json!({ "tokens": tokens }));
                } else {
                    let row = |token: &tokens::Token| {
                        let created = iso_minute(headwater_core::Millis(token.created).minute());
                        vec![token.id.to_string(), token.scope.name().to_owned(), created, printable(&token.name)]
                    };
                    let rows: Vec<Vec<String>> = tokens.iter().map(row).collect();
                    super::print(&table(&["ID", "SCOPE", "CREATED", "NAME"], &rows, |column| column == 0));
                }
            }
            Self::Revoke { id, data } => {
                if !data.open(file)?.write_now(|tx| tokens::revoke(tx, id))? {
                    return Err(Failure::Failed(format!("there is no token {id}; `headwater token list` shows them")));
                }
                println!("Revoked token {id}.");
            }
        }
        Ok(())
    }
}
