//! Percent-encoding (RFC 3986) of what stands in addresses.

/// Everything but unreserved characters encoded, and a few that every browser leaves as they are in a query and that make it readable.
#[must_use]
pub fn encode(text: &str) -> String {
    kept(text, b"-._~")
}

/// As [`encode`], but paths and the names of dimensions stay readable. Commas, `&`, `=` and `#` are encoded.
#[must_use]
pub fn encode_readable(text: &str) -> String {
    kept(text, b"-._~/:*@!()")
}

fn kept(text: &str, plain: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || plain.contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// The text of an encoded one. What is no encoding stays as it is; bytes that are no UTF-8 become the replacement character.
#[must_use]
pub fn decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let digit = |at: usize| after.get(at).and_then(|b| char::from(*b).to_digit(16));
        if let (b'%', Some(high), Some(low)) = (first, digit(0), digit(1)) {
            out.push((high * 16 + low) as u8);
            rest = after.get(2..).unwrap_or_default();
        } else {
            out.push(first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_encoded_is_read_back() {
        for text in ["", "/blog/a,b", "München & mehr", "100%", "%zz", "a=b#c?d+e", "\u{1f600}"] {
            assert_eq!(decode(&encode(text)), text);
            assert_eq!(decode(&encode_readable(text)), text);
        }
        assert_eq!(encode_readable("/a b,c"), "/a%20b%2Cc");
        assert_eq!(decode("%"), "%");
        assert_eq!(decode("%ff"), "\u{fffd}");
    }
}
