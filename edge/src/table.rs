//! Tables that are compiled in: text, a line for each entry, sorted by bytes, so that they cost their own size and nothing
//! at start.

/// Splits a table in two at the start of a line, and gives the first line of the second half.
fn halve(table: &str) -> (&str, &str, &str) {
    let middle = table.as_bytes()[..table.len() / 2].iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
    let (before, from) = table.split_at(middle);
    let (line, after) = from.split_once('\n').unwrap_or((from, ""));
    (before, line, after)
}

/// What stands behind the tab of the line that begins with `key`.
pub(crate) fn value<'t>(table: &'t str, key: &str) -> Option<&'t str> {
    let mut rest = table;
    while !rest.is_empty() {
        let (before, line, after) = halve(rest);
        let (name, value) = line.split_once('\t').unwrap_or((line, ""));
        rest = match key.cmp(name) {
            core::cmp::Ordering::Equal => return Some(value),
            core::cmp::Ordering::Less => before,
            core::cmp::Ordering::Greater => after,
        };
    }
    None
}

/// Whether `text` begins with a line of a table in which no line begins with another: then only the last line that is not
/// greater than the text can be it.
pub(crate) fn begins(table: &str, text: &[u8]) -> bool {
    let (mut rest, mut last) = (table, "");
    while !rest.is_empty() {
        let (before, line, after) = halve(rest);
        if line.as_bytes() <= text {
            (last, rest) = (line, after);
        } else {
            rest = before;
        }
    }
    !last.is_empty() && text.starts_with(last.as_bytes())
}

/// Whether the lines are sorted, and none is empty or begins with another: what [`begins`] needs.
#[cfg(test)]
pub(crate) fn is_prefix_free(table: &str) -> bool {
    let lines: Vec<&str> = table.lines().collect();
    lines.iter().all(|line| !line.is_empty())
        && lines.windows(2).all(|two| two[0].as_bytes() < two[1].as_bytes() && !two[1].starts_with(two[0]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "a\t1\nab\t2\nb\t\nzz\t4\n";

    #[test]
    fn lines_are_found_by_key() {
        let found: Vec<_> = ["a", "ab", "b", "zz", "", "aa", "zzz", "\n", "\t"].iter().map(|key| value(TABLE, key)).collect();
        assert_eq!(found, [Some("1"), Some("2"), Some(""), Some("4"), None, None, None, None, None]);
        assert_eq!(value("", "a"), None);
    }

    proptest::proptest! {
        #[test]
        fn a_beginning_is_found_as_by_looking_at_every_line(
            mut lines in proptest::collection::btree_set("[abc]{1,3}", 0..8),
            text in "[abc]{0,6}",
        ) {
            let all = lines.clone();
            lines.retain(|line| !all.iter().any(|other| other != line && line.starts_with(other.as_str())));
            let table: String = lines.iter().map(|line| format!("{line}\n")).collect();
            proptest::prop_assert!(is_prefix_free(&table));
            let expected = lines.iter().any(|line| text.starts_with(line.as_str()));
            proptest::prop_assert_eq!(begins(&table, text.as_bytes()), expected);
        }
    }
}
