//! Tallies in sheets, one for each dimension: who asks for one dimension reads no other.
use std::collections::BTreeMap;

use super::{Row, Tallies};
use crate::RowDimension;

impl Tallies {
    /// These rows by [`RowDimension::sheet`], each sheet with a dictionary of its own. All have the total, the first has nothing else.
    #[must_use]
    pub fn sheets(&self) -> Vec<(RowDimension, Self)> {
        let total = self.of(RowDimension::Total);
        let mut sheets: BTreeMap<RowDimension, Vec<Row>> = BTreeMap::from([(RowDimension::Total, total.to_vec())]);
        for row in &self.rows[total.len()..] {
            sheets.entry(row.key.dimension.sheet()).or_insert_with(|| total.to_vec()).push(row.clone());
        }
        let sheet = |(of, rows)| (of, Self { dict: self.dict.clone(), rows }.pruned());
        sheets.into_iter().map(sheet).collect()
    }

    /// All rows of sheets that came from the same tallies.
    #[must_use]
    pub fn of_sheets(mut sheets: Vec<Self>) -> Self {
        for sheet in sheets.iter_mut().skip(1) {
            sheet.rows.retain(|row| row.key.dimension != RowDimension::Total);
        }
        Self::merge(&sheets.iter().collect::<Vec<_>>())
    }
}
