//! The country of an IANA time zone: a coarse answer where the platform gives none. `data/zones.tsv` is made from the
//! tz database's `zone.tab` and, for names that browsers still report (`Asia/Calcutta`), its backward links; both are in
//! the public domain.
use crate::table;

/// Lines of zone and ISO 3166-1 alpha-2 code, sorted by zone.
static ZONES: &str = include_str!("../data/zones.tsv");

/// The country that a zone belongs to; empty when it names none (`UTC`).
#[must_use]
pub fn country(zone: &str) -> &'static str {
    table::value(ZONES, zone).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_zone_is_found() {
        for line in ZONES.lines() {
            let (zone, code) = line.split_once('\t').unwrap();
            assert_eq!(country(zone), code);
            assert_eq!(code.len(), 2);
        }
    }

    #[test]
    fn browsers_names_are_known_and_others_are_not() {
        let known = [("Europe/Berlin", "DE"), ("Asia/Calcutta", "IN"), ("America/New_York", "US"), ("Africa/Accra", "GH")];
        for (zone, code) in known {
            assert_eq!(country(zone), code);
        }
        for zone in ["", "UTC", "Etc/GMT+1", "zzz", "Europe/", "Europe/Berli", "\n", "\t"] {
            assert_eq!(country(zone), "");
        }
    }
}
