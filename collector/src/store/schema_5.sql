-- Version 5: what other programs counted, as sums by day. Each import stands apart, so that it can be removed again.

CREATE TABLE aggregates (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    site INTEGER NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    source TEXT NOT NULL,             -- the program that counted
    content BLOB NOT NULL,            -- a hash of all that was imported together
    at INTEGER NOT NULL,
    UNIQUE (site, content)
) STRICT;

-- A day of a site belongs to one import at most.
CREATE TABLE aggregate_days (
    site INTEGER NOT NULL,
    day INTEGER NOT NULL,             -- days since 1970-01-01, by the site's clock
    aggregate INTEGER NOT NULL REFERENCES aggregates (id) ON DELETE CASCADE,
    digest BLOB NOT NULL,             -- of its rows
    visitors INTEGER NOT NULL,
    pageviews INTEGER NOT NULL,
    PRIMARY KEY (site, day)
) STRICT, WITHOUT ROWID;
CREATE INDEX aggregate_days_of ON aggregate_days (aggregate);

CREATE TABLE aggregate_rows (
    site INTEGER NOT NULL,
    dimension TEXT NOT NULL,          -- as in queries; empty: the total
    day INTEGER NOT NULL,
    rows BLOB NOT NULL,
    PRIMARY KEY (site, dimension, day),
    FOREIGN KEY (site, day) REFERENCES aggregate_days (site, day) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX aggregate_rows_of ON aggregate_rows (site, day);
