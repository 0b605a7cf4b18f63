//! headwater-tracker-logic
