//! Columns for people.

/// Lines of `header` and `rows` in columns, the first left, those in `right` (by index) right.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>], right: impl Fn(usize) -> bool) -> String {
    let width = |text: &str| text.chars().count();
    let mut widths: Vec<usize> = header.iter().map(|h| width(h)).collect();
    for row in rows {
        for (column, cell) in widths.iter_mut().zip(row) {
            *column = (*column).max(width(cell));
        }
    }
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut line = String::new();
        for (index, (cell, column)) in cells.zip(&widths).enumerate() {
            let space = " ".repeat(column - width(cell));
            let gap = if index == 0 { "" } else { "  " };
            if right(index) {
                line.extend([gap, &space, cell]);
            } else {
                line.extend([gap, cell, &space]);
            }
        }
        line.truncate(line.trim_end().len());
        line.push('\n');
        line
    };
    let mut text = line(&mut header.iter().copied());
    for row in rows {
        text.push_str(&line(&mut row.iter().map(String::as_str)));
    }
    text
}

/// What a terminal may do with control characters stays out of it.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other() {
        let rows = [vec!["/".to_owned(), "12".to_owned()], vec!["/a-long-page".to_owned(), "3".to_owned()]];
        let text = table(&["page", "views"], &rows, |column| column > 0);
        assert_eq!(text, "page          views\n/                12\n/a-long-page      3\n");
        assert_eq!(printable("a\u{1b}[2Jb"), "a\u{fffd}[2Jb");
    }
}
