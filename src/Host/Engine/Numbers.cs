using Akka.Remote.Hosting;

namespace ControlPlane.Host.Engine;

/// <summary>Every number of the engine's set-up, with its reason. The journal's own are in its folder.</summary>
static class Numbers
{
    /// <summary>Asks of one entity that may be open at one node's doors. One entity decides one batch at a time: more would only wait.</summary>
    public const int AsksPerEntity = 64;

    /// <summary>
    /// A question to an entity that has no answer yet is asked again this often, under the same message id: what was sent to
    /// a node that died is lost, and nobody says so. An entity that has it already lets the second wait beside the first.
    /// </summary>
    public static readonly TimeSpan AskAgainMax = TimeSpan.FromSeconds(1);

    /// <summary>The first time sooner, then after twice as long each time: what a shard drops while it is handed over is missed for no longer.</summary>
    public static readonly TimeSpan AskAgain = TimeSpan.FromMilliseconds(250);

    /// <summary>An entity that is being handed over said so: it is elsewhere in a moment.</summary>
    public static readonly TimeSpan AskMovedAgain = TimeSpan.FromMilliseconds(50);

    /// <summary>Entities with open work that are woken at once after a failed write, in one <see cref="WakeEvery"/>: recovery must not storm the journal.</summary>
    public const int WakesAtOnce = 100;

    /// <summary>How often that happens: a journal that refuses one entity again and again is asked no faster.</summary>
    public static readonly TimeSpan WakeEvery = TimeSpan.FromSeconds(1);

    /// <summary>Identifies our serializer in every stored row, so it is for ever; Akka keeps 0 to 40.</summary>
    public const int WordsSerializerId = 1_701;

    /// <summary>Akka's own number of its JSON serializer, whose place is taken.</summary>
    public const int RefusingSerializerId = 1;

    // The time without service after a kill is: three knocks at an address that refuses (0.5 s), removal (0.5 s), the coordinator
    // on another node (0.5 s), then allocation and recovery (1 s or more, with what there is to recover): below the 6 s that are
    // promised (design.md 8) where the processor is not busy with other things. After a silence that refuses nothing it is:
    // detection (heartbeats 0.5 s apart, 1.5 s of grace: some 2 s), stable-after with the resolver's tick of one second (1.5 to
    // 2.5 s), then the same. Shorter, a busy machine would lose nodes that only were slow for a moment: together a node may stand
    // still for 3.5 s before anybody decides without it.

    /// <summary>How often members say to each other that they are there.</summary>
    public static readonly TimeSpan PeerHeartbeatEvery = TimeSpan.FromMilliseconds(500);

    /// <summary>Silence beyond the usual that is no suspicion yet: a garbage collection, a busy processor.</summary>
    public static readonly TimeSpan PeerPauseMax = TimeSpan.FromMilliseconds(1_500);

    /// <summary>The lease of the resolver. It ends by itself so long after its holder's last word.</summary>
    public static readonly TimeSpan LeaseTtl = TimeSpan.FromSeconds(4);

    /// <summary>A quarter of the lease's life: three renewals may be lost.</summary>
    public static readonly TimeSpan LeaseRenewEvery = TimeSpan.FromSeconds(1);

    /// <summary>With less left than this the holder missed a renewal by half a second: it has ended, and who asks waits for the end of its time.</summary>
    public static readonly TimeSpan LeaseLeftMin = TimeSpan.FromMilliseconds(2_500);

    /// <summary>So long the lease is asked for while the database does not answer, as in a restart: the losing side still ends within 10 s.</summary>
    public static readonly TimeSpan LeaseAcquireMax = TimeSpan.FromSeconds(3);

    public static readonly TimeSpan LeaseAcquireAgain = TimeSpan.FromMilliseconds(200);

    /// <summary>A peer's address that refuses so many connections, <see cref="KnockAgain"/> apart, has no process: more than the moment between a listener and the next.</summary>
    public const int KnocksAtEnded = 3;

