//! headwater-tracker
