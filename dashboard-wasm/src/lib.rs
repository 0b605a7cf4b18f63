//! The dashboard of Headwater.
