-- Version 4: people and their roles, shared links, segments, annotations.

CREATE TABLE people (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    email TEXT NOT NULL UNIQUE,       -- in small letters
    name TEXT NOT NULL,
    admin INTEGER NOT NULL,
    password TEXT,                    -- a PHC string of Argon2id; NULL until an invitation was accepted
    created INTEGER NOT NULL
) STRICT;

CREATE TABLE roles (
    person INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    site INTEGER NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ('owner', 'editor', 'viewer')),
    PRIMARY KEY (person, site)
) STRICT, WITHOUT ROWID;

-- The latest invitation of each person: it sets the password.
CREATE TABLE invitations (
    person INTEGER PRIMARY KEY REFERENCES people (id) ON DELETE CASCADE,
    hash BLOB NOT NULL UNIQUE,
    expires INTEGER NOT NULL
) STRICT;

-- A link shows no more than the numbers beside it, so its secret may stand here: people want to copy it again.
CREATE TABLE links (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    site INTEGER NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    secret TEXT NOT NULL UNIQUE,
    password TEXT,                    -- a PHC string of Argon2id; NULL: none is asked for
    created INTEGER NOT NULL,
    UNIQUE (site, name)
) STRICT;

ALTER TABLE sessions ADD COLUMN person INTEGER REFERENCES people (id) ON DELETE CASCADE;
ALTER TABLE sessions ADD COLUMN link INTEGER REFERENCES links (id) ON DELETE CASCADE;
CREATE INDEX sessions_by_person ON sessions (person) WHERE person IS NOT NULL;
CREATE INDEX sessions_by_link ON sessions (link) WHERE link IS NOT NULL;

-- Not the segments of buckets: filters that people gave a name.
CREATE TABLE saved_segments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    site INTEGER NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    filters TEXT NOT NULL,            -- JSON, as a query has them
    UNIQUE (site, name)
) STRICT;

CREATE TABLE annotations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    site INTEGER NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    date TEXT NOT NULL,               -- a day of the site's clock, as 2026-11-22
    text TEXT NOT NULL
) STRICT;
CREATE INDEX annotations_by_site ON annotations (site, date);