    public static readonly TimeSpan KnockAgain = TimeSpan.FromMilliseconds(100);

    /// <summary>How long a connection to a silent member's address is tried.</summary>
    public static readonly TimeSpan KnockMax = TimeSpan.FromSeconds(1);

    /// <summary>How often a process says in the database that it is there, and learns whether it was removed.</summary>
    public static readonly TimeSpan HeartbeatEvery = TimeSpan.FromSeconds(1);

    /// <summary>A process silent for less is there: four heartbeats.</summary>
    public static readonly TimeSpan MemberSilentMax = TimeSpan.FromSeconds(4);

    /// <summary>
    /// A silent process that refuses no connection is waited for so long before another cluster is founded: it may be cut from
    /// the database, or the database may have been away for all.
    /// </summary>
    public static readonly TimeSpan MemberGoneAfter = TimeSpan.FromSeconds(15);

    /// <summary>
    /// A process that is not on record as removed and was silent for so long holds no wire version back any more: it ended without
    /// a word before it was a member. One that is there all the same ends when it hears what is spoken.
    /// </summary>
    public static readonly TimeSpan WireSilentMax = TimeSpan.FromHours(1);

    /// <summary>Without an answer of the database for so long, three heartbeats, a node asks its peers whether they have one.</summary>
    public static readonly TimeSpan DatabaseSilentMax = TimeSpan.FromSeconds(3);

    /// <summary>
    /// So many times in a row, a heartbeat apart, a peer has the database and this node has not: then it is cut off. After a
    /// restart or a fail-over every node has tried again by then, each try being over after a second.
    /// </summary>
    public const int DatabaseLooks = 4;

    /// <summary>A peer whose last answer is younger has the database: two heartbeats.</summary>
    public static readonly TimeSpan DatabaseSeenMax = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Entities with open work that the supervisor wakes at once, and how often: 500 a second, half of what the journal starts
    /// on a small machine, so that who is asked for by people is not behind them.
    /// </summary>
    public const int WalkStep = 100;

    public static readonly TimeSpan WalkStepEvery = TimeSpan.FromMilliseconds(200);

    /// <summary>A walk over all that has open work; for those that are awake it costs a message.</summary>
    public static readonly TimeSpan WalkEvery = TimeSpan.FromSeconds(30);

    public static readonly TimeSpan JoinAgain = TimeSpan.FromMilliseconds(500);

    /// <summary>Members that let nobody in for so long have ended: who is there is asked anew.</summary>
    public static readonly TimeSpan JoinMax = TimeSpan.FromSeconds(10);

    /// <summary>Standing still for longer, a process may be out: its peers decide without it after 3.5 s at the soonest.</summary>
    public static readonly TimeSpan PauseMax = TimeSpan.FromMilliseconds(3_500);

    public static readonly TimeSpan PauseLookEvery = TimeSpan.FromMilliseconds(200);

    /// <summary>The failure detector between members.</summary>
    public static PhiAccrualFailureDetectorOptions FailureDetector { get; } = new()
    {
        HeartbeatInterval = PeerHeartbeatEvery,
        AcceptableHeartbeatPause = PeerPauseMax,
        // Akka's own; with a deviation of 100 ms it adds half a second to the pause.
        Threshold = 8,
    };

