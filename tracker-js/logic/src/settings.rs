//! What is fixed for a page load.
use crate::text::Fields;

/// What the loader says once: random bits, the tag's attributes, and the browser.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    /// `data-site`.
    pub site: &'a [u8],
    /// Whether storage may be used and can be (`1`).
    pub storage: bool,
    /// Whether the browser keeps a random id (`data-identity` is `device`).
    pub device: bool,
    /// The width of the screen in CSS pixels; 0 when not known.
    pub screen: u16,
    /// The browser's preferred language.
    pub language: &'a [u8],
    /// The browser's IANA time zone.
    pub zone: &'a [u8],
    /// The least time between two beacons in milliseconds, `data-interval`.
    pub interval: u32,
}

/// The most that [`Settings::interval`] may be: an hour.
pub const LONGEST_INTERVAL: u32 = 3_600_000;

impl<'a> Settings<'a> {
    /// Those of a page load that has not begun.
    pub const NONE: Settings<'static> =
        Settings { site: b"", storage: false, device: false, screen: 0, language: b"", zone: b"", interval: 0 };

    /// Reads the fields: site, storage, identity, screen, interval, language, zone. What is odd is 0 or empty.
    #[must_use]
    pub fn read(mut fields: Fields<'a>) -> Self {
        Self {
            site: fields.text(),
            storage: fields.number() == 1,
            device: fields.text() == b"device",
            screen: fields.number().min(u16::MAX.into()) as u16,
            interval: fields.number().min(LONGEST_INTERVAL.into()) as u32,
            language: fields.text(),
            zone: fields.text(),
        }
    }

    /// Whether a host is the site's own: the page's, or the site's domain and its subdomains.
    #[must_use]
    pub fn is_own(&self, host: &[u8], page_host: &[u8]) -> bool {
        let inside = host.strip_suffix(self.site).is_some_and(|left| matches!(left.last(), None | Some(b'.')));
        !host.is_empty() && (inside || host == page_host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read() {
        let settings = Settings::read(Fields::new(b"example.com\x0c1\x0c\x0c1920\x0c250\x0cen-GB\x0cEurope/Berlin"));
        assert_eq!((settings.storage, settings.device), (true, false));
        assert_eq!((settings.screen, settings.interval), (1920, 250));
        assert_eq!((settings.site, settings.language, settings.zone), (&b"example.com"[..], &b"en-GB"[..], &b"Europe/Berlin"[..]));
        let settings = Settings::read(Fields::new(b"\x0c\x0c\x0c99999\x0c4000000000"));
        assert_eq!((settings.screen, settings.interval), (u16::MAX, LONGEST_INTERVAL));
    }

    #[test]
    fn own_hosts_are_the_pages_and_the_sites() {
        let settings = Settings { site: b"example.com", ..Settings::NONE };
        for own in ["example.com", "www.example.com", "127.0.0.1"] {
            assert!(settings.is_own(own.as_bytes(), b"127.0.0.1"), "{own}");
        }
        for other in ["notexample.com", "example.com.evil.net", "", "com"] {
            assert!(!settings.is_own(other.as_bytes(), b"127.0.0.1"), "{other}");
        }
        assert!(!settings.is_own(b"", b""));
    }
}
