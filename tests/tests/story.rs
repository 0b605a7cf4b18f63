//! One click becomes a number: the whole path, in a real browser.
