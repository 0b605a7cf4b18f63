//! What is fixed for a page load.
use crate::text::{Buf, Fields, get, set};

/// What the loader says once: the tag's attributes, and the browser.
#[derive(Debug)]
pub struct Settings<'a> {
    /// `data-site`.
    pub site: Buf<'a>,
    /// Whether storage may be used and can be (`1`).
    pub storage: bool,
    /// Whether the browser keeps a random id (`data-identity` is `device`).
    pub device: bool,
    /// The width of the screen in CSS pixels, 16 bits of it; 0 when not known.
    pub screen: u16,
    /// The least time between two beacons in milliseconds, `data-interval`.
    pub interval: u32,
    /// The browser's preferred language and IANA time zone.
    pub browser: Buf<'a>,
}

/// The most that [`Settings::interval`] may be: a minute.
pub const LONGEST_INTERVAL: u64 = 60_000;

impl<'a> Settings<'a> {
    /// Those of a page load that has not begun.
    #[must_use]
    pub const fn new(site: &'a mut [u8], browser: &'a mut [u8]) -> Self {
        Self { site: Buf::new(site), storage: false, device: false, screen: 0, interval: 0, browser: Buf::new(browser) }
    }

    /// Reads the fields: site, storage, identity, screen, interval, language, zone. What is odd or too long is 0 or empty.
    pub fn read(&mut self, mut fields: Fields<'_>) {
        set(&mut self.site, fields.text());
        self.storage = fields.number() == 1;
        self.device = fields.text() == b"device";
        self.screen = fields.number() as u16;
        self.interval = fields.number().min(LONGEST_INTERVAL) as u32;
        set(&mut self.browser, fields.rest);
    }

    /// Whether a host is the site's own: the page's, or the site's domain and its subdomains.
    #[must_use]
    pub fn is_own(&self, host: &[u8], page_host: &[u8]) -> bool {
        let inside = host.strip_suffix(get(&self.site)).is_some_and(|left| matches!(left.last(), None | Some(b'.')));
        !host.is_empty() && (inside || host == page_host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! read {
        ($settings:ident, $text:expr) => {
            let (mut site, mut browser) = ([0; 256], [0; 256]);
            let mut $settings = Settings::new(&mut site, &mut browser);
            $settings.read(Fields::new($text));
        };
    }

    #[test]
    fn settings_are_read() {
        read!(settings, b"example.com\x0c1\x0c\x0c1920\x0c250\x0cen-GB\x0cEurope/Berlin");
        assert_eq!((settings.storage, settings.device), (true, false));
        assert_eq!((settings.screen, settings.interval), (1920, 250));
        assert_eq!((get(&settings.site), get(&settings.browser)), (&b"example.com"[..], &b"en-GB\x0cEurope/Berlin"[..]));
        read!(settings, b"\x0c\x0cdevice\x0c99999\x0c4000000000");
        assert_eq!((settings.device, settings.screen, settings.interval), (true, 34_463, 60_000));
    }

    #[test]
    fn own_hosts_are_the_pages_and_the_sites() {
        read!(settings, b"example.com");
        for own in ["example.com", "www.example.com", "127.0.0.1"] {
            assert!(settings.is_own(own.as_bytes(), b"127.0.0.1"), "{own}");
        }
        for other in ["notexample.com", "example.com.evil.net", "", "com"] {
            assert!(!settings.is_own(other.as_bytes(), b"127.0.0.1"), "{other}");
        }
        assert!(!settings.is_own(b"", b""));
    }
}
