//! Places from a file in MaxMind's format (GeoLite2, GeoIP2, DB-IP and others): country, region and city of an address.
//!
//! The whole file is held in memory: mapping it would be leaner, but whoever replaces it in place would take the server
//! down. A new file is taken up within a minute; one that can't be read leaves the old one in use.
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use headwater_edge::sender::Located;
use maxminddb::{Reader, geoip2};

/// How often it is looked whether the file is another.
const LOOK: Duration = Duration::from_secs(60);

/// A file of places.
pub struct GeoDb {
    path: PathBuf,
    current: RwLock<Loaded>,
}

#[derive(Clone)]
struct Loaded {
    reader: Arc<Reader<Vec<u8>>>,
    stamp: Stamp,
}

/// By what a file is known to be another.
type Stamp = (Option<SystemTime>, u64);

/// Why the file can't be used.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot use {path} as a database of places: {reason}; it must be a file in MaxMind's format (.mmdb) with countries or cities"
)]
pub struct GeoError {
    path: PathBuf,
    reason: String,
}

impl std::fmt::Debug for GeoDb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GeoDb").field("path", &self.path).finish_non_exhaustive()
    }
}

impl GeoDb {
    /// Reads the file.
    ///
    /// # Errors
    /// If it is not there, or something else.
    pub fn open(path: &Path) -> Result<Self, GeoError> {
        let loaded = load(path)?;
        Ok(Self { path: path.to_owned(), current: RwLock::new(loaded) })
    }

    /// Reads the file, and again when it is another, as long as somebody holds what is returned.
    ///
    /// # Errors
    /// If it is not there, or something else.
    pub fn watched(path: &Path) -> Result<Arc<Self>, GeoError> {
        let this = Arc::new(Self::open(path)?);
        let watched = Arc::downgrade(&this);
        let thread = std::thread::Builder::new().name("places".into()).spawn(move || {
            while let Some(this) = watched.upgrade() {
                match this.refresh() {
                    Ok(true) => tracing::info!("took up a new file of places"),
                    Ok(false) => {}
                    Err(error) => tracing::warn!("{error}; the one before stays in use"),
                }
                drop(this);
                std::thread::sleep(LOOK);
            }
        });
        thread.map_err(|error| failed(path, &error))?;
        Ok(this)
    }

    /// Where an address is; empty where the file does not say.
    #[must_use]
    pub fn locate(&self, address: IpAddr) -> Located {
        let reader = self.current.read().unwrap_or_else(PoisonError::into_inner).reader.clone();
        let found = reader.lookup(address.to_canonical()).ok();
        let city = found.and_then(|found| found.decode::<geoip2::City<'_>>().ok().flatten());
        city.map_or_else(Located::default, |city| place(&city))
    }

    /// Reads the file again if it is another. Says whether it was.
    ///
    /// # Errors
    /// If the new one can't be used: the old one stays.
    pub fn refresh(&self) -> Result<bool, GeoError> {
        let stamp = stamp(&self.path).map_err(|error| failed(&self.path, &error))?;
        if stamp == self.current.read().unwrap_or_else(PoisonError::into_inner).stamp {
            return Ok(false);
        }
        let loaded = load(&self.path)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = loaded;
        Ok(true)
    }
}

fn place(city: &geoip2::City<'_>) -> Located {
    // A territory that the file gives no country of its own is where it is registered.
    let country = city.country.iso_code.or(city.registered_country.iso_code).unwrap_or("");
    let region = city.subdivisions.first().and_then(|subdivision| subdivision.iso_code).filter(|_| !country.is_empty());
    Located {
        country: country.to_owned(),
        region: region.map(|region| format!("{country}-{region}")).unwrap_or_default(),
        city: city.city.names.english.unwrap_or("").to_owned(),
    }
}

fn load(path: &Path) -> Result<Loaded, GeoError> {
    // The stamp first: a file that is replaced meanwhile is then read once more.
    let stamp = stamp(path).map_err(|error| failed(path, &error))?;
    let reader = Reader::open_readfile(path).map_err(|error| failed(path, &error))?;
    let kind = &reader.metadata().database_type;
    if !["City", "Country", "Enterprise", "Location"].iter().any(|word| kind.contains(word)) {
        return Err(failed(path, &format!("it holds {kind}")));
    }
    Ok(Loaded { reader: Arc::new(reader), stamp })
}

fn stamp(path: &Path) -> std::io::Result<Stamp> {
    let file = std::fs::metadata(path)?;
    Ok((file.modified().ok(), file.len()))
}

fn failed(path: &Path, reason: &dyn std::fmt::Display) -> GeoError {
    GeoError { path: path.to_owned(), reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/geo").join(name)
    }

    fn of(db: &GeoDb, address: &str) -> String {
        let Located { country, region, city } = db.locate(address.parse().unwrap());
        format!("{country}/{region}/{city}")
    }

    #[test]
    fn an_address_has_a_place() {
        let db = GeoDb::open(&file("GeoLite2-City-Test.mmdb")).unwrap();
        assert_eq!(of(&db, "89.160.20.128"), "SE/SE-E/Linköping");
        assert_eq!(of(&db, "::ffff:81.2.69.160"), "GB/GB-ENG/London");
        assert_eq!(of(&db, "2001:480::1"), "US/US-CA/San Diego");
        assert_eq!(of(&db, "127.0.0.1"), "//");
    }

    #[test]
    fn a_file_of_countries_will_do_and_a_new_file_is_taken_up() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("places.mmdb");
        std::fs::copy(file("GeoLite2-Country-Test.mmdb"), &path).unwrap();
        let db = GeoDb::open(&path).unwrap();
        assert_eq!(of(&db, "89.160.20.128"), "SE//");
        assert!(!db.refresh().unwrap());
        std::fs::copy(file("GeoLite2-City-Test.mmdb"), &path).unwrap();
        assert!(db.refresh().unwrap());
        assert_eq!(of(&db, "89.160.20.128"), "SE/SE-E/Linköping");
        std::fs::write(&path, "half a file").unwrap();
        assert!(db.refresh().unwrap_err().to_string().contains("places.mmdb"));
        assert_eq!(of(&db, "89.160.20.128"), "SE/SE-E/Linköping", "the old one stays");
        std::fs::remove_file(&path).unwrap();
        assert!(db.refresh().is_err() && GeoDb::open(&path).is_err());
    }
}
