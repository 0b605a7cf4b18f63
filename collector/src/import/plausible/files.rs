//! The files of an export: in a zip file, in a folder, or as they are.
use std::fs::File;
use std::io::{BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use super::super::ImportError;

/// The most bytes of one file in a zip file: a bound on what a bomb can ask for.
const MOST: u64 = 4 << 30;

/// One file of an export.
pub(super) struct Table {
    pub(super) name: String,
    pub(super) content: Box<dyn Read>,
}

/// Whether this is an export of Plausible: a folder, a zip file, or a CSV file of that name.
#[must_use]
pub fn is_export(path: &Path) -> bool {
    if path.is_dir() {
        return true;
    }
    let mut magic = [0; 4];
    let is_zip = File::open(path).and_then(|mut file| file.read_exact(&mut magic)).is_ok() && magic == *b"PK\x03\x04";
    is_zip || (is_csv(path) && name(path).starts_with("imported_"))
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

fn is_csv(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"))
}

/// All files, one after the other.
pub(super) fn open(paths: &[PathBuf]) -> Result<Vec<Result<Table, ImportError>>, ImportError> {
    let mut files = Vec::new();
    for path in paths {
        let cannot = |error| ImportError::Read(path.display().to_string(), error);
        if path.is_dir() {
            let mut inside: Vec<PathBuf> = Vec::new();
            for entry in std::fs::read_dir(path).map_err(cannot)? {
                let entry = entry.map_err(cannot)?.path();
                if is_csv(&entry) {
                    inside.push(entry);
                }
            }
            inside.sort();
            files.extend(inside.iter().map(|path| plain(path)));
        } else if is_csv(path) {
            files.push(plain(path));
        } else {
            zipped(path, &mut files)?;
        }
    }
    Ok(files)
}

fn plain(path: &Path) -> Result<Table, ImportError> {
    let file = File::open(path).map_err(|error| ImportError::Read(path.display().to_string(), error))?;
    Ok(Table { name: name(path), content: Box::new(BufReader::new(file)) })
}

fn zipped(path: &Path, files: &mut Vec<Result<Table, ImportError>>) -> Result<(), ImportError> {
    let shown = path.display().to_string();
    let file = File::open(path).map_err(|error| ImportError::Read(shown.clone(), error))?;
    let damaged = |error: zip::result::ZipError| ImportError::Read(shown.clone(), std::io::Error::other(error));
    let mut archive = zip::ZipArchive::new(BufReader::new(file)).map_err(damaged)?;
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(damaged)?;
        let inside = entry.name().rsplit('/').next().unwrap_or_default().to_owned();
        if entry.is_dir() || !is_csv(Path::new(&inside)) {
            continue;
        }
        // One after the other would borrow the archive; what Plausible packs is some megabytes.
        let mut content = Vec::new();
        let read = entry.take(MOST).read_to_end(&mut content);
        let table = read.map(|_| Table { name: inside, content: Box::new(Cursor::new(content)) });
        files.push(table.map_err(|error| ImportError::Read(shown.clone(), error)));
    }
    Ok(())
}
