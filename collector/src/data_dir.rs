//! The data directory: where it is, what is in it, and that only one server has it.
use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

/// A directory that holds one installation.
#[derive(Clone, Debug)]
pub struct DataDir(PathBuf);

/// Held by the one server of a data directory, and released by the system when the process ends, however it ends.
#[derive(Debug)]
pub struct ServerLock(#[allow(dead_code)] File);

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// Another server holds the lock.
    #[error("{0} is in use by another server; stop it, or give this one its own directory with --data")]
    InUse(PathBuf),
    /// There is no such directory.
    #[error(
        "{0} holds no Headwater data; give the server's directory with --data, or create one with `headwater serve` or `headwater site add`"
    )]
    Missing(PathBuf),
    /// The file system refused.
    #[error("cannot use {path}: {source}; check that the directory can be written")]
    Io {
        /// What was to be used.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl DataDir {
    /// The directory at `path`, made if it is not there. Only its owner can enter a new one: it holds salts.
    ///
    /// # Errors
    /// `Io` if it cannot be made.
    pub fn create(path: &Path) -> Result<Self, DataDirError> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(path).map_err(|source| DataDirError::Io { path: path.to_owned(), source })?;
        Ok(Self(path.to_owned()))
    }

    /// The directory at `path`, which must hold data.
    ///
    /// # Errors
    /// `Missing` if there is no database in it.
    pub fn existing(path: &Path) -> Result<Self, DataDirError> {
        let this = Self(path.to_owned());
        if this.database().is_file() { Ok(this) } else { Err(DataDirError::Missing(path.to_owned())) }
    }

    /// The directory at `path` if it holds a database of any kind: an edge's has only an inbox.
    #[must_use]
    pub fn anything(path: &Path) -> Option<Self> {
        let this = Self(path.to_owned());
        (this.database().is_file() || this.inbox().is_file()).then_some(this)
    }

    /// The directory itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The collector's database.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.0.join("headwater.db")
    }

    /// The embedded edge's inbox.
    #[must_use]
    pub fn inbox(&self) -> PathBuf {
        self.0.join("inbox.db")
    }

    /// Takes the directory for one server.
    ///
    /// # Errors
    /// `InUse` if another server has it, `Io` if the lock file cannot be written.
    pub fn lock(&self) -> Result<ServerLock, DataDirError> {
        let path = self.0.join("server.lock");
        let io = |source| DataDirError::Io { path: path.clone(), source };
        let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(DataDirError::InUse(self.0.clone())),
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        // For whoever looks into the file: which process it is. The lock itself is the system's.
        file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(io)?;
        Ok(ServerLock(file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_server_has_a_directory() {
        let temporary = tempfile::tempdir().unwrap();
        let dir = DataDir::create(&temporary.path().join("data")).unwrap();
        let first = dir.lock().unwrap();
        assert!(matches!(dir.lock(), Err(DataDirError::InUse(_))));
        drop(first);
        dir.lock().unwrap();
    }

    #[test]
    fn a_directory_without_a_database_is_missing() {
        let temporary = tempfile::tempdir().unwrap();
        assert!(matches!(DataDir::existing(temporary.path()), Err(DataDirError::Missing(_))));
    }
}
