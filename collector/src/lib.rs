//! headwater-collector
