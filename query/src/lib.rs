//! headwater-query
