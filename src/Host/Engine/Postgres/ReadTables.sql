-- The read tables on PostgreSQL: the same as on SQLite, and whose turn it is to fill them. Ordering is the number of the
-- event in the feed, counted from 1 in the order (tx, ordering) of the journal. The clock is the database's.
CREATE TABLE position (
    one      boolean     PRIMARY KEY DEFAULT true CHECK (one),
    ordering bigint      NOT NULL,
    tx       xid8        NOT NULL,
    place    bigint      NOT NULL,
    owner    text,
    until    timestamptz NOT NULL
);
INSERT INTO position VALUES (true, 0, '0', 0, NULL, '-infinity');

-- The fold of each entity. Times are .NET ticks, UTC.
CREATE TABLE entities (
    id         text COLLATE "C" PRIMARY KEY,
    kind       text COLLATE "C" NOT NULL,
    host       text COLLATE "C",
    switch     text COLLATE "C",
    revision   bigint NOT NULL,
    sequence   bigint NOT NULL,
    ordering   bigint NOT NULL,
    created    bigint NOT NULL,
    updated    bigint NOT NULL,
    gone       bigint NOT NULL,
    drifted    bigint NOT NULL,
    open_work  bigint NOT NULL,
    state_name text COLLATE "C" NOT NULL,
    state      bytea NOT NULL,
    notes      bytea NOT NULL
);
CREATE INDEX entities_by_kind ON entities (kind, id) WHERE gone = 0;
CREATE INDEX entities_by_host ON entities (host, kind, id) WHERE gone = 0;
CREATE INDEX entities_with_open_work ON entities (id) WHERE open_work = 1;
CREATE INDEX entities_by_switch ON entities (switch, kind, id) WHERE gone = 0;

-- An index over the journal; bodies stay there.
CREATE TABLE events (
    ordering    bigint PRIMARY KEY,
    actor       text COLLATE "C" NOT NULL,
    sequence    bigint NOT NULL,
    at          bigint NOT NULL,
    type        text COLLATE "C" NOT NULL,
    version     bigint NOT NULL,
    who         text COLLATE "C" NOT NULL,
    correlation text COLLATE "C" NOT NULL,
    cause       text COLLATE "C",
    oid         text COLLATE "C",
    hash        bytea NOT NULL
);
CREATE INDEX events_by_actor ON events (actor, ordering);
CREATE INDEX events_by_type ON events (type, ordering);
CREATE INDEX events_by_who ON events (who, ordering);
CREATE INDEX events_by_correlation ON events (correlation, ordering);

CREATE TABLE operations (
    id          text COLLATE "C" PRIMARY KEY,
    actor       text COLLATE "C" NOT NULL,
    kind        text COLLATE "C" NOT NULL,
    status      text COLLATE "C" NOT NULL,
    problem     bytea,
    started     bigint NOT NULL,
    ended       bigint,
    ended_ordering bigint,
    correlation text COLLATE "C" NOT NULL
);
CREATE INDEX operations_by_end ON operations (ended_ordering) WHERE ended_ordering IS NOT NULL;

-- Requests of doors by their key, with the answer once there is one.
CREATE TABLE requests (
    message_id text COLLATE "C" PRIMARY KEY,
    entity     text COLLATE "C" NOT NULL,
    body_hash  text COLLATE "C",
    reply_name text COLLATE "C",
    payload    bytea,
    sequence   bigint NOT NULL,
    revision   bigint NOT NULL,
    at         bigint NOT NULL
);
CREATE INDEX requests_by_age ON requests (at);

CREATE TABLE alarms (
    entity   text COLLATE "C" NOT NULL,
    code     text COLLATE "C" NOT NULL,
    severity text COLLATE "C" NOT NULL,
    since    bigint NOT NULL,
    reason   text COLLATE "C" NOT NULL,
    action   text COLLATE "C" NOT NULL,
    PRIMARY KEY (entity, code)
);

-- Entities whose view stopped at an event that could not be folded; the others go on.
CREATE TABLE stopped_views (
    entity   text COLLATE "C" PRIMARY KEY,
    ordering bigint NOT NULL,
    error    text COLLATE "C" NOT NULL
);
