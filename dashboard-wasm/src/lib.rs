//! headwater-dashboard