    /// <summary>Settings of Akka that are not its defaults.</summary>
    public const string Hocon = """
        akka {
          # Everything below warnings is noise of membership; the host logs what it does itself.
          loglevel = WARNING
          log-dead-letters = off
          log-dead-letters-during-shutdown = off

          # The host ends the system in its own order: readyz, streams, HTTP, then hand-over (design.md 4).
          coordinated-shutdown.run-by-clr-shutdown-hook = off
          coordinated-shutdown.exit-clr = off

          actor {
            # What has no stored name of ours and no protobuf of Akka's is refused with its name.
            serializers.json = "ControlPlane.Host.Engine.RefusingSerializer, controlplane"
            # Persistent actors ask for this kind of mailbox: an idle entity pays for it.
            mailbox.unbounded-deque-based.mailbox-type = "ControlPlane.Actors.Shell.EntityMailbox, ControlPlane.Actors"
          }

          persistence {
            # Recoveries at once. Each is two queries; more would queue in the database instead of here.
            max-concurrent-recoveries = 50
            # The core asks for a journal of its own; nothing may fall back to a plugin that forgets.
            journal.auto-start-journals = []
          }

          remote {
            # A connection to a node that died is tried again this often; its restart must not wait longer.
            retry-gate-closed-for = 500ms
            dot-netty.tcp {
              # A frozen peer accepts and says nothing: a connection that does not come up is given up early.
              connection-timeout = 2s
              # The largest word is a snapshot of a host with its devices (4 MiB on the agents' link).
              maximum-frame-size = 4194304b
              send-buffer-size = 4194304b
              receive-buffer-size = 4194304b
            }
            # Death watch of actors on other nodes is not the cluster's own, and follows it.
            watch-failure-detector.acceptable-heartbeat-pause = 3s
          }

          cluster {
            # The member table says who is there within seconds: no seed is waited for longer.
            seed-node-timeout = 2s
            # A node that was started again at its address is let in when the former one is out.
            retry-unsuccessful-join-after = 1s
            # How fast news of members spreads, and how fast their leader acts: parts of every figure above.
            gossip-interval = 200ms
            leader-actions-interval = 200ms
            unreachable-nodes-reaper-interval = 200ms
            # A member that not all have seen yet has no entities.
            allow-weakly-up-members = off
            # The process ends as one; there is no actor system to be ended in it (Departure).
            run-coordinated-shutdown-when-down = off

            split-brain-resolver {
              # Only unchanged for so long does a view of who is unreachable count: both sides of a partition must see the same.
              stable-after = 1500ms
              # Reachability that changes for ever is no decision: then all end, and begin again by the member table.
              down-all-when-unstable = 15s
              lease-majority {
                # The smaller side lets the larger have the lease first, which needs one tick of its resolver more at most.
                acquire-lease-delay-for-minority = 2s
                # After a decision. Longer, and whoever decided last would win the next partition however small its side is; who was
                # removed is kept from the lease by the record of that.
                release-after = 5s
              }
            }

            sharding {
              # A region asks a silent coordinator again: this is the time without service after its death.
              retry-interval = 200ms
              # A newcomer has its share within seconds. At most a fifth of the shards move at once, the rest is undisturbed.
              rebalance-interval = 2s
              least-shard-allocation-strategy {
                rebalance-absolute-limit = 16
                rebalance-relative-limit = 0.2
              }
              # A hand-over that began between a node's death and the news of it waits for the dead node until this is over: it is
              # a part of the time without service. An entity has one second of it to end after its open write; then it is ended,
              # as if killed.
              handoff-timeout = 4s
              shard-start-timeout = 5s
              coordinator-failure-backoff = 1s
              shard-failure-backoff = 1s
              waiting-for-state-timeout = 1s
              updating-state-timeout = 2s
              distributed-data {
                # Shard homes are found anew; what must survive is in the journal.
                durable.keys = []
                # A majority of two nodes is enough: the default of 5 means all of a small cluster, the dead one too.
                majority-min-cap = 2
                gossip-interval = 500ms
                notify-subscribers-interval = 200ms
              }
              coordinator-state {
                write-majority-plus = 0
                read-majority-plus = 0
              }
            }
            singleton.hand-over-retry-interval = 500ms
            # "off" and 0 both mean the resolver's stable-after once more; the journal's key fences instead.
            down-removal-margin = 1ms
          }

          coordination.lease.database {
            lease-class = "ControlPlane.Host.Engine.Clustering.DatabaseLease, controlplane"
            # Acquiring has its own bound (LeaseAcquireMax); these are not used by our class, and required by its base.
            heartbeat-timeout = 4s
            heartbeat-interval = 1s
            lease-operation-timeout = 4s
          }
        }
        """;
}
