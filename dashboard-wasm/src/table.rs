//! The rows of a panel.
use headwater_query::ResultRow;

use crate::panel::Panel;
use crate::report::{Figure, Reading};

/// The value that stands for everything beyond the caps.
const OTHER: &str = "(other)";

/// A row of a panel.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The dimension's value, as the API names it.
    pub value: String,
    /// The two columns.
    pub figures: [Figure; 2],
    /// The length of the bar, 0 to 1: the first column as a share of the largest.
    pub share: f64,
}

impl Row {
    /// Whether it stands for everything beyond the caps.
    #[must_use]
    pub fn is_other(&self) -> bool {
        self.value == OTHER
    }
}

/// The rows of a panel.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// The rows, largest first, with `(other)` at the end.
    pub rows: Vec<Row>,
    /// How many rows there are in all.
    pub total: u64,
}

impl Table {
    /// Reads the answer to [`crate::question::panel`].
    #[must_use]
    pub fn read(reading: &Reading, panel: Panel) -> Self {
        let [first, second] = panel.columns();
        let largest = (0..reading.results.len()).filter_map(|n| reading.figure(n, 0, first).value).fold(0.0, f64::max);
        let row = |(n, result): (usize, &ResultRow)| {
            let figures = [reading.figure(n, 0, first), reading.figure(n, 1, second)];
            let share = if largest > 0.0 { figures[0].value.unwrap_or(0.0) / largest } else { 0.0 };
            Row { value: result.dimensions.first().cloned().unwrap_or_default(), figures, share }
        };
        let mut rows: Vec<_> = reading.results.iter().enumerate().map(row).collect();
        rows.sort_by_key(Row::is_other);
        let total = reading.meta.total_rows.unwrap_or(rows.len() as u64);
        Self { rows, total }
    }

    /// The row of a value.
    #[must_use]
    pub fn row(&self, value: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.value == value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(json: &str) -> Reading {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_table_ends_with_the_rest() {
        let table = Table::read(
            &reading(
                r#"{"results":[{"metrics":[8,9],"dimensions":["(other)"]},{"metrics":[4,6],"dimensions":["/"]},{"metrics":[2,2],"dimensions":["/a"]}],"meta":{"total_rows":30}}"#,
            ),
            Panel::Pages,
        );
        let values: Vec<_> = table.rows.iter().map(|r| (r.value.as_str(), r.share)).collect();
        assert_eq!(values, [("/", 0.5), ("/a", 0.25), ("(other)", 1.0)]);
        assert_eq!((table.total, table.row("/a").is_some(), table.row("/b").is_none()), (30, true, true));
    }
}
