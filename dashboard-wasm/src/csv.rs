//! Rows as a CSV file (RFC 4180).

/// The file: a line for the heads, one for each row.
#[must_use]
pub fn file(heads: &[&str], rows: &[Vec<String>]) -> String {
    let heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
    let mut out = String::new();
    for row in std::iter::once(&heads).chain(rows) {
        let cells: Vec<String> = row.iter().map(|cell| cell_of(cell)).collect();
        out.push_str(&cells.join(","));
        out.push_str("\r\n");
    }
    out
}

/// Quoted where it must be. A spreadsheet takes a text that begins like a formula for one, and the texts come from visitors: an apostrophe keeps
/// it a text.
fn cell_of(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number(text);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// Whether a text is a number as [`crate::format::decimal`] writes them.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_taken_for_something_else_is_quoted() {
        let rows = [vec!["/a,b \"c\"".to_owned(), "12".into()], vec!["=HYPERLINK(1)".into(), "-3".into()]];
        assert_eq!(file(&["Page", "Views"], &rows), "Page,Views\r\n\"/a,b \"\"c\"\"\",12\r\n'=HYPERLINK(1),-3\r\n");
        assert_eq!(file(&["Page"], &[]), "Page\r\n");
    }
}
