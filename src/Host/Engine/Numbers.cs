namespace ControlPlane.Host.Engine;

/// <summary>Every number of the engine's set-up, with its reason. The journal's own are in its folder.</summary>
static class Numbers
{
    /// <summary>Asks of one entity that may be open at one node's doors. One entity decides one batch at a time: more would only wait.</summary>
    public const int AsksPerEntity = 64;

    /// <summary>Entities with open work that are woken at once after a failed write, in one <see cref="WakeEvery"/>: recovery must not storm the journal.</summary>
    public const int WakesAtOnce = 100;

    /// <summary>How often that happens: a journal that refuses one entity again and again is asked no faster.</summary>
    public static readonly TimeSpan WakeEvery = TimeSpan.FromSeconds(1);

    /// <summary>Identifies our serializer in every stored row, so it is for ever; Akka keeps 0 to 40.</summary>
    public const int WordsSerializerId = 1_701;

    /// <summary>Akka's own number of its JSON serializer, whose place is taken.</summary>
    public const int RefusingSerializerId = 1;

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

          cluster {
            sharding {
              # A region asks a silent coordinator again: this is the time without service after its death.
              retry-interval = 500ms
              distributed-data {
                # Shard homes are found anew; what must survive is in the journal.
                durable.keys = []
                # A majority of two nodes is enough: the default of 5 means all of a small cluster, the dead one too.
                majority-min-cap = 2
              }
              coordinator-state {
                write-majority-plus = 0
                read-majority-plus = 0
              }
            }
            # "off" and 0 both mean the resolver's stable-after once more; the journal's key fences instead.
            down-removal-margin = 1ms
          }
        }
        """;
}
