//! What is fixed for a page load.
use crate::text::{Buf, Fields, set};

/// What the loader says once: the tag's attributes, and the browser.
#[repr(C)]
#[derive(Debug)]
pub struct Settings {
    /// Whether storage may be used and can be (`1`).
    pub storage: bool,
    /// Whether the browser keeps a random id (`data-identity` is `device`).
    pub device: bool,
    /// The width of the screen in CSS pixels, 16 bits of it; 0 when not known.
    pub screen: u16,
    /// The least time between two beacons in milliseconds, `data-interval`.
    pub interval: u64,
    /// `data-site`.
    pub site: Buf<[u8; 256]>,
    /// The browser's preferred language and IANA time zone.
    pub browser: Buf<[u8; 256]>,
}

/// The most that [`Settings::interval`] may be: a minute.
pub const LONGEST_INTERVAL: u64 = 60_000;

impl Settings {
    /// Those of a page load that has not begun.
    pub const NONE: Self = Self { site: Buf::EMPTY, storage: false, device: false, screen: 0, interval: 0, browser: Buf::EMPTY };

    /// Reads the fields: site, storage, identity, screen, interval, language, zone. What is odd or too long is 0 or empty.
    pub fn read(&mut self, mut fields: Fields<'_>) {
        set(&mut self.site, fields.text());
        self.storage = fields.letter() == b'1';
        self.device = fields.letter() == b'd';
        self.screen = fields.number() as u16;
        self.interval = fields.number().min(LONGEST_INTERVAL);
        set(&mut self.browser, fields.rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::get;

    macro_rules! read {
        ($settings:ident, $text:expr) => {
            let mut $settings = Settings::NONE;
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
}
