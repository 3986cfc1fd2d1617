using System.Collections.Concurrent;
using System.Data.Common;
using Akka.Actor;
using ControlPlane.Actors.Shell;
using ControlPlane.Host.Engine;
using ControlPlane.Host.Engine.Clustering;
using ControlPlane.Host.Projections;
using ControlPlane.Messages;
using ControlPlane.Tests.Cluster.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit.Abstractions;

namespace ControlPlane.Tests.Cluster;

/// <summary>After a death whoever owes something goes on by itself, so many a second; the others sleep on (reliability.md 6).</summary>
public sealed class RecoveryStormTests(ITestOutputHelper output) : IDisposable
{
    const int Known = 100_000;
    const int Owing = Known / 100;

    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Of_100_000_entities_the_1_percent_with_open_work_are_woken_at_500_a_second_and_nobody_else()
    {
        var tables = Fill();
        await using var engine = await EngineRig.Start();
        var door = new Woken();
        NextWithOpenWork next = (after, max, _) => Task.FromResult(tables.WithOpenWork(after, max));
        engine.System.ActorOf(Props.Create(() => new ClusterSupervisor(next, door)));
        await LocalCluster.Until(() => Task.FromResult(door.At.Count >= Owing), "all that owe something are woken", TimeSpan.FromSeconds(60));

        var woken = door.At.ToArray();
        Assert.Equal(Enumerable.Range(0, Owing).Select(n => Id(n * 100)), woken.Select(wake => wake.Entity.Text));
        // Whatever the machine does, no step comes sooner than its pause after the one before.
        var took = TimeProvider.System.GetElapsedTime(woken[0].Stamp, woken[^1].Stamp);
        var steps = Owing / Numbers.WalkStep;
        output.WriteLine($"{Known} known, {Owing} owing: woken in {took.TotalSeconds:0.00} s, {Owing / took.TotalSeconds:0} a second; bound {Numbers.WalkStep / Numbers.WalkStepEvery.TotalSeconds:0}");
        Assert.True(took >= (steps - 1) * Numbers.WalkStepEvery * 0.9, $"{took} for {steps} steps");
        Assert.Equal(500, Numbers.WalkStep / Numbers.WalkStepEvery.TotalSeconds);
    }

    ReadTables Fill()
    {
        var database = new SqliteReadDatabase(_folder.File("read.db"), 0, NullLogger<SqliteReadDatabase>.Instance);
        using var connection = database.Open();
        using var transaction = connection.BeginTransaction();
        using var insert = connection.CreateCommand();
        insert.Transaction = transaction;
        insert.CommandText = """
            INSERT INTO entities (id, kind, revision, sequence, ordering, created, updated, gone, drifted, open_work, state_name, state, notes)
            VALUES ($id, 'vm', 1, 1, 1, 0, 0, 0, 0, $owes, '', x'', x'')
            """;
        var (id, owes) = (Parameter(insert, "$id"), Parameter(insert, "$owes"));
        for (var n = 0; n < Known; n++)
        {
            (id.Value, owes.Value) = (Id(n), n % 100 == 0 ? 1 : 0);
            insert.ExecuteNonQuery();
        }
        transaction.Commit();
        return new ReadTables(database);
    }

    static string Id(int n) => EntityId.Vm($"web-{n:000000}").Text;

    static DbParameter Parameter(DbCommand command, string name)
    {
        var parameter = command.CreateParameter();
        parameter.ParameterName = name;
        command.Parameters.Add(parameter);
        return parameter;
    }

    sealed class Woken : IEntityDoor
    {
        public ConcurrentQueue<(EntityId Entity, long Stamp)> At { get; } = new();

        public void Wake(EntityId entity) => At.Enqueue((entity, TimeProvider.System.GetTimestamp()));

        public void WakeLater(EntityId entity) => throw new InvalidOperationException("a walk wakes at once");

        public void Tell(Messages.Envelope envelope) => throw new InvalidOperationException("a walk only wakes");

        public void Tell(Answer answer) => throw new InvalidOperationException("a walk only wakes");
    }
}
