-- Salts of imports that have not ended.
CREATE TABLE imports (
    site INTEGER NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    import BLOB NOT NULL,
    salt BLOB NOT NULL CHECK (length(salt) = 32),
    at INTEGER NOT NULL,
    PRIMARY KEY (site, import)
) STRICT, WITHOUT ROWID;
