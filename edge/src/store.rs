//! What a shell's transaction must offer: small tables from key to value, and an inbox to append to. Everything that is
//! decided inside a transaction is decided here, in pure code, through this trait.

/// A small table in the transaction's store, key and value being bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Which beacons of a page load have come, by the UTC day of their last arrival (days since 1970).
    Loads(u32),
    /// Ids of events, by the UTC day of their last arrival.
    Ids(u32),
    /// The visits of visitors whose browser does not run our tracker, by the UTC hour of their last event's arrival.
    Visits(u32),
}

impl Table {
    /// The name in the store: `loads_20000`.
    #[must_use]
    pub fn name(self) -> String {
        let (kind, period) = match self {
            Self::Loads(day) => ("loads", day),
            Self::Ids(day) => ("ids", day),
            Self::Visits(hour) => ("visits", hour),
        };
        format!("{kind}_{period}")
    }

    /// The table of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let (kind, period) = name.split_once('_')?;
        let period = period.parse().ok()?;
        match kind {
            "loads" => Some(Self::Loads(period)),
            "ids" => Some(Self::Ids(period)),
            "visits" => Some(Self::Visits(period)),
            _ => None,
        }
    }
}

/// One open transaction of an inbox. An error ends the transaction: nothing of it was done, and nobody is answered 202.
pub trait Transaction {
    /// What can go wrong.
    type Error;

    /// The value of `key`; `None` too if the table does not exist.
    ///
    /// # Errors
    /// The store's.
    fn get(&mut self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Self::Error>;

    /// Writes the value of `key`, making the table if need be.
    ///
    /// # Errors
    /// The store's.
    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<(), Self::Error>;

    /// Appends a block to the inbox, behind all that are there.
    ///
    /// # Errors
    /// The store's.
    fn append(&mut self, block: &[u8]) -> Result<(), Self::Error>;
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::convert::Infallible;

    /// A store in memory, for laws.
    #[derive(Clone, Default)]
    pub(crate) struct Memory {
        pub(crate) tables: BTreeMap<(Table, Vec<u8>), Vec<u8>>,
        pub(crate) blocks: Vec<Vec<u8>>,
        pub(crate) gets: usize,
    }

    impl Memory {
        /// Drops the tables that are past.
        pub(crate) fn expire(&mut self, at: headwater_core::Millis) {
            self.tables.retain(|(table, _), _| !crate::dedup::is_past(*table, at));
        }
    }

    impl Transaction for Memory {
        type Error = Infallible;

        fn get(&mut self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Infallible> {
            self.gets += 1;
            Ok(self.tables.get(&(table, key.to_vec())).cloned())
        }

        fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<(), Infallible> {
            self.tables.insert((table, key.to_vec()), value.to_vec());
            Ok(())
        }

        fn append(&mut self, block: &[u8]) -> Result<(), Infallible> {
            self.blocks.push(block.to_vec());
            Ok(())
        }
    }

    #[test]
    fn a_table_is_found_by_its_name() {
        for table in [Table::Loads(1), Table::Ids(20_000), Table::Visits(0)] {
            assert_eq!(Table::from_name(&table.name()), Some(table));
        }
        for other in ["", "records", "loads_", "loads_x", "x_1", "sqlite_sequence"] {
            assert_eq!(Table::from_name(other), None);
        }
    }
}
