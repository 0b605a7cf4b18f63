-- Version 7: saved dashboards, and links that show one of them.

CREATE TABLE dashboards (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    site INTEGER NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    widgets TEXT NOT NULL,            -- JSON, as the API has them
    UNIQUE (site, name)
) STRICT;

-- A link to a dashboard goes with it: it was never meant to show another one.
ALTER TABLE links ADD COLUMN dashboard INTEGER REFERENCES dashboards (id) ON DELETE CASCADE;
CREATE INDEX links_of_dashboard ON links (dashboard);
