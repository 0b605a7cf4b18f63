-- Version 2: goals.

CREATE TABLE goals (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    site INTEGER NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    event TEXT,                       -- the name of an event, or
    page TEXT,                        -- a path in which * stands for any text
    value INTEGER,                    -- millionths; NULL: none
    currency TEXT NOT NULL,           -- ISO 4217 code; empty: the value is no money
    CHECK ((event IS NULL) <> (page IS NULL)),
    UNIQUE (site, name),
    UNIQUE (site, event),
    UNIQUE (site, page)
) STRICT;
