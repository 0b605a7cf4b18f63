//! Small tools for text, each a few dozen bytes of Wasm where the standard library's would be hundreds.
//!
//! Text is kept as bytes of UTF-8. It is cut at ASCII bytes and between characters only, so it stays UTF-8.
use alloc::vec::Vec;

/// Separates the fields of messages and of the stored visit: the form feed, which nobody types and JSON writes in two bytes.
pub const SEPARATOR: u8 = 0x0c;

/// Text cut into fields. After the last there are only empty ones.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    /// What is not read yet.
    pub rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// No fields.
    pub const NONE: Self = Self { rest: &[] };

    /// The fields of `text`.
    #[must_use]
    pub const fn new(text: &'a [u8]) -> Self {
        Self { rest: text }
    }

    /// The next field.
    pub fn text(&mut self) -> &'a [u8] {
        let (field, rest) = cut_at(self.rest, SEPARATOR);
        self.rest = rest;
        field
    }

    /// The next field as a whole number: 0 if it is none. What is past 64 bits is lost.
    pub fn number(&mut self) -> u64 {
        number(self.text())
    }

    /// After `count` fields.
    #[must_use]
    pub fn after(mut self, count: u32) -> Self {
        for _ in 0..count {
            self.text();
        }
        self
    }
}

/// What is before and after the first `stop`; nothing after it if there is none.
#[must_use]
pub fn cut_at(text: &[u8], stop: u8) -> (&[u8], &[u8]) {
    let end = text.iter().position(|b| *b == stop).unwrap_or(text.len());
    (text.get(..end).unwrap_or_default(), text.get(end + 1..).unwrap_or_default())
}

/// At most `max` bytes of `text`, cut between characters.
#[must_use]
pub fn cut(text: &[u8], max: usize) -> &[u8] {
    let mut end = max;
    // The second and later bytes of a character are 10xxxxxx.
    while text.get(end).is_some_and(|b| b & 0xc0 == 0x80) {
        end -= 1;
    }
    text.get(..end).unwrap_or(text)
}

/// Decimal digits as a number: 0 if there is anything else. What is past 64 bits is lost.
#[must_use]
pub fn number(text: &[u8]) -> u64 {
    let mut sum = 0u64;
    for digit in text {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return 0;
        }
        sum = sum.wrapping_mul(10).wrapping_add(u64::from(digit));
    }
    sum
}

/// Appends a number in decimal digits.
pub fn push_number(out: &mut Vec<u8>, number: u64) {
    if number > 9 {
        push_number(out, number / 10);
    }
    out.push(b'0' + (number % 10) as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_cut_at_separators() {
        let mut fields = Fields::new(b"a\x0c\x0cb");
        assert_eq!((fields.text(), fields.text(), fields.text(), fields.text()), (&b"a"[..], &b""[..], &b"b"[..], &b""[..]));
        assert_eq!(Fields::new(b"a\x0cb\x0cc\x0c").after(2).rest, b"c\x0c");
        assert_eq!(Fields::NONE.after(9).rest, b"");
    }

    #[test]
    fn numbers_are_digits_and_nothing_else() {
        assert_eq!(number(b"1700000000000"), 1_700_000_000_000);
        assert_eq!(number(b"18446744073709551615"), u64::MAX);
        for none in ["", "0", "-1", "1.5", "1e3", " 1", "NaN"] {
            assert_eq!(number(none.as_bytes()), 0, "{none}");
        }
        let mut out = Vec::new();
        push_number(&mut out, u64::MAX);
        assert_eq!(out, b"18446744073709551615");
    }

    #[test]
    fn a_cut_keeps_characters_whole() {
        let text = "aéz".as_bytes();
        assert_eq!(cut(text, 2), b"a");
        assert_eq!(cut(text, 3), "aé".as_bytes());
        assert_eq!(cut(text, 4), text);
        assert_eq!(cut(text, 9), text);
        assert_eq!(cut("é".as_bytes(), 1), b"");
    }
}
