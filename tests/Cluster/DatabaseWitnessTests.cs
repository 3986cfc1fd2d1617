using Akka.Actor;
using ControlPlane.Host.Engine.Clustering;
using ControlPlane.Messages;
using ControlPlane.Tests.Cluster.Nodes;

namespace ControlPlane.Tests.Cluster;

public sealed class DatabaseWitnessTests
{
    /// <summary>When a database comes back, somebody has it first: who has it a moment later must not end for that.</summary>
    [Fact]
    public async Task Node_without_a_database_ends_after_looks_in_a_row_and_not_after_many_words_at_once()
    {
        await using var engine = await EngineRig.Start();
        var departure = engine.Departure;
        var witness = engine.System.ActorOf(Props.Create(() => new DatabaseWitness(() => TimeSpan.FromSeconds(10), departure)), DatabaseWitness.Name);
        using var peer = Inbox.Create(engine.System);
        for (var word = 0; word < 10; word++)
        {
            witness.Tell(new DatabaseSeen(0), peer.Receiver);
        }
        await witness.Ask<DatabaseSeen>(new AskDatabase(), TimeSpan.FromSeconds(20)); // by now it has heard them
        Assert.False(engine.Departed);
        await LocalCluster.Until(
            () =>
            {
                witness.Tell(new DatabaseSeen(0), peer.Receiver);
                return Task.FromResult(engine.Departed);
            },
            "it ends", TimeSpan.FromSeconds(60));
    }
}
