-- Version 6: what bots sent, by site and day of the site's clock. It is in no total.
CREATE TABLE bots (
    site INTEGER NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    day INTEGER NOT NULL,             -- days since 1970-01-01
    count INTEGER NOT NULL,
    PRIMARY KEY (site, day)
) STRICT, WITHOUT ROWID;
