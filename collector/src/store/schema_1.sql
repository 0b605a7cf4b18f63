-- Version 1 of headwater.db, without the buckets, whose tables their own module makes.
-- Times are milliseconds, minutes are whole minutes, both since 1970 UTC.

CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
-- `accounts` counts every change of what the server keeps in memory, also those made by other processes.
INSERT INTO meta VALUES ('accounts', 0), ('changes_floor', 0), ('probe', 0);

-- The installation's key: by it edges spread events over their shards. SQLite's generator is seeded by the system.
CREATE TABLE installation (key BLOB NOT NULL CHECK (length(key) = 32)) STRICT;
INSERT INTO installation VALUES (randomblob(32));

-- AUTOINCREMENT: the id of a deleted site never comes back, because late batches may still name it.
CREATE TABLE sites (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    domain TEXT NOT NULL UNIQUE,
    hosts TEXT NOT NULL,              -- JSON array; empty: the domain and its subdomains
    public INTEGER NOT NULL,
    shards INTEGER NOT NULL DEFAULT 1, -- on how many objects an edge on Workers spreads it
    created INTEGER NOT NULL,
    keep_minutes INTEGER,             -- days that the buckets of each grain are kept; NULL: for ever
    keep_hours INTEGER,
    keep_hour_samples INTEGER,        -- the same for the samples, which answer filters
    keep_days INTEGER,
    keep_day_samples INTEGER
) STRICT;

-- Sites that were removed, until the embedded edge has forgotten them, too.
CREATE TABLE removed (site INTEGER PRIMARY KEY) STRICT;

-- What governed the buckets of which time. A change takes effect at a local midnight; older rows stay.
CREATE TABLE site_settings (
    site INTEGER NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    from_minute INTEGER NOT NULL,
    zone TEXT NOT NULL,
    identity TEXT NOT NULL CHECK (identity IN ('day', 'month', 'device')),
    PRIMARY KEY (site, from_minute)
) STRICT, WITHOUT ROWID;

-- What keys the visitor hashes of one site and one identity window [from_minute, to_minute).
CREATE TABLE salts (
    site INTEGER NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    from_minute INTEGER NOT NULL,
    to_minute INTEGER NOT NULL,
    identity TEXT NOT NULL CHECK (identity IN ('day', 'month', 'device')),
    salt BLOB NOT NULL CHECK (length(salt) = 32),
    PRIMARY KEY (site, from_minute)
) STRICT, WITHOUT ROWID;

CREATE TABLE tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    scope TEXT NOT NULL CHECK (scope IN ('admin', 'read', 'ingest', 'edge')),
    hash BLOB NOT NULL UNIQUE,
    created INTEGER NOT NULL
) STRICT;

CREATE TABLE sessions (
    hash BLOB PRIMARY KEY,
    token INTEGER REFERENCES tokens (id) ON DELETE CASCADE, -- NULL: signed in by the printed link
    scope TEXT NOT NULL,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Links and tickets that work once.
CREATE TABLE one_time (
    hash BLOB PRIMARY KEY,
    site INTEGER REFERENCES sites (id) ON DELETE CASCADE,   -- NULL: a sign-in link; else a ticket for that site's live feed
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The minutes that changed last, for the live feed. The version is the feed's cursor: it only grows.
CREATE TABLE changes (
    version INTEGER PRIMARY KEY AUTOINCREMENT,
    site INTEGER NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    minute INTEGER NOT NULL,
    at INTEGER NOT NULL,
    UNIQUE (site, minute)
) STRICT;
CREATE INDEX changes_by_time ON changes (at);

CREATE TRIGGER sites_added AFTER INSERT ON sites BEGIN UPDATE meta SET value = value + 1 WHERE key = 'accounts'; END;
CREATE TRIGGER sites_changed AFTER UPDATE ON sites BEGIN UPDATE meta SET value = value + 1 WHERE key = 'accounts'; END;
CREATE TRIGGER sites_removed AFTER DELETE ON sites BEGIN UPDATE meta SET value = value + 1 WHERE key = 'accounts'; END;
CREATE TRIGGER settings_added AFTER INSERT ON site_settings BEGIN UPDATE meta SET value = value + 1 WHERE key = 'accounts'; END;
CREATE TRIGGER settings_changed AFTER UPDATE ON site_settings BEGIN UPDATE meta SET value = value + 1 WHERE key = 'accounts'; END;
CREATE TRIGGER settings_removed AFTER DELETE ON site_settings BEGIN UPDATE meta SET value = value + 1 WHERE key = 'accounts'; END;
CREATE TRIGGER salts_added AFTER INSERT ON salts BEGIN UPDATE meta SET value = value + 1 WHERE key = 'accounts'; END;
CREATE TRIGGER salts_changed AFTER UPDATE ON salts BEGIN UPDATE meta SET value = value + 1 WHERE key = 'accounts'; END;
CREATE TRIGGER salts_removed AFTER DELETE ON salts BEGIN UPDATE meta SET value = value + 1 WHERE key = 'accounts'; END;
CREATE TRIGGER tokens_added AFTER INSERT ON tokens BEGIN UPDATE meta SET value = value + 1 WHERE key = 'accounts'; END;
CREATE TRIGGER tokens_removed AFTER DELETE ON tokens BEGIN UPDATE meta SET value = value + 1 WHERE key = 'accounts'; END;
