-- The journal. The plugin reads it and does not make it: its own layout has two more indexes, a third of the write rate.
-- The primary key is the fence; the other index is the order of the feed. ordering is given out before the commit, so
-- rows become visible out of its order; tx is what tells when no earlier row can appear any more.
CREATE TABLE controlplane.journal (
    ordering        bigint  GENERATED ALWAYS AS IDENTITY,
    created         bigint  NOT NULL,
    sequence_number bigint  NOT NULL,
    tx              xid8    NOT NULL DEFAULT pg_current_xact_id(),
    identifier      integer,
    deleted         boolean NOT NULL DEFAULT false,
    persistence_id  text    COLLATE "C" NOT NULL,
    manifest        text,
    tags            text,
    writer_uuid     text,
    message         bytea   NOT NULL,
    CONSTRAINT journal_fence PRIMARY KEY (persistence_id, sequence_number)
);
CREATE INDEX journal_feed ON controlplane.journal (tx, ordering);

CREATE TABLE controlplane.snapshot (
    persistence_id  text   COLLATE "C" NOT NULL,
    sequence_number bigint NOT NULL,
    created         bigint NOT NULL,
    snapshot        bytea,
    manifest        text,
    serializer_id   integer,
    PRIMARY KEY (persistence_id, sequence_number)
);

-- Which cluster this is, on which server and timeline it was last seen, and whether a loss of data awaits an operator.
CREATE TABLE controlplane.cluster (
    one               boolean     PRIMARY KEY DEFAULT true CHECK (one),
    cluster_id        uuid        NOT NULL DEFAULT gen_random_uuid(),
    created           timestamptz NOT NULL DEFAULT now(),
    schema_version    integer     NOT NULL,
    system_identifier bigint      NOT NULL,
    timeline          integer     NOT NULL,
    loss_no           bigint      NOT NULL DEFAULT 0,
    loss              text
);
INSERT INTO controlplane.cluster (schema_version, system_identifier, timeline)
SELECT 1, system_identifier, ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::integer FROM pg_control_system();
