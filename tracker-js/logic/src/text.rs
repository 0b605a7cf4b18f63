//! Small tools for text, each a few dozen bytes of Wasm where the standard library's would be hundreds.
//!
//! Text is kept as bytes of UTF-8. It is cut at ASCII bytes and between characters only, so it stays UTF-8.

/// Separates the fields of messages and of the stored visit: the form feed, which nobody types and JSON writes in two bytes.
pub const SEPARATOR: u8 = 0x0c;

/// Bytes in a place of fixed size, which spares the tracker an allocator.
#[repr(C)]
#[derive(Debug)]
pub struct Buf<T: ?Sized = [u8]> {
    /// How many of the bytes are in use.
    pub len: usize,
    /// The place.
    pub bytes: T,
}

impl<const SIZE: usize> Buf<[u8; SIZE]> {
    /// Nothing in it.
    pub const EMPTY: Self = Self { len: 0, bytes: [0; SIZE] };
}

/// What is in a buffer from a place on.
#[must_use]
#[inline(always)]
pub fn since(out: &Buf, start: usize) -> &[u8] {
    out.bytes.get(start..out.len).unwrap_or_default()
}

/// What is in a buffer.
#[must_use]
pub fn get(out: &Buf) -> &[u8] {
    since(out, 0)
}

/// Appends `data`, whole or not at all.
#[inline(never)]
pub fn put(out: &mut Buf, data: &[u8]) {
    let end = out.len + data.len();
    if let Some(place) = out.bytes.get_mut(out.len..end) {
        place.copy_from_slice(data);
        out.len = end;
    }
}

/// Puts `data` in the place of what was there.
pub fn set(out: &mut Buf, data: &[u8]) {
    out.len = 0;
    put(out, data);
}

/// Appends a number in decimal digits.
pub fn put_number(out: &mut Buf, number: u64) {
    if number > 9 {
        put_number(out, number / 10);
    }
    put(out, &[b'0' + (number % 10) as u8]);
}

/// Appends a number in groups of seven bits, lowest first.
pub fn put_varint(out: &mut Buf, mut number: u64) {
    while number >= 0x80 {
        put(out, &[number as u8 | 0x80]);
        number >>= 7;
    }
    put(out, &[number as u8]);
}

/// Text cut into fields. After the last there are only empty ones.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    /// What is not read yet.
    pub rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// The fields of `text`.
    #[must_use]
    pub const fn new(text: &'a [u8]) -> Self {
        Self { rest: text }
    }

    /// The next field.
    #[inline(always)]
    pub fn text(&mut self) -> &'a [u8] {
        let (field, rest) = cut_at(self.rest, SEPARATOR);
        self.rest = rest;
        field
    }

    /// The first byte of the next field, 0 if it is empty.
    pub fn letter(&mut self) -> u8 {
        self.text().first().copied().unwrap_or_default()
    }

    /// The next fields with the separators after them.
    pub fn take(&mut self, count: u32) -> &'a [u8] {
        let before = self.rest;
        for _ in 0..count {
            self.text();
        }
        before.get(..before.len() - self.rest.len()).unwrap_or_default()
    }

    /// The next field as a whole number: 0 if it is none. What is past 64 bits is lost.
    pub fn number(&mut self) -> u64 {
        number(self.text())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_cut_at_separators() {
        let mut fields = Fields::new(b"a\x0c\x0cb");
        assert_eq!((fields.text(), fields.text(), fields.text(), fields.text()), (&b"a"[..], &b""[..], &b"b"[..], &b""[..]));
        let mut fields = Fields::new(b"a\x0c\x0cb");
        assert_eq!((fields.take(2), fields.take(2), fields.take(1)), (&b"a\x0c\x0c"[..], &b"b"[..], &b""[..]));
    }

    #[test]
    fn numbers_are_digits_and_nothing_else() {
        assert_eq!(number(b"1700000000000"), 1_700_000_000_000);
        assert_eq!(number(b"18446744073709551615"), u64::MAX);
        for none in ["", "0", "-1", "1.5", "1e3", " 1", "NaN"] {
            assert_eq!(number(none.as_bytes()), 0, "{none}");
        }
        let mut out = Buf::<[u8; 20]>::EMPTY;
        put_number(&mut out, u64::MAX);
        assert_eq!(get(&out), b"18446744073709551615");
        put(&mut out, b"x");
        assert_eq!(out.len, 20, "full");
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
