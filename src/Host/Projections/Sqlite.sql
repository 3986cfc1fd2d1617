CREATE TABLE position (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    ordering INTEGER NOT NULL
);
INSERT INTO position VALUES (1, 0);

-- The fold of each entity. Times are .NET ticks, UTC.
CREATE TABLE entities (
    id         TEXT PRIMARY KEY,
    kind       TEXT NOT NULL,
    host       TEXT,
    switch     TEXT,
    revision   INTEGER NOT NULL,
    sequence   INTEGER NOT NULL,
    ordering   INTEGER NOT NULL,
    created    INTEGER NOT NULL,
    updated    INTEGER NOT NULL,
    gone       INTEGER NOT NULL,
    drifted    INTEGER NOT NULL,
    open_work  INTEGER NOT NULL,
    state_name TEXT NOT NULL,
    state      BLOB NOT NULL,
    notes      BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX entities_by_kind ON entities (kind, id) WHERE gone = 0;
CREATE INDEX entities_by_host ON entities (host, kind, id) WHERE gone = 0;
CREATE INDEX entities_with_open_work ON entities (id) WHERE open_work = 1;
CREATE INDEX entities_by_switch ON entities (switch, kind, id) WHERE gone = 0;

-- An index over the journal; bodies stay there.
CREATE TABLE events (
    ordering    INTEGER PRIMARY KEY,
    actor       TEXT NOT NULL,
    sequence    INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    type        TEXT NOT NULL,
    version     INTEGER NOT NULL,
    who         TEXT NOT NULL,
    correlation TEXT NOT NULL,
    cause       TEXT,
    oid         TEXT,
    hash        BLOB NOT NULL
);
CREATE INDEX events_by_actor ON events (actor, ordering);
CREATE INDEX events_by_type ON events (type, ordering);
CREATE INDEX events_by_who ON events (who, ordering);
CREATE INDEX events_by_correlation ON events (correlation, ordering);

CREATE TABLE operations (
    id          TEXT PRIMARY KEY,
    actor       TEXT NOT NULL,
    kind        TEXT NOT NULL,
    status      TEXT NOT NULL,
    problem     BLOB,
    started     INTEGER NOT NULL,
    ended       INTEGER,
    ended_ordering INTEGER,
    correlation TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX operations_by_end ON operations (ended_ordering) WHERE ended_ordering IS NOT NULL;

-- Requests of doors by their key, with the answer once there is one.
CREATE TABLE requests (
    message_id TEXT PRIMARY KEY,
    entity     TEXT NOT NULL,
    body_hash  TEXT,
    reply_name TEXT,
    payload    BLOB,
    sequence   INTEGER NOT NULL,
    revision   INTEGER NOT NULL,
    at         INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX requests_by_age ON requests (at);

CREATE TABLE alarms (
    entity   TEXT NOT NULL,
    code     TEXT NOT NULL,
    severity TEXT NOT NULL,
    since    INTEGER NOT NULL,
    reason   TEXT NOT NULL,
    action   TEXT NOT NULL,
    PRIMARY KEY (entity, code)
) WITHOUT ROWID;

-- Entities whose view stopped at an event that could not be folded; the others go on.
CREATE TABLE stopped_views (
    entity   TEXT PRIMARY KEY,
    ordering INTEGER NOT NULL,
    error    TEXT NOT NULL
) WITHOUT ROWID;
