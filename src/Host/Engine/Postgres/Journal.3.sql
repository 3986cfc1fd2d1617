-- What the nodes speak: 1 is what was spoken before this column was. Of a member: the newest that it may use.
ALTER TABLE controlplane.cluster_member ADD COLUMN wire integer NOT NULL DEFAULT 1;

-- Of the cluster: raised when all members may use it, and never lowered, as what was said in it stays in the journal.
ALTER TABLE controlplane.cluster_founding ADD COLUMN wire integer NOT NULL DEFAULT 1;
