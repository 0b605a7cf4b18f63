//! The sums of a question's rows, added up unit by unit.
use headwater_core::Minute;

use super::choice::Choice;
use super::groups::Groups;
use super::needs::{Needs, Shape};
use super::room::{Room, Stop};
use super::unit::{self, Added, Job, Part};
use crate::Dimension;
use crate::totals::{Table, Totals, What};

/// The sums of rows, bucket by bucket in the order of time.
pub(super) struct Ledger<'n> {
    needs: &'n Needs,
    /// The dimensions with the entry page in place of the page.
    by_entry: Vec<Dimension>,
    groups: Groups,
    table: Table,
    /// The row that is being added up, and the smallest share of any sample of it so far.
    row: Option<Minute>,
    share: f64,
    /// Start of its time, group, totals.
    rows: Vec<(Minute, u32, Totals)>,
    /// The visitors of all groups, each once, if they are asked for.
    pub(super) everyone: Option<Totals>,
    /// How many rows room was made for.
    pub(super) counted: usize,
}

impl<'n> Ledger<'n> {
    pub(super) fn new(needs: &'n Needs) -> Self {
        let by_entry = Shape { dimensions: needs.shape.dimensions.clone(), filters: Vec::new() }.by_entry().dimensions;
        let (groups, table) = (Groups::default(), Table::default());
        Self { needs, by_entry, groups, table, row: None, share: 1.0, rows: Vec::new(), everyone: None, counted: 0 }
    }

    /// Adds buckets, all those of each row and identity window at once, as long as there is room.
    pub(super) fn add(&mut self, choice: &Choice, parts: &[Part<'_>], room: &Room) -> Result<(), Stop> {
        for unit in parts.chunk_by(|a, b| (a.row, a.window) == (b.row, b.window)) {
            if self.row != Some(unit[0].row) {
                self.end_row();
                self.row = Some(unit[0].row);
            }
            let job = Job { needs: self.needs, choice, by_entry: &self.by_entry };
            let Added { share, visitors } = unit::add(&job, unit, &mut self.groups, &mut self.table);
            self.share = self.share.min(share);
            if let Some(everyone) = &mut self.everyone {
                everyone.add_found(What::Visitors, visitors, visitors as f64, share);
                everyone.settle();
                everyone.miss(share);
            }
            let before = std::mem::replace(&mut self.counted, self.rows.len() + self.table.len());
            room.add(self.counted.saturating_sub(before), self.counted)?;
        }
        Ok(())
    }

    fn end_row(&mut self) {
        let Some(row) = self.row.take() else { return };
        if self.needs.shape.dimensions.is_empty() {
            // The one row there is, even if nobody passes: samples may have missed who does.
            self.table.at(0);
        }
        let share = std::mem::replace(&mut self.share, 1.0);
        self.rows.extend(self.table.take(share).map(|(group, totals)| (row, group, totals)));
    }

    /// The groups, and the rows in order of time.
    pub(super) fn finish(mut self) -> (Groups, Vec<(Minute, u32, Totals)>) {
        self.end_row();
        (self.groups, self.rows)
    }
}
