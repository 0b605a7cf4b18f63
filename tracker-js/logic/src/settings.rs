//! What is fixed for a page load.
use crate::text::Fields;

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
}

/// The most that [`Settings::interval`] may be: a minute.
pub const LONGEST_INTERVAL: u64 = 60_000;

impl Settings {
    /// Those of a page load that has not begun.
    pub const NONE: Self = Self { storage: false, device: false, screen: 0, interval: 0 };

    /// Reads the fields storage, identity, screen, interval. What is odd is 0.
    pub fn read(&mut self, fields: &mut Fields<'_>) {
        self.storage = fields.letter() == b'1';
        self.device = fields.letter() == b'd';
        self.screen = fields.number() as u16;
        self.interval = fields.number().min(LONGEST_INTERVAL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read() {
        let mut settings = Settings::NONE;
        let mut fields = Fields::new(b"1\x0c\x0c1920\x0c250\x0cexample.com\x0cen-GB\x0cEurope/Berlin");
        settings.read(&mut fields);
        assert_eq!((settings.storage, settings.device), (true, false));
        assert_eq!((settings.screen, settings.interval), (1920, 250));
        assert_eq!(fields.rest, b"example.com\x0cen-GB\x0cEurope/Berlin");
        settings.read(&mut Fields::new(b"\x0cdevice\x0c99999\x0c4000000000"));
        assert_eq!((settings.storage, settings.device), (false, true));
        assert_eq!((settings.screen, settings.interval), (34_463, 60_000));
    }
}
