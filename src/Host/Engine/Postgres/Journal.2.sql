-- What nodes settle through the database. Times are the database's, so that no node's clock counts.

-- Who may decide after a partition. The token rises with each acquire.
CREATE TABLE controlplane.cluster_lease (
    name    text PRIMARY KEY,
    owner   text NOT NULL,
    token   bigint NOT NULL,
    expires timestamptz NOT NULL
);

-- Which processes are there. A removed one is never taken back: its uid is on record.
CREATE TABLE controlplane.cluster_member (
    address text NOT NULL,
    uid     bigint NOT NULL,
    state   text NOT NULL CHECK (state IN ('joining', 'up', 'removed')),
    started timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (address, uid)
);

-- How often a cluster was founded in this database: members of an older one end.
CREATE TABLE controlplane.cluster_founding (
    one     integer PRIMARY KEY CHECK (one = 1),
    number  bigint NOT NULL
);
INSERT INTO controlplane.cluster_founding VALUES (1, 0);
