//! `headwater backup` and `headwater restore`
use std::path::PathBuf;

use super::DataArgs;
use crate::backup::{self, BackupError, Copied};
use crate::data_dir::{DataDir, DataDirError};
use crate::failure::Failure;
use crate::settings::FileSettings;

/// Copy the data while the server runs.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The copy is a directory with the same files. It holds no salts (but those of sites that know devices), so nobody can tell from it
who visited; the visitors of the day on which it is restored may count twice. `headwater restore` makes a data directory of it.")]
pub(super) struct Backup {
    /// Where the copy goes: a directory that is new or empty.
    to: PathBuf,
    #[command(flatten)]
    data: DataArgs,
}

/// Make a data directory of a backup.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
What was counted after the backup is not in it. Events that waited in the inbox when it was made are delivered now, those that had
been delivered since are not counted twice.")]
pub(super) struct Restore {
    /// The directory of the backup.
    from: PathBuf,
    #[command(flatten)]
    data: DataArgs,
}

impl Backup {
    pub(super) fn run(self, file: &FileSettings) -> Result<(), Failure> {
        let from = self.data.path(file);
        let data = DataDir::anything(&from).ok_or(DataDirError::Missing(from))?;
        report("Backed up to", &self.to, &backup::make(&data, &self.to, &mut progress)?);
        Ok(())
    }
}

impl Restore {
    pub(super) fn run(self, file: &FileSettings) -> Result<(), Failure> {
        let to = self.data.path(file);
        report("Restored to", &to, &backup::restore(&self.from, &to, &mut progress)?);
        Ok(())
    }
}

/// On standard error, so that scripts read only the result.
fn progress(file: &'static str, bytes: u64) {
    eprintln!("copying {file} ({})…", size(bytes));
}

fn report(what: &str, place: &std::path::Path, copied: &[Copied]) {
    let files: Vec<String> = copied.iter().map(|one| format!("{} ({})", one.file, size(one.bytes))).collect();
    println!("{what} {}: {}", place.display(), files.join(", "));
}

fn size(bytes: u64) -> String {
    let mib = bytes as f64 / f64::from(1 << 20);
    if mib < 1.0 { format!("{} KiB", bytes.div_ceil(1024)) } else { format!("{mib:.1} MiB") }
}

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        match error {
            BackupError::Newer { .. } => Self::Newer(error.to_string()),
            BackupError::DataDir(error) => error.into(),
            _ => Self::Failed(error.to_string()),
        }
    }
}
