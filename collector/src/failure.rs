//! Why a command ended, and the exit code for it.
use crate::data_dir::DataDirError;
use crate::store::sites::SiteError;
use crate::store::{OpenError, StoreError};

/// Why a command ended early. The text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It did not work.
    #[error("{0}")]
    Failed(String),
    /// It was asked for in a way that makes no sense.
    #[error("{0}")]
    Usage(String),
    /// Another server has the data directory.
    #[error("{0}")]
    InUse(String),
    /// The database was written by a later Headwater, or by one between releases.
    #[error("{0}")]
    Newer(String),
    /// Something else listens there.
    #[error("{0}")]
    PortTaken(String),
}

impl Failure {
    /// The process's exit code.
    #[must_use]
    pub const fn code(&self) -> u8 {
        match self {
            Self::Failed(_) => 1,
            Self::Usage(_) => 2,
            Self::InUse(_) => 3,
            Self::Newer(_) => 4,
            Self::PortTaken(_) => 5,
        }
    }
}

impl From<DataDirError> for Failure {
    fn from(error: DataDirError) -> Self {
        match error {
            DataDirError::InUse(_) => Self::InUse(error.to_string()),
            DataDirError::Missing(_) | DataDirError::Io { .. } => Self::Failed(error.to_string()),
        }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Newer { .. } | OpenError::Foreign { .. } => Self::Newer(error.to_string()),
            OpenError::DataDir(error) => error.into(),
            OpenError::Sqlite { .. } => Self::Failed(error.to_string()),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<SiteError> for Failure {
    fn from(error: SiteError) -> Self {
        Self::Failed(error.to_string())
    }
}
